//! Subsidiaries: whether an account may be put under another.

use crm_resource::{Error, Records, Refusal, Write};
use uuid::Uuid;

use super::Account;

/// Most accounts that may stand above another.
///
/// It bounds the walk upwards; real groups have fewer than ten levels.
pub(crate) const MAX_ANCESTORS: u16 = 32;

/// The parent is not there.
pub const PARENT_NOT_FOUND: Refusal =
    Refusal::failed_precondition("ACCOUNT_PARENT_NOT_FOUND", "there is no such parent account");
/// The account would stand above itself.
pub const PARENT_CYCLE: Refusal =
    Refusal::failed_precondition("ACCOUNT_PARENT_CYCLE", "the account would become its own ancestor");
/// Somebody would have more than 32 ancestors.
pub const PARENT_TOO_DEEP: Refusal = Refusal::failed_precondition(
    "ACCOUNT_PARENT_TOO_DEEP",
    "the account or a subsidiary of it would be too deep in the hierarchy",
);

/// Checks that `child`, with what is below it, may be put under `parent`, and keeps the parent from being deleted
/// meanwhile. The caller holds the tenant's hierarchy, so that what is found here stays so.
pub(super) async fn admit_under(
    accounts: &Records<Account>,
    write: &mut Write,
    child: Uuid,
    parent: Uuid,
) -> Result<(), Error> {
    if child == parent {
        return Err(Error::from(&PARENT_CYCLE));
    }
    if !accounts.hold(write, parent).await? {
        return Err(accounts.absent(write, parent, Error::from(&PARENT_NOT_FOUND)).await);
    }
    let path = ancestors(write, parent).await?;
    let height = height(write, child).await?;
    admit(&path, child, height)
}

/// Checks that what is below `loser` may be put below `winner`, where `loser` itself will be none any more. The caller holds
/// the tenant's hierarchy.
pub(super) async fn admit_below(write: &mut Write, winner: Uuid, loser: Uuid) -> Result<(), Error> {
    let path = ancestors(write, winner).await?;
    if path.contains(&loser) {
        return Err(Error::from(&PARENT_CYCLE));
    }
    match height(write, loser).await? {
        0 => Ok(()),
        height => admit(&path, loser, height - 1),
    }
}

/// Whether `child` may be put where `path` stands above it, with the `height` levels of subsidiaries that it brings along.
fn admit(path: &[Uuid], child: Uuid, height: usize) -> Result<(), Error> {
    if path.contains(&child) {
        Err(Error::from(&PARENT_CYCLE))
    } else if path.len().saturating_add(height) > usize::from(MAX_ANCESTORS) {
        Err(Error::from(&PARENT_TOO_DEEP))
    } else {
        Ok(())
    }
}

/// Behind `lock_hierarchy`.
pub const LOCK_HIERARCHY: &str =
    "select pg_advisory_xact_lock(hashtextextended('customers.hierarchy ' || $1::text, 0))";

/// Waits until no other transaction changes the tenant's hierarchy, and keeps others out until this one ends.
///
/// Two moves that are each fine can make a loop together; row locks would not show them to each other. Taken before
/// any row lock, so that two holders never wait for one another.
pub(super) async fn lock_hierarchy(write: &mut Write) -> Result<(), Error> {
    let query = sqlx::query(LOCK_HIERARCHY).bind(write.call.tenant);
    write.execute("lock_hierarchy", query).await?;
    Ok(())
}

/// Behind `share_hierarchy`.
pub const SHARE_HIERARCHY: &str =
    "select pg_advisory_xact_lock_shared(hashtextextended('customers.hierarchy ' || $1::text, 0))";

/// Waits until nobody moves accounts of the tenant, and keeps moves out until this transaction ends.
///
/// For what only adds a leaf: two of those cannot be too deep together, but one and a move of what is above it can.
pub(crate) async fn share_hierarchy(write: &mut Write) -> Result<(), Error> {
    let query = sqlx::query(SHARE_HIERARCHY).bind(write.call.tenant);
    write.execute("share_hierarchy", query).await?;
    Ok(())
}

/// The account `$2` and those above it, at most one more than `$3`. Above what still stands under an account that was merged
/// stands the winner.
pub const ANCESTORS: &str = "with recursive path (id, parent_id, length) as (\
     select id, parent_id, 1 from customers.accounts where tenant_id = $1 and id = $2 \
     union all \
     select parent.id, parent.parent_id, path.length + 1 from path \
     join customers.accounts parent on parent.tenant_id = $1 and parent.id = coalesce((select winner_id \
     from customers.merges where merges.tenant_id = $1 and merges.id = path.parent_id and merges.resource = 'accounts'), \
     path.parent_id) \
     where path.length <= $3) \
     select id from path order by length";

async fn ancestors(write: &mut Write, id: Uuid) -> Result<Vec<Uuid>, Error> {
    let query = sqlx::query(ANCESTORS).bind(write.call.tenant).bind(id).bind(i32::from(MAX_ANCESTORS));
    let path = write.fetch_all::<(Uuid,)>("find_ancestors", query).await?;
    Ok(path.into_iter().map(|(id,)| id).collect())
}

/// Behind `has_subsidiary`.
pub const SUBSIDIARY: &str = "select id from customers.accounts \
     where tenant_id = $1 and parent_id = $2 and delete_time is null limit 1";

/// Whether the account has a subsidiary that is not deleted.
pub(super) async fn has_subsidiary(write: &mut Write, id: Uuid) -> Result<bool, Error> {
    let query = sqlx::query(SUBSIDIARY).bind(write.call.tenant).bind(id);
    Ok(write.fetch_optional::<(Uuid,)>("find_subsidiary", query).await?.is_some())
}

/// Levels of subsidiaries below the account `$2`, at most one more than `$3`. What stands below a deleted account is
/// deleted, too, and is looked at when it comes back; what still stands under one that was merged is below the winner.
pub const HEIGHT: &str = "with recursive below (id, depth) as (\
     select id, 0 from customers.accounts where tenant_id = $1 and id = $2 \
     union all \
     select child.id, below.depth + 1 from below \
     cross join lateral (select below.id union all select merges.id from customers.merges where merges.tenant_id = $1 \
     and merges.winner_id = below.id and merges.state <> 'moved') as names (id) \
     join customers.accounts child on child.tenant_id = $1 and child.parent_id = names.id and child.delete_time is null \
     where below.depth <= $3) \
     select coalesce(max(depth), 0) from below";

async fn height(write: &mut Write, id: Uuid) -> Result<usize, Error> {
    let query = sqlx::query(HEIGHT).bind(write.call.tenant).bind(id).bind(i32::from(MAX_ANCESTORS));
    let (height,) = write.fetch_one::<(i32,)>("find_height", query).await?;
    Ok(usize::try_from(height).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(length: u128, child: u128, height: usize, expected: Option<&Refusal>) {
        let path: Vec<Uuid> = (1..=length).map(Uuid::from_u128).collect();
        match (admit(&path, Uuid::from_u128(child), height), expected) {
            (Ok(()), None) => {}
            (Err(Error::Refused(refusal)), Some(expected)) => assert_eq!(refusal, expected),
            (other, _) => panic!("{length} above {child}: {other:?}"),
        }
    }

    #[test]
    fn an_account_never_gets_under_itself_nor_too_deep() {
        check(3, 9, 0, None);
        check(3, 1, 0, Some(&PARENT_CYCLE));
        check(3, 3, 0, Some(&PARENT_CYCLE));
        check(32, 99, 0, None);
        check(33, 99, 0, Some(&PARENT_TOO_DEEP));
        check(3, 99, 29, None);
        check(3, 99, 30, Some(&PARENT_TOO_DEEP));
    }
}

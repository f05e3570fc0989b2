//! Whether a record may be given the tags that somebody gives it.

use std::collections::HashMap;

use crm_proto::standard::Resource as _;
use crm_values::Flaw;
use sqlx::SqlStr;
use uuid::Uuid;

use crate::{Error, Resource, Violations, Write};

/// A tag: whether it is deleted, and which one it was merged into.
pub(super) type Held = (Uuid, bool, Option<Uuid>);

/// Refuses tags that are not there, of those that a record is given. Those that are there stay until the transaction ends:
/// nobody deletes or merges one between this look and the write. What a record has already is not looked at.
pub(crate) async fn admit<R: Resource>(
    write: &mut Write,
    hold: &SqlStr,
    before: Option<&mut R::Fields>,
    now: &mut R::Fields,
) -> Result<(), Error> {
    let Some(now) = R::tags(now) else { return Ok(()) };
    let before = before.and_then(R::tags).map(|tags| tags.as_slice()).unwrap_or_default();
    let given: Vec<Uuid> = now.iter().copied().filter(|id| !before.contains(id)).collect();
    if given.is_empty() {
        return Ok(());
    }
    let query = sqlx::query(hold.clone()).bind(write.call.tenant).bind(&given);
    let held: Vec<Held> = write.fetch_all("hold_tags", query).await?;
    let held: HashMap<Uuid, (bool, Option<Uuid>)> =
        held.into_iter().map(|(id, is_deleted, other)| (id, (is_deleted, other))).collect();
    let (field, mut found) = (format!("{}.tag_ids", R::Message::NAME), Violations::default());
    for id in given {
        let rule = match held.get(&id) {
            Some((false, _)) => continue,
            Some((true, Some(other))) => format!("the tag {id} was merged into {other}"),
            Some((true, None)) => format!("the tag {id} is deleted"),
            None => format!("there is no tag {id}"),
        };
        found.add(&field, Flaw::new(Flaw::NOT_THERE, rule));
    }
    found.finish(())
}

//! Undoes the merge of an account: an operation.

use crm_proto::merges::{UnmergeRequest, UnmergeResponse};
use crm_resource::merge::{Back, Going, Merged};
use crm_resource::operations::{Next, Operation, Progress};
use crm_resource::{Error, Violations, Write};
use tonic::async_trait;
use uuid::Uuid;

use super::hierarchy::{admit_under, lock_hierarchy};
use super::{Account, DOMAIN_TAKEN, Fields, MergeAccount};

/// The operation.
#[derive(Debug, Clone)]
pub struct UnmergeAccount(pub MergeAccount);

/// Behind `check_domain`.
pub const DOMAIN_HOLDER: &str = "select id from customers.accounts \
     where tenant_id = $1 and domain = $2 and delete_time is null and id <> $3";

#[async_trait]
impl Operation for UnmergeAccount {
    type Request = UnmergeRequest;
    type Position = Back;
    type Response = UnmergeResponse;

    const NAME: &'static str = "UnmergeAccount";
    const UNIT: &'static str = "records";
    const GOES_THROUGH: bool = true;

    fn request_id(request: &mut UnmergeRequest) -> &mut String {
        crm_resource::merge::Merging::<Account>::undo_request_id(request)
    }

    fn check(request: &UnmergeRequest, found: &mut Violations) {
        crm_resource::merge::Merging::<Account>::check_undo(request, found);
    }

    /// What the account needs to be there again is looked at before anything moves, and once more in the end.
    async fn step(
        &self,
        write: &mut Write,
        progress: &mut Progress,
        request: &UnmergeRequest,
        at: Back,
    ) -> Result<Next<Back, UnmergeResponse>, Error> {
        let Self(MergeAccount { accounts, merging }) = self;
        if at.is_begun()
            && let Going::Back(at) = merging.go_back(write, progress, request, at).await?
        {
            return Ok(Next::Step(at));
        }
        merging.take_turns(write).await?;
        lock_hierarchy(write).await?;
        let pair = merging.lock_merged(write, request).await?;
        let (id, parent) = (pair.loser.head.id, pair.loser.fields.parent_id);
        if let Some(parent) = parent {
            admit_under(accounts, write, id, parent).await?;
        }
        if !at.is_begun() {
            check_domain(write, &pair).await?;
            return Ok(Next::Step(merging.begin_undoing(write, progress, id).await?));
        }
        let before = pair.winner.fields.parent_id;
        let (winner, response) = merging.part(write, pair, at).await?;
        if let Some(parent) = winner.fields.parent_id.filter(|parent| before != Some(*parent)) {
            admit_under(accounts, write, winner.head.id, parent).await?;
        }
        Ok(Next::End(response))
    }
}

/// Whether the account's domain is free; where the winner has it from there, it is once that is undone.
async fn check_domain(write: &mut Write, pair: &Merged<Fields>) -> Result<(), Error> {
    let Some(domain) = pair.loser.fields.domain.clone() else { return Ok(()) };
    let passed_over = if pair.has_taken("domain") { pair.winner.head.id } else { Uuid::nil() };
    let query = sqlx::query(DOMAIN_HOLDER).bind(write.call.tenant).bind(domain).bind(passed_over);
    match write.fetch_optional::<(Uuid,)>("find_domain_holder", query).await? {
        Some(_) => Err(Error::from(&DOMAIN_TAKEN)),
        None => Ok(()),
    }
}

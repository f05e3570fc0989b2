//! Merges a duplicate into an account: an operation.

use crm_proto::customers as pb;
use crm_proto::merges::MergeRequest;
use crm_resource::activities::Activities;
use crm_resource::merge::{BEGUN, Merging, Position};
use crm_resource::operations::{Next, Operation, Progress};
use crm_resource::{Error, Records, Violations, Write};
use tonic::async_trait;

use super::Account;
use super::hierarchy::{admit_below, admit_under, lock_hierarchy};
use crate::OfCustomers;
use crate::contacts::Contact;

/// The operation.
#[derive(Debug, Clone)]
pub struct MergeAccount {
    pub(super) accounts: Records<Account>,
    pub(super) merging: Merging<Account>,
}

impl MergeAccount {
    /// Of accounts, and of what stands under them.
    pub fn new(accounts: &Records<Account>, contacts: &Records<Contact>, activities: &Activities<OfCustomers>) -> Self {
        let merging = Merging::new(accounts).moving(contacts, "account_id").moving(accounts, "parent_id");
        Self { accounts: accounts.clone(), merging: merging.moving_activities(activities) }
    }
}

#[async_trait]
impl Operation for MergeAccount {
    type Request = MergeRequest;
    type Position = Position;
    type Response = pb::Account;

    const NAME: &'static str = "MergeAccount";
    const UNIT: &'static str = "records";
    const GOES_THROUGH: bool = true;

    fn request_id(request: &mut MergeRequest) -> &mut String {
        Merging::<Account>::request_id(request)
    }

    fn check(request: &MergeRequest, found: &mut Violations) {
        Merging::<Account>::check(request, found);
    }

    /// The hierarchy is locked before the rows, as by whoever else moves accounts.
    async fn step(
        &self,
        write: &mut Write,
        progress: &mut Progress,
        request: &MergeRequest,
        at: Position,
    ) -> Result<Next<Position, pb::Account>, Error> {
        if at.is_begun() {
            return self.merging.go_on(write, progress, request).await;
        }
        self.merging.take_turns(write).await?;
        lock_hierarchy(write).await?;
        let Some(pair) = self.merging.lock(write, request).await? else { return Ok(Next::Step(BEGUN)) };
        admit_below(write, pair.winner.head.id, pair.loser.head.id).await?;
        let before = pair.winner.fields.parent_id;
        let (winner, next) = self.merging.merge(write, progress, pair).await?;
        if let Some(parent) = winner.fields.parent_id.filter(|parent| before != Some(*parent)) {
            admit_under(&self.accounts, write, winner.head.id, parent).await?;
        }
        Ok(next)
    }
}

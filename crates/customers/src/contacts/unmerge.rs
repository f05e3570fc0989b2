//! Undoes the merge of a contact: an operation.

use crm_proto::merges::{UnmergeRequest, UnmergeResponse};
use crm_resource::merge::{Back, Going, Merging};
use crm_resource::operations::{Next, Operation, Progress};
use crm_resource::{Error, Records, Violations, Write};
use tonic::async_trait;

use super::{ACCOUNT_NOT_FOUND, Contact, ERASED, MergeContact};
use crate::accounts::Account;

/// The operation.
#[derive(Debug, Clone)]
pub struct UnmergeContact {
    merging: Merging<Contact>,
    contacts: Records<Contact>,
    accounts: Records<Account>,
}

impl UnmergeContact {
    /// Of what that operation merges.
    pub fn new(of: &MergeContact, contacts: &Records<Contact>, accounts: &Records<Account>) -> Self {
        Self { merging: of.merging.clone(), contacts: contacts.clone(), accounts: accounts.clone() }
    }
}

#[async_trait]
impl Operation for UnmergeContact {
    type Request = UnmergeRequest;
    type Position = Back;
    type Response = UnmergeResponse;

    const NAME: &'static str = "UnmergeContact";
    const UNIT: &'static str = "records";
    const GOES_THROUGH: bool = true;

    fn request_id(request: &mut UnmergeRequest) -> &mut String {
        Merging::<Contact>::undo_request_id(request)
    }

    fn check(request: &UnmergeRequest, found: &mut Violations) {
        Merging::<Contact>::check_undo(request, found);
    }

    /// The contact's account is looked at before anything moves, and once more in the end.
    async fn step(
        &self,
        write: &mut Write,
        progress: &mut Progress,
        request: &UnmergeRequest,
        at: Back,
    ) -> Result<Next<Back, UnmergeResponse>, Error> {
        if at.is_begun()
            && let Going::Back(at) = self.merging.go_back(write, progress, request, at).await?
        {
            return Ok(Next::Step(at));
        }
        self.merging.take_turns(write).await?;
        let pair = self.merging.lock_merged(write, request).await?;
        let (tenant, loser) = (write.call.tenant, pair.loser.head.id);
        // Whoever stands for it is locked: an erasure that has begun takes it along.
        if self.contacts.erasure(write, tenant, loser).await?.is_some() {
            return Err(Error::RefusedFor(&ERASED, loser));
        }
        let account = pair.loser.fields.account_id();
        if !self.accounts.hold(write, account).await? {
            return Err(self.accounts.absent(write, account, Error::from(&ACCOUNT_NOT_FOUND)).await);
        }
        if !at.is_begun() {
            return Ok(Next::Step(self.merging.begin_undoing(write, progress, loser).await?));
        }
        let (_, response) = self.merging.part(write, pair, at).await?;
        Ok(Next::End(response))
    }
}

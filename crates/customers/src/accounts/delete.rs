//! Deletes an account, and brings it back.
//!
//! Only an account without contacts and subsidiaries can be deleted. Deleting them along would let one click hide
//! thousands of people, and an undelete could not tell which of them had been deleted before.

use crm_proto::customers as pb;
use crm_resource::{Error, Records, Refusal};
use tonic::Request;

use super::Account;
use super::hierarchy::{admit_under, has_subsidiary, lock_hierarchy};
use crate::contacts;

/// People would be left without their account.
pub const HAS_CONTACTS: Refusal =
    Refusal::failed_precondition("ACCOUNT_HAS_CONTACTS", "the account has contacts: delete or move them first");
/// Accounts would be left without their parent.
pub const HAS_SUBSIDIARIES: Refusal =
    Refusal::failed_precondition("ACCOUNT_HAS_SUBSIDIARIES", "the account has subsidiaries: delete or move them first");

/// Marks the account as deleted. The lock on its row makes those wait who are about to refer to it.
pub(super) async fn delete(
    accounts: &Records<Account>,
    request: Request<pb::DeleteAccountRequest>,
) -> Result<pb::Account, Error> {
    let (mut write, id, etag) = accounts.begin_at(request).await?;
    accounts.lock_live(&mut write, id, &etag).await?;
    if has_subsidiary(&mut write, id).await? {
        return Err(Error::from(&HAS_SUBSIDIARIES));
    }
    if contacts::exist_at(&mut write, id).await? {
        return Err(Error::from(&HAS_CONTACTS));
    }
    accounts.mark(write, id, true).await
}

/// Takes the mark away, if the account's domain is still free and its parent still there.
pub(super) async fn undelete(
    accounts: &Records<Account>,
    request: Request<pb::UndeleteAccountRequest>,
) -> Result<pb::Account, Error> {
    let (mut write, id, etag) = accounts.begin_at(request).await?;
    lock_hierarchy(&mut write).await?;
    let current = accounts.lock_deleted(&mut write, id, &etag).await?;
    if let Some(parent) = current.fields.parent_id {
        admit_under(accounts, &mut write, id, parent).await?;
    }
    accounts.mark(write, id, false).await
}

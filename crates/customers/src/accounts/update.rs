//! Changes fields of an account, and its place in the hierarchy.

use crm_proto::customers as pb;
use crm_resource::{Change, Error, Records};
use tonic::Request;

use super::Account;
use super::hierarchy::{admit_under, lock_hierarchy};

/// Changes the fields that the request names. The hierarchy is locked before the row, so that no two writers wait for each
/// other.
pub(super) async fn update(
    accounts: &Records<Account>,
    request: Request<pb::UpdateAccountRequest>,
) -> Result<pb::Account, Error> {
    let mut change = Change::<Account>::of(request)?;
    let mut write = accounts.begin(change.call.clone()).await?;
    if change.names("parent_id") {
        lock_hierarchy(&mut write).await?;
    }
    let current = accounts.lock_live(&mut write, change.id, &change.etag).await?;
    let fields = accounts.apply(&mut write, &mut change, &current).await?;
    if let Some(parent) = fields.parent_id.filter(|parent| current.fields.parent_id != Some(*parent)) {
        admit_under(accounts, &mut write, change.id, parent).await?;
    }
    accounts.save(write, current, fields).await
}

//! Creates an account, below another or not.

use crm_proto::customers as pb;
use crm_resource::{Claim, Error, Records};
use tonic::Request;

use super::Account;
use super::hierarchy::{admit_under, share_hierarchy};

/// Creates the account, or answers what the same request was answered before.
pub(super) async fn create(
    accounts: &Records<Account>,
    request: Request<pb::CreateAccountRequest>,
) -> Result<pb::Account, Error> {
    let refuses = request.get_ref().refuse_duplicates;
    let new = accounts.read(request).await?;
    let mut write = match accounts.claim(new.call.clone(), new.request_id).await? {
        Claim::First(write) => *write,
        Claim::Answered(answer) => return Ok(answer),
    };
    if let Some(parent) = new.fields.parent_id {
        share_hierarchy(&mut write).await?;
        admit_under(accounts, &mut write, new.id, parent).await?;
    }
    if refuses {
        accounts.refuse_duplicates(&mut write, &new.fields).await?;
    }
    accounts.finish(write, new).await
}

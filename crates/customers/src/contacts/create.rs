//! Creates a contact at an account that is there.

use crm_proto::customers as pb;
use crm_resource::{Claim, Error, Records};
use tonic::Request;

use super::{ACCOUNT_NOT_FOUND, Contact};
use crate::accounts::Account;

/// Creates the contact, or answers what the same request was answered before.
pub(super) async fn create(
    contacts: &Records<Contact>,
    accounts: &Records<Account>,
    request: Request<pb::CreateContactRequest>,
) -> Result<pb::Contact, Error> {
    let refuses = request.get_ref().refuse_duplicates;
    let new = contacts.read(request).await?;
    let mut write = match contacts.claim(new.call.clone(), new.request_id).await? {
        Claim::First(write) => *write,
        Claim::Answered(answer) => return Ok(answer),
    };
    let account = new.fields.account_id;
    if !accounts.hold(&mut write, account).await? {
        return Err(accounts.absent(&mut write, account, Error::from(&ACCOUNT_NOT_FOUND)).await);
    }
    if refuses {
        contacts.refuse_duplicates(&mut write, &new.fields).await?;
    }
    contacts.finish(write, new).await
}

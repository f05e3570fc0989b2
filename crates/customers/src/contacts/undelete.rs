//! Brings a contact back to its account.

use crm_proto::customers as pb;
use crm_resource::{Error, Records};
use tonic::Request;

use super::{ACCOUNT_NOT_FOUND, Contact, ERASED};
use crate::accounts::Account;

/// Takes the mark away, if the contact's account is still there and nobody is erasing the contact.
pub(super) async fn undelete(
    contacts: &Records<Contact>,
    accounts: &Records<Account>,
    request: Request<pb::UndeleteContactRequest>,
) -> Result<pb::Contact, Error> {
    let (mut write, id, etag) = contacts.begin_at(request).await?;
    let current = contacts.lock_deleted(&mut write, id, &etag).await?;
    let (tenant, account) = (write.call.tenant, current.fields.account_id);
    if contacts.erasure(&mut write, tenant, id).await?.is_some() {
        return Err(Error::RefusedFor(&ERASED, id));
    }
    if !accounts.hold(&mut write, account).await? {
        return Err(accounts.absent(&mut write, account, Error::from(&ACCOUNT_NOT_FOUND)).await);
    }
    contacts.mark(write, id, false).await
}

//! Deletes a contact, and brings it back.

use crate::call::Call;
use crate::customers::Customers;
use crate::domain::{Contact, ContactId};
use crate::error::Error;
use crate::store::{accounts, contacts};

/// Marks the contact as deleted.
///
/// # Errors
/// The contact is not there, the etag is stale, or the database's.
pub async fn delete_contact(customers: &Customers, call: Call, id: ContactId, etag: &str) -> Result<Contact, Error> {
    let mut transaction = customers.store.begin(call).await?;
    let current = contacts::lock(&mut transaction, call.tenant, id).await?;
    let current = current.filter(|contact| contact.delete_time.is_none()).ok_or(Error::ContactNotFound(id.0))?;
    if !current.etag().admits(etag) {
        return Err(Error::EtagMismatch);
    }
    let contact = contacts::set_deleted(&mut transaction, call.tenant, id, true).await?;
    customers.store.commit_contact(call, transaction, &contact).await?;
    Ok(contact)
}

/// Takes the mark away, if the contact's account is still there.
///
/// # Errors
/// The contact is not there or not deleted, the etag is stale, its account is deleted, or the database's.
pub async fn undelete_contact(customers: &Customers, call: Call, id: ContactId, etag: &str) -> Result<Contact, Error> {
    let mut transaction = customers.store.begin(call).await?;
    let current = contacts::lock(&mut transaction, call.tenant, id).await?.ok_or(Error::ContactNotFound(id.0))?;
    if current.delete_time.is_none() {
        return Err(Error::ContactNotDeleted);
    }
    if !current.etag().admits(etag) {
        return Err(Error::EtagMismatch);
    }
    if !accounts::hold(&mut transaction, call.tenant, current.account_id).await? {
        return Err(Error::ContactAccountNotFound);
    }
    let contact = contacts::set_deleted(&mut transaction, call.tenant, id, false).await?;
    customers.store.commit_contact(call, transaction, &contact).await?;
    Ok(contact)
}

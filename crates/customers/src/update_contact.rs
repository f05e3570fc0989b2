//! Changes fields of a contact.

use crate::call::Call;
use crate::convert::{ContactChange, check_contact_change};
use crate::customers::Customers;
use crate::domain::Contact;
use crate::error::Error;
use crate::store::contacts;

/// Changes the fields that the request names. A change that changes nothing writes nothing.
///
/// # Errors
/// The contact is not there, the etag is stale, a new value breaks its rule, the contact would change its account or lose its only name, or the
/// database's.
pub async fn update_contact(customers: &Customers, call: Call, change: ContactChange) -> Result<Contact, Error> {
    let mut transaction = customers.store.begin(call).await?;
    let id = change.id;
    let current = contacts::lock(&mut transaction, call.tenant, id).await?;
    let current = current.filter(|contact| contact.delete_time.is_none()).ok_or(Error::ContactNotFound(id.0))?;
    if !current.etag().admits(&change.etag) {
        return Err(Error::EtagMismatch);
    }
    let patch = change.patch(&current)?;
    let moves = patch.account_id.is_some_and(|claimed| claimed != current.account_id);
    let fields = patch.apply(current.fields.clone());
    check_contact_change(moves, &fields)?;
    if fields == current.fields {
        return Ok(current);
    }
    let contact = contacts::update(&mut transaction, call.tenant, id, &fields).await?;
    customers.store.commit_contact(call, transaction, &contact).await?;
    Ok(contact)
}

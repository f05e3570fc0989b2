//! Deletes an account, and brings it back.
//!
//! Only an account without contacts and subsidiaries can be deleted. Deleting them along would let one click hide
//! thousands of people, and an undelete could not tell which of them had been deleted before.

use crate::call::Call;
use crate::create_account::admit_under;
use crate::customers::Customers;
use crate::domain::{Account, AccountId};
use crate::error::Error;
use crate::store::{accounts, contacts};

/// Marks the account as deleted. The lock on its row makes those wait who are about to refer to it.
///
/// # Errors
/// The account is not there, the etag is stale, it has contacts or subsidiaries, or the database's.
pub async fn delete_account(customers: &Customers, call: Call, id: AccountId, etag: &str) -> Result<Account, Error> {
    let mut transaction = customers.store.begin(call).await?;
    let current = accounts::lock(&mut transaction, call.tenant, id).await?;
    let current = current.filter(|account| account.delete_time.is_none()).ok_or(Error::AccountNotFound(id.0))?;
    if !current.etag().admits(etag) {
        return Err(Error::EtagMismatch);
    }
    if accounts::has_subsidiary(&mut transaction, call.tenant, id).await? {
        return Err(Error::AccountHasSubsidiaries);
    }
    if contacts::exist_at(&mut transaction, call.tenant, id).await? {
        return Err(Error::AccountHasContacts);
    }
    let account = accounts::set_deleted(&mut transaction, call.tenant, id, true).await?;
    customers.store.commit_account(call, transaction, &account).await?;
    Ok(account)
}

/// Takes the mark away, if the account's domain is still free and its parent still there.
///
/// # Errors
/// The account is not there or not deleted, the etag is stale, its domain is taken, its parent deleted, or the database's.
pub async fn undelete_account(customers: &Customers, call: Call, id: AccountId, etag: &str) -> Result<Account, Error> {
    let mut transaction = customers.store.begin(call).await?;
    accounts::lock_hierarchy(&mut transaction, call.tenant).await?;
    let current = accounts::lock(&mut transaction, call.tenant, id).await?.ok_or(Error::AccountNotFound(id.0))?;
    if current.delete_time.is_none() {
        return Err(Error::AccountNotDeleted);
    }
    if !current.etag().admits(etag) {
        return Err(Error::EtagMismatch);
    }
    if let Some(parent) = current.fields.parent_id {
        admit_under(&mut transaction, call, id, parent).await?;
    }
    let account = accounts::set_deleted(&mut transaction, call.tenant, id, false).await?;
    customers.store.commit_account(call, transaction, &account).await?;
    Ok(account)
}

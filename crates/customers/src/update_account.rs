//! Changes fields of an account.

use crate::call::Call;
use crate::create_account::admit_under;
use crate::customers::Customers;
use crate::domain::{Account, AccountField, AccountId, AccountPatch};
use crate::error::Error;
use crate::store::accounts;

/// Changes the fields that the patch names. A patch that changes nothing writes nothing, so a repeated import leaves
/// no trace in versions and times.
///
/// # Errors
/// The account is not there, the etag is stale, the domain is taken, the parent is not there, too deep or a descendant,
/// or the database's.
pub async fn update_account(
    customers: &Customers,
    call: Call,
    (id, etag, patch): (AccountId, String, AccountPatch),
) -> Result<Account, Error> {
    let mut transaction = customers.store.begin(call).await?;
    if patch.names(AccountField::ParentId) {
        accounts::lock_hierarchy(&mut transaction, call.tenant).await?;
    }
    let current = accounts::lock(&mut transaction, call.tenant, id).await?;
    let current = current.filter(|account| account.delete_time.is_none()).ok_or(Error::AccountNotFound(id.0))?;
    if !current.etag().admits(&etag) {
        return Err(Error::EtagMismatch);
    }
    let fields = patch.apply(current.fields.clone());
    if fields == current.fields {
        return Ok(current);
    }
    if let Some(parent) = fields.parent_id.filter(|parent| current.fields.parent_id != Some(*parent)) {
        admit_under(&mut transaction, call, id, parent).await?;
    }
    let account = accounts::update(&mut transaction, call.tenant, id, &fields).await?;
    customers.store.commit_account(call, transaction, &account).await?;
    Ok(account)
}

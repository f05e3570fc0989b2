//! Changes fields of an account.

use crate::call::Call;
use crate::convert::AccountChange;
use crate::create_account::admit_under;
use crate::customers::Customers;
use crate::domain::{Account, AccountField};
use crate::error::Error;
use crate::store::accounts;

/// Changes the fields that the request names. A change that changes nothing writes nothing, so a repeated import leaves
/// no trace in versions and times.
///
/// # Errors
/// The account is not there, the etag is stale, a new value breaks its rule, the domain is taken, the parent is not there, too deep or a descendant,
/// or the database's.
pub async fn update_account(customers: &Customers, call: Call, change: AccountChange) -> Result<Account, Error> {
    let mut transaction = customers.store.begin(call).await?;
    let id = change.id;
    if change.mask.contains(&AccountField::ParentId) {
        accounts::lock_hierarchy(&mut transaction, call.tenant).await?;
    }
    let current = accounts::lock(&mut transaction, call.tenant, id).await?;
    let current = current.filter(|account| account.delete_time.is_none()).ok_or(Error::AccountNotFound(id.0))?;
    if !current.etag().admits(&change.etag) {
        return Err(Error::EtagMismatch);
    }
    let fields = change.patch(&current)?.apply(current.fields.clone());
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

//! Creates an account, once per request id.

use crm_database::TenantTransaction;
use crm_proto::customers as pb;
use prost::Message;
use uuid::Uuid;

use crate::call::Call;
use crate::convert::{Created, account_message};
use crate::customers::Customers;
use crate::domain::{AccountFields, AccountId, Ancestry, Obstacle};
use crate::error::Error;
use crate::store::accounts;

const SCOPE: &str = "customers.CreateAccount";

/// Creates the account, or answers what the same request was answered before.
///
/// # Errors
/// The request id was used for another request, the domain is taken, the parent is not there or too deep, or the
/// database's.
pub async fn create_account(
    customers: &Customers,
    call: Call,
    Created { new, request_id }: Created<AccountFields>,
) -> Result<pb::Account, Error> {
    let mut transaction = customers.store.begin(call).await?;
    if let Some(answer) = customers.earlier_answer(&mut transaction, SCOPE, request_id).await? {
        return Ok(answer);
    }
    let id = AccountId(Uuid::now_v7());
    if let Some(parent) = new.parent_id {
        accounts::share_hierarchy(&mut transaction, call.tenant).await?;
        admit_under(&mut transaction, call, id, parent).await?;
    }
    let account = accounts::insert(&mut transaction, call.tenant, id, &new).await?;
    let answer = account_message(&account);
    customers.keep_answer(&mut transaction, SCOPE, request_id, &answer.encode_to_vec()).await?;
    customers.store.commit_account(call, transaction, &account).await?;
    Ok(answer)
}

/// Checks that `child`, with what is below it, may be put under `parent`, and keeps the parent from being deleted
/// meanwhile. The caller holds the tenant's hierarchy, so that what is found here stays so.
pub(crate) async fn admit_under(
    transaction: &mut TenantTransaction,
    call: Call,
    child: AccountId,
    parent: AccountId,
) -> Result<(), Error> {
    if child == parent {
        return Err(Error::ParentCycle);
    }
    if !accounts::hold(transaction, call.tenant, parent).await? {
        return Err(Error::ParentNotFound);
    }
    let ancestry = Ancestry::new(accounts::ancestors(transaction, call.tenant, parent).await?);
    let height = accounts::height(transaction, call.tenant, child).await?;
    ancestry.admit(child, height).map_err(|obstacle| match obstacle {
        Obstacle::Cycle => Error::ParentCycle,
        Obstacle::TooDeep => Error::ParentTooDeep,
    })
}

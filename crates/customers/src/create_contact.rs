//! Creates a contact, once per request id.

use crm_proto::customers as pb;
use prost::Message;
use uuid::Uuid;

use crate::call::Call;
use crate::convert::{Created, contact_message};
use crate::customers::Customers;
use crate::domain::{AccountId, ContactFields, ContactId};
use crate::error::Error;
use crate::store::{accounts, contacts};

const SCOPE: &str = "customers.CreateContact";

/// Creates the contact, or answers what the same request was answered before.
///
/// # Errors
/// The request id was used for another request, the account is not there, or the database's.
pub async fn create_contact(
    customers: &Customers,
    call: Call,
    Created { new: (account_id, fields), request_id }: Created<(AccountId, ContactFields)>,
) -> Result<pb::Contact, Error> {
    let mut transaction = customers.store.begin(call).await?;
    if let Some(answer) = customers.earlier_answer(&mut transaction, SCOPE, request_id).await? {
        return Ok(answer);
    }
    if !accounts::hold(&mut transaction, call.tenant, account_id).await? {
        return Err(Error::ContactAccountNotFound);
    }
    let id = ContactId(Uuid::now_v7());
    let contact = contacts::insert(&mut transaction, call.tenant, id, account_id, &fields).await?;
    let answer = contact_message(&contact);
    customers.keep_answer(&mut transaction, SCOPE, request_id, &answer.encode_to_vec()).await?;
    customers.store.commit_contact(call, transaction, &contact).await?;
    Ok(answer)
}

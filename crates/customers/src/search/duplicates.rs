//! Duplicates on request: of a record that is there, or of one that is about to be created.

use crm_proto::customers as pb;
use crm_proto::search::Duplicate;
use crm_resource::search::{Compared, Draft};
use crm_resource::{Call, Error, Records};
use tonic::Request;

use crate::Customers;

pub(super) async fn of_account(
    customers: &Customers,
    request: Request<pb::FindDuplicateAccountsRequest>,
) -> Result<pb::FindDuplicateAccountsResponse, Error> {
    let call = Call::of(&request)?;
    let pb::FindDuplicateAccountsRequest { account, id } = request.into_inner();
    let duplicates = find(customers, &call, &customers.accounts, Draft::of(account, &id)?).await?;
    Ok(pb::FindDuplicateAccountsResponse { duplicates })
}

pub(super) async fn of_contact(
    customers: &Customers,
    request: Request<pb::FindDuplicateContactsRequest>,
) -> Result<pb::FindDuplicateContactsResponse, Error> {
    let call = Call::of(&request)?;
    let pb::FindDuplicateContactsRequest { contact, id } = request.into_inner();
    let duplicates = find(customers, &call, &customers.contacts, Draft::of(contact, &id)?).await?;
    Ok(pb::FindDuplicateContactsResponse { duplicates })
}

async fn find<R: Compared>(
    customers: &Customers,
    call: &Call,
    records: &Records<R>,
    draft: Draft<R>,
) -> Result<Vec<Duplicate>, Error> {
    let mut searching = customers.store.search(call).await?;
    let found = searching.duplicates(records, draft).await?;
    searching.end().await?;
    Ok(found)
}

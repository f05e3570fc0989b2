//! Creates an opportunity, at an account and in a stage that are there.

use crm_proto::sales as pb;
use crm_resource::peers::Asking;
use crm_resource::{Claim, Error};
use tonic::Request;

use super::settle::settle;
use crate::Sales;
use crate::customers::ACCOUNT_NOT_FOUND;

/// Creates the opportunity, or answers what the same request was answered before.
pub(super) async fn create(
    sales: &Sales,
    request: Request<pb::CreateOpportunityRequest>,
) -> Result<pb::Opportunity, Error> {
    let asking = Asking::of(&request)?;
    let mut new = sales.opportunities.read(request).await?;
    let contacts = new.fields.new_contacts(None);
    let account = sales.customers.check(asking, Some(new.fields.account_id), &contacts).await?;
    let account = account.ok_or(Error::from(&ACCOUNT_NOT_FOUND))?;
    match sales.opportunities.claim(new.call.clone(), new.request_id).await? {
        Claim::Answered(answer) => Ok(answer),
        Claim::First(mut write) => {
            new.fields.stand_at(sales.accounts.hold(&mut write, account).await?);
            settle(&sales.products, &mut write, None, &mut new.fields).await?;
            sales.opportunities.finish(*write, new).await
        }
    }
}

//! Changes fields of an opportunity, and where it stands.

use crm_proto::sales as pb;
use crm_resource::peers::Asking;
use crm_resource::{Change, Error};
use tonic::Request;

use super::Opportunity;
use super::settle::settle;
use crate::Sales;

/// Changes the fields that the request names. Customers is asked about an account and contacts that are new to the
/// opportunity, before anything is locked. An account is held before the opportunity is, as whoever follows accounts does; one
/// that was merged meanwhile is named by the one that stands for it.
pub(super) async fn update(
    sales: &Sales,
    request: Request<pb::UpdateOpportunityRequest>,
) -> Result<pb::Opportunity, Error> {
    let asking = Asking::of(&request)?;
    let mut change = Change::<Opportunity>::of(request)?;
    let mut account = None;
    if change.names("account_id") || change.names("contacts") {
        let present = sales.opportunities.peek(&change.call, change.id).await?;
        let (before, after) = (&present.fields, change.foresee(&present)?);
        let other = Some(after.account_id).filter(|account| *account != before.account_id);
        let asked = sales.customers.check(asking, other, &after.new_contacts(Some(before))).await?;
        account = change.names("account_id").then(|| asked.unwrap_or_else(|| before.account()));
    }
    let mut write = sales.opportunities.begin(change.call.clone()).await?;
    if let Some(seen) = account.take() {
        account = Some(sales.accounts.hold(&mut write, seen).await?);
    }
    let current = sales.opportunities.lock_live(&mut write, change.id, &change.etag).await?;
    let mut fields = sales.opportunities.apply(&mut write, &mut change, &current).await?;
    if let Some(account) = account {
        let stays = account.id == current.fields.account_id;
        fields.stand_at(if stays { current.fields.account() } else { account });
    }
    settle(&sales.products, &mut write, Some(&current.fields), &mut fields).await?;
    sales.opportunities.save(write, current, fields).await
}

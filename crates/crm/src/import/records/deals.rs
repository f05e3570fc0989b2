//! Opportunities: thousands of them, so many calls at a time.

use std::collections::{HashMap, HashSet};

use crm_proto::sales as pb;
use crm_proto::sales::opportunity_service_client::OpportunityServiceClient;
use futures_util::{StreamExt, stream};
use prost_types::FieldMask;
use tonic::Status;

use super::{all, id_of, is_refusal, patiently};
use crate::api::Api;
use crate::failure::Failure;
use crate::import::deals::{Deals, FILE};
use crate::import::holds::Holds;
use crate::import::plan::{Catalog, Update, changes, row_id};
use crate::import::report::{Outcome, Report};

/// Enough to keep a gateway, two services and a database busy on two cores; more would wait in line.
const CALLS: usize = 24;

/// What is to be sent for a row.
enum Step {
    Create(Box<pb::CreateOpportunityRequest>),
    Update(Box<pb::UpdateOpportunityRequest>, String),
}

/// Keeps the rows. Those whose opportunities say the same already, or were deleted by a user, cost no call.
pub(crate) async fn keep(api: &Api, deals: Deals, catalog: &Catalog, report: &mut Report) -> Result<(), Failure> {
    let there = existing(api, &catalog.pipeline_id).await?;
    report.left = there.iter().filter(|(id, it)| !deals.ids.contains(*id) && it.delete_time.is_none()).count() as u64;
    let mut steps = Vec::new();
    for row in deals.rows {
        let Some(wanted) = catalog.wanted(&row, report) else { continue };
        let Some(current) = there.get(&row.id) else {
            let request_id = id_of("opportunities", &row.id);
            let request = pb::CreateOpportunityRequest { opportunity: Some(wanted), request_id };
            steps.push((row.line, Step::Create(Box::new(request))));
            continue;
        };
        match changes(&row, wanted, current).filter(|_| current.delete_time.is_none()) {
            Some(Update { opportunity, paths }) => {
                let (opportunity, update_mask) = (Some(opportunity), Some(FieldMask { paths }));
                let request = pb::UpdateOpportunityRequest { opportunity, update_mask };
                steps.push((row.line, Step::Update(Box::new(request), current.etag.clone())));
            }
            None => report.count(Outcome::Unchanged),
        }
    }
    let known = there.into_values().map(|it| it.id).collect::<HashSet<_>>();
    let mut answers =
        stream::iter(steps).map(|(line, step)| async move { (line, send(api, step).await) }).buffered(CALLS);
    while let Some((line, answer)) = answers.next().await {
        match answer {
            // An answer given again: somebody has renamed the opportunity since.
            Ok((id, Outcome::Created)) if known.contains(&id) => report.count(Outcome::Unchanged),
            Ok((_, outcome)) => report.count(outcome),
            Err(status) if is_refusal(&status) => report.refuse(FILE, line, "opportunity_id", status.message()),
            Err(status) => return Err(api.failure(&status)),
        }
    }
    Ok(())
}

/// Those of the pipeline by the ids of their rows, deleted ones too.
async fn existing(api: &Api, pipeline_id: &str) -> Result<HashMap<String, pb::Opportunity>, Failure> {
    let all = export(api, pipeline_id, true).await?;
    Ok(all.into_iter().map(|it| (row_id(&it).to_owned(), it)).collect())
}

async fn export(api: &Api, pipeline_id: &str, show_deleted: bool) -> Result<Vec<pb::Opportunity>, Failure> {
    let mut client = OpportunityServiceClient::new(api.channel());
    let request = pb::ExportOpportunitiesRequest { filter: format!("pipeline_id = \"{pipeline_id}\""), show_deleted };
    let stream = patiently(async || client.export_opportunities(request.clone()).await).await;
    all(api, stream).await
}

async fn send(api: &Api, step: Step) -> Result<(String, Outcome), Status> {
    let mut client = OpportunityServiceClient::new(api.channel());
    match step {
        Step::Create(request) => {
            let answer = patiently(async || client.create_opportunity((*request).clone()).await).await?;
            Ok((answer.id, Outcome::Created))
        }
        Step::Update(request, etag) => {
            let answer = patiently(async || client.update_opportunity((*request).clone()).await).await?;
            // A stage that was merged since is entered as the one that it was merged into, where the opportunity stands already.
            let outcome = if answer.etag == etag { Outcome::Unchanged } else { Outcome::Changed };
            Ok((answer.id, outcome))
        }
    }
}

/// What the service holds of the pipeline, as of one moment.
pub(crate) async fn holds(api: &Api, pipeline_id: &str, products: &HashMap<String, String>) -> Result<Holds, Failure> {
    let mut holds = Holds::default();
    export(api, pipeline_id, false).await?.iter().for_each(|it| holds.add(it, products));
    Ok(holds)
}

//! Gives many opportunities to another owner: an operation.

use crm_proto::sales as pb;
use crm_resource::operations::{Next, Operation, Progress};
use crm_resource::{Error, Records, TOO_MANY_RECORDS, Violations, Write};
use crm_values::{Flaw, required, text_key};
use serde::{Deserialize, Serialize};
use tonic::async_trait;
use uuid::Uuid;

use super::batch::lock_months;
use super::decided::lock_decided;
use super::{Fields, Opportunity};

/// Most opportunities of one operation.
const MOST: u32 = 10_000;
/// Opportunities of one step: some tenths of a second, for which others wait who want to change one of them.
const BATCH: u32 = 100;
const OWNER: crm_values::TextRule = required(100);

/// The operation.
#[derive(Debug, Clone)]
pub struct Reassign {
    pub(crate) opportunities: Records<Opportunity>,
}

/// How far it has come. The first step finds out where it ends: what is created later comes later.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub struct Position {
    after: Uuid,
    last: Option<Uuid>,
    changed: i32,
    unchanged: i32,
}

type Step = Result<Next<Position, pb::ReassignOpportunitiesResponse>, Error>;

#[async_trait]
impl Operation for Reassign {
    type Request = pb::ReassignOpportunitiesRequest;
    type Position = Position;
    type Response = pb::ReassignOpportunitiesResponse;

    const NAME: &'static str = "ReassignOpportunities";
    const UNIT: &'static str = "opportunities";

    fn request_id(request: &mut Self::Request) -> &mut String {
        &mut request.request_id
    }

    fn check(request: &Self::Request, found: &mut Violations) {
        // A filter that says nothing means all: nobody wants that by leaving something out.
        if request.filter.trim().is_empty() {
            found.add("filter", Flaw::missing());
        }
        Records::<Opportunity>::check_filter(&request.filter, found);
        found.check("owner", OWNER.parse(&request.owner));
    }

    async fn step(&self, write: &mut Write, progress: &mut Progress, request: &Self::Request, at: Position) -> Step {
        match at.last {
            Some(last) => self.change(write, progress, request, at, last).await,
            None => self.begin(write, progress, request, at).await,
        }
    }
}

impl Reassign {
    async fn begin(
        &self,
        write: &mut Write,
        progress: &mut Progress,
        request: &pb::ReassignOpportunitiesRequest,
        at: Position,
    ) -> Step {
        let found = self.opportunities.find_matching(write, &request.filter, MOST + 1).await?;
        if found.len() > MOST as usize {
            return Err(Error::from(&TOO_MANY_RECORDS));
        }
        progress.total = i64::try_from(found.len()).ok();
        Ok(found.last().map_or(end(at), |last| Next::Step(Position { last: Some(*last), ..at })))
    }

    async fn change(
        &self,
        write: &mut Write,
        progress: &mut Progress,
        request: &pb::ReassignOpportunitiesRequest,
        mut at: Position,
        last: Uuid,
    ) -> Step {
        let owner = OWNER.parse(&request.owner).map_err(|_| Error::Inconsistent("an owner is none any more"))?;
        let batch = self.opportunities.lock_matching(write, &request.filter, (at.after, last), BATCH).await?;
        let others = batch.iter().filter(|it| it.fields.owner != owner).map(|it| it.head.id);
        let others: Vec<Uuid> = others.collect();
        lock_months(write, &others, None, Some(&owner)).await?;
        lock_decided(write, &others, &text_key(&owner)).await?;
        for it in &batch {
            if it.fields.owner == owner {
                at.unchanged += 1;
                continue;
            }
            let fields = Fields { owner: owner.clone(), ..it.fields.clone() };
            self.opportunities.replace(write, it, &fields).await?;
            at.changed += 1;
        }
        progress.done = i64::from(at.changed + at.unchanged);
        match batch.last() {
            Some(it) if batch.len() == BATCH as usize => Ok(Next::Step(Position { after: it.head.id, ..at })),
            _ => Ok(end(at)),
        }
    }
}

fn end(Position { changed, unchanged, .. }: Position) -> Next<Position, pb::ReassignOpportunitiesResponse> {
    Next::End(pb::ReassignOpportunitiesResponse { changed_count: changed, unchanged_count: unchanged })
}

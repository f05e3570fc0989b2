//! Merges a stage into another one of its pipeline: an operation.
//!
//! It first marks the stage: whoever names it from then on enters the other one, so that it only becomes emptier. Then what
//! stands in it is moved, a batch a step, and at last the stage is taken away; its id still leads to the other one.

use crm_proto::sales as pb;
use crm_resource::operations::{Next, Operation, Progress};
use crm_resource::{Error, Records, Refusal, Violations, Write};
use crm_values::{Flaw, parse_id};
use serde::{Deserialize, Serialize};
use tonic::async_trait;
use uuid::Uuid;

use super::hold::{hold_pipeline, lock_pipeline};
use super::update::find_used;
use super::{Fields, NOT_FOUND, Pipeline, Stage, Stages};
use crate::opportunities::{Batch, Opportunity};

/// Opportunities of one step: some tenths of a second, for which others wait who want to move in these stages.
const BATCH: usize = 100;

/// The pipeline has no such stage.
pub const STAGE_NOT_FOUND: Refusal = Refusal::failed_precondition("STAGE_NOT_FOUND", "the pipeline has no such stage");
/// What is decided would become undecided, or the other way round.
pub const STAGE_KINDS_DIFFER: Refusal =
    Refusal::failed_precondition("STAGE_KINDS_DIFFER", "a stage is merged into one of its kind alone");
/// One of them is on its way elsewhere.
pub const STAGE_BEING_MERGED: Refusal = Refusal::failed_precondition(
    "STAGE_BEING_MERGED",
    "one of the stages is being merged with another one: let that end first",
);

/// The operation.
#[derive(Debug, Clone)]
pub struct MergeStage {
    pub(crate) pipelines: Records<Pipeline>,
    pub(crate) opportunities: Records<Opportunity>,
}

/// How far it has come.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub struct Position {
    phase: Phase,
    moved: i32,
}

#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
enum Phase {
    #[default]
    Mark,
    Move,
    TakeAway,
}

/// Of which pipeline which stage, into which.
#[derive(Debug, Clone, Copy)]
struct Merge {
    pipeline: Uuid,
    from: Uuid,
    into: Uuid,
}

type Step = Result<Next<Position, pb::MergeStageResponse>, Error>;

#[async_trait]
impl Operation for MergeStage {
    type Request = pb::MergeStageRequest;
    type Position = Position;
    type Response = pb::MergeStageResponse;

    const NAME: &'static str = "MergeStage";
    const UNIT: &'static str = "opportunities";

    fn request_id(request: &mut Self::Request) -> &mut String {
        &mut request.request_id
    }

    fn check(request: &Self::Request, found: &mut Violations) {
        found.check("id", parse_id(&request.id));
        let from = found.check("stage_id", parse_id(&request.stage_id));
        let into = found.check("into_stage_id", parse_id(&request.into_stage_id));
        if from == into && !from.is_nil() {
            found.add("into_stage_id", Flaw::new(Flaw::CONTRADICTION, "must be another stage"));
        }
    }

    async fn step(&self, write: &mut Write, progress: &mut Progress, request: &Self::Request, at: Position) -> Step {
        let merge = Merge::of(request)?;
        match at.phase {
            Phase::Mark => self.mark(write, merge, at).await,
            Phase::Move => self.change(write, progress, merge, at).await,
            Phase::TakeAway => self.take_away(write, merge, at).await,
        }
    }
}

impl Merge {
    fn of(request: &pb::MergeStageRequest) -> Result<Self, Error> {
        let id = |text: &str| parse_id(text).map_err(|_| Error::Inconsistent("an id is none any more"));
        let (from, into) = (id(&request.stage_id)?, id(&request.into_stage_id)?);
        Ok(Self { pipeline: id(&request.id)?, from, into })
    }

    /// The two stages, if they can be merged.
    fn admit(self, stages: &Stages) -> Result<(&Stage, &Stage), Error> {
        let find = |id| stages.find(id).ok_or(Error::RefusedFor(&STAGE_NOT_FOUND, id));
        let (from, into) = (find(self.from)?, find(self.into)?);
        let is_target = stages.all.iter().any(|stage| stage.merging_into == Some(from.id));
        let is_elsewhere = from.merging_into.is_some_and(|other| other != into.id);
        if from.kind != into.kind {
            Err(Error::from(&STAGE_KINDS_DIFFER))
        } else if is_target || is_elsewhere || into.merging_into.is_some() {
            Err(Error::from(&STAGE_BEING_MERGED))
        } else {
            Ok((from, into))
        }
    }
}

impl MergeStage {
    /// Those who hold the pipeline are waited for: whoever comes later knows of the mark.
    async fn mark(&self, write: &mut Write, merge: Merge, at: Position) -> Step {
        lock_pipeline(write, merge.pipeline).await?;
        let current = self.pipelines.lock_live(write, merge.pipeline, "").await?;
        merge.admit(&current.fields.stages)?;
        let mut fields = current.fields.clone();
        for stage in fields.stages.all.iter_mut().filter(|stage| stage.id == merge.from) {
            stage.merging_into = Some(merge.into);
        }
        if fields != current.fields {
            self.pipelines.replace(write, &current, &fields).await?;
        }
        Ok(Next::Step(Position { phase: Phase::Move, ..at }))
    }

    /// Rows before the pipeline, and that before totals, as everybody does.
    async fn change(&self, write: &mut Write, progress: &mut Progress, merge: Merge, mut at: Position) -> Step {
        let pipeline = merge.pipeline;
        let batch = Batch::lock(write, pipeline, merge.from, BATCH).await?;
        let stages = hold_pipeline(write, pipeline).await?.ok_or(Error::RefusedFor(&NOT_FOUND, pipeline))?;
        let (_, into) = merge.admit(&stages)?;
        batch.move_into(write, &self.opportunities, into).await?;
        at.moved += i32::try_from(batch.len()).unwrap_or_default();
        progress.done = i64::from(at.moved);
        let phase = if batch.len() < BATCH { Phase::TakeAway } else { Phase::Move };
        Ok(Next::Step(Position { phase, ..at }))
    }

    async fn take_away(&self, write: &mut Write, merge: Merge, at: Position) -> Step {
        lock_pipeline(write, merge.pipeline).await?;
        let current = self.pipelines.lock_live(write, merge.pipeline, "").await?;
        merge.admit(&current.fields.stages)?;
        if find_used(write, merge.pipeline, &[merge.from]).await?.is_some() {
            return Ok(Next::Step(Position { phase: Phase::Move, ..at }));
        }
        let mut stages = current.fields.stages.clone();
        stages.all.retain(|stage| stage.id != merge.from);
        stages.merged.push((merge.from, merge.into));
        let fields = Fields { stages, ..current.fields.clone() };
        self.pipelines.replace(write, &current, &fields).await?;
        let query = sqlx::query(FORGET_TOTALS).bind(write.call.tenant).bind(merge.pipeline).bind(merge.from);
        write.execute("forget_totals", query).await?;
        Ok(Next::End(pb::MergeStageResponse { moved_count: at.moved }))
    }
}

/// Behind `take_away`: nobody stands in the stage, and nobody will.
pub const FORGET_TOTALS: &str = "delete from sales.stage_totals \
     where tenant_id = $1 and pipeline_id = $2 and stage_id = $3 and records = 0";

//! Undoing: the records of rows are found by the ids that follow from their numbers.

use crm_proto::imports::{self as pb, RowError};
use tonic::async_trait;
use uuid::Uuid;

use super::any::{CHANGED_SINCE, HAS_OTHERS, MERGED_SINCE};
use super::ids::record_id;
use super::kept::{Reading, Saved, Undoing, json, parsed};
use super::reading::Position;
use super::{Imports, NOT_FOUND, NOT_RUN, TAKEN_OVER};
use crate::operations::{Next, Operation, Progress};
use crate::{Error, Violations, Write};

/// Rows of a step.
const BATCH: i64 = 500;
const PHASE: &str = "undo";

/// Takes records back.
pub(super) struct Undo(pub(super) Imports);

type Step = Result<Next<Position, pb::UndoImportResponse>, Error>;

#[async_trait]
impl Operation for Undo {
    type Request = pb::UndoImportRequest;
    type Position = Position;
    type Response = pb::UndoImportResponse;

    const NAME: &'static str = "UndoImport";
    const UNIT: &'static str = "rows";

    fn request_id(request: &mut Self::Request) -> &mut String {
        &mut request.request_id
    }

    fn check(request: &Self::Request, found: &mut Violations) {
        found.check("id", crm_values::parse_id(&request.id));
    }

    async fn step(&self, write: &mut Write, progress: &mut Progress, request: &Self::Request, at: Position) -> Step {
        let (kept, id, tenant) = (&self.0.kept, super::id(&request.id)?, write.call.tenant);
        let import = kept.lock(write, tenant, id).await?.ok_or(Error::RefusedFor(&NOT_FOUND, id))?;
        if import.state == "open" {
            return Err(Error::from(&NOT_RUN));
        }
        let ran: Reading = parsed(import.ran.as_ref())?;
        let (worker, mut undoing) = match at.worker {
            Some(worker) if import.worker == Some(worker) => (worker, parsed::<Undoing>(import.undone.as_ref())?),
            Some(_) => return Err(Error::from(&TAKEN_OVER)),
            // What another one has begun goes on.
            None if import.state == "undoing" => (Uuid::new_v4(), parsed::<Undoing>(import.undone.as_ref())?),
            None => {
                kept.forget_errors(write, id, PHASE).await?;
                // What is left of a run does not go on.
                kept.forget_file(write, id).await?;
                (Uuid::new_v4(), Undoing { row: ran.plan.row, ..Undoing::default() })
            }
        };
        self.take_back(write, id, &import.resource, &ran, &mut undoing).await?;
        let rows = ran.row - ran.plan.row;
        let before = if undoing.is_along { rows } else { 0 };
        progress.total = Some(if ran.makes_along { 2 * rows } else { rows });
        progress.done = before + undoing.row - ran.plan.row;
        let state = if undoing.done { "undone" } else { "undoing" };
        let saved = Saved { state, worker: Some(worker), undone: json(&undoing)?, is_used: true, ..Saved::default() };
        kept.save(write, id, saved).await?;
        let undo = Some(undoing.tally());
        Ok(if undoing.done {
            Next::End(pb::UndoImportResponse { undo })
        } else {
            Next::Step(Position { worker: Some(worker) })
        })
    }
}

impl Undo {
    async fn take_back(
        &self,
        write: &mut Write,
        import: Uuid,
        resource: &str,
        ran: &Reading,
        undoing: &mut Undoing,
    ) -> Result<(), Error> {
        let last = ran.row.min(undoing.row + BATCH);
        let (rows, along): (Vec<i64>, bool) = ((undoing.row + 1..=last).collect(), undoing.is_along);
        let taken = self.0.sheet(resource)?.take_back(write, import, &rows, along).await?;
        undoing.removed += i64::try_from(taken.removed).unwrap_or_default();
        undoing.kept += i64::try_from(taken.kept.len()).unwrap_or_default();
        let mut errors: Vec<RowError> =
            taken.kept.iter().map(|(id, why)| stays(import, &rows, along, *id, why)).collect();
        errors.sort_by_key(|error| error.row);
        undoing.errors = self.0.kept.add_errors(write, import, PHASE, undoing.errors, &errors).await?;
        undoing.row = last;
        if last >= ran.row {
            // What was made along comes after those that hang on it.
            let goes_on = ran.makes_along && !undoing.is_along;
            (undoing.is_along, undoing.done) = (undoing.is_along || goes_on, !goes_on);
            if goes_on {
                undoing.row = ran.plan.row;
            }
        }
        Ok(())
    }
}

/// That a record stays, and why.
fn stays(import: Uuid, rows: &[i64], along: bool, id: Uuid, why: &'static str) -> RowError {
    let row = rows.iter().copied().find(|row| record_id(import, *row, along) == id).unwrap_or_default();
    let description = match why {
        CHANGED_SINCE => "was changed since it was made",
        HAS_OTHERS => "other records hang on it",
        MERGED_SINCE => "was merged into another record since",
        _ => "",
    };
    RowError {
        row,
        reason: why.to_owned(),
        description: description.to_owned(),
        record_id: id.to_string(),
        ..RowError::default()
    }
}

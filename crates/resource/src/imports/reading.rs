//! Checking and running: the same steps, of which one writes and the other does not.

use crm_proto::imports::{self as pb, run_import_request::Duplicates};
use serde::{Deserialize, Serialize};
use tonic::async_trait;
use uuid::Uuid;

use super::any::Work;
use super::defined;
use super::kept::{ImportRow, Reading, Saved, json, parsed};
use super::plan::{HEAD, Head, Plan};
use super::rows::{LONGEST_ROW, Row, Rows};
use super::sheet::Job;
use super::{CLOSED, EMPTY, Imports, NOT_FOUND, TAKEN_OVER};
use crate::operations::{Next, Operation, Progress};
use crate::{Error, Violations, Write};
use crm_values::Flaw;

/// Rows of a step: some tenths of a second.
const BATCH: usize = 500;
/// Bytes that a step reads, if the rows in them are enough.
const PIECE: usize = 512 << 10;
/// Bytes of a step that only counts rows.
const COUNTED: usize = 8 << 20;
/// What a row is that never ends.
pub const ROW_TOO_LONG: &str = "ROW_TOO_LONG";

/// Which operation works on the import: how far it is stands there, so that another one can go on.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Position {
    pub(super) worker: Option<Uuid>,
}

/// Reads all rows, and writes none.
pub(super) struct Check(pub(super) Imports);
/// Makes records of rows.
pub(super) struct Run(pub(super) Imports);

/// What is asked for.
struct Asked {
    id: Uuid,
    is_dry: bool,
    makes_along: bool,
    finds_duplicates: bool,
}

impl Asked {
    const fn phase(&self) -> &'static str {
        if self.is_dry { "check" } else { "run" }
    }
}

#[async_trait]
impl Operation for Check {
    type Request = pb::CheckImportRequest;
    type Position = Position;
    type Response = pb::CheckImportResponse;

    const NAME: &'static str = "CheckImport";
    const UNIT: &'static str = "rows";

    fn request_id(request: &mut Self::Request) -> &mut String {
        &mut request.request_id
    }

    fn check(request: &Self::Request, found: &mut Violations) {
        found.check("id", crm_values::parse_id(&request.id));
    }

    async fn step(
        &self,
        write: &mut Write,
        progress: &mut Progress,
        request: &Self::Request,
        at: Position,
    ) -> Result<Next<Position, Self::Response>, Error> {
        let id = super::id(&request.id)?;
        let asked = Asked { id, is_dry: true, makes_along: request.create_accounts, finds_duplicates: true };
        let (worker, tally) = self.0.read_on(write, progress, &asked, at.worker).await?;
        Ok(next(worker, &tally, || pb::CheckImportResponse { check: Some(tally) }))
    }
}

#[async_trait]
impl Operation for Run {
    type Request = pb::RunImportRequest;
    type Position = Position;
    type Response = pb::RunImportResponse;

    const NAME: &'static str = "RunImport";
    const UNIT: &'static str = "rows";

    fn request_id(request: &mut Self::Request) -> &mut String {
        &mut request.request_id
    }

    fn check(request: &Self::Request, found: &mut Violations) {
        found.check("id", crm_values::parse_id(&request.id));
        if Duplicates::try_from(request.duplicates).is_err() {
            found.add("duplicates", Flaw::malformed("must be a policy that is known"));
        }
    }

    async fn step(
        &self,
        write: &mut Write,
        progress: &mut Progress,
        request: &Self::Request,
        at: Position,
    ) -> Result<Next<Position, Self::Response>, Error> {
        let (id, finds_duplicates) = (super::id(&request.id)?, request.duplicates() != Duplicates::Create);
        let asked = Asked { id, is_dry: false, makes_along: request.create_accounts, finds_duplicates };
        let (worker, tally) = self.0.read_on(write, progress, &asked, at.worker).await?;
        Ok(next(worker, &tally, || pb::RunImportResponse { run: Some(tally) }))
    }
}

fn next<R>(worker: Uuid, tally: &pb::Tally, response: impl FnOnce() -> R) -> Next<Position, R> {
    if tally.done { Next::End(response()) } else { Next::Step(Position { worker: Some(worker) }) }
}

impl Imports {
    /// One step, and how far it is then.
    async fn read_on(
        &self,
        write: &mut Write,
        progress: &mut Progress,
        asked: &Asked,
        worker: Option<Uuid>,
    ) -> Result<(Uuid, pb::Tally), Error> {
        let tenant = write.call.tenant;
        let import = self.kept.lock(write, tenant, asked.id).await?;
        let import = import.ok_or(Error::RefusedFor(&NOT_FOUND, asked.id))?;
        let kept = if asked.is_dry { &import.checked } else { &import.ran };
        let (worker, mut reading) = match worker {
            Some(worker) if import.worker == Some(worker) => (worker, parsed::<Reading>(kept.as_ref())?),
            Some(_) => return Err(Error::from(&TAKEN_OVER)),
            None => (Uuid::new_v4(), self.begin_reading(write, &import, asked).await?),
        };
        if !reading.is_counted {
            self.count(write, &import, &mut reading).await?;
        } else if reading.at < import.size {
            self.take(write, &import, asked, &mut reading).await?;
        }
        reading.done = reading.is_counted && reading.at >= import.size;
        let rows = |row: i64| row - reading.plan.row;
        (progress.done, progress.total) = (rows(reading.row), reading.is_counted.then(|| rows(reading.last_row)));
        if reading.done {
            progress.done = rows(reading.last_row);
            if asked.is_dry {
                self.kept.forget_keys(write, import.id).await?;
            } else {
                self.kept.forget_file(write, import.id).await?;
            }
        }
        let tally = reading.tally();
        let state = match (asked.is_dry, reading.done) {
            (true, _) => "open",
            (false, true) => "run",
            (false, false) => "running",
        };
        let kept = json(&reading)?;
        let (checked, ran) = if asked.is_dry { (kept, None) } else { (None, kept) };
        let saved = Saved { state, worker: Some(worker), checked, ran, undone: None, is_used: !asked.is_dry };
        self.kept.save(write, import.id, saved).await?;
        Ok((worker, tally))
    }

    /// Where the first step begins: at the first row, or where a run has stopped.
    async fn begin_reading(&self, write: &mut Write, import: &ImportRow, asked: &Asked) -> Result<Reading, Error> {
        match import.state.as_str() {
            "running" if !asked.is_dry => {
                let ran: Reading = parsed(import.ran.as_ref())?;
                return Ok(Reading { makes_along: ran.makes_along || asked.makes_along, ..ran });
            }
            "open" => {}
            _ => return Err(Error::from(&CLOSED)),
        }
        let sheet = self.sheet(&import.resource)?;
        let tenant = write.call.tenant;
        let head = self.head(write, tenant, import).await?;
        let of = (sheet.kind(), sheet.has_attributes());
        let defined = defined::known_within(&self.store, write, of, false).await?;
        let (plan, rows) = Plan::of((sheet.as_ref(), &defined), &head, &import.settings()?);
        if rows.is_empty() && head.is_whole {
            return Err(Error::from(&EMPTY));
        }
        let mut found = Violations::default();
        for missing in sheet.missing(&plan.fields, &defined) {
            found.add("settings.fields", Flaw::new(Flaw::REQUIRED, format!("no column is {missing}")));
        }
        found.finish(())?;
        self.kept.forget_errors(write, import.id, asked.phase()).await?;
        self.kept.forget_keys(write, import.id).await?;
        let (at, row) = (plan.at, plan.row);
        let counting = Reading { last_row: row, counted_at: at, makes_along: asked.makes_along, ..Reading::default() };
        Ok(Reading { plan, at, row, ..counting })
    }

    pub(super) async fn head(
        &self,
        transaction: &mut crm_database::TenantTransaction,
        tenant: Uuid,
        import: &ImportRow,
    ) -> Result<Head, Error> {
        let bytes = self.kept.piece(transaction, (tenant, import.id), 0, HEAD).await?;
        let is_whole = i64::try_from(bytes.len()).is_ok_and(|length| length >= import.size);
        Ok(Head { bytes, is_whole, is_utf8: import.is_utf8 })
    }

    /// Finds out how many rows there are, and that each of them ends.
    async fn count(&self, write: &mut Write, import: &ImportRow, reading: &mut Reading) -> Result<(), Error> {
        let charset = reading.plan.charset().ok_or(Error::Inconsistent("an encoding is known no more"))?;
        let tenant = write.call.tenant;
        let bytes = self.kept.piece(write, (tenant, import.id), reading.counted_at, COUNTED).await?;
        let is_last = is_last(reading.counted_at, &bytes, import);
        let piece = charset.read(bytes);
        let mut rows = Rows::new(&piece.text, is_last, reading.plan.separator, reading.last_row);
        let mut begin = rows.at;
        while rows.advance().is_some() {
            if rows.at - begin > LONGEST_ROW {
                return Err(too_long(rows.number));
            }
            begin = rows.at;
        }
        if !is_last && rows.at == 0 {
            return Err(too_long(rows.number + 1));
        }
        reading.last_row = rows.number;
        reading.counted_at += i64::try_from(piece.bytes(rows.at)).unwrap_or_default();
        reading.is_counted = is_last;
        Ok(())
    }

    async fn take(
        &self,
        write: &mut Write,
        import: &ImportRow,
        asked: &Asked,
        reading: &mut Reading,
    ) -> Result<(), Error> {
        let rows = self.batch(write, import, reading).await?;
        reading.makes_along |= asked.makes_along;
        let job = Job { import: import.id, is_dry: asked.is_dry, creates_along: asked.makes_along };
        let sheet = self.sheet(&import.resource)?;
        let mut tally = reading.tally();
        let work = Work { job, plan: &reading.plan, finds_duplicates: asked.finds_duplicates, kept: &self.kept };
        let errors = sheet.take(write, &work, rows, &mut tally).await?;
        reading.set_tally(&tally);
        reading.errors = self.kept.add_errors(write, import.id, asked.phase(), reading.errors, &errors).await?;
        Ok(())
    }

    /// The next rows.
    async fn batch(&self, write: &mut Write, import: &ImportRow, reading: &mut Reading) -> Result<Vec<Row>, Error> {
        let charset = reading.plan.charset().ok_or(Error::Inconsistent("an encoding is known no more"))?;
        let (tenant, mut length) = (write.call.tenant, PIECE);
        loop {
            let bytes = self.kept.piece(write, (tenant, import.id), reading.at, length).await?;
            let is_last = is_last(reading.at, &bytes, import);
            let piece = charset.read(bytes);
            let mut rows = Rows::new(&piece.text, is_last, reading.plan.separator, reading.row);
            let batch: Vec<Row> = rows.by_ref().take(BATCH).collect();
            if batch.is_empty() && !is_last && rows.at == 0 {
                // One row is longer than the piece. In some encodings it is twice as long there.
                if length > 4 * LONGEST_ROW {
                    return Err(too_long(reading.row + 1));
                }
                length *= 4;
                continue;
            }
            reading.at += i64::try_from(piece.bytes(rows.at)).unwrap_or_default();
            reading.row = rows.number;
            if rows.is_at_end() || (is_last && batch.is_empty()) {
                reading.at = import.size;
            }
            return Ok(batch);
        }
    }
}

fn is_last(at: i64, bytes: &[u8], import: &ImportRow) -> bool {
    i64::try_from(bytes.len()).is_ok_and(|length| at + length >= import.size)
}

fn too_long(row: i64) -> Error {
    let mut found = Violations::default();
    let rule = "is longer than 2 MiB: a quotation mark may not be closed";
    found.add(&format!("rows[{row}]"), Flaw::new(ROW_TOO_LONG, rule));
    found.finish(()).err().unwrap_or(Error::Inconsistent("a flaw was not noted"))
}

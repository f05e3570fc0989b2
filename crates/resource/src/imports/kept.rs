//! Imports as they are kept, and the statements about them.

use std::collections::HashMap;

use crm_database::TenantTransaction;
use crm_proto::imports::{self as pb, ImportSettings, RowError, import};
use prost::Message;
use ring::digest;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sqlx::{AssertSqlSafe, FromRow, SqlSafeStr, SqlStr};
use time::OffsetDateTime;
use uuid::Uuid;

use super::plan::Plan;
use crate::resource::timestamp;
use crate::statements::take_turns;
use crate::{Error, Write};

/// Errors of one phase that are kept; those beyond are counted.
const MOST_ERRORS: i64 = 100_000;

/// Columns as [`Kept`] reads them.
const COLUMNS: &str = "id, resource, file_name, state, size, is_utf8, settings, worker, checked, ran, undone, subject, \
                       create_time, forget_time";

/// An import, as it is kept.
#[derive(Debug, FromRow)]
pub(super) struct ImportRow {
    pub(super) id: Uuid,
    pub(super) resource: String,
    file_name: String,
    pub(super) state: String,
    pub(super) size: i64,
    pub(super) is_utf8: bool,
    settings: Vec<u8>,
    pub(super) worker: Option<Uuid>,
    pub(super) checked: Option<Value>,
    pub(super) ran: Option<Value>,
    pub(super) undone: Option<Value>,
    subject: String,
    create_time: OffsetDateTime,
    forget_time: OffsetDateTime,
}

/// How far a check or a run has come.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Reading {
    pub(super) plan: Plan,
    /// Where the next row begins, and the number of the row before it.
    pub(super) at: i64,
    pub(super) row: i64,
    /// Rows are counted before they are read: so far, from there; and whether all have been.
    pub(super) last_row: i64,
    pub(super) counted_at: i64,
    pub(super) is_counted: bool,
    pub(super) errors: i64,
    pub(super) makes_along: bool,
    pub(super) rows: i64,
    pub(super) created: i64,
    pub(super) invalid: i64,
    pub(super) duplicates: i64,
    pub(super) created_accounts: i64,
    pub(super) done: bool,
}

/// How far an undo has come.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Undoing {
    pub(super) row: i64,
    /// Whether the records of rows are through, and it is at what was made along with them.
    pub(super) is_along: bool,
    pub(super) errors: i64,
    pub(super) removed: i64,
    pub(super) kept: i64,
    pub(super) done: bool,
}

/// What of an import a step has changed.
#[derive(Debug, Default)]
pub(super) struct Saved {
    pub(super) state: &'static str,
    pub(super) worker: Option<Uuid>,
    pub(super) checked: Option<Value>,
    pub(super) ran: Option<Value>,
    pub(super) undone: Option<Value>,
    /// From now on it is kept for 30 days.
    pub(super) is_used: bool,
}

const NO_FORM: Error = Error::Inconsistent("an import is not in its form");

pub(super) fn json(value: &impl Serialize) -> Result<Option<Value>, Error> {
    serde_json::to_value(value).map(Some).map_err(|_| NO_FORM)
}

pub(super) fn parsed<T: for<'d> Deserialize<'d> + Default>(value: Option<&Value>) -> Result<T, Error> {
    value.map_or(Ok(T::default()), |value| T::deserialize(value).map_err(|_| NO_FORM))
}

impl Reading {
    pub(super) fn tally(&self) -> pb::Tally {
        let Self { rows, created, invalid, duplicates, created_accounts, done, .. } = *self;
        pb::Tally { rows, created, invalid, duplicates, created_accounts, done }
    }

    pub(super) fn set_tally(&mut self, tally: &pb::Tally) {
        let pb::Tally { rows, created, invalid, duplicates, created_accounts, .. } = *tally;
        (self.rows, self.created, self.invalid) = (rows, created, invalid);
        (self.duplicates, self.created_accounts) = (duplicates, created_accounts);
    }
}

impl Undoing {
    pub(super) fn tally(&self) -> pb::UndoTally {
        pb::UndoTally { removed: self.removed, kept: self.kept, done: self.done }
    }
}

impl ImportRow {
    pub(super) fn settings(&self) -> Result<ImportSettings, Error> {
        ImportSettings::decode(self.settings.as_slice()).map_err(|_| NO_FORM)
    }

    pub(super) fn message(&self) -> Result<pb::Import, Error> {
        let state = match self.state.as_str() {
            "open" => import::State::Open,
            "running" => import::State::Running,
            "run" => import::State::Run,
            "undoing" => import::State::Undoing,
            "undone" => import::State::Undone,
            _ => return Err(NO_FORM),
        };
        let read = |value: &Option<Value>| value.as_ref().map(|value| parsed::<Reading>(Some(value))).transpose();
        let undo = self.undone.as_ref().map(|value| parsed::<Undoing>(Some(value))).transpose()?;
        Ok(pb::Import {
            id: self.id.to_string(),
            resource: self.resource.clone(),
            file_name: self.file_name.clone(),
            state: state.into(),
            size_bytes: self.size,
            settings: Some(self.settings()?),
            check: read(&self.checked)?.map(|reading| reading.tally()),
            run: read(&self.ran)?.map(|reading| reading.tally()),
            undo: undo.map(|undoing| undoing.tally()),
            subject: self.subject.clone(),
            create_time: Some(timestamp(self.create_time)),
            expire_time: Some(timestamp(self.forget_time)),
        })
    }
}

/// What makes rows one, as it is kept: no cell of a file stands in it.
pub(super) fn hash(parts: &[&str]) -> i64 {
    let digest = digest::digest(&digest::SHA256, parts.join("\u{0}").as_bytes());
    digest.as_ref().first_chunk().map_or(0, |first| i64::from_be_bytes(*first))
}

/// Bytes of a file from a place on, so many at most: of each part as much of it as falls within.
pub(crate) fn piece(schema: &str) -> String {
    let (parts, of_import) = (format!("{schema}.import_parts"), "where tenant_id = $1 and import_id = $2");
    format!(
        "select substring(content from greatest($3 - position, 0)::integer + 1 \
         for ($3 + $4 - greatest($3, position))::integer) from {parts} {of_import} and position >= \
         (select max(position) from {parts} {of_import} and position <= $3) and position < $3 + $4 order by position"
    )
}

/// The statements about one service's imports.
#[derive(Debug)]
pub(super) struct Kept {
    pub(super) insert: SqlStr,
    pub(super) take_turns: SqlStr,
    pub(super) count: SqlStr,
    find: SqlStr,
    lock: SqlStr,
    pub(super) list: SqlStr,
    pub(super) add_part: SqlStr,
    pub(super) same_part: SqlStr,
    pub(super) grow: SqlStr,
    pub(super) set: SqlStr,
    piece: SqlStr,
    forget_file: SqlStr,
    save: SqlStr,
    add_errors: SqlStr,
    forget_errors: SqlStr,
    pub(super) list_errors: SqlStr,
    find_keys: SqlStr,
    add_keys: SqlStr,
    forget_keys: SqlStr,
    pub(super) sweep: SqlStr,
    pub(super) schema: String,
}

impl Kept {
    /// Of the service with this schema, whose name needs no quotes.
    pub(super) fn new(schema: &str) -> Self {
        let sql = |text: String| AssertSqlSafe(text).into_sql_str();
        let (imports, parts) = (format!("{schema}.imports"), format!("{schema}.import_parts"));
        let (errors, keys) = (format!("{schema}.import_errors"), format!("{schema}.import_keys"));
        let one = "where tenant_id = $1 and id = $2";
        let of_import = "where tenant_id = $1 and import_id = $2";
        Self {
            insert: sql(format!(
                "insert into {imports} (tenant_id, id, resource, file_name, subject) values ($1, $2, $3, $4, $5) \
                 returning {COLUMNS}"
            )),
            take_turns: sql(take_turns(&imports)),
            count: sql(format!("select count(*) from {imports} where tenant_id = $1 and state in ('open', 'running')")),
            find: sql(format!("select {COLUMNS} from {imports} {one}")),
            lock: sql(format!("select {COLUMNS} from {imports} {one} for update")),
            list: sql(format!(
                "select {COLUMNS} from {imports} where tenant_id = $1 and id < $2 order by id desc limit $3"
            )),
            add_part: sql(format!(
                "insert into {parts} (tenant_id, import_id, position, content) values ($1, $2, $3, $4)"
            )),
            same_part: sql(format!("select content = $4 from {parts} {of_import} and position = $3")),
            grow: sql(format!(
                "update {imports} set size = size + $3, is_utf8 = is_utf8 and $4 {one} returning {COLUMNS}"
            )),
            set: sql(format!("update {imports} set settings = $3 {one} returning {COLUMNS}")),
            piece: sql(piece(schema)),
            forget_file: sql(format!("delete from {parts} {of_import}")),
            save: sql(format!(
                "update {imports} set state = $3, worker = $4, checked = coalesce($5, checked), ran = coalesce($6, ran), \
                 undone = coalesce($7, undone), \
                 forget_time = case when $8 then now() + interval '30 days' else forget_time end {one}"
            )),
            add_errors: sql(format!(
                "insert into {errors} (tenant_id, import_id, phase, number, error) \
                 select $1, $2, $3, $4 + number, error from unnest($5::bytea[]) with ordinality as given (error, number)"
            )),
            forget_errors: sql(format!("delete from {errors} {of_import} and phase = $3")),
            list_errors: sql(format!(
                "select number, error from {errors} {of_import} and phase = $3 and number > $4 order by number limit $5"
            )),
            find_keys: sql(format!("select key, row from {keys} {of_import} and key = any($3)")),
            add_keys: sql(format!(
                "insert into {keys} (tenant_id, import_id, key, row) \
                 select $1, $2, key, row from unnest($3::bigint[], $4::bigint[]) as given (key, row) on conflict do nothing"
            )),
            forget_keys: sql(format!("delete from {keys} {of_import}")),
            sweep: sql(format!("select {schema}.sweep_imports($1)")),
            schema: schema.to_owned(),
        }
    }

    /// By their names.
    #[cfg(feature = "testkit")]
    pub(super) fn all(&self) -> [(&'static str, &SqlStr); 20] {
        [
            ("insert_import", &self.insert),
            ("take_turns_at_imports", &self.take_turns),
            ("count_imports", &self.count),
            ("find_import", &self.find),
            ("lock_import", &self.lock),
            ("list_imports", &self.list),
            ("add_import_part", &self.add_part),
            ("find_same_import_part", &self.same_part),
            ("grow_import", &self.grow),
            ("set_import", &self.set),
            ("read_import", &self.piece),
            ("forget_import_file", &self.forget_file),
            ("save_import", &self.save),
            ("add_import_errors", &self.add_errors),
            ("forget_import_errors", &self.forget_errors),
            ("list_import_errors", &self.list_errors),
            ("find_import_keys", &self.find_keys),
            ("add_import_keys", &self.add_keys),
            ("forget_import_keys", &self.forget_keys),
            ("sweep_imports", &self.sweep),
        ]
    }

    pub(super) async fn find(
        &self,
        transaction: &mut TenantTransaction,
        tenant: Uuid,
        id: Uuid,
    ) -> Result<Option<ImportRow>, Error> {
        let query = sqlx::query(self.find.clone()).bind(tenant).bind(id);
        Ok(transaction.fetch_optional("find_import", query).await?)
    }

    /// Nobody else changes it before the transaction ends.
    pub(super) async fn lock(
        &self,
        transaction: &mut TenantTransaction,
        tenant: Uuid,
        id: Uuid,
    ) -> Result<Option<ImportRow>, Error> {
        let query = sqlx::query(self.lock.clone()).bind(tenant).bind(id);
        Ok(transaction.fetch_optional("lock_import", query).await?)
    }

    /// Bytes of a file, from a place on.
    pub(super) async fn piece(
        &self,
        transaction: &mut TenantTransaction,
        (tenant, id): (Uuid, Uuid),
        at: i64,
        length: usize,
    ) -> Result<Vec<u8>, Error> {
        let length = i64::try_from(length).unwrap_or(i64::MAX);
        let query = sqlx::query(self.piece.clone()).bind(tenant).bind(id).bind(at).bind(length);
        let pieces: Vec<(Vec<u8>,)> = transaction.fetch_all("read_import", query).await?;
        Ok(pieces.into_iter().flat_map(|(piece,)| piece).collect())
    }

    pub(super) async fn save(&self, write: &mut Write, id: Uuid, saved: Saved) -> Result<(), Error> {
        let Saved { state, worker, checked, ran, undone, is_used } = saved;
        let query = sqlx::query(self.save.clone()).bind(write.call.tenant).bind(id).bind(state).bind(worker);
        let query = query.bind(checked).bind(ran).bind(undone).bind(is_used);
        write.execute("save_import", query).await?;
        Ok(())
    }

    /// Adds errors behind so many; answers how many there are then.
    pub(super) async fn add_errors(
        &self,
        write: &mut Write,
        id: Uuid,
        phase: &'static str,
        before: i64,
        errors: &[RowError],
    ) -> Result<i64, Error> {
        let room = usize::try_from(MOST_ERRORS - before).unwrap_or_default();
        let errors: Vec<Vec<u8>> = errors.iter().take(room).map(Message::encode_to_vec).collect();
        if errors.is_empty() {
            return Ok(before);
        }
        let after = before + i64::try_from(errors.len()).unwrap_or_default();
        let query = sqlx::query(self.add_errors.clone()).bind(write.call.tenant).bind(id).bind(phase);
        write.execute("add_import_errors", query.bind(before).bind(errors)).await?;
        Ok(after)
    }

    pub(super) async fn forget_errors(&self, write: &mut Write, id: Uuid, phase: &'static str) -> Result<(), Error> {
        let query = sqlx::query(self.forget_errors.clone()).bind(write.call.tenant).bind(id).bind(phase);
        write.execute("forget_import_errors", query).await?;
        Ok(())
    }

    pub(super) async fn forget_file(&self, write: &mut Write, id: Uuid) -> Result<(), Error> {
        let query = sqlx::query(self.forget_file.clone()).bind(write.call.tenant).bind(id);
        write.execute("forget_import_file", query).await?;
        Ok(())
    }

    pub(super) async fn forget_keys(&self, write: &mut Write, id: Uuid) -> Result<(), Error> {
        let query = sqlx::query(self.forget_keys.clone()).bind(write.call.tenant).bind(id);
        write.execute("forget_import_keys", query).await?;
        Ok(())
    }

    /// Which of these keys a row before has, and which row that is.
    pub(super) async fn find_keys(
        &self,
        write: &mut Write,
        id: Uuid,
        keys: Vec<i64>,
    ) -> Result<HashMap<i64, i64>, Error> {
        let query = sqlx::query(self.find_keys.clone()).bind(write.call.tenant).bind(id).bind(keys);
        let found: Vec<(i64, i64)> = write.fetch_all("find_import_keys", query).await?;
        Ok(found.into_iter().collect())
    }

    /// Keeps keys with their rows; answers how many are new.
    pub(super) async fn add_keys(&self, write: &mut Write, id: Uuid, given: Vec<(i64, i64)>) -> Result<i64, Error> {
        let (keys, rows): (Vec<i64>, Vec<i64>) = given.into_iter().unzip();
        let query = sqlx::query(self.add_keys.clone()).bind(write.call.tenant).bind(id).bind(keys).bind(rows);
        let added = write.execute("add_import_keys", query).await?;
        Ok(i64::try_from(added).unwrap_or_default())
    }
}

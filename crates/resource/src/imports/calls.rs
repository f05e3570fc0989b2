//! What callers do with imports.

use std::sync::Arc;

use crm_database::Access;
use crm_database::page::{self as pages, Scope};
use crm_proto::imports::{self as pb, ImportSettings, list_import_errors_request::Phase};
use crm_proto::operations;
use crm_values::{Flaw, within};
use prost::Message;
use prost_types::FieldMask;
use tonic::Request;
use uuid::Uuid;

use super::defined;
use super::encoding::{Charset, may_be_utf8};
use super::kept::ImportRow;
use super::plan::Plan;
use super::reading::{Check, Run};
use super::undo::Undo;
use super::{CLOSED, Imports, NOT_FOUND, OFFSET_WRONG, TOO_LARGE, TOO_MANY};
use crate::attributes::Known;
use crate::csv::is_attribute;
use crate::page::flaw;
use crate::request::{RequestId, single};
use crate::{Call, Error, Violations};

/// Largest part, and file.
const LARGEST_PART: usize = 1 << 20;
const LARGEST_FILE: i64 = 100 << 20;
/// Imports of a tenant whose files are kept.
const MOST_FILES: i64 = 10;
/// Rows that are shown, and of each cell so many characters.
const SHOWN_ROWS: usize = 10;
const SHOWN_CHARACTERS: usize = 200;
const SETTINGS: [&str; 4] = ["encoding", "separator", "has_header", "fields"];

impl Imports {
    /// Begins an import, or answers what the same request was answered before.
    ///
    /// # Errors
    /// All violations, that the tenant has too many, or the database's.
    pub async fn create(&self, request: Request<pb::CreateImportRequest>) -> Result<pb::Import, Error> {
        let (call, mut request) = (Call::of(&request)?, request.into_inner());
        let mut found = Violations::default();
        let id = std::mem::take(&mut request.request_id);
        let request_id = RequestId::of("CreateImport", &id, &request, &mut found);
        let file_name = found.check("file_name", within(200).parse(&request.file_name));
        if request.resource.is_empty() {
            found.add("resource", Flaw::missing());
        } else if self.sheet(&request.resource).is_err() {
            let known: Vec<_> = self.sheets.iter().map(|sheet| sheet.kind().plural).collect();
            found.add("resource", Flaw::new(Flaw::MALFORMED, format!("must be one of {}", known.join(", "))));
        }
        found.finish(())?;
        let mut transaction = self.store.begin(&call, Access::ReadWrite).await?;
        if let Some(answer) = self.store.earlier_answer(&mut transaction, request_id).await? {
            let answer = pb::Import::decode(answer.as_slice());
            return answer.map_err(|_| Error::Inconsistent("a kept answer does not decode"));
        }
        let turn = sqlx::query(self.kept.take_turns.clone()).bind(call.tenant);
        transaction.execute("take_turns_at_imports", turn).await?;
        let count = sqlx::query(self.kept.count.clone()).bind(call.tenant);
        let (count,): (i64,) = transaction.fetch_one("count_imports", count).await?;
        if count >= MOST_FILES {
            return Err(Error::from(&TOO_MANY));
        }
        let query = sqlx::query(self.kept.insert.clone()).bind(call.tenant).bind(Uuid::now_v7());
        let query = query.bind(request.resource).bind(file_name).bind(call.caller.subject.clone());
        let answer = transaction.fetch_one::<ImportRow>("insert_import", query).await?.message()?;
        self.store.keep_answer(&mut transaction, request_id, &answer.encode_to_vec()).await?;
        transaction.commit().await?;
        Ok(answer)
    }

    /// An import of the caller's tenant, as it is.
    ///
    /// # Errors
    /// There is none, or the database's.
    pub async fn get(&self, request: Request<pb::GetImportRequest>) -> Result<pb::Import, Error> {
        let (call, id) = (Call::of(&request)?, single(&request.get_ref().id)?);
        self.find(&call, id).await?.message()
    }

    /// A page of the tenant's imports, the newest first.
    ///
    /// # Errors
    /// All violations, or the database's.
    pub async fn list(&self, request: Request<pb::ListImportsRequest>) -> Result<pb::ListImportsResponse, Error> {
        let (call, request) = (Call::of(&request)?, request.into_inner());
        let scope = Scope::new(call.tenant, &["imports", &self.kept.schema]);
        let (size, before) = page::<Uuid>(scope, request.page_size, &request.page_token)?;
        let mut transaction = self.store.begin(&call, Access::ReadOnly).await?;
        let query = sqlx::query(self.kept.list.clone()).bind(call.tenant).bind(before.unwrap_or(Uuid::max()));
        let rows: Vec<ImportRow> = transaction.fetch_all("list_imports", query.bind(i64::from(size) + 1)).await?;
        transaction.commit().await?;
        let (rows, next_page_token) = cut(rows, size, scope, |row| row.id)?;
        let imports = rows.iter().map(ImportRow::message).collect::<Result<_, _>>()?;
        Ok(pb::ListImportsResponse { imports, next_page_token })
    }

    /// Adds a part to the file of an import.
    ///
    /// # Errors
    /// All violations, that it belongs somewhere else, that the file would be too large, that it has been run, or the
    /// database's.
    pub async fn upload(&self, request: Request<pb::UploadImportRequest>) -> Result<pb::Import, Error> {
        let (call, request) = (Call::of(&request)?, request.into_inner());
        let mut found = Violations::default();
        let id = found.check("id", crm_values::parse_id(&request.id));
        if request.offset < 0 {
            found.add("offset", Flaw::new(Flaw::OUT_OF_RANGE, "must not be negative"));
        }
        match request.content.len() {
            0 => found.add("content", Flaw::missing()),
            length if length > LARGEST_PART => {
                found.add("content", Flaw::new(Flaw::TOO_LONG, "must have at most 1 MiB"));
            }
            _ => {}
        }
        found.finish(())?;
        let mut transaction = self.store.begin(&call, Access::ReadWrite).await?;
        let import = self.kept.lock(&mut transaction, call.tenant, id).await?;
        let import = import.ok_or(Error::RefusedFor(&NOT_FOUND, id))?;
        if import.state != "open" {
            return Err(Error::from(&CLOSED));
        }
        let (length, content) = (i64::try_from(request.content.len()).unwrap_or(i64::MAX), request.content.to_vec());
        if request.offset < import.size {
            let same = sqlx::query(self.kept.same_part.clone()).bind(call.tenant).bind(id);
            let same = same.bind(request.offset).bind(content);
            let same: Option<(bool,)> = transaction.fetch_optional("find_same_import_part", same).await?;
            return if same == Some((true,)) { import.message() } else { Err(Error::from(&OFFSET_WRONG)) };
        }
        if request.offset > import.size {
            return Err(Error::from(&OFFSET_WRONG));
        }
        if import.size + length > LARGEST_FILE {
            return Err(Error::from(&TOO_LARGE));
        }
        let grow =
            sqlx::query(self.kept.grow.clone()).bind(call.tenant).bind(id).bind(length).bind(may_be_utf8(&content));
        let add = sqlx::query(self.kept.add_part.clone()).bind(call.tenant).bind(id).bind(request.offset).bind(content);
        transaction.execute("add_import_part", add).await?;
        let answer = transaction.fetch_one::<ImportRow>("grow_import", grow).await?.message()?;
        transaction.commit().await?;
        Ok(answer)
    }

    /// How the file would be read.
    ///
    /// # Errors
    /// There is no such import, its file has been forgotten, or the database's.
    pub async fn inspect(
        &self,
        request: Request<pb::InspectImportRequest>,
    ) -> Result<pb::InspectImportResponse, Error> {
        let (call, id) = (Call::of(&request)?, single(&request.get_ref().id)?);
        let mut transaction = self.store.begin(&call, Access::ReadOnly).await?;
        let import = self.kept.find(&mut transaction, call.tenant, id).await?;
        let import = import.ok_or(Error::RefusedFor(&NOT_FOUND, id))?;
        if !matches!(import.state.as_str(), "open" | "running") {
            return Err(Error::from(&CLOSED));
        }
        let head = self.head(&mut transaction, call.tenant, &import).await?;
        transaction.commit().await?;
        let sheet = self.sheet(&import.resource)?;
        let defined = defined::known(&self.store, &call, sheet.as_ref()).await?;
        let (plan, mut rows) = Plan::of((sheet.as_ref(), &defined), &head, &import.settings()?);
        rows.truncate(SHOWN_ROWS);
        let headers = plan.headers.iter().map(String::as_str).chain(std::iter::repeat(""));
        let columns = plan
            .fields
            .iter()
            .zip(headers)
            .map(|(field, header)| pb::ImportColumn { header: shown(header), field: field.clone() });
        let errors = sheet.look(&plan, &rows, &defined);
        let rows = rows.iter().zip(errors).map(|(row, errors)| pb::ImportRow {
            row: row.number,
            cells: row.cells.iter().map(|cell| shown(cell.as_deref().unwrap_or("\u{fffd}"))).collect(),
            errors,
        });
        Ok(pb::InspectImportResponse {
            settings: Some(plan.settings()),
            columns: columns.collect(),
            rows: rows.collect(),
            known_fields: sheet.known(&defined),
            missing_fields: sheet.missing(&plan.fields, &defined),
        })
    }

    /// Says how the file is to be read.
    ///
    /// # Errors
    /// All violations, that it has been run, or the database's.
    pub async fn update(&self, request: Request<pb::UpdateImportRequest>) -> Result<pb::Import, Error> {
        let (call, request) = (Call::of(&request)?, request.into_inner());
        let mut found = Violations::default();
        let id = found.check("id", crm_values::parse_id(&request.id));
        let Some(new) = request.settings else { return Err(found.and_missing("settings")) };
        let mask = mask(request.update_mask, &new, &mut found);
        found.finish(())?;
        // Before the import is locked: it takes a connection of its own. What an import is of never changes.
        let defined = match mask.contains(&"fields") && new.fields.iter().any(|field| is_attribute(field)) {
            true => {
                let import = self.find(&call, id).await?;
                defined::known(&self.store, &call, self.sheet(&import.resource)?.as_ref()).await?
            }
            false => Arc::new(Known::none()),
        };
        let mut transaction = self.store.begin(&call, Access::ReadWrite).await?;
        let import = self.kept.lock(&mut transaction, call.tenant, id).await?;
        let import = import.ok_or(Error::RefusedFor(&NOT_FOUND, id))?;
        self.check_settings(&import.resource, &new, &mask, &defined)?;
        if import.state != "open" {
            return Err(Error::from(&CLOSED));
        }
        let mut settings = import.settings()?;
        for field in mask {
            match field {
                "encoding" => settings.encoding.clone_from(&new.encoding),
                "separator" => settings.separator.clone_from(&new.separator),
                "has_header" => settings.has_header = new.has_header,
                _ => settings.fields.clone_from(&new.fields),
            }
        }
        let query = sqlx::query(self.kept.set.clone()).bind(call.tenant).bind(id).bind(settings.encode_to_vec());
        let answer = transaction.fetch_one::<ImportRow>("set_import", query).await?.message()?;
        transaction.commit().await?;
        Ok(answer)
    }

    fn check_settings(
        &self,
        resource: &str,
        new: &ImportSettings,
        mask: &[&str],
        defined: &Known,
    ) -> Result<(), Error> {
        let (sheet, mut found) = (self.sheet(resource)?, Violations::default());
        let is_meant = |field: &str| mask.contains(&field);
        if is_meant("encoding") && !new.encoding.is_empty() && Charset::named(&new.encoding).is_none() {
            let rule = "must be UTF-8, UTF-16 or an encoding of a byte a character, such as \"windows-1252\"";
            found.add("settings.encoding", Flaw::malformed(rule));
        }
        if is_meant("separator") && !["", ",", ";", "|", "\t"].contains(&new.separator.as_str()) {
            found.add("settings.separator", Flaw::malformed("must be \",\", \";\", \"|\" or a tab"));
        }
        if is_meant("fields") {
            if new.fields.len() > 200 {
                found.add("settings.fields", Flaw::new(Flaw::TOO_LONG, "must have at most 200 items"));
            }
            let known = sheet.known(defined);
            for (column, field) in new.fields.iter().enumerate().take(200).filter(|(_, field)| !field.is_empty()) {
                let path = format!("settings.fields[{column}]");
                if !known.contains(field) {
                    found.add(
                        &path,
                        Flaw::new(Flaw::UNKNOWN_FIELD, "must be a field that InspectImport lists, or empty"),
                    );
                } else if new.fields[..column].contains(field) && !sheet.is_list(field) {
                    found.add(&path, Flaw::new(Flaw::CONTRADICTION, "another column is this field already"));
                }
            }
        }
        found.finish(())
    }

    /// Begins a check.
    ///
    /// # Errors
    /// As of [`Store::begin_operation`](crate::Store::begin_operation); or there is no such import.
    pub async fn check(&self, request: Request<pb::CheckImportRequest>) -> Result<operations::Operation, Error> {
        self.find(&Call::of(&request)?, single(&request.get_ref().id)?).await?;
        self.store.begin_operation::<Check>(request).await
    }

    /// Begins a run.
    ///
    /// # Errors
    /// As of [`check`](Self::check).
    pub async fn run(&self, request: Request<pb::RunImportRequest>) -> Result<operations::Operation, Error> {
        self.find(&Call::of(&request)?, single(&request.get_ref().id)?).await?;
        self.store.begin_operation::<Run>(request).await
    }

    /// Begins to undo one.
    ///
    /// # Errors
    /// As of [`check`](Self::check).
    pub async fn undo(&self, request: Request<pb::UndoImportRequest>) -> Result<operations::Operation, Error> {
        self.find(&Call::of(&request)?, single(&request.get_ref().id)?).await?;
        self.store.begin_operation::<Undo>(request).await
    }

    /// A page of what was wrong with rows.
    ///
    /// # Errors
    /// All violations, that there is no such import, or the database's.
    pub async fn errors(
        &self,
        request: Request<pb::ListImportErrorsRequest>,
    ) -> Result<pb::ListImportErrorsResponse, Error> {
        let (call, request) = (Call::of(&request)?, request.into_inner());
        let import = self.find(&call, single(&request.id)?).await?;
        let phase = match Phase::try_from(request.phase) {
            Ok(Phase::Check) => "check",
            Ok(Phase::Run) => "run",
            Ok(Phase::Undo) => "undo",
            Ok(Phase::Unspecified) if import.undone.is_some() => "undo",
            Ok(Phase::Unspecified) if import.ran.is_some() => "run",
            Ok(Phase::Unspecified) => "check",
            Err(_) => {
                let mut found = Violations::default();
                found.add("phase", Flaw::malformed("must be a phase that is known"));
                return found.finish(pb::ListImportErrorsResponse::default());
            }
        };
        let scope = Scope::new(call.tenant, &["import errors", &self.kept.schema, &import.id.to_string(), phase]);
        let (size, after) = page::<i64>(scope, request.page_size, &request.page_token)?;
        let mut transaction = self.store.begin(&call, Access::ReadOnly).await?;
        let query = sqlx::query(self.kept.list_errors.clone()).bind(call.tenant).bind(import.id).bind(phase);
        let query = query.bind(after.unwrap_or_default()).bind(i64::from(size) + 1);
        let rows: Vec<(i64, Vec<u8>)> = transaction.fetch_all("list_import_errors", query).await?;
        transaction.commit().await?;
        let (rows, next_page_token) = cut(rows, size, scope, |(number, _)| *number)?;
        let errors = rows.iter().map(|(_, error)| pb::RowError::decode(error.as_slice())).collect::<Result<_, _>>();
        let errors = errors.map_err(|_| Error::Inconsistent("an error of an import does not decode"))?;
        Ok(pb::ListImportErrorsResponse { errors, next_page_token })
    }

    async fn find(&self, call: &Call, id: Uuid) -> Result<ImportRow, Error> {
        let mut transaction = self.store.begin(call, Access::ReadOnly).await?;
        let import = self.kept.find(&mut transaction, call.tenant, id).await?;
        transaction.commit().await?;
        import.ok_or(Error::RefusedFor(&NOT_FOUND, id))
    }
}

/// The settings that are to be changed.
fn mask(mask: Option<FieldMask>, new: &ImportSettings, found: &mut Violations) -> Vec<&'static str> {
    let is_set = |field: &&str| match *field {
        "encoding" => !new.encoding.is_empty(),
        "separator" => !new.separator.is_empty(),
        "has_header" => new.has_header.is_some(),
        _ => !new.fields.is_empty(),
    };
    let paths = mask.map(|mask| mask.paths).unwrap_or_default();
    match paths.as_slice() {
        [] => SETTINGS.into_iter().filter(is_set).collect(),
        [path] if path == "*" => SETTINGS.to_vec(),
        paths => {
            for (index, path) in paths.iter().enumerate().filter(|(_, path)| !SETTINGS.contains(&path.as_str())) {
                let _ = path;
                let rule = "must name a setting of an import, or be \"*\" alone";
                found.add(&format!("update_mask.paths[{index}]"), Flaw::new(Flaw::UNKNOWN_FIELD, rule));
            }
            SETTINGS.into_iter().filter(|field| paths.iter().any(|path| path == field)).collect()
        }
    }
}

fn shown(text: &str) -> String {
    text.chars().take(SHOWN_CHARACTERS).collect()
}

/// How long a page is to be, and after what.
fn page<T: serde::de::DeserializeOwned + Default>(
    scope: Scope,
    size: i32,
    token: &str,
) -> Result<(u32, Option<T>), Error> {
    let mut found = Violations::default();
    let size = found.check("page_size", pages::page_size(size).map_err(|error| flaw(&error)));
    let after = found.check("page_token", pages::decode::<T>(scope, token).map_err(|error| flaw(&error)));
    found.finish((size, after))
}

/// The page without the row that tells that there is another one, and where that begins.
fn cut<R, T: serde::Serialize>(
    mut rows: Vec<R>,
    size: u32,
    scope: Scope,
    position: impl Fn(&R) -> T,
) -> Result<(Vec<R>, String), Error> {
    let has_more = rows.len() > size as usize;
    rows.truncate(size as usize);
    let next = rows.last().filter(|_| has_more).map(|last| pages::encode(scope, &position(last))).transpose();
    let next = next.map_err(|_| Error::Inconsistent("a position has no text form"))?;
    Ok((rows, next.unwrap_or_default()))
}

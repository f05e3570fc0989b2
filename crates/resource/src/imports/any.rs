//! A sheet without its types: rows in, records and errors out.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use crm_proto::imports::{RowError, Tally};
use crm_proto::standard::Resource as _;
use crm_values::Flaw;
use tonic::async_trait;
use uuid::Uuid;

use super::defined;
use super::ids::{record_id, row_of};
use super::kept::{Kept, hash};
use super::plan::{Plan, squeezed};
use super::rows::{Row, Unreadable};
use super::sheet::{Job, Line, NOT_IN_ENCODING, Sheet, TOO_MANY_CELLS, TakenBack};
use crate::attributes::{Known, KnownAttribute};
use crate::csv::cells::unguarded;
use crate::csv::columns::BETWEEN_ITEMS;
use crate::csv::{Column, TAGS, Tabular, attribute_of, column_of, has_tags, is_attribute, read_cell};
use crate::refusal::POSSIBLE_DUPLICATE;
use crate::search::Alike;
use crate::steps::has_attributes;
use crate::{Error, Kind, Records, Resource, Write};

/// A record was changed since it was made.
pub const CHANGED_SINCE: &str = "CHANGED_SINCE";
/// Other records hang on it.
pub const HAS_OTHERS: &str = "HAS_OTHERS";
/// A record was merged into another one since.
pub const MERGED_SINCE: &str = "MERGED_SINCE";

/// A sheet of whatever resource.
#[async_trait]
pub(super) trait AnySheet: Send + Sync {
    fn kind(&self) -> &'static Kind;
    fn has_attributes(&self) -> bool;
    /// What a column may be, by what the tenant has defined.
    fn known(&self, defined: &Known) -> Vec<String>;
    /// The field whose columns are called so, by a header's key.
    fn field_called(&self, key: &str, defined: &Known) -> Option<String>;
    fn field_that_looks_like(&self, values: &[&str]) -> Option<&'static str>;
    fn is_list(&self, field: &str) -> bool;
    /// What is needed and not there.
    fn missing(&self, fields: &[String], defined: &Known) -> Vec<String>;
    /// What is wrong with rows by themselves.
    fn look(&self, plan: &Plan, rows: &[Row], defined: &Known) -> Vec<Vec<RowError>>;
    /// Makes records of rows, or finds out what would be made.
    async fn take(
        &self,
        write: &mut Write,
        work: &Work<'_>,
        rows: Vec<Row>,
        tally: &mut Tally,
    ) -> Result<Vec<RowError>, Error>;
    /// Takes back what was made of these rows, or along with them.
    async fn take_back(&self, write: &mut Write, import: Uuid, rows: &[i64], along: bool) -> Result<TakenBack, Error>;
}

/// What rows are taken for.
pub(super) struct Work<'w> {
    pub(super) job: Job,
    pub(super) plan: &'w Plan,
    pub(super) finds_duplicates: bool,
    pub(super) kept: &'w Kept,
}

/// A sheet, and the records that it makes.
pub(super) struct Of<S: Sheet> {
    pub(super) sheet: S,
    pub(super) records: Records<S::Resource>,
}

type Lines<S> = Vec<Line<<S as Sheet>::Resource>>;
type Message<S> = <<S as Sheet>::Resource as Resource>::Message;

/// What a column is read into.
enum Target<'k, M: 'static> {
    Field(&'static Column<M>),
    Extra(&'static str),
    Tags,
    Attribute(&'k KnownAttribute),
    /// An attribute that was defined when the columns were said.
    Gone,
    Nothing,
}

#[async_trait]
impl<S: Sheet> AnySheet for Of<S> {
    fn kind(&self) -> &'static Kind {
        S::Resource::KIND
    }

    fn has_attributes(&self) -> bool {
        has_attributes::<S::Resource>()
    }

    fn known(&self, defined: &Known) -> Vec<String> {
        fields::<S>().map(str::to_owned).chain(defined.iter().map(column_of)).collect()
    }

    fn field_called(&self, key: &str, defined: &Known) -> Option<String> {
        let is_called = |field: &&str| !key.is_empty() && field.replace('_', "") == key;
        let tags = has_tags::<S::Resource>().then_some((TAGS, defined::SPELLINGS));
        let mut spelled = S::SPELLINGS.iter().copied().chain(tags);
        let spelled = || spelled.find(|(_, spellings)| spellings.contains(&key)).map(|(field, _)| field);
        let field = fields::<S>().find(is_called).or_else(spelled).map(str::to_owned);
        field.or_else(|| defined.iter().find(|attribute| is_attribute_called(attribute, key)).map(column_of))
    }

    fn field_that_looks_like(&self, values: &[&str]) -> Option<&'static str> {
        // Of ten, nine have to.
        let is_like =
            |looks: fn(&str) -> bool| values.iter().filter(|value| looks(value)).count() * 10 >= values.len() * 9;
        S::LOOKS.iter().find(|(_, looks)| is_like(*looks)).map(|(field, _)| *field)
    }

    fn is_list(&self, field: &str) -> bool {
        field == TAGS || S::Resource::COLUMNS.iter().any(|column| column.name == field && column.is_list())
    }

    fn missing(&self, fields: &[String], defined: &Known) -> Vec<String> {
        let is_there = |needed: &&str| fields.iter().any(|field| field == needed);
        let missing = S::NEEDED.iter().filter(|needed| !needed.iter().any(is_there));
        let asked = defined::required(defined).filter(|column| !is_there(&column.as_str()));
        missing.map(|needed| needed.join(" | ")).chain(asked).collect()
    }

    fn look(&self, plan: &Plan, rows: &[Row], defined: &Known) -> Vec<Vec<RowError>> {
        let mut lines = lines::<S>(Uuid::nil(), plan, rows, defined);
        lines.iter_mut().for_each(|line| line.read(defined));
        let is_known = |error: &RowError| !S::REFERENCES.contains(&error.field.as_str());
        lines.into_iter().map(|line| headed(plan, line.errors.into_iter().filter(is_known).collect())).collect()
    }

    async fn take(
        &self,
        write: &mut Write,
        work: &Work<'_>,
        rows: Vec<Row>,
        tally: &mut Tally,
    ) -> Result<Vec<RowError>, Error> {
        let count = |lines: usize| i64::try_from(lines).unwrap_or_default();
        let rows: Vec<Row> = rows.into_iter().filter(|row| !row.is_blank()).collect();
        tally.rows += count(rows.len());
        let store = &self.records.store;
        let of = (S::Resource::KIND, has_attributes::<S::Resource>());
        let defined = defined::known_within(store, write, of, !work.job.is_dry).await?;
        let mut lines = lines::<S>(work.job.import, work.plan, &rows, &defined);
        self.sheet.settle(write, &work.job, &mut lines).await?;
        defined::settle_tags::<S>(store, write, &mut lines).await?;
        lines.iter_mut().for_each(|line| line.read(&defined));
        let (mut good, wrong): (Lines<S>, Lines<S>) = lines.into_iter().partition(Line::is_clean);
        tally.invalid += count(wrong.len());
        let mut errors: Vec<RowError> = wrong.into_iter().flat_map(|line| line.errors).collect();
        if work.finds_duplicates {
            let duplicates = self.find_duplicates(write, work, &mut good).await?;
            tally.duplicates += count(duplicates.len());
            errors.extend(duplicates);
        }
        if work.job.is_dry {
            let along = S::along(&work.job, &good).into_iter().map(|name| (hash(&["along", &name]), 0)).collect();
            tally.created_accounts += work.kept.add_keys(write, work.job.import, along).await?;
            tally.created += count(good.len());
        } else {
            tally.created_accounts += count(self.sheet.make_along(write, &work.job, &good).await?);
            let taken = self.make(write, &good).await?;
            tally.created += count(good.len() - taken.len());
            tally.invalid += count(taken.len());
            errors.extend(taken);
        }
        errors.sort_by_key(|error| error.row);
        Ok(headed(work.plan, errors))
    }

    async fn take_back(&self, write: &mut Write, import: Uuid, rows: &[i64], along: bool) -> Result<TakenBack, Error> {
        let ids: Vec<Uuid> = rows.iter().map(|row| record_id(import, *row, along)).collect();
        if along {
            return self.sheet.take_back_along(write, &ids).await;
        }
        take_back(&self.records, write, &ids, async |write, ids| self.sheet.used(write, ids).await).await
    }
}

impl<S: Sheet> Of<S> {
    async fn make(&self, write: &mut Write, lines: &Lines<S>) -> Result<Vec<RowError>, Error> {
        let made = self.records.insert_many(write, lines.iter().map(|line| (line.id, &line.fields))).await?;
        let mut errors = Vec::new();
        for line in lines.iter().filter(|line| !made.contains(&line.id)) {
            let refusal = Records::<S::Resource>::taken()
                .ok_or(Error::Inconsistent("a new record was refused by no constraint"))?;
            let (reason, description) = (refusal.reason.to_owned(), refusal.text.to_owned());
            errors.push(RowError { row: line.row, reason, description, ..RowError::default() });
        }
        Ok(errors)
    }

    /// Takes those away that may be the same as a record that is there, or as a row before them.
    async fn find_duplicates(
        &self,
        write: &mut Write,
        work: &Work<'_>,
        lines: &mut Lines<S>,
    ) -> Result<Vec<RowError>, Error> {
        let fields: Vec<_> = lines.iter().map(|line| &line.fields).collect();
        let alike = self.records.alike(write, &fields).await?;
        let keys: Vec<HashSet<String>> = lines.iter().map(|line| S::same(&line.fields).into_iter().collect()).collect();
        // In a check nothing is there of rows before these but their keys.
        let mut firsts: HashMap<i64, i64> = if work.job.is_dry {
            let all = keys.iter().flatten().map(|key| hash(&["same", key])).collect();
            work.kept.find_keys(write, work.job.import, all).await?
        } else {
            HashMap::new()
        };
        let (mut errors, mut new) = (Vec::new(), Vec::new());
        for ((line, candidates), keys) in lines.iter().zip(&alike.candidates).zip(&keys) {
            let there = candidates.iter().find_map(|(id, score)| same_record::<S>(work, &alike, keys, (*id, *score)));
            let hashes: Vec<i64> = keys.iter().map(|key| hash(&["same", key])).collect();
            let before = hashes.iter().filter_map(|key| firsts.get(key).copied()).min();
            if let Some((id, row)) = there.or_else(|| Some((String::new(), before?))) {
                errors.push(duplicate(line.row, id, row));
                continue;
            }
            new.extend(hashes.iter().map(|key| (*key, line.row)));
            firsts.extend(hashes.iter().map(|key| (*key, line.row)));
        }
        if work.job.is_dry {
            work.kept.add_keys(write, work.job.import, new).await?;
        }
        let gone: HashSet<i64> = errors.iter().map(|error| error.row).collect();
        lines.retain(|line| !gone.contains(&line.row));
        Ok(errors)
    }
}

/// Whether a candidate is the same: its id, or the row of this import that has made it. What a row before has made is told by
/// its keys alone, as a check does it, for which it is not there.
fn same_record<S: Sheet>(
    work: &Work<'_>,
    alike: &Alike<S::Resource>,
    keys: &HashSet<String>,
    (id, score): (Uuid, i32),
) -> Option<(String, i64)> {
    match row_of(work.job.import, id) {
        None => Alike::<S::Resource>::is_refused(score).then(|| (id.to_string(), 0)),
        Some(row) => {
            let other = alike.records.get(&id)?;
            S::same(other).iter().any(|key| keys.contains(key)).then(|| (id.to_string(), row))
        }
    }
}

fn duplicate(row: i64, record_id: String, other_row: i64) -> RowError {
    let (reason, text) =
        (POSSIBLE_DUPLICATE.reason.to_owned(), "there is a record, or a row before, that may be the same");
    RowError { row, reason, description: text.to_owned(), record_id, other_row, ..RowError::default() }
}

/// With what the file calls the columns.
fn headed(plan: &Plan, mut errors: Vec<RowError>) -> Vec<RowError> {
    for error in &mut errors {
        error.column = plan.header(&error.field).replace('\0', "\u{fffd}");
    }
    errors
}

/// Fields that a column may be, whatever is defined.
fn fields<S: Sheet>() -> impl Iterator<Item = &'static str> {
    let fields = S::Resource::COLUMNS.iter().filter(|column| column.is_read()).map(|column| column.name);
    fields.chain(S::EXTRAS.iter().copied()).chain(has_tags::<S::Resource>().then_some(TAGS))
}

/// By its column's name, its key, or what people call it.
fn is_attribute_called(attribute: &KnownAttribute, key: &str) -> bool {
    [&column_of(attribute), &attribute.key, &attribute.display_name].iter().any(|name| squeezed(name) == key)
}

fn targets<'k, S: Sheet>(plan: &Plan, defined: &'k Known) -> Vec<Target<'k, Message<S>>> {
    let target = |field: &String| {
        let column = S::Resource::COLUMNS.iter().find(|column| column.is_read() && column.name == field);
        let extra = S::EXTRAS.iter().find(|extra| *extra == field).map(|extra| Target::Extra(extra));
        let tags = (field == TAGS).then_some(Target::Tags);
        let attribute = || attribute_of(defined, field).map_or(Target::Gone, Target::Attribute);
        let attribute = is_attribute(field).then(attribute);
        column.map(Target::Field).or(extra).or(tags).or(attribute).unwrap_or(Target::Nothing)
    };
    plan.fields.iter().map(target).collect()
}

fn lines<S: Sheet>(import: Uuid, plan: &Plan, rows: &[Row], defined: &Known) -> Lines<S> {
    let targets = targets::<S>(plan, defined);
    rows.iter().map(|row| line::<S>(import, plan, &targets, row)).collect()
}

fn line<S: Sheet>(import: Uuid, plan: &Plan, targets: &[Target<'_, Message<S>>], row: &Row) -> Line<S::Resource> {
    let mut line: Line<S::Resource> = Line::new(import, row.number);
    for ((cell, target), field) in row.cells.iter().zip(targets).zip(&plan.fields) {
        let read = match (cell, target) {
            (_, Target::Nothing) => Ok(()),
            (Err(Unreadable), _) => {
                let rule = "is not in the encoding of the file, or was not when that was written";
                Err(Flaw::new(NOT_IN_ENCODING, rule))
            }
            (Ok(text), Target::Field(column)) => column.read(&mut line.message, text),
            // These are looked up, and no text of the database has one.
            (Ok(text), Target::Extra(_) | Target::Tags) if text.contains('\0') => {
                Err(Flaw::new(Flaw::FORBIDDEN_CHARACTER, "must not have a NUL character"))
            }
            (Ok(text), Target::Extra(name)) => {
                line.extras.insert(name, text.clone());
                Ok(())
            }
            (Ok(text), Target::Tags) => {
                let names = unguarded(text.trim()).split([BETWEEN_ITEMS, '\n']).map(str::trim);
                line.tags.extend(names.filter(|name| !name.is_empty()).map(str::to_owned));
                Ok(())
            }
            (Ok(text), Target::Attribute(attribute)) => read_cell(attribute, text).map(|value| {
                if let (Some(values), Some(value)) = (line.message.attributes_mut(), value) {
                    values.insert(attribute.key.clone(), value);
                }
            }),
            (Ok(text), Target::Gone) if crm_values::kept(text).is_empty() => Ok(()),
            (Ok(_), Target::Gone) => {
                Err(Flaw::new(Flaw::UNKNOWN_FIELD, "is an attribute that is not defined any more"))
            }
        };
        if let Err(flaw) = read {
            line.add(field, flaw);
        }
    }
    // Cells are left out at the end by many programs; what stands behind the last column was cut at the wrong place.
    let behind = row.cells.iter().skip(plan.fields.len());
    if behind.into_iter().any(|cell| cell.as_ref().map_or(true, |text| !crm_values::kept(text).is_empty())) {
        line.add("", Flaw::new(TOO_MANY_CELLS, "has more cells than there are columns"));
    }
    S::complete(&mut line);
    line
}

/// Deletes those of these records that are as they were made and that nothing hangs on. Those that were merged away are told:
/// others stand for them.
///
/// # Errors
/// The database's.
pub async fn take_back<R: Resource>(
    records: &Records<R>,
    write: &mut Write,
    ids: &[Uuid],
    used: impl AsyncFnOnce(&mut Write, &[Uuid]) -> Result<HashSet<Uuid>, Error>,
) -> Result<TakenBack, Error> {
    let found = records.lock_many(write, ids).await?;
    let (deleted, found): (Vec<_>, Vec<_>) = found.into_iter().partition(|record| record.head.is_deleted());
    let deleted: Vec<Uuid> = deleted.into_iter().map(|record| record.head.id).collect();
    let merged = records.merged_among(write, deleted).await?;
    let (fresh, changed): (Vec<_>, Vec<_>) = found.into_iter().partition(|record| record.head.version == 1);
    let fresh_ids: Vec<Uuid> = fresh.iter().map(|record| record.head.id).collect();
    let used = if fresh_ids.is_empty() { HashSet::new() } else { used(write, &fresh_ids).await? };
    let (kept, gone): (Vec<_>, Vec<_>) = fresh.into_iter().partition(|record| used.contains(&record.head.id));
    if !gone.is_empty() {
        records.delete_many(write, &gone).await?;
    }
    let changed = changed.iter().map(|record| (record.head.id, CHANGED_SINCE));
    let kept = changed.chain(kept.iter().map(|record| (record.head.id, HAS_OTHERS)));
    let kept = kept.chain(merged.into_iter().map(|id| (id, MERGED_SINCE))).collect();
    Ok(TakenBack { removed: gone.len(), kept })
}

/// Sheets by what their records are called.
pub(super) type Sheets = Vec<Arc<dyn AnySheet>>;

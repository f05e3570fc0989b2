//! What a resource says of itself so that people's files can be read into its records.

use std::collections::{BTreeMap, HashSet};

use crm_proto::imports::RowError;
use crm_proto::standard::Resource as _;
use crm_values::Flaw;
use tonic::async_trait;
use uuid::Uuid;

use super::ids::record_id;
use super::kept::hash;
use crate::attributes::{Given, Known};
use crate::csv::{TAGS, Tabular};
use crate::resource::read;
use crate::search::Compared;
use crate::{Error, Resource, Violations, Write};

/// A row names a record that is not there.
pub const REFERENCE_NOT_FOUND: &str = "REFERENCE_NOT_FOUND";
/// A row names a record by a name that several have.
pub const REFERENCE_AMBIGUOUS: &str = "REFERENCE_AMBIGUOUS";
/// A row has more cells than there are columns.
pub const TOO_MANY_CELLS: &str = "TOO_MANY_CELLS";
/// A cell is not in the encoding of the file, or was destroyed before.
pub const NOT_IN_ENCODING: &str = "NOT_IN_ENCODING";

/// A row that is on its way to be a record.
#[derive(Debug)]
pub struct Line<R: Resource> {
    /// Its number in the file.
    pub row: i64,
    /// The id that its record has.
    pub id: Uuid,
    /// What its cells say.
    pub message: R::Message,
    /// What the cells say that are no fields.
    pub extras: BTreeMap<&'static str, String>,
    /// What is to be made along with it, by this row or by one before.
    pub along: Option<Uuid>,
    /// What is stored of it, once its cells have been read.
    pub fields: R::Fields,
    /// Names of tags.
    pub(super) tags: Vec<String>,
    pub(super) errors: Vec<RowError>,
}

impl<R: Resource> Line<R> {
    pub(super) fn new(import: Uuid, row: i64) -> Self {
        Self {
            row,
            id: record_id(import, row, false),
            message: R::Message::default(),
            extras: BTreeMap::new(),
            along: None,
            fields: R::Fields::default(),
            tags: Vec::new(),
            errors: Vec::new(),
        }
    }

    /// What stands in a column that is no field; empty if nothing does.
    pub fn extra(&self, name: &str) -> &str {
        self.extras.get(name).map(|text| crm_values::kept(text)).unwrap_or_default()
    }

    /// Notes what is wrong with a field.
    pub fn add(&mut self, field: &str, flaw: Flaw) {
        let (reason, description) = (flaw.reason.to_owned(), flaw.description.into_owned());
        self.errors.push(RowError {
            row: self.row,
            field: field.to_owned(),
            reason,
            description,
            ..RowError::default()
        });
    }

    /// Whether nothing has been wrong with it so far.
    pub fn is_clean(&self) -> bool {
        self.errors.is_empty()
    }

    fn is_clear(&self, field: &str) -> bool {
        !self.errors.iter().any(|error| error.field == field)
    }

    /// Reads its fields, by the rules of any creation; attributes by what is defined.
    pub(super) fn read(&mut self, known: &Known) {
        let (mut found, given) = (Violations::default(), Given { known: Some(known), keys: None });
        read::<R>(&mut self.message, &mut self.fields, R::Message::FIELDS, given, &mut found);
        R::check(None, &self.fields, &mut found);
        for violation in found.into_all() {
            // `contact.emails[1]` is in the column `emails`; of one that is wrong already, the first flaw is enough.
            let field = violation.field.split_once('.').map_or("", |(_, field)| field);
            let field = field.split('[').next().map(|field| if field == "tag_ids" { TAGS } else { field });
            let field = field.unwrap_or_default();
            if self.is_clear(field) {
                self.add(field, Flaw { reason: violation.reason, description: violation.description.into() });
            }
        }
    }
}

/// What an import is to do.
#[derive(Debug, Clone, Copy)]
pub struct Job {
    /// Which import.
    pub import: Uuid,
    /// Nothing is to be written.
    pub is_dry: bool,
    /// What rows name and is not there is to be made.
    pub creates_along: bool,
}

impl Job {
    /// The id of what is made along with a row.
    pub fn id_along(&self, row: i64) -> Uuid {
        record_id(self.import, row, true)
    }

    /// An id for what a check does not make, the same wherever it is named.
    pub fn id_named(&self, name: &str) -> Uuid {
        record_id(self.import, hash(&[name]), true)
    }

    /// Whether it has made this record of a row.
    pub fn made(&self, id: Uuid) -> bool {
        super::ids::row_of(self.import, id).is_some()
    }
}

/// What a column may look like by what stands in it.
pub type Looks = (&'static str, fn(&str) -> bool);

/// A resource that people have in files.
#[async_trait]
pub trait Sheet: Send + Sync + 'static {
    /// Which.
    type Resource: Tabular + Compared;

    /// What a column may be beside fields.
    const EXTRAS: &'static [&'static str] = &[];
    /// Of each of these, one must be there.
    const NEEDED: &'static [&'static [&'static str]];
    /// Fields that refer to others: whether they are right is not known by looking at the row.
    const REFERENCES: &'static [&'static str];
    /// How headers are written, beside the names of fields: by their search keys, without blanks.
    const SPELLINGS: &'static [(&'static str, &'static [&'static str])];
    /// Columns that are known by what stands in them.
    const LOOKS: &'static [Looks];

    /// Makes fields of what is no field.
    fn complete(_line: &mut Line<Self::Resource>) {}

    /// What makes two rows of a file one: such keys that either of them is enough.
    fn same(fields: &<Self::Resource as Resource>::Fields) -> Vec<String>;

    /// Finds what rows refer to, and holds it unless the job is dry.
    async fn settle(&self, write: &mut Write, job: &Job, lines: &mut [Line<Self::Resource>]) -> Result<(), Error>;

    /// What a check would make along with these lines, by names that tell it from others.
    fn along(_job: &Job, _lines: &[Line<Self::Resource>]) -> Vec<String> {
        Vec::new()
    }

    /// Makes it.
    async fn make_along(
        &self,
        _write: &mut Write,
        _job: &Job,
        _lines: &[Line<Self::Resource>],
    ) -> Result<usize, Error> {
        Ok(0)
    }

    /// Those of these records that others hang on.
    async fn used(&self, write: &mut Write, ids: &[Uuid]) -> Result<HashSet<Uuid>, Error>;

    /// Takes back what was made along with these rows.
    async fn take_back_along(&self, _write: &mut Write, _ids: &[Uuid]) -> Result<TakenBack, Error> {
        Ok(TakenBack::default())
    }
}

/// What became of records that were to be taken back.
#[derive(Debug, Default)]
pub struct TakenBack {
    /// Deleted.
    pub removed: usize,
    /// Those that stay, and why.
    pub kept: Vec<(Uuid, &'static str)>,
}

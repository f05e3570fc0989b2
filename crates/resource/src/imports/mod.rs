//! Imports: files of people's own that are read into records ([ADR 44](../../../docs/adr/0044-imports-by-rows-that-know-their-ids.md)).
//!
//! A service says of each resource what its columns may be and what a row refers to ([`Sheet`]), copies `sql/imports.sql`
//! into a migration, and has an `ImportService` whose handlers are one call of [`Imports`] each.
//!
//! A step takes up to 500 rows, with a statement for each thing that is done to them. The id of a record follows from the
//! import's and from the row's number: a row that comes twice is one record, and an undo finds what it has to take back.

mod any;
mod calls;
mod defined;
mod encoding;
mod ids;
mod kept;
mod plan;
mod reading;
mod rows;
mod sheet;
mod sweep;
mod undo;

use std::fmt;
use std::sync::Arc;

use crm_database::migrate::Copied;
use uuid::Uuid;

use crate::{Error, Records, Refusal, Store};

use any::{AnySheet, Of, Sheets};
use kept::Kept;

pub use any::{CHANGED_SINCE, HAS_OTHERS, MERGED_SINCE, take_back};
pub use ids::record_id;
pub(crate) use kept::piece;
pub use reading::ROW_TOO_LONG;
pub use sheet::{
    Job, Line, Looks, NOT_IN_ENCODING, REFERENCE_AMBIGUOUS, REFERENCE_NOT_FOUND, Sheet, TOO_MANY_CELLS, TakenBack,
};

/// The tables, their policies and the sweep, as a service's migration holds them.
pub const TABLE: Copied = Copied {
    what: "imports",
    sql: include_str!("../../sql/imports.sql"),
    relations: &["imports", "import_parts", "import_errors", "import_keys"],
    functions: &["sweep_imports"],
};

/// There is no such import, or no longer.
pub const NOT_FOUND: Refusal = Refusal::not_found("IMPORT_NOT_FOUND", "there is no such import");
/// It has been run.
pub const CLOSED: Refusal = Refusal::failed_precondition(
    "IMPORT_CLOSED",
    "the import has been run: its file is neither changed nor read any more",
);
/// There is nothing to be undone.
pub const NOT_RUN: Refusal = Refusal::failed_precondition("IMPORT_NOT_RUN", "the import has not been run");
/// There are no rows.
pub const EMPTY: Refusal = Refusal::failed_precondition("IMPORT_EMPTY", "the file has no rows");
/// A part belongs somewhere else.
pub const OFFSET_WRONG: Refusal = Refusal::failed_precondition(
    "IMPORT_OFFSET_WRONG",
    "the part neither begins where the file ends (size_bytes) nor is one that is there",
);
/// The file has an end.
pub const TOO_LARGE: Refusal = Refusal::failed_precondition("IMPORT_TOO_LARGE", "a file has at most 100 MiB");
/// Files take room.
pub const TOO_MANY: Refusal = Refusal::failed_precondition(
    "IMPORTS_TOO_MANY",
    "the tenant has ten imports that have not been run: run one of them, or wait until it is forgotten",
);
/// Another operation works on it.
pub const TAKEN_OVER: Refusal =
    Refusal::failed_precondition("IMPORT_TAKEN_OVER", "another operation was begun on the import since");

/// Why a row is no record, or a record stays, beside what is wrong with any field, and when.
pub const ROW_REASONS: &[(&str, &str)] = &[
    (REFERENCE_NOT_FOUND, "a row names an account or a tag that is not there"),
    (REFERENCE_AMBIGUOUS, "a row names an account by a name that several have"),
    (TOO_MANY_CELLS, "a row has more cells than there are columns"),
    (NOT_IN_ENCODING, "a cell is not in the encoding of the file, or was not when the file was written"),
    (ROW_TOO_LONG, "a row is longer than 2 MiB: a quotation mark may not be closed"),
    (CHANGED_SINCE, "a record of an import was changed since, so undoing leaves it"),
    (MERGED_SINCE, "a record of an import was merged into another since, so undoing leaves it"),
    (HAS_OTHERS, "contacts, subsidiaries or activities hang on a record of an import, so undoing leaves it"),
];

/// The imports of a service; cheap to clone.
#[derive(Clone)]
pub struct Imports {
    store: Store,
    kept: Arc<Kept>,
    sheets: Arc<Sheets>,
}

impl Imports {
    /// The imports in a store, of nothing in particular.
    pub fn new(store: &Store) -> Self {
        Self { store: store.clone(), kept: Arc::new(Kept::new(&store.schema)), sheets: Arc::default() }
    }

    /// And of these records.
    #[must_use]
    pub fn of<S: Sheet>(self, sheet: S, records: &Records<S::Resource>) -> Self {
        let mut sheets = self.sheets.as_ref().clone();
        sheets.push(Arc::new(Of { sheet, records: records.clone() }));
        Self { sheets: Arc::new(sheets), ..self }
    }

    /// Lets this process work on them.
    pub fn offer(&self) {
        self.store.offer(reading::Check(self.clone()));
        self.store.offer(reading::Run(self.clone()));
        self.store.offer(undo::Undo(self.clone()));
    }

    fn sheet(&self, plural: &str) -> Result<&Arc<dyn AnySheet>, Error> {
        let found = self.sheets.iter().find(|sheet| sheet.kind().plural == plural);
        found.ok_or(Error::Inconsistent("an import is of a resource that has none"))
    }
}

fn id(text: &str) -> Result<Uuid, Error> {
    crm_values::parse_id(text).map_err(|_| Error::Inconsistent("an id of an import is none any more"))
}

/// The statements about a service's imports, to be read.
#[cfg(feature = "testkit")]
pub fn statements(schema: &str) -> Vec<(&'static str, String)> {
    Kept::new(schema).all().iter().map(|(name, sql)| (*name, sql.as_str().to_owned())).collect()
}

impl fmt::Debug for Imports {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let of: Vec<_> = self.sheets.iter().map(|sheet| sheet.kind().plural).collect();
        formatter.debug_struct("Imports").field("of", &of).finish_non_exhaustive()
    }
}

//! A resource without its types, for what treats all of a service's alike.

use crm_proto::standard::Resource as _;
use sqlx::FromRow;
use sqlx::postgres::PgRow;

use crate::kind::Kind;
use crate::record::Record;
use crate::records::row_of;
use crate::row::Row;
use crate::search::terms_of;
use crate::{Refusal, Resource};

/// What can be known of a resource without its types.
#[derive(Debug, Clone, Copy)]
pub struct AnyResource {
    /// What requests call it.
    pub name: &'static str,
    /// What is particular about it.
    pub kind: &'static Kind,
    /// Fields of its message that callers set, and those that they do not.
    pub(crate) fields: [&'static [&'static str]; 2],
    /// Its columns, with the values of nothing in particular.
    pub(crate) columns: fn() -> Row,
    /// A stored row as this release would write it.
    pub(crate) written: fn(&PgRow) -> Result<Row, sqlx::Error>,
    /// The terms of a stored row; a deleted one has none.
    pub(crate) terms: fn(&PgRow) -> Result<Vec<String>, sqlx::Error>,
}

impl AnyResource {
    /// Of a resource.
    pub const fn of<R: Resource>() -> Self {
        Self {
            name: R::Message::NAME,
            kind: R::KIND,
            fields: [R::Message::FIELDS, R::Message::OUTPUT_ONLY],
            columns: || row_of::<R>(&R::Fields::default()),
            written: |row| Ok(row_of::<R>(&Record::<R::Fields>::from_row(row)?.fields)),
            terms: |row| {
                let record = Record::<R::Fields>::from_row(row)?;
                Ok(if record.head.is_deleted() { Vec::new() } else { terms_of::<R>(&record.fields) })
            },
        }
    }

    /// Refusals that its kind has.
    pub fn refusals(&self) -> impl Iterator<Item = &'static Refusal> {
        let constraints = self.kind.constraints.iter().map(|(_, refusal)| *refusal);
        [self.kind.not_found, self.kind.not_deleted].into_iter().chain(constraints)
    }
}

#[cfg(feature = "testkit")]
impl AnyResource {
    pub(crate) fn statements(&self) -> crate::statements::Statements {
        crate::statements::Statements::new(self.name, self.kind, &(self.columns)())
    }
}

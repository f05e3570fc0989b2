//! What a resource is: fields, their rules, their columns.

use std::fmt::Debug;

use crm_proto::standard;
use sqlx::FromRow;
use sqlx::postgres::PgRow;

use crate::kind::Kind;
use crate::reading::Reading;
use crate::record::Head;
use crate::row::Row;
use crate::{Error, Violations};

/// A resource: plain functions, and a constant. What is done in several steps is not here: it calls the steps of
/// [`Records`](crate::Records) in an order of its own.
pub trait Resource: Clone + Debug + Send + Sync + 'static {
    /// What callers see.
    type Message: standard::Resource;
    /// What is stored, but for what every record has.
    type Fields: for<'r> FromRow<'r, PgRow> + Clone + Default + PartialEq + Send + Sync + Unpin + 'static;

    /// What is particular about it.
    const KIND: &'static Kind;

    /// Changes the fields that are to be read, and looks at no others.
    fn read(message: &Self::Message, fields: &mut Self::Fields, reading: &mut Reading<'_>);

    /// The message of a record.
    ///
    /// # Errors
    /// The record holds what this release does not understand.
    fn write(fields: Self::Fields, head: &Head) -> Result<Self::Message, Error>;

    /// The columns, in the order in which they are written: the same for any fields.
    fn columns(fields: &Self::Fields, row: &mut Row);

    /// Rules that take several fields, or what was stored before, to check.
    fn check(_before: Option<&Self::Fields>, _now: &Self::Fields, _found: &mut Violations) {}
}

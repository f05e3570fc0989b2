//! What a resource is: fields, their rules, their columns.

use std::fmt::Debug;

use crm_proto::standard::{self, Resource as _};
use crm_values::Terms;
use prost_types::Timestamp;
use sqlx::FromRow;
use sqlx::postgres::PgRow;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::attributes::{Given, Values};
use crate::exchange::Exchange;
use crate::facets::Facets;
use crate::kind::Kind;
use crate::record::Head;
use crate::row::Row;
use crate::{Error, Violations};

/// A resource: plain functions, and a constant. What is done in several steps is not here: it calls the steps of
/// [`Records`](crate::Records) in an order of its own.
pub trait Resource: Clone + Debug + Send + Sync + 'static {
    /// What callers see.
    type Message: standard::Resource + standard::Head;
    /// What is stored, but for what every record has.
    type Fields: for<'r> FromRow<'r, PgRow> + Clone + Default + PartialEq + Send + Sync + Unpin + 'static;

    /// What is particular about it.
    const KIND: &'static Kind;

    /// Exchanges each field, in the order of the message. Reading leaves the message as it is; showing empties what is
    /// stored.
    fn exchange(stored: &mut Self::Fields, message: &mut Self::Message, fields: &mut Exchange<'_>);

    /// The columns, in the order in which they are written: the same for any fields.
    fn columns(fields: &Self::Fields, row: &mut Row);

    /// What it is searched by, if its kind has terms.
    fn searched(_fields: &Self::Fields, _terms: &mut Terms) {}

    /// Whose alone it is, if it is: nobody else is told that it is there. Of a kind that says so.
    fn reader(_message: &Self::Message) -> Option<&str> {
        None
    }

    /// The ids of its tags, if it can have some; they are among its facets.
    fn tags(_fields: &mut Self::Fields) -> Option<&mut Vec<Uuid>> {
        None
    }

    /// What it is found by beside its columns, if its kind has facets.
    fn facets(_fields: &Self::Fields, _facets: &mut Facets) {}

    /// Values of what tenants define, if its records can have some.
    fn attributes(_fields: &Self::Fields) -> Option<&Values> {
        None
    }

    /// Rules that take several fields, or what was stored before, to check.
    fn check(_before: Option<&Self::Fields>, _now: &Self::Fields, _found: &mut Violations) {}
}

/// Changes those of the message's fields that are named, and looks at no others.
pub(crate) fn read<R: Resource>(
    message: &mut R::Message,
    stored: &mut R::Fields,
    fields: &[&'static str],
    given: Given<'_>,
    found: &mut Violations,
) {
    R::exchange(stored, message, &mut Exchange::read(R::Message::NAME, fields, given, found));
}

/// The same, over what is stored: a value that is there already is not looked at. It may be older than a rule, and is no
/// reason to refuse the others.
pub(crate) fn read_over<R: Resource>(
    message: &mut R::Message,
    stored: &mut R::Fields,
    fields: &[&'static str],
    given: Given<'_>,
    found: &mut Violations,
) {
    R::exchange(stored, message, &mut Exchange::read_over(R::Message::NAME, fields, given, found));
}

/// What callers may set, as they see it.
pub(crate) fn show_fields<R: Resource>(mut stored: R::Fields) -> Result<R::Message, Error> {
    let (mut message, mut fields) = (R::Message::default(), Exchange::show());
    R::exchange(&mut stored, &mut message, &mut fields);
    fields.finish().map(|()| message)
}

/// The message of a record.
///
/// # Errors
/// The record holds what this release does not understand.
pub(crate) fn show<R: Resource>(stored: R::Fields, head: &Head) -> Result<R::Message, Error> {
    Ok(headed(show_fields::<R>(stored)?, head))
}

/// The message of a record, of one that shows its fields.
pub(crate) fn headed<M: standard::Head>(mut message: M, head: &Head) -> M {
    let times = [Some(head.create_time), Some(head.update_time), head.delete_time];
    message.set_head(head.id.to_string(), head.etag().to_string(), times.map(|time| time.map(timestamp)));
    message
}

/// The time, as messages have it.
pub fn timestamp(time: OffsetDateTime) -> Timestamp {
    Timestamp { seconds: time.unix_timestamp(), nanos: i32::try_from(time.nanosecond()).unwrap_or_default() }
}

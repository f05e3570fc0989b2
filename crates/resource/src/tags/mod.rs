//! Tags: words that people put on records, of which each service keeps those of its own records by this code
//! ([ADR 41](../../../../docs/adr/0041-tags-by-facets-and-by-records.md)).
//!
//! A service says where its table is ([`Keeper`]), copies `sql/tags.sql` into a migration, and has a `TagService` whose
//! handlers are one call of [`Tags`] each. A resource that can have tags has a column of their ids and says so
//! ([`Resource::tags`]), and has them among its facets.

mod admit;
mod called;
mod merge;
mod records;
mod statements;
mod tagged;

use std::fmt::Debug;
use std::marker::PhantomData;

use crm_database::migrate::Copied;
use crm_proto::tags as pb;
use crm_values::{Flaw, name_key, required, within};
use sqlx::FromRow;
use uuid::Uuid;

use crate::{Exchange, Filter, Kind, Order, Refusal, Resource, Row};

pub(crate) use admit::admit;
pub(crate) use called::Called;
pub use records::Tags;
pub(crate) use statements::Statements;

/// There is no such tag.
pub const NOT_FOUND: Refusal = Refusal::not_found("TAG_NOT_FOUND", "there is no such tag");
/// The tag to be brought back is there.
pub const NOT_DELETED: Refusal = Refusal::already_exists("TAG_NOT_DELETED", "the tag is not deleted");
/// A name belongs to one tag.
pub const NAME_TAKEN: Refusal = Refusal::already_exists("TAG_NAME_TAKEN", "another tag has this name");
/// The tenant has as many as one may have.
pub const TOO_MANY: Refusal =
    Refusal::failed_precondition("TOO_MANY_TAGS", "there are 500 tags: delete one, or merge two of them");
/// The tag to be brought back is now another one.
pub const MERGED: Refusal =
    Refusal::failed_precondition("TAG_MERGED", "the tag was merged into another one, and is gone for good");

/// Most tags of a tenant that are not deleted.
const MOST: i64 = 500;

/// The table and its policies, as a service's migration holds them.
pub const TABLE: Copied =
    Copied { what: "tags", sql: include_str!("../../sql/tags.sql"), relations: &["tags"], functions: &[] };

/// A service that keeps tags.
pub trait Keeper: Clone + Debug + Send + Sync + 'static {
    /// Where: made by [`kind`].
    const KIND: &'static Kind;
}

const FILTERS: &[Filter] = &[Filter::name("name", "name_key"), Filter::since("update_time")];

const ORDERS: &[Order] = &[Order::text("name", "name_key"), Order::time("update_time")];

/// Tags in `table`, which is `tags` in the service's schema.
pub const fn kind(table: &'static str) -> Kind {
    Kind {
        filters: FILTERS,
        orders: ORDERS,
        constraints: &[("tags_name_key", &NAME_TAKEN)],
        copy_of: Some(&TABLE),
        // A tenant has few, and everybody reads them.
        cache_bytes: 1 << 20,
        ..Kind::new("tags", table, &NOT_FOUND, &NOT_DELETED)
    }
}

/// The resource, of a service.
#[derive(Debug, Clone)]
pub struct Tag<K>(PhantomData<K>);

/// What is stored, but for what every record has.
#[derive(Debug, Clone, PartialEq, Eq, Default, FromRow)]
pub struct Fields {
    name: String,
    colour: String,
    description: String,
    /// Nobody sets it but a merge.
    merged_into: Option<Uuid>,
}

impl<K: Keeper> Resource for Tag<K> {
    type Message = pb::Tag;
    type Fields = Fields;

    const KIND: &'static Kind = K::KIND;

    fn exchange(it: &mut Fields, message: &mut pb::Tag, fields: &mut Exchange<'_>) {
        fields.text("name", &mut it.name, &mut message.name, required(60));
        fields.field("colour", &mut it.colour, &mut message.colour, |colour| parse_colour(colour), Ok);
        fields.text("description", &mut it.description, &mut message.description, within(500));
        // Nobody sends it: it is shown alone.
        fields.optional_id("merged_into", &mut it.merged_into, &mut message.merged_into);
    }

    fn columns(it: &Fields, row: &mut Row) {
        row.set("name", &it.name);
        row.key("name_key", name_key(&it.name));
        row.set("colour", &it.colour);
        row.set("description", &it.description);
        row.set("merged_into", it.merged_into);
    }
}

fn parse_colour(text: &str) -> Result<String, Flaw> {
    let is_digit = |byte: &u8| byte.is_ascii_hexdigit();
    match text.as_bytes() {
        [] => Ok(String::new()),
        [b'#', digits @ ..] if digits.len() == 6 && digits.iter().all(is_digit) => Ok(text.to_ascii_lowercase()),
        _ => Err(Flaw::malformed("must be a colour such as \"#1f6feb\", or empty")),
    }
}

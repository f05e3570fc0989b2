//! Saved views: lists as somebody wants to see them again, which each service keeps of its own lists by this code.
//!
//! A service says where its table is and which lists it has ([`Keeper`]), copies `sql/saved_views.sql` into a migration, and
//! has a `SavedViewService` whose handlers are one call of [`Views`] each.

mod kind;
mod records;
mod rules;

use std::fmt::Debug;
use std::marker::PhantomData;

use crm_proto::views as pb;
use crm_values::{Flaw, TextRule, name_key, required, within};
use sqlx::FromRow;

use crate::{AnyResource, Error, Exchange, Kind, Resource, Row, Violations};

pub use kind::{NOT_DELETED, NOT_FOUND, NOT_YOURS, TABLE, TOO_MANY, TOO_MANY_SHARED, kind};
pub use records::{SavedViewExport, Views};

use kind::{PRIVATE, SHARED, VISIBILITIES};
use rules::Defined;

/// A service that keeps saved views.
pub trait Keeper: Clone + Debug + Send + Sync + 'static {
    /// Where: made by [`kind`].
    const KIND: &'static Kind;

    /// What its lists are of.
    fn lists() -> &'static [AnyResource];
}

/// The resource, of a service.
#[derive(Debug, Clone)]
pub struct SavedView<K>(PhantomData<K>);

/// What is stored, but for what every record has.
#[derive(Debug, Clone, PartialEq, Eq, Default, FromRow)]
pub struct Fields {
    resource: String,
    name: String,
    filter: String,
    order_by: String,
    columns: Vec<String>,
    visibility: String,
    owner: String,
}

const NAME: TextRule = required(100);
/// As many characters as a list takes.
const FILTER: TextRule = within(4_096).in_lines();
const ORDER: TextRule = within(200);
const MOST_COLUMNS: usize = 50;

impl<K: Keeper> Resource for SavedView<K> {
    type Message = pb::SavedView;
    type Fields = Fields;

    const KIND: &'static Kind = K::KIND;

    fn exchange(it: &mut Fields, message: &mut pb::SavedView, fields: &mut Exchange<'_>) {
        fields.field("resource", &mut it.resource, &mut message.resource, |it| known::<K>(it), Ok);
        fields.text("name", &mut it.name, &mut message.name, NAME);
        fields.text("filter", &mut it.filter, &mut message.filter, FILTER);
        fields.text("order_by", &mut it.order_by, &mut message.order_by, ORDER);
        fields.field("columns", &mut it.columns, &mut message.columns, |names| columns(names), Ok);
        fields.field(
            "visibility",
            &mut it.visibility,
            &mut message.visibility,
            |it| stored_visibility(*it),
            |it| shown_visibility(&it),
        );
        // Nobody sends it: it is shown alone.
        fields.field("owner", &mut it.owner, &mut message.owner, |owner| Ok(owner.clone()), Ok);
    }

    fn columns(it: &Fields, row: &mut Row) {
        row.set("resource", &it.resource);
        row.set("name", &it.name);
        row.key("name_key", name_key(&it.name));
        row.set("filter", &it.filter);
        row.set("order_by", &it.order_by);
        row.set("columns", &it.columns);
        row.set("visibility", &it.visibility);
        row.set("owner", &it.owner);
        row.key("reader", if it.is_shared() { String::new() } else { it.owner.clone() });
    }

    fn reader(message: &pb::SavedView) -> Option<&str> {
        let is_shared = message.visibility() == pb::saved_view::Visibility::Shared;
        (!is_shared).then_some(message.owner.as_str())
    }

    fn check(before: Option<&Fields>, now: &Fields, found: &mut Violations) {
        if let Some(before) = before {
            now.check_unchanged(before, found);
        }
        // Of what there is no list, nothing can be said.
        if found.is_clear("saved_view.resource") {
            rules::check::<K>(now, before, &Defined::default(), "saved_view.", found);
        }
    }
}

impl Fields {
    fn is_shared(&self) -> bool {
        self.visibility == SHARED
    }

    fn check_unchanged(&self, before: &Self, found: &mut Violations) {
        for (field, is_same) in [
            ("saved_view.resource", self.resource == before.resource),
            ("saved_view.visibility", self.visibility == before.visibility),
        ] {
            if !is_same {
                found.add(field, Flaw::new(Flaw::IMMUTABLE, "cannot be changed; create another saved view"));
            }
        }
    }
}

/// A resource that the service lists.
fn known<K: Keeper>(resource: &str) -> Result<String, Flaw> {
    match resource {
        "" => Err(Flaw::missing()),
        known if rules::list_of::<K>(known).is_some() => Ok(known.to_owned()),
        _ => Err(rules::unknown_list::<K>()),
    }
}

/// Each once. Which ones there are depends on the resource, and is looked at with it.
fn columns(names: &[String]) -> Result<Vec<String>, Flaw> {
    if names.len() > MOST_COLUMNS {
        return Err(Flaw::new(Flaw::TOO_LONG, "must have at most 50 items"));
    }
    let mut columns: Vec<String> = Vec::new();
    for name in names {
        if !columns.contains(name) {
            columns.push(name.clone());
        }
    }
    Ok(columns)
}

fn stored_visibility(number: i32) -> Result<String, Flaw> {
    match pb::saved_view::Visibility::try_from(number) {
        Ok(pb::saved_view::Visibility::Private) => Ok(PRIVATE.to_owned()),
        Ok(pb::saved_view::Visibility::Shared) => Ok(SHARED.to_owned()),
        Ok(pb::saved_view::Visibility::Unspecified) => Err(Flaw::missing()),
        Err(_) => Err(Flaw::malformed("must be private or shared")),
    }
}

fn shown_visibility(stored: &str) -> Result<i32, Error> {
    let name = VISIBILITIES.iter().find(|(_, known)| *known == stored).map(|(name, _)| *name);
    let visibility = name.and_then(pb::saved_view::Visibility::from_str_name);
    visibility.map(Into::into).ok_or(Error::Inconsistent("a visibility is unknown"))
}

/// The statements that saved views have on top, to be read.
#[cfg(feature = "testkit")]
pub fn statements<K: Keeper>() -> [(&'static str, String); 3] {
    let kind = K::KIND;
    [
        ("lock_saved_views", crate::statements::take_turns(kind.table)),
        ("count_saved_views", records::count(kind)),
        ("find_named_views", records::named(kind)),
    ]
}

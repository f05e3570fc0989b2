//! Custom attributes: what a tenant defines for its records beside the fields that all tenants have
//! ([ADR 42](../../../docs/adr/0042-attributes-in-the-row-definitions-in-a-cache.md)).
//!
//! A service says where its definitions are and which of its resources can have some ([`Keeper`]), copies
//! `sql/attributes.sql` into a migration, and has an `AttributeDefinitionService` whose handlers are one call of
//! [`Definitions`] each. A resource that can have some has a column, a line in `exchange` and in `columns`, and
//! [`Resource::attributes`](crate::Resource::attributes).

mod choices;
mod definition;
mod definitions;
mod facet;
mod filling;
mod kind;
mod known;
mod number;
mod read;
mod rules;
mod sets;
mod sought;
mod values;

use std::fmt::Debug;

use crate::Kind;

pub use choices::Choice;
pub use definition::{AttributeDefinition, Fields};
pub use definitions::Definitions;
pub use facet::facet;
pub use filling::Filling;
pub use kind::{
    FILTER_ENDED, FILTER_NOT_READY, KEY_TAKEN, NOT_DELETED, NOT_FOUND, TABLE, TOO_MANY, TOO_MANY_FILTERABLE, kind,
};
pub use known::{Known, KnownAttribute, Type};
pub(crate) use number::units_of;
pub use values::Values;

pub(crate) use facet::changes as facets;
#[cfg(feature = "testkit")]
pub(crate) use filling::statements as filling_statements;
pub(crate) use read::{Given, check_all, read};
pub(crate) use sets::Sets;
#[cfg(feature = "testkit")]
pub(crate) use sets::statements as set_statements;
pub(crate) use sought::{Wanted, sought};

/// A service that keeps definitions.
pub trait Keeper: Clone + Debug + Send + Sync + 'static {
    /// Where: made by [`kind`].
    const KIND: &'static Kind;
    /// For whose records.
    const OF: &'static [&'static Kind];
}

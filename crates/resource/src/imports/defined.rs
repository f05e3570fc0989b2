//! What a tenant's records have beside the fields that all tenants have: columns of tags and attributes.

use std::sync::Arc;

use crm_values::Flaw;

use super::any::AnySheet;
use super::sheet::{Job, Line, REFERENCE_NOT_FOUND, Sheet};
use crate::attributes::Known;
use crate::csv::{TAGS, Tabular, column_of};
use crate::steps::has_attributes;
use crate::tags::Called;
use crate::{Call, Error, Kind, Records, Resource, Store, Write};

/// How people call the column of tags.
pub(super) const SPELLINGS: &[&str] = &[
    "tag",
    "label",
    "labels",
    "keyword",
    "keywords",
    "schlagwort",
    "schlagworte",
    "schlagworter",
    "stichworte",
    "etikett",
    "etiketten",
    "etiquette",
    "etiquettes",
    "etiqueta",
    "etiquetas",
];

/// What is defined for a sheet's records.
pub(super) async fn known(store: &Store, call: &Call, sheet: &dyn AnySheet) -> Result<Arc<Known>, Error> {
    if sheet.has_attributes() { store.attributes(call, sheet.kind()).await } else { Ok(Arc::new(Known::none())) }
}

/// The same within a step, until whose end it stays so if it is held.
pub(super) async fn known_within(
    store: &Store,
    write: &mut Write,
    (kind, has_attributes): (&Kind, bool),
    is_held: bool,
) -> Result<Arc<Known>, Error> {
    match (has_attributes, is_held) {
        (false, _) => Ok(Arc::new(Known::none())),
        (true, false) => store.attributes_within(write, kind).await,
        (true, true) => store.hold_attributes(write, kind).await,
    }
}

/// Columns of attributes that new records must have.
pub(super) fn required(known: &Known) -> impl Iterator<Item = String> {
    known.iter().filter(|attribute| attribute.required).map(column_of)
}

impl<R: Resource> Records<R> {
    /// Keys of attributes that a new record must have, and that nobody changes before a step ends that writes.
    ///
    /// # Errors
    /// The database's.
    pub async fn required_attributes(&self, write: &mut Write, job: &Job) -> Result<Vec<String>, Error> {
        let of = (R::KIND, has_attributes::<R>());
        let known = known_within(&self.store, write, of, !job.is_dry).await?;
        Ok(known.iter().filter(|attribute| attribute.required).map(|attribute| attribute.key.clone()).collect())
    }
}

/// Gives rows the tags that they name; a name that no tag has is an error of its row.
pub(super) async fn settle_tags<S: Sheet>(
    store: &Store,
    write: &mut Write,
    lines: &mut [Line<S::Resource>],
) -> Result<(), Error> {
    let names = lines.iter().flat_map(|line| &line.tags).map(String::as_str);
    let called = Called::find(store, write, names).await?;
    for line in lines {
        let found: Option<Vec<_>> = line.tags.iter().map(|name| called.ids(name)).collect();
        let Some(found) = found else {
            line.add(TAGS, Flaw::new(REFERENCE_NOT_FOUND, "names a tag that is not there"));
            continue;
        };
        if let Some(ids) = S::Resource::tag_ids(&mut line.message) {
            ids.extend(found.into_iter().flatten().map(|id| id.to_string()));
        }
    }
    Ok(())
}

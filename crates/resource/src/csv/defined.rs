//! Columns that a tenant's records have beside the fields that all tenants have: tags by their names, and attributes by what is
//! defined.

use std::collections::HashMap;

use crm_database::Access;
use crm_proto::standard::{Attributes, Resource as _};
use crm_values::Flaw;
use prost_types::value::Kind;

use super::cells::unguarded;
use super::columns::{BETWEEN_ITEMS, Tabular};
use super::numbers::{parse_decimal, show_decimal};
use crate::attributes::{Known, KnownAttribute, Type, units_of};
use crate::steps::has_attributes;
use crate::{Call, Error, Records};

/// The column of tags.
pub(crate) const TAGS: &str = "tags";
/// What the columns of attributes begin with.
const ATTRIBUTES: &str = "attributes.";

/// The column of an attribute.
pub(crate) fn column_of(attribute: &KnownAttribute) -> String {
    format!("{ATTRIBUTES}{}", attribute.key)
}

/// Whether a column is called as those of attributes are, whatever is defined.
pub(crate) fn is_attribute(column: &str) -> bool {
    column.starts_with(ATTRIBUTES)
}

/// The attribute of a column.
pub(crate) fn attribute_of<'k>(known: &'k Known, column: &str) -> Option<&'k KnownAttribute> {
    known.find(column.strip_prefix(ATTRIBUTES)?)
}

/// Whether records can have tags.
pub(crate) fn has_tags<R: Tabular>() -> bool {
    R::tag_ids(&mut R::Message::default()).is_some()
}

/// What a cell says of an attribute; none, if it says nothing. Numbers are as people's spreadsheets write them.
///
/// # Errors
/// Which rule of the definition it breaks.
pub(crate) fn read_cell(attribute: &KnownAttribute, cell: &str) -> Result<Option<prost_types::Value>, Flaw> {
    let cell = unguarded(cell.trim());
    match attribute.kind {
        Type::Number if !cell.is_empty() => {
            let (units, nanos) = parse_decimal(cell)?;
            attribute.parse(&show_decimal(units, nanos))
        }
        _ => attribute.parse(cell),
    }
}

/// What stands in the cell of an attribute.
fn show_cell(value: Option<&prost_types::Value>) -> String {
    match value.and_then(|value| value.kind.as_ref()) {
        Some(Kind::StringValue(text)) => text.clone(),
        Some(Kind::NumberValue(number)) => {
            units_of(*number).map(|(units, nanos)| show_decimal(units, nanos)).unwrap_or_default()
        }
        _ => String::new(),
    }
}

/// What stands beside the columns that all tenants have, in an export.
#[derive(Debug, Default)]
pub(super) struct Beside {
    /// Names of tags by their ids, if records can have some.
    tags: Option<HashMap<String, String>>,
    /// Keys of attributes.
    keys: Vec<String>,
}

impl Beside {
    pub(super) fn names(&self) -> Vec<String> {
        let tags = self.tags.iter().map(|_| TAGS.to_owned());
        tags.chain(self.keys.iter().map(|key| format!("{ATTRIBUTES}{key}"))).collect()
    }

    /// The cells of a record. A tag that is deleted has no name.
    pub(super) fn cells<R: Tabular>(&self, message: &mut R::Message) -> Vec<String> {
        let named = |tags: &HashMap<String, String>| {
            let ids = R::tag_ids(message).map(std::mem::take).unwrap_or_default();
            let names: Vec<&str> = ids.iter().filter_map(|id| tags.get(id)).map(String::as_str).collect();
            names.join(&BETWEEN_ITEMS.to_string())
        };
        let tags: Vec<String> = self.tags.iter().map(named).collect();
        let none = Attributes::default();
        let values = message.attributes().unwrap_or(&none);
        tags.into_iter().chain(self.keys.iter().map(|key| show_cell(values.get(key)))).collect()
    }
}

impl<R: Tabular> Records<R> {
    pub(super) async fn beside(&self, call: &Call) -> Result<Beside, Error> {
        let mut beside = Beside::default();
        if has_attributes::<R>() {
            let known = self.store.attributes(call, R::KIND).await?;
            beside.keys = known.iter().map(|attribute| attribute.key.clone()).collect();
        }
        if has_tags::<R>() {
            let mut transaction = self.store.begin(call, Access::ReadOnly).await?;
            let query = sqlx::query(self.store.tags.names.clone()).bind(call.tenant);
            let names: Vec<(uuid::Uuid, String)> = transaction.fetch_all("find_tag_names", query).await?;
            transaction.commit().await?;
            beside.tags = Some(names.into_iter().map(|(id, name)| (id.to_string(), name)).collect());
        }
        Ok(beside)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(cell: &str) -> Result<Option<prost_types::Value>, Flaw> {
        let number = r#"{"key": "seats", "type": "number", "display_name": "", "choices": [], "required": false,
            "max_length": null, "filterable": false, "ready": true}"#;
        read_cell(&serde_json::from_str(number).unwrap(), cell)
    }

    #[test]
    fn numbers_are_read_as_spreadsheets_write_them_and_written_so_that_they_are_read_again() {
        let value = |number: f64| Some(prost_types::Value { kind: Some(Kind::NumberValue(number)) });
        for (cell, expected, shown) in [
            ("12.5", value(12.5), "12.5"),
            ("1.200,5", value(1200.5), "1200.5"),
            ("-1 200", value(-1200.0), "-1200"),
            ("0,125", value(0.125), "0.1250"),
            ("-0.000000001", value(-1e-9), "-0.000000001"),
            ("999999999999999", value(999_999_999_999_999.0), "999999999999999"),
            ("0", value(0.0), "0"),
            (" ", None, ""),
        ] {
            assert_eq!(number(cell).unwrap(), expected, "{cell}");
            assert_eq!(show_cell(expected.as_ref()), shown);
            assert_eq!(number(shown).unwrap(), expected, "{shown}");
        }
        for cell in ["many", "1.200", "1e3", "1234567890123456"] {
            number(cell).unwrap_err();
        }
    }
}

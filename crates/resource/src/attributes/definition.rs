//! Definitions as a resource.

use std::marker::PhantomData;

use crm_proto::attributes as pb;
use crm_proto::attributes::attribute_definition::Type;
use crm_values::{Flaw, required, within};
use sqlx::FromRow;
use uuid::Uuid;

use super::Keeper;
use super::choices::{self, Choice};
use super::rules::is_key;
use crate::{Error, Exchange, Kind, Resource, Row, Violations};

/// The resource, of a service.
#[derive(Debug, Clone)]
pub struct AttributeDefinition<K>(PhantomData<K>);

/// What is stored, but for what every record has.
#[derive(Debug, Clone, PartialEq, Eq, Default, FromRow)]
pub struct Fields {
    pub(super) resource: String,
    pub(super) key: String,
    #[sqlx(rename = "type")]
    pub(super) kind: String,
    display_name: String,
    description: String,
    #[sqlx(json)]
    choices: Vec<Choice>,
    required: bool,
    max_length: Option<i32>,
    pub(super) filterable: bool,
    pub(super) filling: Option<Uuid>,
}

/// Types: what the API calls them, and what is stored.
const TYPES: &[(Type, &str)] =
    &[(Type::Text, TEXT), (Type::Number, "number"), (Type::Date, "date"), (Type::Choice, CHOICE)];
const TEXT: &str = "text";
const CHOICE: &str = "choice";

impl<K: Keeper> Resource for AttributeDefinition<K> {
    type Message = pb::AttributeDefinition;
    type Fields = Fields;

    const KIND: &'static Kind = K::KIND;

    fn exchange(it: &mut Fields, message: &mut pb::AttributeDefinition, fields: &mut Exchange<'_>) {
        fields.field("resource", &mut it.resource, &mut message.resource, |it| resource::<K>(it), Ok);
        fields.field("key", &mut it.key, &mut message.key, |key| read_key(key), Ok);
        fields.field("type", &mut it.kind, &mut message.r#type, |number| stored_type(*number), |it| shown_type(&it));
        fields.text("display_name", &mut it.display_name, &mut message.display_name, required(100));
        fields.text("description", &mut it.description, &mut message.description, within(1000).in_lines());
        fields.items("choices", &mut it.choices, &mut message.choices, choices::read);
        fields.truth("required", &mut it.required, &mut message.required, false);
        let (range, rule) = (1..=1000, "must be 1 to 1,000");
        fields.number("max_length", &mut it.max_length, &mut message.max_length, range, rule);
        // Nobody sends this one: it is shown alone, before what it is made of is taken.
        let mut is_ready = it.filterable && it.filling.is_none();
        fields.field("filter_ready", &mut is_ready, &mut message.filter_ready, |ready| Ok(*ready), Ok);
        fields.truth("filterable", &mut it.filterable, &mut message.filterable, false);
    }

    fn columns(it: &Fields, row: &mut Row) {
        row.set("resource", &it.resource);
        row.set("key", &it.key);
        row.set("type", &it.kind);
        row.set("display_name", &it.display_name);
        row.set("description", &it.description);
        row.set("choices", serde_json::json!(it.choices));
        row.set("required", it.required);
        row.set("max_length", it.max_length);
        row.set("filterable", it.filterable);
        row.set("filling", it.filling);
    }

    fn check(before: Option<&Fields>, now: &Fields, found: &mut Violations) {
        if let Some(before) = before {
            now.check_against(before, found);
        }
        // What has a type that there is not is judged by no type's rules.
        if found.is_clear("attribute_definition.type") {
            now.check_type(found);
        }
    }
}

impl Fields {
    fn check_against(&self, before: &Self, found: &mut Violations) {
        for (field, is_same) in [
            ("attribute_definition.resource", self.resource == before.resource),
            ("attribute_definition.key", self.key == before.key),
            ("attribute_definition.type", self.kind == before.kind),
        ] {
            if !is_same {
                found.add(field, Flaw::new(Flaw::IMMUTABLE, "cannot be changed; create another definition"));
            }
        }
        choices::check_kept(&before.choices, &self.choices, "attribute_definition.choices", found);
        if self.filterable && !before.filterable {
            let rule = "is made true by MakeAttributeFilterable, as all records have to be looked at";
            found.add("attribute_definition.filterable", Flaw::new(Flaw::IMMUTABLE, rule));
        }
    }

    /// What its type has to have, and what it cannot have.
    fn check_type(&self, found: &mut Violations) {
        let is_choice = self.kind == CHOICE;
        if is_choice && self.choices.is_empty() && found.is_clear("attribute_definition.choices") {
            found.add("attribute_definition.choices", Flaw::new(Flaw::REQUIRED, "a choice has some"));
        }
        for (is_wrong, field, rule) in [
            (!is_choice && !self.choices.is_empty(), "attribute_definition.choices", "only a choice has some"),
            (self.kind != TEXT && self.max_length.is_some(), "attribute_definition.max_length", "only a text has one"),
        ] {
            if is_wrong {
                found.add(field, Flaw::new(Flaw::CONTRADICTION, rule));
            }
        }
    }

    /// The same without a filter.
    pub(super) fn without_filter(&self) -> Self {
        Self { filterable: false, filling: None, ..self.clone() }
    }

    /// The same with a filter, which is ready unless it is being filled.
    pub(super) fn with_filter(&self, filling: Option<Uuid>) -> Self {
        Self { filterable: true, filling, ..self.clone() }
    }
}

fn resource<K: Keeper>(resource: &str) -> Result<String, Flaw> {
    let names: Vec<_> = K::OF.iter().map(|kind| kind.plural).collect();
    match resource {
        "" => Err(Flaw::missing()),
        known if names.contains(&known) => Ok(resource.to_owned()),
        _ => Err(Flaw::new(Flaw::MALFORMED, format!("must be one of {}", names.join(", ")))),
    }
}

fn read_key(key: &str) -> Result<String, Flaw> {
    match key {
        "" => Err(Flaw::missing()),
        key if is_key(key) => Ok(key.to_owned()),
        _ => Err(Flaw::malformed("must be a small letter, and at most 39 small letters, digits and _ behind it")),
    }
}

fn stored_type(number: i32) -> Result<String, Flaw> {
    let found = TYPES.iter().find(|(known, _)| Type::try_from(number) == Ok(*known));
    let flaw = if number == 0 { Flaw::missing() } else { Flaw::malformed("must be a type that is known") };
    found.map(|(_, stored)| (*stored).to_owned()).ok_or(flaw)
}

fn shown_type(stored: &str) -> Result<i32, Error> {
    let found = TYPES.iter().find(|(_, known)| *known == stored);
    found.map(|(kind, _)| (*kind).into()).ok_or(Error::Inconsistent("a type of attribute is unknown"))
}

//! Dotted paths to a field, such as `filter.owner`, in either spelling.

use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, MessageDescriptor, OneofDescriptor, Value};

use crate::json::WellKnown;

/// The fields from the request message down to the one meant; never empty.
#[derive(Debug, Clone)]
pub(crate) struct FieldPath {
    pub(crate) fields: Vec<FieldDescriptor>,
}

/// Messages that hold themselves make paths of any length; each step costs stack when the message is encoded.
const MAX_FIELDS: usize = 32;

/// A field of a message by its JSON or its original name.
pub(crate) fn find_field(message: &MessageDescriptor, name: &str) -> Option<FieldDescriptor> {
    message.get_field_by_json_name(name).or_else(|| message.get_field_by_name(name))
}

/// Fields from the outer to the inner, in JSON spelling.
pub(crate) fn json(fields: &[FieldDescriptor]) -> String {
    fields.iter().map(FieldDescriptor::json_name).collect::<Vec<_>>().join(".")
}

impl FieldPath {
    /// Resolves `text`; only plain messages are stepped into, not lists, maps or well-known types.
    pub(crate) fn resolve(message: &MessageDescriptor, text: &str) -> Option<Self> {
        let (mut at, mut fields) = (Some(message.clone()), Vec::new());
        for name in text.split('.') {
            if fields.len() >= MAX_FIELDS {
                return None;
            }
            let field = find_field(&at?, name)?;
            at = match field.kind() {
                Kind::Message(inner) if !field.is_list() && !field.is_map() && WellKnown::of(&inner).is_none() => {
                    Some(inner)
                }
                _ => None,
            };
            fields.push(field);
        }
        Some(Self { fields })
    }

    /// The path to another field of the message that holds the leaf.
    pub(crate) fn beside(&self, name: &str) -> Option<Self> {
        let (leaf, parents) = self.fields.split_last()?;
        let other = leaf.parent_message().get_field_by_name(name)?;
        Some(Self { fields: parents.iter().cloned().chain([other]).collect() })
    }

    /// The field meant.
    pub(crate) fn leaf(&self) -> Option<&FieldDescriptor> {
        self.fields.last()
    }

    /// The path in original spelling.
    pub(crate) fn original(&self) -> String {
        self.fields.iter().map(FieldDescriptor::name).collect::<Vec<_>>().join(".")
    }

    /// The path in JSON spelling.
    pub(crate) fn json(&self) -> String {
        json(&self.fields)
    }

    /// Whether these are the path's fields.
    pub(crate) fn is(&self, fields: &[&FieldDescriptor]) -> bool {
        self.fields.iter().eq(fields.iter().copied())
    }

    /// Whether one path leads into, or to, the other.
    pub(crate) fn overlaps(&self, other: &Self) -> bool {
        self.fields.iter().zip(&other.fields).all(|(mine, theirs)| mine == theirs)
    }

    /// The leaf's value, if it and all above it are set.
    pub(crate) fn get(&self, message: &DynamicMessage) -> Option<Value> {
        value_at(&self.fields, message)
    }

    /// Sets the leaf, creating what is above it.
    pub(crate) fn set(&self, message: &mut DynamicMessage, value: Value) {
        if let Some((holder, leaf)) = self.holder(message) {
            // A value of the wrong type cannot come here: values are read against the leaf's own descriptor.
            let _ = holder.try_set_field(&leaf, value);
        }
    }

    /// Appends to a list leaf.
    pub(crate) fn append(&self, message: &mut DynamicMessage, value: Value) {
        if let Some((holder, leaf)) = self.holder(message)
            && let Value::List(values) = holder.get_field_mut(&leaf)
        {
            values.push(value);
        }
    }

    /// The other member of a oneof that is set already, wherever on the path the choice stands.
    pub(crate) fn conflicting_choice(&self, message: &DynamicMessage) -> Option<String> {
        taken_choice(&self.fields, message)
    }

    fn holder<'m>(&self, message: &'m mut DynamicMessage) -> Option<(&'m mut DynamicMessage, FieldDescriptor)> {
        let (leaf, parents) = self.fields.split_last()?;
        let mut at = message;
        for parent in parents {
            at = at.get_field_mut(parent).as_message_mut()?;
        }
        Some((at, leaf.clone()))
    }
}

fn value_at(fields: &[FieldDescriptor], message: &DynamicMessage) -> Option<Value> {
    let (field, deeper) = fields.split_first()?;
    if !message.has_field(field) {
        return None;
    }
    match message.get_field(field) {
        value if deeper.is_empty() => Some(value.into_owned()),
        value => value_at(deeper, value.as_message()?),
    }
}

fn taken_choice(fields: &[FieldDescriptor], message: &DynamicMessage) -> Option<String> {
    let (field, deeper) = fields.split_first()?;
    let taken = |choice: OneofDescriptor| choice.fields().find(|other| other != field && message.has_field(other));
    if let Some(other) = field.containing_oneof().and_then(taken) {
        return Some(other.json_name().to_owned());
    }
    if deeper.is_empty() || !message.has_field(field) {
        return None;
    }
    taken_choice(deeper, message.get_field(field).as_message()?)
}

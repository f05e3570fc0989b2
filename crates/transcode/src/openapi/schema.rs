//! JSON schemas of messages and enums, named once under `components/schemas`.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crm_proto::google::api::FieldBehavior;
use prost_reflect::{DescriptorPool, EnumDescriptor, FieldDescriptor, Kind, MessageDescriptor};
use serde_json::{Map, Value, json};

use super::{
    comments::{self, Comments},
    limits,
};
use crate::{annotations::Annotations, json::WellKnown};

/// Where a message is written or read: other rules hold there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Usage {
    /// Of an answer: further fields may come with time.
    Answer,
    /// Of a request's body: a field that is not known is refused, and null is as good as nothing.
    Body,
    /// Of a PATCH's body: what is left out stays as it is.
    Patch,
    /// In the query.
    Parameter,
    /// In the path, where nothing can be left out.
    Path,
}

impl Usage {
    fn is_body(self) -> bool {
        matches!(self, Self::Body | Self::Patch)
    }

    fn suffix(self) -> &'static str {
        match self {
            Self::Answer | Self::Parameter | Self::Path => "",
            Self::Body => ".Input",
            Self::Patch => ".Patch",
        }
    }
}

/// Collects schemas as they are first referred to.
pub(super) struct Schemas {
    pub(super) comments: Comments,
    pub(super) annotations: Annotations,
    /// Short names that more than one package has; these keep their package.
    ambiguous: BTreeSet<String>,
    finished: BTreeMap<String, Value>,
}

impl Schemas {
    pub(super) fn new(pool: &DescriptorPool) -> Self {
        Self {
            comments: Comments::new(pool),
            annotations: Annotations::new(pool),
            ambiguous: ambiguous_names(pool),
            finished: BTreeMap::new(),
        }
    }

    /// Adds a schema that no descriptor stands behind.
    pub(super) fn add(&mut self, name: &str, schema: Value) {
        self.finished.insert(name.to_owned(), schema);
    }

    pub(super) fn finish(self) -> BTreeMap<String, Value> {
        self.finished
    }

    /// The schema of a field: list and map included, with comment, behaviour and limits.
    pub(super) fn field(&mut self, field: &FieldDescriptor, usage: Usage) -> Value {
        let comment = self.comments.find(&field.parent_file(), field.path()).map(str::to_owned);
        let (kind, limits) = (field.kind(), self.annotations.limits(field));
        let is_required =
            usage == Usage::Path || field.is_list() || self.annotations.has_behavior(field, FieldBehavior::Required);
        let mut item = self.kind(&kind, usage);
        annotate_text(&mut item, comment.as_deref());
        // What is answered keeps its types alone: rules may be widened, and stored values outlive them.
        if usage != Usage::Answer {
            limits::narrow(&mut item, &limits, &kind, is_required);
        }
        let mut schema = match (field.is_list(), field.is_map().then(|| self.map(field, usage)).flatten()) {
            (_, Some(map)) => map,
            (true, None) => json!({"type": "array", "items": item}),
            (false, None) => item,
        };
        if field.is_list() && usage != Usage::Answer {
            limits::narrow_list(&mut schema, &limits);
        }
        if usage.is_body() && !self.annotations.has_behavior(field, FieldBehavior::Required) {
            schema = nullable(schema);
        }
        self.describe(&mut schema, field, comment);
        if let Some(example) = limits::example(&limits) {
            schema["examples"] = json!([example]);
        }
        schema
    }

    /// A reference to the message, or the schema itself of a well-known type.
    pub(super) fn message(&mut self, message: &MessageDescriptor, usage: Usage) -> Value {
        if let Some(form) = WellKnown::of(message) {
            return self.well_known(form, message, usage);
        }
        let name = self.name(message.full_name(), message.package_name()) + usage.suffix();
        if !self.finished.contains_key(&name) {
            // Stands in for itself while its fields are read: messages may hold themselves.
            self.finished.insert(name.clone(), Value::Null);
            let schema = self.object(message, usage, &|_| true);
            self.finished.insert(name.clone(), schema);
        }
        reference(&name)
    }

    /// The object of those fields that `is_kept` keeps.
    pub(super) fn object(
        &mut self,
        message: &MessageDescriptor,
        usage: Usage,
        is_kept: &dyn Fn(&FieldDescriptor) -> bool,
    ) -> Value {
        let (mut properties, mut required) = (Map::new(), Vec::new());
        for field in message.fields().filter(|field| is_kept(field)) {
            if self.is_required(&field, usage) {
                required.push(Value::from(field.json_name()));
            }
            // What is inside a message that a PATCH names is written anew as a whole.
            let inside = if usage == Usage::Patch { Usage::Body } else { usage };
            properties.insert(field.json_name().to_owned(), self.field(&field, inside));
        }
        let mut schema = Map::from_iter([
            ("type".to_owned(), json!("object")),
            ("properties".to_owned(), Value::Object(properties)),
        ]);
        if !required.is_empty() {
            schema.insert("required".to_owned(), Value::Array(required));
        }
        if usage.is_body() {
            schema.insert("additionalProperties".to_owned(), false.into());
        }
        if let Some(description) = self.message_description(message) {
            schema.insert("description".to_owned(), description.into());
        }
        Value::Object(schema)
    }

    /// Of a body, what its caller must give; of an answer, what is always shown.
    fn is_required(&self, field: &FieldDescriptor, usage: Usage) -> bool {
        match usage {
            Usage::Answer => !field.supports_presence(),
            Usage::Body | Usage::Parameter | Usage::Path => {
                self.annotations.has_behavior(field, FieldBehavior::Required)
            }
            Usage::Patch => false,
        }
    }

    /// A body that holds an example of each field for which there is one.
    pub(super) fn example(&self, message: &MessageDescriptor) -> Option<Value> {
        let named = |field: FieldDescriptor| {
            Some((field.json_name().to_owned(), limits::example(&self.annotations.limits(&field))?))
        };
        let fields: Map<String, Value> = message.fields().filter_map(named).collect();
        (!fields.is_empty()).then_some(Value::Object(fields))
    }

    fn message_description(&self, message: &MessageDescriptor) -> Option<String> {
        let comment = self.comments.find(&message.parent_file(), message.path()).map(str::to_owned);
        let choices = message.oneofs().filter(|oneof| !oneof.is_synthetic()).map(|oneof| {
            let names: Vec<_> = oneof.fields().map(|field| field.json_name().to_owned()).collect();
            format!("At most one of: {}.", names.join(", "))
        });
        let parts: Vec<_> = comment.into_iter().chain(choices).collect();
        (!parts.is_empty()).then(|| parts.join("\n"))
    }

    fn describe(&self, schema: &mut Value, field: &FieldDescriptor, comment: Option<String>) {
        let Some(schema) = schema.as_object_mut() else { return };
        if let Some(comment) = comment {
            schema.insert("description".to_owned(), comment.into());
        }
        if self.annotations.has_behavior(field, FieldBehavior::OutputOnly) {
            schema.insert("readOnly".to_owned(), true.into());
        }
        if self.annotations.has_behavior(field, FieldBehavior::InputOnly) {
            schema.insert("writeOnly".to_owned(), true.into());
        }
    }

    fn map(&mut self, field: &FieldDescriptor, usage: Usage) -> Option<Value> {
        let value = field.kind().as_message()?.map_entry_value_field();
        Some(json!({"type": "object", "additionalProperties": self.kind(&value.kind(), usage)}))
    }

    fn kind(&mut self, kind: &Kind, usage: Usage) -> Value {
        match kind {
            Kind::Double => json!({"type": "number", "format": "double"}),
            Kind::Float => json!({"type": "number", "format": "float"}),
            Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => json!({"type": "integer", "format": "int32"}),
            Kind::Uint32 | Kind::Fixed32 => json!({"type": "integer", "minimum": 0, "maximum": u32::MAX}),
            Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => json!({"type": "string", "format": "int64"}),
            Kind::Uint64 | Kind::Fixed64 => json!({"type": "string", "format": "uint64"}),
            Kind::Bool => json!({"type": "boolean"}),
            Kind::String => json!({"type": "string"}),
            Kind::Bytes => json!({"type": "string", "contentEncoding": "base64"}),
            Kind::Message(message) => self.message(message, usage),
            Kind::Enum(names) => self.enumeration(names),
        }
    }

    fn enumeration(&mut self, names: &EnumDescriptor) -> Value {
        let values: Vec<_> = names.values().map(|value| value.name().to_owned()).collect();
        let mut schema = json!({"type": "string", "enum": values});
        if let Some(comment) = self.comments.find(&names.parent_file(), names.path()) {
            schema["description"] = comment.into();
        }
        let name = self.name(names.full_name(), names.package_name());
        self.finished.insert(name.clone(), schema);
        reference(&name)
    }

    fn well_known(&mut self, form: WellKnown, message: &MessageDescriptor, usage: Usage) -> Value {
        match form {
            WellKnown::Timestamp => {
                json!({"type": "string", "format": "date-time", "examples": ["2026-01-31T09:30:00Z"]})
            }
            WellKnown::Duration => {
                json!({"type": "string", "pattern": r"^-?[0-9]+(\.[0-9]{1,9})?s$", "examples": ["1.5s"]})
            }
            WellKnown::FieldMask => json!({"type": "string", "examples": ["name,annualRevenue"]}),
            WellKnown::Struct => json!({"type": "object"}),
            WellKnown::ListValue => json!({"type": "array"}),
            WellKnown::Value => json!({}),
            WellKnown::Any => json!({
                "type": "object", "required": ["@type"], "properties": {"@type": {"type": "string"}},
            }),
            WellKnown::Wrapper => {
                let mut schema = message.get_field(1).map(|field| self.kind(&field.kind(), usage)).unwrap_or_default();
                let inner = schema["type"].take();
                schema["type"] = json!([inner, "null"]);
                schema
            }
        }
    }

    fn name(&self, full: &str, package: &str) -> String {
        let short = full.strip_prefix(package).unwrap_or(full).trim_start_matches('.');
        if self.ambiguous.contains(short) { full.to_owned() } else { short.to_owned() }
    }
}

/// What a comment says of the form of a string.
fn annotate_text(schema: &mut Value, comment: Option<&str>) {
    let (Some(comment), true) =
        (comment, schema.get("type") == Some(&json!("string")) && schema.get("format").is_none())
    else {
        return;
    };
    if comment.contains("UUID") {
        schema["format"] = "uuid".into();
    }
    if let Some(example) = comments::example(comment) {
        schema["examples"] = json!([example]);
    }
}

/// The schema, or null.
fn nullable(mut schema: Value) -> Value {
    if let Some(kind) = schema.get("type").filter(|kind| kind.is_string()).cloned() {
        schema["type"] = json!([kind, "null"]);
        if let Some(values) = schema.get_mut("enum").and_then(Value::as_array_mut) {
            values.push(Value::Null);
        }
        return schema;
    }
    if schema.get("$ref").is_some() { json!({"anyOf": [schema, {"type": "null"}]}) } else { schema }
}

pub(super) fn reference(name: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{name}")})
}

fn ambiguous_names(pool: &DescriptorPool) -> BTreeSet<String> {
    let messages =
        pool.all_messages().map(|message| (message.full_name().to_owned(), message.package_name().to_owned()));
    let enums = pool.all_enums().map(|names| (names.full_name().to_owned(), names.package_name().to_owned()));
    let mut counts: HashMap<String, u32> = HashMap::new();
    for (full, package) in messages.chain(enums) {
        let short = full.strip_prefix(&package).unwrap_or(&full).trim_start_matches('.');
        *counts.entry(short.to_owned()).or_default() += 1;
    }
    counts.into_iter().filter(|(_, count)| *count > 1).map(|(name, _)| name).collect()
}

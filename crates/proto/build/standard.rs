//! Impls of the traits in `src/standard.rs`, for every resource and every standard request of our own packages.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use protox::prost_reflect::{
    Cardinality, DescriptorPool, DynamicMessage, EnumDescriptor, FieldDescriptor, Kind, MessageDescriptor,
    MethodDescriptor, Value,
};

/// `google.api.FieldBehavior`.
const OUTPUT_ONLY: i32 = 3;
const IMMUTABLE: i32 = 5;

/// The text of all impls, services in the order of their names.
pub(crate) fn impls(pool: &DescriptorPool) -> String {
    let mut text = String::from("// Written by build.rs from the descriptors.\n");
    let mut services: Vec<_> = pool.services().filter(|service| service.full_name().starts_with("crm.")).collect();
    services.sort_by_key(|service| service.full_name().to_owned());
    let (mut parts, mut written) = (BTreeMap::new(), BTreeSet::new());
    let methods = services.iter().flat_map(|service| service.methods());
    // Several services may have the same requests: each has one impl.
    for method in methods.filter(|method| written.insert(method.input().full_name().to_owned())) {
        // Writing to a string does not fail.
        let _ = write_method(&mut text, &method, &mut parts);
    }
    for message in parts.values() {
        let _ = write_json(&mut text, message);
    }
    text
}

/// Messages that fields of resources hold, by their names.
type Parts = BTreeMap<String, MessageDescriptor>;

fn write_method(text: &mut String, method: &MethodDescriptor, parts: &mut Parts) -> std::fmt::Result {
    let (input, output) = (method.input(), method.output());
    let (request, answer) = (path(&input), path(&output));
    let has = |fields: &[&str]| fields.iter().all(|field| input.get_field_by_name(field).is_some());
    match method.name() {
        name if name.starts_with("Create") && has(&["request_id", &snake(output.name())]) => {
            let (scope, field) = (scope(method), snake(output.name()));
            begin(text, "Create", &request, &answer)?;
            writeln!(text, "    const METHOD: &'static str = \"{scope}\";")?;
            writeln!(text, "    fn resource(&mut self) -> &mut Option<{answer}> {{ &mut self.{field} }}")?;
            writeln!(text, "    fn request_id(&mut self) -> &mut String {{ &mut self.request_id }}\n}}")
        }
        name if name.starts_with("Get") && has(&["id"]) && output.get_field_by_name("etag").is_some() => {
            write_resource(text, &output, parts)?;
            begin(text, "Get", &request, &answer)?;
            writeln!(text, "    fn id(&self) -> &str {{ &self.id }}\n}}")
        }
        // The only one that its tenant has (AIP-156): nobody says which.
        name if name.starts_with("Get") && output.get_field_by_name("etag").is_some() => {
            write_resource(text, &output, parts)
        }
        name if name.starts_with("Get") && name.ends_with("History") && has(&["id", "page_size", "page_token"]) => {
            let resource = name.trim_start_matches("Get").trim_end_matches("History");
            let resource = request.replace(input.name(), resource);
            begin(text, "History", &request, &resource)?;
            writeln!(text, "    type Answer = {answer};")?;
            writeln!(
                text,
                "    fn parts(self) -> (String, i32, String) {{ (self.id, self.page_size, self.page_token) }}"
            )?;
            let fields = "changes, next_page_token, begin_time, complete";
            writeln!(text, "    fn answer(found: Past) -> {answer} {{")?;
            writeln!(text, "        let Past {{ {fields} }} = found;\n        {answer} {{ {fields} }}\n    }}\n}}")
        }
        name if name.starts_with("BatchGet") && has(&["ids"]) => {
            let Some((field, resource)) = items(&output) else { return Ok(()) };
            begin(text, "BatchGet", &request, &resource)?;
            writeln!(text, "    type Answer = {answer};")?;
            writeln!(text, "    fn ids(&self) -> &[String] {{ &self.ids }}")?;
            let (parameter, rest) = match output.get_field_by_name("redirects") {
                Some(_) => ("redirects", ", redirects"),
                None => ("_redirects", ""),
            };
            writeln!(text, "    fn answer({field}: Vec<{resource}>, {parameter}: Vec<Redirect>) -> {answer} {{")?;
            writeln!(text, "        {answer} {{ {field}{rest} }}\n    }}\n}}")
        }
        name if name.starts_with("List") && has(&["page_size", "page_token", "filter", "order_by", "show_deleted"]) => {
            let Some((field, resource)) = items(&output) else { return Ok(()) };
            let fields = "page_size, page_token, filter, order_by, show_deleted";
            begin(text, "List", &request, &resource)?;
            writeln!(text, "    type Answer = {answer};")?;
            writeln!(text, "    fn page(self) -> Page {{ let Self {{ {fields} }} = self; Page {{ {fields} }} }}")?;
            writeln!(
                text,
                "    fn answer({field}: Vec<{resource}>, next_page_token: String) -> {answer} \
                 {{ {answer} {{ {field}, next_page_token }} }}\n}}"
            )
        }
        name if name.starts_with("Update") && has(&["update_mask", &snake(output.name())]) => {
            let field = snake(output.name());
            begin(text, "Update", &request, &answer)?;
            let parts = format!("(Option<{answer}>, Option<prost_types::FieldMask>)");
            writeln!(text, "    fn parts(self) -> {parts} {{ (self.{field}, self.update_mask) }}\n}}")
        }
        name if (name.starts_with("Delete") || name.starts_with("Undelete")) && has(&["id", "etag"]) => {
            begin(text, "At", &request, &answer)?;
            let what = if name.starts_with("Delete") { "Delete" } else { "Undelete" };
            writeln!(text, "    fn parts(self) -> (String, String) {{ (self.id, self.etag) }}\n}}")?;
            writeln!(text, "\nimpl {what} for {request} {{}}")
        }
        name if name.starts_with("Export") && has(&["filter", "show_deleted"]) && !is_file(&output) => {
            begin(text, "Export", &request, &answer)?;
            writeln!(text, "    fn parts(self) -> (String, bool) {{ (self.filter, self.show_deleted) }}\n}}")
        }
        _ => Ok(()),
    }
}

/// What is no message of ours: a file of some type.
fn is_file(message: &MessageDescriptor) -> bool {
    message.full_name() == "google.api.HttpBody"
}

fn begin(text: &mut String, what: &str, request: &str, resource: &str) -> std::fmt::Result {
    writeln!(text, "\nimpl {what} for {request} {{\n    type Resource = {resource};")
}

fn write_resource(text: &mut String, message: &MessageDescriptor, parts: &mut Parts) -> std::fmt::Result {
    let has = |field: &FieldDescriptor, behaviour| behaviours(field).contains(&behaviour);
    // Proto order; an etag is sent along with a change and is none itself.
    let mut fields: Vec<_> = message.fields().collect();
    fields.sort_by_key(FieldDescriptor::number);
    let (output_only, fields): (Vec<_>, Vec<_>) =
        fields.into_iter().partition(|field| has(field, OUTPUT_ONLY) || field.name() == "etag");
    let immutable: Vec<_> = fields.iter().filter(|field| has(field, IMMUTABLE)).cloned().collect();
    let references: Vec<_> = fields.iter().filter(|field| is_reference(field)).collect();
    let (lists, references): (Vec<_>, Vec<_>) = references.into_iter().partition(|field| field.is_list());
    let references: Vec<_> = references.into_iter().map(|field| format!("&mut self.{}", ident(field))).collect();
    let references = format!("vec![{}]", references.join(", "));
    let references = lists
        .into_iter()
        .fold(references, |all, list| format!("{all}.into_iter().chain(&mut self.{}).collect()", ident(list)));
    writeln!(text, "\nimpl Resource for {} {{", path(message))?;
    writeln!(text, "    const NAME: &'static str = \"{}\";", snake(message.name()))?;
    let personal: Vec<_> = fields.iter().filter(|field| is_personal(field)).cloned().collect();
    fields.iter().for_each(|field| collect(field, parts));
    for (name, fields) in
        [("FIELDS", &fields), ("IMMUTABLE", &immutable), ("OUTPUT_ONLY", &output_only), ("PERSONAL", &personal)]
    {
        let names: Vec<_> = fields.iter().map(|field| format!("\"{}\"", field.name())).collect();
        writeln!(text, "    const {name}: &'static [&'static str] = &[{}];", names.join(", "))?;
    }
    writeln!(text, "    fn id(&self) -> &str {{ &self.id }}\n    fn etag(&self) -> &str {{ &self.etag }}")?;
    writeln!(text, "    fn references(&mut self) -> Vec<&mut String> {{ {references} }}")?;
    if let Some(attributes) = fields.iter().find(|field| is_attributes(field)) {
        let name = ident(attributes);
        writeln!(text, "    fn attributes(&self) -> Option<&Attributes> {{ Some(&self.{name}) }}")?;
        writeln!(text, "    fn attributes_mut(&mut self) -> Option<&mut Attributes> {{ Some(&mut self.{name}) }}")?;
    }
    write_match(text, "is_set(&self, field: &str) -> bool", &fields, "false", set_test)?;
    write_match(text, "is_same(&self, other: &Self, field: &str) -> bool", &fields, "false", |field| {
        format!("self.{0} == other.{0}", ident(field))
    })?;
    write_match(text, "value(&self, field: &str) -> Value", &fields, "Value::Null", |field| match set_test(field) {
        // These are null by themselves.
        test if test.ends_with("is_some()") => json(field),
        test => format!("if {test} {{ {} }} else {{ Value::Null }}", json(field)),
    })?;
    let adopt = "adopt(&mut self, other: &Self, field: &str)";
    write_match(text, adopt, &fields, "{}", |field| match (ident(field), field) {
        (name, field) if field.is_map() => format!("self.{name}.extend(other.{name}.clone())"),
        (name, field) if field.is_list() => format!("unite(&mut self.{name}, &other.{name})"),
        (name, _) => format!("self.{name}.clone_from(&other.{name})"),
    })?;
    writeln!(text, "}}\n\nimpl Head for {} {{", path(message))?;
    writeln!(text, "    fn set_head(&mut self, id: String, etag: String, times: [Option<Timestamp>; 3]) {{")?;
    writeln!(text, "        (self.id, self.etag) = (id, etag);")?;
    writeln!(text, "        [self.create_time, self.update_time, self.delete_time] = times;\n    }}\n}}")
}

/// The message as an object of JSON.
fn write_json(text: &mut String, message: &MessageDescriptor) -> std::fmt::Result {
    writeln!(text, "\nimpl Json for {} {{\n    fn json(&self) -> Value {{\n        Value::Object(", path(message))?;
    writeln!(text, "            [")?;
    for field in message.fields() {
        writeln!(text, "                (\"{}\".to_owned(), {}),", field.json_name(), json(&field))?;
    }
    writeln!(text, "            ].into_iter().collect(),\n        )\n    }}\n}}")
}

/// The field's value as JSON.
fn json(field: &FieldDescriptor) -> String {
    let name = ident(field);
    let Kind::Enum(names) = field.kind() else { return format!("self.{name}.json()") };
    let written = format!("{}::try_from(NUMBER).map_or(Value::Null, |it| it.as_str_name().into())", enum_path(&names));
    match field.cardinality() {
        Cardinality::Repeated => format!("self.{name}.iter().map(|it| {}).collect()", written.replace("NUMBER", "*it")),
        _ if field.supports_presence() => {
            format!("self.{name}.map_or(Value::Null, |it| {})", written.replace("NUMBER", "it"))
        }
        _ => written.replace("NUMBER", &format!("self.{name}")),
    }
}

/// Notes the messages that a field holds, and those that these hold. Well-known ones have a form of their own.
fn collect(field: &FieldDescriptor, parts: &mut Parts) {
    if is_attributes(field) {
        return;
    }
    assert!(!field.is_map(), "{} is a map: it has no form in the journal", field.full_name());
    let Kind::Message(message) = field.kind() else { return };
    let name = message.full_name().to_owned();
    if !name.starts_with("google.protobuf.") && parts.insert(name, message.clone()).is_none() {
        message.fields().for_each(|field| collect(&field, parts));
    }
}

fn write_match(
    text: &mut String,
    signature: &str,
    fields: &[FieldDescriptor],
    otherwise: &str,
    arm: impl Fn(&FieldDescriptor) -> String,
) -> std::fmt::Result {
    writeln!(text, "    fn {signature} {{\n        match field {{")?;
    for field in fields {
        writeln!(text, "            \"{}\" => {},", field.name(), arm(field))?;
    }
    writeln!(text, "            _ => {otherwise},\n        }}\n    }}")
}

fn set_test(field: &FieldDescriptor) -> String {
    let name = ident(field);
    match field.kind() {
        _ if field.cardinality() == Cardinality::Repeated => format!("!self.{name}.is_empty()"),
        _ if field.supports_presence() => format!("self.{name}.is_some()"),
        Kind::String | Kind::Bytes => format!("!self.{name}.is_empty()"),
        Kind::Enum(_) => format!("self.{name} != 0"),
        _ => format!("self.{name} != Default::default()"),
    }
}

/// The repeated message of an answer: the field's name, and the message.
fn items(answer: &MessageDescriptor) -> Option<(String, String)> {
    answer.fields().find_map(|field| match field.kind() {
        Kind::Message(message) if field.is_list() => Some((ident(&field), path(&message))),
        _ => None,
    })
}

fn behaviours(field: &FieldDescriptor) -> Vec<i32> {
    let Some(list) = option(field, "google.api.field_behavior") else { return Vec::new() };
    list.as_list().unwrap_or_default().iter().filter_map(Value::as_enum_number).collect()
}

/// Whether the field holds ids of other resources, by the limits that the API's document tells, too.
fn is_reference(field: &FieldDescriptor) -> bool {
    let limits = option(field, "crm.api.v1.limits");
    let format = limits.as_ref().and_then(Value::as_message).and_then(|limits: &DynamicMessage| {
        limits.get_field_by_name("format").and_then(|format| format.as_str().map(str::to_owned))
    });
    format.as_deref() == Some("uuid")
}

/// Whether the field has values of what each tenant defines.
fn is_attributes(field: &FieldDescriptor) -> bool {
    let Kind::Message(entry) = field.kind() else { return false };
    let is_any = |kind: Kind| kind.as_message().is_some_and(|value| value.full_name() == "google.protobuf.Value");
    field.is_map() && field.name() == "attributes" && is_any(entry.map_entry_value_field().kind())
}

fn is_personal(field: &FieldDescriptor) -> bool {
    option(field, "crm.api.v1.personal").and_then(|it| it.as_bool()).unwrap_or_default()
}

fn option(field: &FieldDescriptor, name: &str) -> Option<Value> {
    let extension = field.parent_pool().get_extension_by_name(name)?;
    let options = field.options();
    options.has_extension(&extension).then(|| options.get_extension(&extension).into_owned())
}

/// `customers.CreateAccount`: the package of the request, without `crm` and version.
fn scope(method: &MethodDescriptor) -> String {
    let package = method.input().package_name().to_owned();
    let context = package.split('.').nth(1).unwrap_or_default().to_owned();
    format!("{context}.{}", method.name())
}

/// Where prost puts the message.
fn path(message: &MessageDescriptor) -> String {
    nested(message.package_name(), message.parent_message(), message.name())
}

fn enum_path(names: &EnumDescriptor) -> String {
    nested(names.package_name(), names.parent_message(), names.name())
}

fn nested(package: &str, parent: Option<MessageDescriptor>, name: &str) -> String {
    match parent {
        Some(parent) => format!("{}::{name}", nested(package, parent.parent_message(), &snake(parent.name()))),
        None => format!("crate::{}::{name}", package.split('.').map(raw).collect::<Vec<_>>().join("::")),
    }
}

fn ident(field: &FieldDescriptor) -> String {
    raw(field.name())
}

fn raw(word: &str) -> String {
    match word {
        word @ ("type" | "match" | "ref" | "use" | "move" | "where" | "enum" | "mod") => format!("r#{word}"),
        name => name.to_owned(),
    }
}

/// `PriceBook` is the field `price_book`.
fn snake(name: &str) -> String {
    let mut snake = String::new();
    for (index, letter) in name.char_indices() {
        if letter.is_ascii_uppercase() && index > 0 {
            snake.push('_');
        }
        snake.push(letter.to_ascii_lowercase());
    }
    snake
}

//! Impls of the traits in `src/standard.rs`, for every resource and every standard request of our own packages.

use std::fmt::Write;

use protox::prost_reflect::{
    Cardinality, DescriptorPool, DynamicMessage, FieldDescriptor, Kind, MessageDescriptor, MethodDescriptor, Value,
};

/// `google.api.FieldBehavior`.
const OUTPUT_ONLY: i32 = 3;
const IMMUTABLE: i32 = 5;

/// The text of all impls, services in the order of their names.
pub(crate) fn impls(pool: &DescriptorPool) -> String {
    let mut text = String::from("// Written by build.rs from the descriptors.\n");
    let mut services: Vec<_> = pool.services().filter(|service| service.full_name().starts_with("crm.")).collect();
    services.sort_by_key(|service| service.full_name().to_owned());
    for method in services.iter().flat_map(|service| service.methods()) {
        // Writing to a string does not fail.
        let _ = write_method(&mut text, &method);
    }
    text
}

fn write_method(text: &mut String, method: &MethodDescriptor) -> std::fmt::Result {
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
            write_resource(text, &output)?;
            begin(text, "Get", &request, &answer)?;
            writeln!(text, "    fn id(&self) -> &str {{ &self.id }}\n}}")
        }
        name if name.starts_with("BatchGet") && has(&["ids"]) => {
            let Some((field, resource)) = items(&output) else { return Ok(()) };
            begin(text, "BatchGet", &request, &resource)?;
            writeln!(text, "    type Answer = {answer};")?;
            writeln!(text, "    fn ids(&self) -> &[String] {{ &self.ids }}")?;
            writeln!(text, "    fn answer({field}: Vec<{resource}>) -> {answer} {{ {answer} {{ {field} }} }}\n}}")
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
        name if name.starts_with("Export") && has(&["filter", "show_deleted"]) => {
            begin(text, "Export", &request, &answer)?;
            writeln!(text, "    fn parts(self) -> (String, bool) {{ (self.filter, self.show_deleted) }}\n}}")
        }
        _ => Ok(()),
    }
}

fn begin(text: &mut String, what: &str, request: &str, resource: &str) -> std::fmt::Result {
    writeln!(text, "\nimpl {what} for {request} {{\n    type Resource = {resource};")
}

fn write_resource(text: &mut String, message: &MessageDescriptor) -> std::fmt::Result {
    let has = |field: &FieldDescriptor, behaviour| behaviours(field).contains(&behaviour);
    // Proto order; an etag is sent along with a change and is none itself.
    let mut fields: Vec<_> = message.fields().collect();
    fields.sort_by_key(FieldDescriptor::number);
    let (output_only, fields): (Vec<_>, Vec<_>) =
        fields.into_iter().partition(|field| has(field, OUTPUT_ONLY) || field.name() == "etag");
    let immutable: Vec<_> = fields.iter().filter(|field| has(field, IMMUTABLE)).cloned().collect();
    let references: Vec<_> =
        fields.iter().filter(|field| is_reference(field)).map(|field| format!("&mut self.{}", ident(field))).collect();
    writeln!(text, "\nimpl Resource for {} {{", path(message))?;
    writeln!(text, "    const NAME: &'static str = \"{}\";", snake(message.name()))?;
    for (name, fields) in [("FIELDS", &fields), ("IMMUTABLE", &immutable), ("OUTPUT_ONLY", &output_only)] {
        let names: Vec<_> = fields.iter().map(|field| format!("\"{}\"", field.name())).collect();
        writeln!(text, "    const {name}: &'static [&'static str] = &[{}];", names.join(", "))?;
    }
    writeln!(text, "    fn id(&self) -> &str {{ &self.id }}\n    fn etag(&self) -> &str {{ &self.etag }}")?;
    writeln!(text, "    fn references(&mut self) -> Vec<&mut String> {{ vec![{}] }}", references.join(", "))?;
    write_match(text, "is_set(&self, field: &str)", &fields, set_test)?;
    write_match(text, "is_same(&self, other: &Self, field: &str)", &fields, |field| {
        format!("self.{0} == other.{0}", ident(field))
    })?;
    writeln!(text, "}}\n\nimpl Head for {} {{", path(message))?;
    writeln!(text, "    fn set_head(&mut self, id: String, etag: String, times: [Option<Timestamp>; 3]) {{")?;
    writeln!(text, "        (self.id, self.etag) = (id, etag);")?;
    writeln!(text, "        [self.create_time, self.update_time, self.delete_time] = times;\n    }}\n}}")
}

fn write_match(
    text: &mut String,
    signature: &str,
    fields: &[FieldDescriptor],
    arm: impl Fn(&FieldDescriptor) -> String,
) -> std::fmt::Result {
    writeln!(text, "    fn {signature} -> bool {{\n        match field {{")?;
    for field in fields {
        writeln!(text, "            \"{}\" => {},", field.name(), arm(field))?;
    }
    writeln!(text, "            _ => false,\n        }}\n    }}")
}

fn set_test(field: &FieldDescriptor) -> String {
    let name = ident(field);
    match field.kind() {
        _ if field.cardinality() == Cardinality::Repeated => format!("!self.{name}.is_empty()"),
        _ if field.supports_presence() => format!("self.{name}.is_some()"),
        Kind::String | Kind::Bytes => format!("!self.{name}.is_empty()"),
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

/// Whether the field holds another resource's id, by the limits that the API's document tells, too.
fn is_reference(field: &FieldDescriptor) -> bool {
    let limits = option(field, "crm.api.v1.limits");
    let format = limits.as_ref().and_then(Value::as_message).and_then(|limits: &DynamicMessage| {
        limits.get_field_by_name("format").and_then(|format| format.as_str().map(str::to_owned))
    });
    !field.is_list() && format.as_deref() == Some("uuid")
}

fn option(field: &FieldDescriptor, name: &str) -> Option<Value> {
    let extension = field.parent_pool().get_extension_by_name(name)?;
    let options = field.options();
    options.has_extension(&extension).then(|| options.get_extension(&extension).into_owned())
}

/// `customers.CreateAccount`: the package without `crm` and version.
fn scope(method: &MethodDescriptor) -> String {
    let package = method.parent_service().package_name().to_owned();
    let context = package.split('.').nth(1).unwrap_or_default().to_owned();
    format!("{context}.{}", method.name())
}

/// Where prost puts the message.
fn path(message: &MessageDescriptor) -> String {
    let package = message.package_name().replace('.', "::");
    format!("crate::{package}::{}", message.name())
}

fn ident(field: &FieldDescriptor) -> String {
    match field.name() {
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

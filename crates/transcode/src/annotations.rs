//! Options of `google.api` on methods and fields.

use std::collections::HashSet;

use crm_proto::{
    crm::api::v1::Limits,
    google::api::{FieldBehavior, HttpRule},
};
use prost_reflect::{
    DescriptorPool, DynamicMessage, ExtensionDescriptor, FieldDescriptor, Kind, MessageDescriptor, MethodDescriptor,
    Value,
};

/// Finds the options; a descriptor set that does not import them has none.
#[derive(Debug)]
pub(crate) struct Annotations {
    http: Option<ExtensionDescriptor>,
    behavior: Option<ExtensionDescriptor>,
    limits: Option<ExtensionDescriptor>,
    event_id: Option<ExtensionDescriptor>,
    waits: Option<ExtensionDescriptor>,
}

impl Annotations {
    pub(crate) fn new(pool: &DescriptorPool) -> Self {
        Self {
            http: pool.get_extension_by_name("google.api.http"),
            behavior: pool.get_extension_by_name("google.api.field_behavior"),
            limits: pool.get_extension_by_name("crm.api.v1.limits"),
            event_id: pool.get_extension_by_name("crm.api.v1.event_id"),
            waits: pool.get_extension_by_name("crm.api.v1.waits"),
        }
    }

    pub(crate) fn http_rule(&self, method: &MethodDescriptor) -> Option<HttpRule> {
        let rule = set_extension(&method.options(), self.http.as_ref()?)?;
        rule.as_message()?.transcode_to().ok()
    }

    /// What a field's values may be; nothing said means anything of its type.
    pub(crate) fn limits(&self, field: &FieldDescriptor) -> Limits {
        let found = self.limits.as_ref().and_then(|extension| set_extension(&field.options(), extension));
        found.and_then(|limits| limits.as_message()?.transcode_to().ok()).unwrap_or_default()
    }

    /// The field that tells how far a stream has come, of its messages as of its request.
    pub(crate) fn event_id(&self, message: &MessageDescriptor) -> Option<FieldDescriptor> {
        let extension = self.event_id.as_ref()?;
        message.fields().find(|field| {
            let is_text = field.kind() == Kind::String && !field.is_list();
            is_text && set_extension(&field.options(), extension) == Some(Value::Bool(true))
        })
    }

    /// Whether a method waits more than it works.
    pub(crate) fn waits(&self, method: &MethodDescriptor) -> bool {
        let found = self.waits.as_ref().and_then(|extension| set_extension(&method.options(), extension));
        found == Some(Value::Bool(true))
    }

    pub(crate) fn has_behavior(&self, field: &FieldDescriptor, behavior: FieldBehavior) -> bool {
        let values = self.behavior.as_ref().and_then(|extension| set_extension(&field.options(), extension));
        let number = behavior as i32;
        values.as_ref().and_then(Value::as_list).is_some_and(|list| list.contains(&Value::EnumNumber(number)))
    }

    /// Full names of the fields that no update changes: what the server writes, and what a resource is found by.
    pub(crate) fn fixed_fields(&self, pool: &DescriptorPool) -> HashSet<String> {
        let fields = pool.all_messages().flat_map(|message| message.fields().collect::<Vec<_>>());
        let fixed = fields.filter(|field| {
            [FieldBehavior::OutputOnly, FieldBehavior::Identifier].iter().any(|one| self.has_behavior(field, *one))
        });
        fixed.map(|field| field.full_name().to_owned()).collect()
    }
}

fn set_extension(options: &DynamicMessage, extension: &ExtensionDescriptor) -> Option<Value> {
    options.has_extension(extension).then(|| options.get_extension(extension).into_owned())
}

//! What is known of an RPC from its descriptor.

use prost_reflect::{FieldDescriptor, MessageDescriptor, MethodDescriptor};

use crate::{annotations::Annotations, binding::is_etag};

/// What a method promises about being called twice (`google.protobuf.MethodOptions.IdempotencyLevel`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Idempotency {
    /// Nothing is promised.
    #[default]
    Unknown,
    /// Reads only.
    NoSideEffects,
    /// A second call changes nothing more.
    Idempotent,
}

impl Idempotency {
    /// Whether a call that may have reached the server can be sent again.
    pub fn is_retryable(self) -> bool {
        self != Self::Unknown
    }

    fn of(method: &MethodDescriptor) -> Self {
        use prost_reflect::prost_types::method_options::IdempotencyLevel;
        match method.method_descriptor_proto().options.as_ref().map(|options| options.idempotency_level()) {
            Some(IdempotencyLevel::NoSideEffects) => Self::NoSideEffects,
            Some(IdempotencyLevel::Idempotent) => Self::Idempotent,
            Some(IdempotencyLevel::IdempotencyUnknown) | None => Self::Unknown,
        }
    }
}

/// One RPC, with or without a route.
#[derive(Debug, Clone)]
pub struct Rpc {
    /// Path of the gRPC call: `/crm.customers.v1.AccountService/GetAccount`.
    pub path: String,
    /// Full name of the service: `crm.customers.v1.AccountService`.
    pub service: String,
    /// Name of the method in its service: `GetAccount`.
    pub method: String,
    /// What may be assumed when calling it again.
    pub idempotency: Idempotency,
    /// Whether the caller sends a stream; such methods have no routes.
    pub client_streaming: bool,
    /// Whether the server answers with a stream.
    pub server_streaming: bool,
    /// Whether it answers when something happens, not when its work is done.
    pub waits: bool,
    /// Whether the answers are parts of a file (`google.api.HttpBody`), which over REST stand as they are.
    pub is_file: bool,
    pub(crate) input: MessageDescriptor,
    pub(crate) output: MessageDescriptor,
    /// The part of the answer that REST shows, if not all of it.
    pub(crate) response_body: Option<FieldDescriptor>,
    /// The etag of what REST shows, if that is one resource.
    pub(crate) etag: Option<FieldDescriptor>,
    /// What a message of a server stream is known by as an event.
    pub(crate) event_id: Option<FieldDescriptor>,
    /// Where the request tells which event was read last.
    pub(crate) resume: Option<FieldDescriptor>,
}

impl Rpc {
    pub(crate) fn new(method: &MethodDescriptor, annotations: &Annotations) -> Self {
        let service = method.parent_service().full_name();
        let event_id = |message| annotations.event_id(&message).filter(|_| method.is_server_streaming());
        Self {
            path: format!("/{service}/{}", method.name()),
            service: service.to_owned(),
            method: method.name().to_owned(),
            idempotency: Idempotency::of(method),
            client_streaming: method.is_client_streaming(),
            server_streaming: method.is_server_streaming(),
            waits: annotations.waits(method),
            is_file: method.output().full_name() == "google.api.HttpBody",
            input: method.input(),
            etag: if method.is_server_streaming() { None } else { find_etag(&method.output()) },
            output: method.output(),
            response_body: None,
            event_id: event_id(method.output()),
            resume: event_id(method.input()),
        }
    }

    /// REST shows this field of the answer alone.
    pub(crate) fn show_only(&mut self, shown: FieldDescriptor) {
        let resource = shown.kind().as_message().filter(|_| !shown.is_list() && !shown.is_map()).cloned();
        self.etag = resource.filter(|_| !self.server_streaming).and_then(|resource| find_etag(&resource));
        self.response_body = Some(shown);
    }

    /// Full name of the request message.
    pub fn request_type(&self) -> &str {
        self.input.full_name()
    }

    /// Full name of the answer's message.
    pub fn response_type(&self) -> &str {
        self.output.full_name()
    }
}

fn find_etag(resource: &MessageDescriptor) -> Option<FieldDescriptor> {
    resource.get_field_by_name("etag").filter(is_etag)
}

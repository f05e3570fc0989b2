//! The crate's one object.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use bytes::Bytes;
use crm_proto::google::api::HttpBody;
use http::{HeaderMap, Method, StatusCode};
use prost::Message;
use prost_reflect::{DescriptorPool, DynamicMessage, FieldDescriptor, MessageDescriptor};
use serde_json::Value;

use crate::{
    Answer, Codec, Conditions, Error, Limits, Request, RequestError, RouteError, Rpc, Verdict, Violation,
    annotations::Annotations,
    binding::{self, Binding, Body},
    connect,
    entity_tag::Tag,
    events,
    faults::Faults,
    json::{self, Defaults},
    openapi,
    request::{Parts, Reader},
    router::Router,
    spelling::Spelling,
    status,
};

/// Turns REST/JSON into gRPC messages and back. Compiled once, then shared; nothing in it changes.
#[derive(Debug)]
pub struct Transcoder {
    pool: DescriptorPool,
    /// Knows the details of `google.rpc`, whether or not the descriptor set does.
    detail_pool: DescriptorPool,
    limits: Limits,
    rpcs: Vec<Arc<Rpc>>,
    /// Index into `rpcs` by gRPC path.
    by_path: HashMap<String, usize>,
    bindings: Vec<Binding>,
    router: Router,
    /// Full names of fields that no update changes.
    fixed: HashSet<String>,
}

/// The RPC that a method and path lead to, with the path's variables.
#[derive(Debug, Clone)]
pub struct Match<'a> {
    /// The RPC; clone the `Arc` to keep it beyond the match.
    pub rpc: &'a Arc<Rpc>,
    binding: &'a Binding,
    /// Values of the template's variables, still percent-encoded.
    captures: Vec<&'a str>,
}

impl Match<'_> {
    /// The path template that matched, such as `/v1/accounts/{id}`: a bounded label for spans and metrics.
    pub fn template(&self) -> &str {
        &self.binding.text
    }

    /// Whether the route reads a body.
    pub fn takes_body(&self) -> bool {
        !matches!(self.binding.body, Body::None)
    }

    /// The message and the details of a status in the words of who sent `request`: fields have the names that they
    /// have over REST. `None` if the status names no field.
    pub fn respell(&self, request: &Request, message: &str, details: &[u8]) -> Option<(String, Vec<u8>)> {
        let Binding { rpc, body, request_id, .. } = self.binding;
        let key_in_header = request_id.as_ref().filter(|_| request.key_in_header);
        let resumed = rpc.resume.as_ref().filter(|_| request.resumed);
        Spelling { input: &rpc.input, body, key_in_header, resumed }.respell(message, details)
    }

    #[cfg(test)]
    pub(crate) fn binding(&self) -> &Binding {
        self.binding
    }
}

impl Transcoder {
    /// Compiles the routes of every service in an encoded `google.protobuf.FileDescriptorSet`.
    ///
    /// # Errors
    ///
    /// If the set does not decode, a rule names what does not exist, or two rules claim one route.
    pub fn new(descriptors: &[u8]) -> Result<Self, Error> {
        let pool = DescriptorPool::decode(descriptors)?;
        let annotations = Annotations::new(&pool);
        let mut transcoder = Self {
            detail_pool: detail_pool(&pool)?,
            limits: Limits::default(),
            rpcs: Vec::new(),
            by_path: HashMap::new(),
            bindings: Vec::new(),
            router: Router::default(),
            fixed: annotations.fixed_fields(&pool),
            pool,
        };
        transcoder.add_methods(&annotations)?;
        Ok(transcoder)
    }

    /// The same with other limits.
    #[must_use]
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Finds the RPC for a method and a path (without its query); the path's variables are its only allocation.
    ///
    /// # Errors
    ///
    /// `NotFound`, or `MethodNotAllowed` with the methods that the path has.
    pub fn route<'a>(&'a self, method: &Method, path: &'a str) -> Result<Match<'a>, RouteError> {
        let (index, bare) = self.router.find(method, path)?;
        let binding = self.bindings.get(index).ok_or(RouteError::NotFound)?;
        Ok(Match { rpc: &binding.rpc, binding, captures: binding.template.capture(bare) })
    }

    /// What a request asks for, in the RPC's own terms.
    ///
    /// # Errors
    ///
    /// Every fault of path, query, headers and body; of JSON that does not parse, the first.
    pub fn request(
        &self,
        found: &Match<'_>,
        query: Option<&str>,
        headers: &HeaderMap,
        body: &[u8],
    ) -> Result<Request, RequestError> {
        let reader = Reader { binding: found.binding, limits: &self.limits, fixed: &self.fixed };
        reader.read(&Parts { captures: &found.captures, query, headers, body })
    }

    /// The message that a body is, whole and by itself: as Connect's callers write it, to no route.
    ///
    /// # Errors
    ///
    /// As [`Transcoder::request`].
    pub fn whole(&self, rpc: &Rpc, codec: Codec, headers: &HeaderMap, body: &[u8]) -> Result<Request, RequestError> {
        connect::read(rpc, &self.limits, codec, headers, body)
    }

    /// As [`Match::respell`], to who sent `request` as a whole in JSON.
    pub fn respell(&self, rpc: &Rpc, request: &Request, message: &str, details: &[u8]) -> Option<(String, Vec<u8>)> {
        connect::respell(rpc, request, message, details)
    }

    /// An error as Connect writes it: its code in words, and details with their bytes.
    pub fn connect_error(&self, code: i32, message: &str, details: &[u8]) -> Vec<u8> {
        connect::error(&self.detail_pool, code, message, details)
    }

    /// One answer as JSON, with the tag of its state; of its `response_body` alone, if the route that `rpc` came from
    /// names one.
    ///
    /// # Errors
    ///
    /// If the bytes are not the RPC's message, or hold what JSON cannot say.
    pub fn answer(&self, rpc: &Rpc, conditions: &Conditions, message: &[u8]) -> Result<Answer, Error> {
        let message = decode(&rpc.output, message)?;
        let tag = rpc.etag.as_ref().and_then(|etag| state_of(rpc, etag, &message));
        judge(rpc, conditions, &message, tag)
    }

    /// The same of an answer that shows another resource than was asked for: no tag tells the state of that.
    ///
    /// # Errors
    ///
    /// As [`Transcoder::answer`].
    pub fn answer_without_state(&self, rpc: &Rpc, conditions: &Conditions, message: &[u8]) -> Result<Answer, Error> {
        judge(rpc, conditions, &decode(&rpc.output, message)?, None)
    }

    /// JSON of one answer.
    ///
    /// # Errors
    ///
    /// As [`Transcoder::answer`].
    pub fn response_json(&self, rpc: &Rpc, message: &[u8]) -> Result<Vec<u8>, Error> {
        show(rpc, &decode(&rpc.output, message)?)
    }

    /// One line of NDJSON, line feed included: one answer of a server stream.
    ///
    /// # Errors
    ///
    /// As [`Transcoder::response_json`].
    pub fn response_line(&self, rpc: &Rpc, message: &[u8]) -> Result<Vec<u8>, Error> {
        let mut line = self.response_json(rpc, message)?;
        line.push(b'\n');
        Ok(line)
    }

    /// What one answer of a server stream has of a file, as it stands.
    ///
    /// # Errors
    ///
    /// The bytes are no part of a file.
    pub fn response_bytes(&self, rpc: &Rpc, message: &[u8]) -> Result<Vec<u8>, Error> {
        let fault = |_| Error::Decode { message: rpc.output.full_name().to_owned() };
        Ok(HttpBody::decode(message).map_err(fault)?.data.into())
    }

    /// One answer of a server stream as a server-sent event, with its id where the message has a field for it.
    ///
    /// # Errors
    ///
    /// As [`Transcoder::response_json`].
    pub fn response_event(&self, rpc: &Rpc, message: &[u8]) -> Result<Vec<u8>, Error> {
        let message = decode(&rpc.output, message)?;
        let id = rpc.event_id.as_ref().map(|field| message.get_field(field));
        let mut out = events::begin(id.as_ref().and_then(|id| id.as_str()));
        show_into(&mut out, rpc, &message)?;
        events::end(&mut out);
        Ok(out)
    }

    /// HTTP status and JSON of `google.rpc.Status`. `details` is `grpc-status-details-bin` out of base64, or empty.
    pub fn status_json(&self, code: i32, message: &str, details: &[u8]) -> (StatusCode, Vec<u8>) {
        (status::http_status(code), status::to_json(&self.detail_pool, code, message, details))
    }

    /// The last line of a server stream that failed after it began: `{"error":{…}}`, line feed included.
    pub fn status_line(&self, code: i32, message: &str, details: &[u8]) -> Vec<u8> {
        let mut line = b"{\"error\":".to_vec();
        line.extend(status::to_json(&self.detail_pool, code, message, details));
        line.extend_from_slice(b"}\n");
        line
    }

    /// The last event of a server stream that failed after it began: `error`, whose data is the status.
    pub fn status_event(&self, code: i32, message: &str, details: &[u8]) -> Vec<u8> {
        let mut out = b"event: error\n".to_vec();
        out.extend(events::begin(None));
        out.extend(status::to_json(&self.detail_pool, code, message, details));
        events::end(&mut out);
        out
    }

    /// The answer to a request that does not fit: INVALID_ARGUMENT with `BadRequest` and `ErrorInfo`.
    pub fn request_error_json(&self, error: &RequestError) -> (StatusCode, Vec<u8>) {
        let (http, code, message, details) = status::of_request_error(error);
        (http, status::to_json(&self.detail_pool, code, message, &details))
    }

    /// The answer to a request without a route. Send [`RouteError::allow_header`] with it.
    pub fn route_error_json(&self, error: &RouteError) -> (StatusCode, Vec<u8>) {
        let (http, code, message, details) = status::of_route_error(error);
        (http, status::to_json(&self.detail_pool, code, message, &details))
    }

    /// Every RPC of every service, with or without a route.
    pub fn methods(&self) -> impl ExactSizeIterator<Item = &Arc<Rpc>> {
        self.rpcs.iter()
    }

    /// The RPC of a gRPC path `/package.Service/Method`.
    pub fn rpc(&self, path: &str) -> Option<&Arc<Rpc>> {
        self.rpcs.get(*self.by_path.get(path)?)
    }

    /// OpenAPI 3.1 of every served route and no other.
    pub fn openapi(&self, title: &str, version: &str) -> Value {
        openapi::document(&self.pool, &self.bindings, title, version)
    }

    /// Encodes proto3 JSON as the message type with this full name.
    ///
    /// # Errors
    ///
    /// Every fault of the JSON; an unknown type is one.
    pub fn json_to_message(&self, message: &str, json: &Value) -> Result<Bytes, RequestError> {
        let Some(descriptor) = self.pool.get_message_by_name(message) else { return Err(unknown_type()) };
        let mut faults = Faults::new(self.limits.violations);
        let message = json::read_message(&descriptor, &json.into(), "", &mut faults);
        faults.finish().map(|()| message.encode_to_vec().into())
    }

    /// Shows an encoded message of the type with this full name as [`Transcoder::response_json`] does.
    ///
    /// # Errors
    ///
    /// If the type is unknown, the bytes are not of it, or hold what JSON cannot say.
    pub fn message_to_json(&self, message: &str, bytes: &[u8]) -> Result<Vec<u8>, Error> {
        let descriptor =
            self.pool.get_message_by_name(message).ok_or_else(|| Error::UnknownMessage(message.to_owned()))?;
        let mut out = Vec::with_capacity(256);
        let written = json::write_message(&mut out, &decode(&descriptor, bytes)?, Defaults::Show);
        written.map(|()| out).map_err(|_| unrepresentable(&descriptor))
    }

    fn add_methods(&mut self, annotations: &Annotations) -> Result<(), Error> {
        for service in self.pool.clone().services() {
            for method in service.methods() {
                let rpc = Rpc::new(&method, annotations);
                if let Some(rule) = annotations.http_rule(&method) {
                    self.add_bindings(binding::compile(&rpc, &rule)?)?;
                }
                self.by_path.insert(rpc.path.clone(), self.rpcs.len());
                self.rpcs.push(Arc::new(rpc));
            }
        }
        Ok(())
    }

    fn add_bindings(&mut self, bindings: Vec<Binding>) -> Result<(), Error> {
        for binding in bindings {
            let inserted = self.router.insert(binding.method.clone(), &binding.template, self.bindings.len());
            if let Err(taken) = inserted {
                let first = self.bindings.get(taken).map(|binding| binding.rpc.path.clone()).unwrap_or_default();
                let route = format!("{} {}", binding.method, binding.text);
                return Err(Error::DuplicateRoute { route, first, second: binding.rpc.path.clone() });
            }
            self.bindings.push(binding);
        }
        Ok(())
    }
}

/// The set's own descriptors if they have `google.rpc`, else ours.
fn detail_pool(pool: &DescriptorPool) -> Result<DescriptorPool, Error> {
    match pool.get_message_by_name("google.rpc.BadRequest") {
        Some(_) => Ok(pool.clone()),
        None => Ok(DescriptorPool::decode(crm_proto::DESCRIPTORS)?),
    }
}

fn show(rpc: &Rpc, message: &DynamicMessage) -> Result<Vec<u8>, Error> {
    let mut out = Vec::with_capacity(256);
    show_into(&mut out, rpc, message).map(|()| out)
}

fn judge(rpc: &Rpc, conditions: &Conditions, message: &DynamicMessage, tag: Option<Tag>) -> Result<Answer, Error> {
    let verdict = conditions.judge(tag.as_ref());
    let json = if verdict == Verdict::Show { show(rpc, message)? } else { Vec::new() };
    Ok(Answer { json, etag: tag.and_then(|tag| tag.header()), verdict })
}

fn show_into(out: &mut Vec<u8>, rpc: &Rpc, message: &DynamicMessage) -> Result<(), Error> {
    let written = match &rpc.response_body {
        Some(field) => json::write_value(out, &message.get_field(field), field, Defaults::Show),
        None => json::write_message(out, message, Defaults::Show),
    };
    written.map_err(|_| unrepresentable(&rpc.output))
}

/// The tag of the resource that an answer shows.
fn state_of(rpc: &Rpc, etag: &FieldDescriptor, message: &DynamicMessage) -> Option<Tag> {
    let read = |resource: &DynamicMessage| Tag::of(resource.get_field(etag).as_str()?);
    match &rpc.response_body {
        Some(field) => read(message.get_field(field).as_message()?),
        None => read(message),
    }
}

fn decode(descriptor: &MessageDescriptor, bytes: &[u8]) -> Result<DynamicMessage, Error> {
    let fault = |_| Error::Decode { message: descriptor.full_name().to_owned() };
    DynamicMessage::decode(descriptor.clone(), bytes).map_err(fault)
}

fn unrepresentable(descriptor: &MessageDescriptor) -> Error {
    Error::Unrepresentable { message: descriptor.full_name().to_owned() }
}

fn unknown_type() -> RequestError {
    let description = "no such message type".to_owned();
    RequestError { violations: vec![Violation { field: "@type".into(), description, reason: "INVALID_REQUEST" }] }
}

//! Spans as our services send them.

use std::time::{SystemTime, UNIX_EPOCH};

use opentelemetry_proto::tonic::{
    common::v1::{AnyValue, InstrumentationScope, KeyValue, any_value::Value},
    resource::v1::Resource,
    trace::v1::{ResourceSpans, ScopeSpans, Span, Status, span::Event, span::SpanKind},
};

pub const MICROS: u64 = 1_000;
pub const MILLIS: u64 = 1_000_000;

pub fn now_ns() -> u64 {
    u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos()).unwrap()
}

pub fn tag(key: &str, value: impl Into<Value>) -> KeyValue {
    KeyValue { key: key.to_owned(), value: Some(AnyValue { value: Some(value.into()) }), ..KeyValue::default() }
}

pub fn text(value: &str) -> Value {
    Value::StringValue(value.to_owned())
}

pub fn int(value: i64) -> Value {
    Value::IntValue(value)
}

pub fn span(trace: u128, id: u64, parent: u64, name: &str, start_ns: u64, duration_ns: u64) -> Span {
    Span {
        trace_id: trace.to_be_bytes().to_vec(),
        span_id: id.to_be_bytes().to_vec(),
        parent_span_id: if parent == 0 { Vec::new() } else { parent.to_be_bytes().to_vec() },
        name: name.to_owned(),
        kind: SpanKind::Internal.into(),
        start_time_unix_nano: start_ns,
        end_time_unix_nano: start_ns + duration_ns,
        flags: 0x100,
        ..Span::default()
    }
}

/// Small words for building a span up.
pub trait Build {
    fn kind(self, kind: SpanKind) -> Self;
    fn with(self, key: &str, value: Value) -> Self;
    fn event(self, name: &str, after_ns: u64, tags: Vec<KeyValue>) -> Self;
    fn failed(self, message: &str) -> Self;
    fn remote(self) -> Self;
}

impl Build for Span {
    fn kind(mut self, kind: SpanKind) -> Self {
        self.kind = kind.into();
        self
    }

    fn with(mut self, key: &str, value: Value) -> Self {
        self.attributes.push(tag(key, value));
        self
    }

    fn event(mut self, name: &str, after_ns: u64, attributes: Vec<KeyValue>) -> Self {
        let time_unix_nano = self.start_time_unix_nano + after_ns;
        self.events.push(Event { time_unix_nano, name: name.to_owned(), attributes, dropped_attributes_count: 0 });
        self
    }

    fn failed(mut self, message: &str) -> Self {
        self.status = Some(Status { message: message.to_owned(), code: 2 });
        self
    }

    fn remote(mut self) -> Self {
        self.flags = 0x300;
        self
    }
}

pub fn from_service(service: &str, spans: Vec<Span>) -> ResourceSpans {
    let attributes = vec![
        tag("service.name", text(service)),
        tag("service.instance.id", text("0")),
        tag("telemetry.sdk.language", text("rust")),
    ];
    let scope = InstrumentationScope { name: "crm".to_owned(), version: "0.1.0".to_owned(), ..Default::default() };
    ResourceSpans {
        resource: Some(Resource { attributes, ..Resource::default() }),
        scope_spans: vec![ScopeSpans { scope: Some(scope), spans, schema_url: String::new() }],
        schema_url: String::new(),
    }
}

/// `GET /v1/contacts/{id}` through gateway, replica, cache and database; a failing one loses its first replica.
pub fn contact_lookup(trace: u128, start_ns: u64, account: &str, fails: bool) -> Vec<ResourceSpans> {
    let at = |micros: u64| start_ns + micros * MICROS;
    let method = "crm.customers.v1.ContactService/GetContact";
    let sql_micros = 1_000 + start_ns / MICROS % 1_300;
    let root = span(trace, 1, 0, "GET /v1/contacts/{id}", at(0), (1_900 + sql_micros) * MICROS)
        .kind(SpanKind::Server)
        .with("http.request.method", text("GET"))
        .with("http.response.status_code", int(200))
        .with("crm.account", text(account));
    let attempt = |id: u64, replica: &str, from: u64, micros: u64| {
        span(trace, id, 1, method, at(from), micros * MICROS)
            .kind(SpanKind::Client)
            .with("rpc.system.name", text("grpc"))
            .with("crm.replica", text(replica))
            .with("crm.balance.policy", text("peak_ewma"))
    };
    let mut gateway = vec![root, attempt(3, "1", 900, 800 + sql_micros)];
    if fails {
        let gone =
            vec![tag("exception.type", text("ConnectionReset")), tag("exception.message", text("peer went away"))];
        gateway.push(attempt(2, "0", 100, 700).failed("UNAVAILABLE").event("exception", 650 * MICROS, gone));
    }
    let server = span(trace, 4, 3, method, at(1_000), (600 + sql_micros) * MICROS)
        .kind(SpanKind::Server)
        .remote()
        .with("rpc.system.name", text("grpc"))
        .with("rpc.status_code", text("OK"));
    let cache = span(trace, 5, 4, "cache get contacts", at(1_050), 300 * MICROS).with("crm.cache.tier", text("miss"));
    let sql = "select id, account_id, full_name, email, phone, version from customers.contacts where id = $1";
    let statement = span(trace, 6, 4, "select customers.contacts", at(1_400), sql_micros * MICROS)
        .kind(SpanKind::Client)
        .with("db.system.name", text("postgresql"))
        .with("db.query.text", text(sql))
        .with("db.response.returned_rows", int(1))
        .event("pool acquired", 40 * MICROS, vec![tag("pool.idle", int(3))]);
    vec![from_service("gateway", gateway), from_service("customers", vec![server, cache, statement])]
}

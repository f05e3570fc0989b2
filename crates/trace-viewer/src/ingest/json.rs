//! OTLP in JSON (as browsers and Node send it) becomes OTLP in protobuf, span by span.
//!
//! The JSON of protobuf with three differences: ids are hexadecimal, enums are numbers, unknown fields are ignored.
//! Spans and attributes stay unread text until their turn, so that what is wrong with one costs only itself, and no more
//! than one span lies in memory as a tree.

mod scalar;

use base64::{
    Engine, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use bytes::Bytes;
use crm_server::json::Object;
use prost::Message;
use serde::{
    Deserialize, Deserializer,
    de::{self, Error as _},
};
use serde_json::{Error, value::RawValue};

use self::scalar::{Double, Given, Whole};
use super::wire::{self, Any, AnyList, AnyMap, AnyValue};

/// Stands for what could not be read: no message begins so.
const UNREADABLE: Bytes = Bytes::from_static(b"\xff");
/// With or without padding; the URL's alphabet is brought to this one before.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Export<'a> {
    #[serde(borrow, default)]
    resource_spans: Given<Vec<&'a RawValue>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Sender<'a> {
    #[serde(borrow)]
    resource: Option<&'a RawValue>,
    #[serde(borrow, default)]
    scope_spans: Given<Vec<&'a RawValue>>,
}

#[derive(Deserialize)]
struct Scoped<'a> {
    #[serde(borrow)]
    scope: Option<&'a RawValue>,
    #[serde(borrow, default)]
    spans: Given<Vec<&'a RawValue>>,
}

#[derive(Deserialize)]
struct Resource<'a> {
    #[serde(borrow, default)]
    attributes: Given<Vec<&'a RawValue>>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Scope {
    name: Given<String>,
    version: Given<String>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Span<'a> {
    trace_id: Given<String>,
    span_id: Given<String>,
    trace_state: Given<String>,
    parent_span_id: Given<String>,
    name: Given<String>,
    kind: Given<Whole<i32>>,
    start_time_unix_nano: Given<Whole<u64>>,
    end_time_unix_nano: Given<Whole<u64>>,
    #[serde(borrow)]
    attributes: Given<Vec<&'a RawValue>>,
    dropped_attributes_count: Given<Whole<u32>>,
    #[serde(borrow)]
    events: Given<Vec<&'a RawValue>>,
    dropped_events_count: Given<Whole<u32>>,
    #[serde(borrow)]
    links: Given<Vec<&'a RawValue>>,
    dropped_links_count: Given<Whole<u32>>,
    status: Given<Object<Status>>,
    flags: Given<Whole<u32>>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Status {
    message: Given<String>,
    code: Given<Whole<i32>>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Event<'a> {
    time_unix_nano: Given<Whole<u64>>,
    name: Given<String>,
    #[serde(borrow)]
    attributes: Given<Vec<&'a RawValue>>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Link {
    trace_id: Given<String>,
    span_id: Given<String>,
}

#[derive(Deserialize)]
struct KeyValue {
    #[serde(default)]
    key: Given<String>,
    value: Option<AnyValue>,
}

#[derive(Deserialize)]
struct List<T> {
    #[serde(default = "Given::default")]
    values: Given<Vec<T>>,
}

/// Reads a request; each span that cannot be read is one that cannot be decoded later on.
pub(super) fn read(text: &[u8]) -> Result<wire::ExportRequest, Error> {
    let text = std::str::from_utf8(text).map_err(Error::custom)?;
    let export: Export<'_> = object(text)?;
    Ok(wire::ExportRequest {
        resource_spans: export.resource_spans.0.into_iter().map(sender).collect::<Result<_, _>>()?,
    })
}

fn object<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, Error> {
    serde_json::from_str(text).map(|Object(it)| it)
}

fn sender(raw: &RawValue) -> Result<wire::ResourceSpans, Error> {
    let sender: Sender<'_> = object(raw.get())?;
    let resource = |it: Resource<'_>| wire::Resource { attributes: attributes(&it.attributes.0) };
    Ok(wire::ResourceSpans {
        resource: sender.resource.map(|it| packed(it, resource)).unwrap_or_default(),
        scope_spans: sender.scope_spans.0.into_iter().map(scoped).collect::<Result<_, _>>()?,
    })
}

fn scoped(raw: &RawValue) -> Result<wire::ScopeSpans, Error> {
    let scoped: Scoped<'_> = object(raw.get())?;
    let scope = |it: Scope| wire::Scope { name: text(it.name), version: text(it.version) };
    Ok(wire::ScopeSpans {
        scope: scoped.scope.map(|it| packed(it, scope)).unwrap_or_default(),
        spans: all(&scoped.spans.0, span),
    })
}

fn span(span: Span<'_>) -> wire::Span {
    let Object(Status { message, code }) = span.status.0;
    wire::Span {
        trace_id: id(&span.trace_id.0),
        span_id: id(&span.span_id.0),
        trace_state: text(span.trace_state),
        parent_span_id: id(&span.parent_span_id.0),
        name: text(span.name),
        kind: span.kind.0.0,
        start_time_unix_nano: span.start_time_unix_nano.0.0,
        end_time_unix_nano: span.end_time_unix_nano.0.0,
        attributes: attributes(&span.attributes.0),
        dropped_attributes_count: span.dropped_attributes_count.0.0,
        events: all(&span.events.0, event),
        dropped_events_count: span.dropped_events_count.0.0,
        links: all(&span.links.0, |link: Link| wire::Link {
            trace_id: id(&link.trace_id.0),
            span_id: id(&link.span_id.0),
        }),
        dropped_links_count: span.dropped_links_count.0.0,
        status: wire::Status { message: text(message), code: code.0.0 }.encode_to_vec().into(),
        flags: span.flags.0.0,
    }
}

fn event(event: Event<'_>) -> wire::Event {
    let time_unix_nano = event.time_unix_nano.0.0;
    wire::Event { time_unix_nano, name: text(event.name), attributes: attributes(&event.attributes.0) }
}

fn attributes(raw: &[&RawValue]) -> Vec<Bytes> {
    all(raw, key_value)
}

fn key_value(pair: KeyValue) -> wire::KeyValue {
    wire::KeyValue { key: text(pair.key), value: pair.value }
}

fn all<'a, T: Deserialize<'a>, M: Message>(raw: &[&'a RawValue], convert: impl Fn(T) -> M) -> Vec<Bytes> {
    raw.iter().map(|raw| packed(raw, &convert)).collect()
}

fn packed<'a, T: Deserialize<'a>, M: Message>(raw: &'a RawValue, convert: impl Fn(T) -> M) -> Bytes {
    object(raw.get()).map_or(UNREADABLE, |it| convert(it).encode_to_vec().into())
}

fn text(text: Given<String>) -> Bytes {
    text.0.into()
}

/// Bytes of hexadecimal digits in any case; what is none has a length that no id has.
fn id(text: &str) -> Bytes {
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let bytes: Option<Vec<u8>> = pairs.iter().map(|[high, low]| Some(digit(*high)? << 4 | digit(*low)?)).collect();
    bytes.filter(|_| rest.is_empty()).map_or(UNREADABLE, Bytes::from)
}

impl<'de> Deserialize<'de> for AnyValue {
    fn deserialize<D: Deserializer<'de>>(value: D) -> Result<Self, D::Error> {
        value.deserialize_map(AnyVisitor)
    }
}

struct AnyVisitor;

impl<'de> de::Visitor<'de> for AnyVisitor {
    type Value = AnyValue;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an object with a value by its type")
    }

    fn visit_map<A: de::MapAccess<'de>>(self, mut map: A) -> Result<AnyValue, A::Error> {
        let mut value = None;
        while let Some(kind) = map.next_key::<String>()? {
            let read = match kind.as_str() {
                "stringValue" => map.next_value::<Option<String>>()?.map(|text| Any::Text(text.into())),
                "boolValue" => map.next_value::<Option<bool>>()?.map(Any::Bool),
                "intValue" => map.next_value::<Option<Whole<i64>>>()?.map(|number| Any::Int(number.0)),
                "doubleValue" => map.next_value::<Option<Double>>()?.map(|number| Any::Float(number.0)),
                "bytesValue" => map.next_value::<Option<String>>()?.map(|text| binary(&text)).transpose()?,
                "arrayValue" => {
                    let list = map.next_value::<Option<Object<List<AnyValue>>>>()?;
                    list.map(|Object(it)| Any::List(AnyList { values: it.values.0 }))
                }
                "kvlistValue" => map.next_value::<Option<Object<List<Object<KeyValue>>>>>()?.map(|Object(it)| {
                    let values = it.values.0.into_iter().map(|Object(pair)| key_value(pair)).collect();
                    Any::Map(AnyMap { values })
                }),
                _ => {
                    map.next_value::<de::IgnoredAny>()?;
                    None
                }
            };
            value = read.or(value);
        }
        Ok(AnyValue { value })
    }
}

fn binary<E: de::Error>(text: &str) -> Result<Any, E> {
    let bytes = BASE64.decode(text.replace('-', "+").replace('_', "/"));
    bytes.map(|bytes| Any::Binary(bytes.into())).map_err(E::custom)
}

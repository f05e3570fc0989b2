//! A span between ingest and store: checked, bounded, not yet packed.

use std::fmt;

/// The 16 bytes that a whole trace shares, never zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct TraceId(pub(crate) u128);

impl TraceId {
    /// Reads up to 32 hexadecimal digits; leading zeros may be missing.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let digits = !text.is_empty() && text.len() <= 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let id = u128::from_str_radix(text, 16).ok().filter(|id| digits && *id != 0)?;
        Some(Self(id))
    }
}

impl fmt::Display for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

/// The 8 bytes that name a span within its trace, never zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct SpanId(pub(crate) u64);

impl fmt::Display for SpanId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// A span's side of the call, numbered as in OTLP.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Kind {
    Unspecified,
    Internal,
    Server,
    Client,
    Producer,
    Consumer,
}

impl Kind {
    const ALL: [Self; 6] =
        [Self::Unspecified, Self::Internal, Self::Server, Self::Client, Self::Producer, Self::Consumer];

    pub(crate) fn from_number(number: i32) -> Option<Self> {
        Self::ALL.get(usize::try_from(number).ok()?).copied()
    }

    /// Jaeger's word for it; empty when the sender did not say.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Unspecified => "",
            Self::Internal => "internal",
            Self::Server => "server",
            Self::Client => "client",
            Self::Producer => "producer",
            Self::Consumer => "consumer",
        }
    }

    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// A typed attribute value; lists and maps have become JSON text, as Jaeger shows them.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    Text(String),
    Bool(bool),
    Int(i64),
    Float(f64),
    Binary(Vec<u8>),
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

/// A named value on a span, an event or a process.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct NewTag {
    pub(crate) key: String,
    pub(crate) value: Value,
}

impl NewTag {
    pub(crate) fn new(key: impl Into<String>, value: impl Into<Value>) -> Self {
        Self { key: key.into(), value: value.into() }
    }
}

/// Something that happened during a span.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct NewEvent {
    pub(crate) time_ns: u64,
    pub(crate) tags: Vec<NewTag>,
}

/// A span that this one follows from, perhaps in another trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Link {
    pub(crate) trace: TraceId,
    pub(crate) span: SpanId,
}

/// What sent the spans: a service's name and what else is known of the process.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct NewProcess {
    pub(crate) service: String,
    pub(crate) tags: Vec<NewTag>,
}

/// One span as received, with what was wrong with it in words.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct NewSpan {
    pub(crate) trace: TraceId,
    pub(crate) id: SpanId,
    pub(crate) parent: Option<SpanId>,
    /// The sender says that the parent is in another process, or does not know.
    pub(crate) is_parent_remote: bool,
    pub(crate) name: String,
    pub(crate) kind: Kind,
    pub(crate) start_ns: u64,
    pub(crate) duration_ns: u64,
    pub(crate) is_error: bool,
    pub(crate) tags: Vec<NewTag>,
    pub(crate) events: Vec<NewEvent>,
    pub(crate) links: Vec<Link>,
    pub(crate) warnings: Vec<String>,
}

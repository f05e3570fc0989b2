//! The query string of a search, checked whole: every fault is told at once.

use axum::{
    extract::{FromRequestParts, Path, Query},
    http::request::Parts,
};

use super::{answer::ApiError, duration, search::Filter, tags};
use crate::span::{Kind, TraceId};

/// Traces listed when the query does not say.
const DEFAULT_LIMIT: usize = 100;
const NANOS_PER_MICRO: u64 = 1_000;

/// Decoded pairs of a query string, in order; the last of a repeated name counts.
pub(super) struct Params {
    pairs: Vec<(String, String)>,
    faults: Vec<String>,
}

impl<S: Sync + Send> FromRequestParts<S> for Params {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let pairs = Query::from_request_parts(parts, state).await;
        pairs.map(|Query(pairs)| Self::new(pairs)).map_err(|error| ApiError::bad_query(vec![error.body_text()]))
    }
}

/// The variable part of a path, refused in JSON where it is no text.
pub(super) struct Segment(pub(super) String);

impl<S: Sync + Send> FromRequestParts<S> for Segment {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let text = Path::from_request_parts(parts, state).await;
        text.map(|Path(text)| Self(text)).map_err(|error| ApiError::bad_query(vec![error.body_text()]))
    }
}

impl Params {
    pub(super) fn new(pairs: Vec<(String, String)>) -> Self {
        Self { pairs, faults: Vec::new() }
    }

    /// Ends the reading: the value if there was no fault, or else all of them.
    pub(super) fn finish<T>(self, value: T) -> Result<T, ApiError> {
        if self.faults.is_empty() { Ok(value) } else { Err(ApiError::bad_query(self.faults)) }
    }

    /// The named value; an empty one means it was not given.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        self.pairs.iter().rfind(|pair| pair.0 == name).map(|pair| pair.1.clone()).filter(|text| !text.is_empty())
    }

    pub(super) fn required(&mut self, name: &str) -> String {
        let value = self.text(name);
        if value.is_none() {
            self.faults.push(format!("parameter '{name}' is required"));
        }
        value.unwrap_or_default()
    }

    /// A whole number that is not negative.
    pub(super) fn number(&mut self, name: &str) -> Option<u64> {
        self.parsed(name, |text| text.parse().map_err(|_| "must be a whole number, not negative".to_owned()))
    }

    pub(super) fn flag(&self, name: &str) -> bool {
        self.text(name).is_some_and(|text| text != "false")
    }

    pub(super) fn kind(&mut self, name: &str) -> Option<Kind> {
        const RULE: &str = "must be server, client, producer, consumer or internal";
        self.parsed(name, |text| Kind::from_name(&text.to_lowercase()).ok_or_else(|| RULE.to_owned()))
    }

    /// Every `traceID` of the query.
    pub(super) fn trace_ids(&mut self) -> Vec<TraceId> {
        let texts: Vec<_> = self.pairs.iter().filter(|pair| pair.0 == "traceID").map(|pair| pair.1.clone()).collect();
        let parsed = texts.into_iter().filter_map(|text| {
            let id = TraceId::parse(&text);
            if id.is_none() {
                self.faults.push("parameter 'traceID' must be 1 to 32 hexadecimal digits, not all zero".to_owned());
            }
            id
        });
        parsed.collect()
    }

    /// The filters of a search.
    pub(super) fn filter(&mut self, now_ns: u64) -> Filter {
        let end_ns = self.micros("end");
        let lookback_ns = self.text("lookback").filter(|text| text != "custom").and_then(|_| self.duration("lookback"));
        let since = lookback_ns.map(|lookback| end_ns.unwrap_or(now_ns).saturating_sub(lookback));
        let (min_ns, max_ns) = (self.duration("minDuration"), self.duration("maxDuration"));
        if min_ns.zip(max_ns).is_some_and(|(min, max)| min > max) {
            self.faults.push("parameter 'maxDuration' must not be less than 'minDuration'".to_owned());
        }
        Filter {
            service: self.required("service"),
            operation: self.text("operation").filter(|name| name != "all"),
            kind: self.kind("spanKind"),
            tags: self.tags(),
            durations_ns: min_ns.unwrap_or(0)..=max_ns.unwrap_or(u64::MAX),
            starts_ns: self.micros("start").or(since).unwrap_or(0)..=end_ns.unwrap_or(u64::MAX),
            limit: self.limit(),
        }
    }

    fn parsed<T>(&mut self, name: &str, parse: impl Fn(&str) -> Result<T, String>) -> Option<T> {
        let text = self.text(name)?;
        parse(&text).map_err(|rule| self.faults.push(format!("parameter '{name}' {rule}"))).ok()
    }

    fn micros(&mut self, name: &str) -> Option<u64> {
        self.number(name).map(|micros| micros.saturating_mul(NANOS_PER_MICRO))
    }

    fn duration(&mut self, name: &str) -> Option<u64> {
        self.parsed(name, |text| duration::parse_ns(text).map_err(str::to_owned))
    }

    fn limit(&mut self) -> usize {
        let limit = self.number("limit");
        if limit == Some(0) {
            self.faults.push("parameter 'limit' must be at least 1".to_owned());
        }
        limit.map_or(DEFAULT_LIMIT, |limit| usize::try_from(limit).unwrap_or(usize::MAX))
    }

    /// `tags` as JSON or logfmt, and any number of `tag=key:value`.
    fn tags(&mut self) -> Vec<(String, String)> {
        let mut tags = self.parsed("tags", tags::parse).unwrap_or_default();
        let single: Vec<_> = self.pairs.iter().filter(|pair| pair.0 == "tag").map(|pair| pair.1.clone()).collect();
        for text in single {
            match text.split_once(':') {
                Some((key, value)) if !key.is_empty() => tags.push((key.to_owned(), value.to_owned())),
                _ => self.faults.push("parameter 'tag' must be key:value".to_owned()),
            }
        }
        tags
    }
}

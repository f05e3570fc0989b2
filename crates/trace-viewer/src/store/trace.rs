//! The spans of one trace, in the order of their ids, so that a parent is found by bisection.

use std::time::Duration;

use super::packed::PackedSpan;
use crate::span::SpanId;

/// What a trace takes besides its spans: its places in the maps and its spare capacity.
pub(super) const TRACE_BYTES: usize = 256;

/// Spans and bytes, counted together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Usage {
    pub(crate) spans: usize,
    pub(crate) bytes: usize,
}

impl Usage {
    pub(super) fn add(&mut self, other: Self) {
        self.spans += other.spans;
        self.bytes += other.bytes;
    }

    pub(super) fn subtract(&mut self, other: Self) {
        self.spans -= other.spans;
        self.bytes -= other.bytes;
    }

    pub(super) fn exceeds(self, limit: Self) -> bool {
        self.spans > limit.spans || self.bytes > limit.bytes
    }
}

/// One trace, as far as it has arrived.
pub(crate) struct Trace {
    spans: Vec<PackedSpan>,
    /// Place in the order of first arrival.
    pub(super) arrival: u64,
    start_ns: u64,
    end_ns: u64,
    has_error: bool,
    refused: u64,
    pub(super) usage: Usage,
}

/// Where a span with a given id stands, or would stand.
pub(super) type Place = Result<usize, usize>;

impl Trace {
    pub(super) fn new(arrival: u64) -> Self {
        let usage = Usage { spans: 0, bytes: TRACE_BYTES };
        Self { spans: Vec::new(), arrival, start_ns: u64::MAX, end_ns: 0, has_error: false, refused: 0, usage }
    }

    /// The spans in the order of their ids.
    pub(crate) fn spans(&self) -> &[PackedSpan] {
        &self.spans
    }

    pub(crate) fn find(&self, id: SpanId) -> Option<&PackedSpan> {
        self.spans.get(self.place(id).ok()?)
    }

    pub(crate) fn index_of(&self, id: SpanId) -> Option<usize> {
        self.place(id).ok()
    }

    /// When its first span started, on that sender's clock.
    pub(crate) fn start_ns(&self) -> u64 {
        self.start_ns
    }

    /// When its last span so far ended.
    pub(crate) fn end_ns(&self) -> u64 {
        self.end_ns
    }

    /// Spans of it that arrived and were not kept, as often as they were sent.
    pub(crate) fn refused(&self) -> u64 {
        self.refused
    }

    pub(super) fn refuse(&mut self) {
        self.refused += 1;
    }

    /// The span's parent, if it has arrived.
    pub(crate) fn parent_of(&self, span: &PackedSpan) -> Option<&PackedSpan> {
        span.parent.and_then(|parent| self.find(parent))
    }

    pub(super) fn place(&self, id: SpanId) -> Place {
        self.spans.binary_search_by_key(&id, |span| span.id)
    }

    /// Adds a span at its place and returns what it takes.
    pub(super) fn insert(&mut self, place: usize, span: PackedSpan, is_error: bool) -> Usage {
        let added = Usage { spans: 1, bytes: span.bytes() };
        self.usage.add(added);
        self.start_ns = self.start_ns.min(span.start_ns);
        self.end_ns = self.end_ns.max(span.end_ns());
        self.has_error |= is_error;
        if self.spans.len() == self.spans.capacity() {
            // Doubling would leave half of most traces' memory unused.
            self.spans.reserve_exact((self.spans.len() / 4).max(2));
        }
        self.spans.insert(place, span);
        added
    }

    /// Errors and slow traces are what people look for later.
    pub(super) fn is_worth_keeping(&self, slow: Duration) -> bool {
        self.has_error || u128::from(self.end_ns.saturating_sub(self.start_ns)) >= slow.as_nanos()
    }

    pub(super) fn into_spans(self) -> Vec<PackedSpan> {
        self.spans
    }
}

//! Who goes first when memory is full: the oldest ordinary trace, then the oldest with an error or a long duration.
//!
//! The kept ones may take half of the memory at most. Without that bound a stream of errors would fill everything, and each
//! fresh ordinary trace would be thrown out on arrival.

use std::collections::BTreeMap;

use super::trace::{Trace, Usage};
use crate::span::TraceId;

/// The traces in the order of their first arrival, in two queues.
#[derive(Default)]
pub(super) struct Queues {
    ordinary: BTreeMap<u64, TraceId>,
    kept: BTreeMap<u64, TraceId>,
    kept_usage: Usage,
}

impl Queues {
    pub(super) fn add(&mut self, id: TraceId, trace: &Trace) {
        self.ordinary.insert(trace.arrival, id);
    }

    /// Tells that `trace` grew by `added` and whether it now deserves to be kept; once kept it stays so.
    pub(super) fn update(&mut self, id: TraceId, trace: &Trace, added: Usage, is_worth_keeping: bool) {
        if self.kept.contains_key(&trace.arrival) {
            self.kept_usage.add(added);
        } else if is_worth_keeping {
            self.ordinary.remove(&trace.arrival);
            self.kept.insert(trace.arrival, id);
            self.kept_usage.add(trace.usage);
        }
    }

    pub(super) fn remove(&mut self, trace: &Trace) {
        if self.kept.remove(&trace.arrival).is_some() {
            self.kept_usage.subtract(trace.usage);
        }
        self.ordinary.remove(&trace.arrival);
    }

    /// The trace to throw out next, if there is any.
    pub(super) fn next_victim(&self, limit: Usage) -> Option<TraceId> {
        let share = Usage { spans: limit.spans / 2, bytes: limit.bytes / 2 };
        let kept = self.kept.values().next();
        let first = if self.kept_usage.exceeds(share) { kept } else { self.ordinary.values().next() };
        first.or(kept).copied()
    }
}

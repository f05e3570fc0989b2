//! The spans in memory, bounded by count and by bytes.

mod eviction;
mod interner;
mod operations;
mod packed;
mod processes;
mod trace;

use std::{collections::HashMap, time::Duration};

use self::{eviction::Queues, trace::Place};
pub(crate) use self::{
    interner::{Interner, Symbol},
    operations::Operations,
    packed::{Body, PackedEvent, PackedSpan, PackedTag, ValueRef},
    processes::{Process, Processes},
    trace::{Trace, Usage},
};
use crate::span::{NewProcess, NewSpan, SpanId, TraceId};

/// Different spans that may claim one id before further ones are refused.
const SAME_ID_LIMIT: u64 = 64;
/// The part of the memory that one trace may take, as a divisor.
const TRACE_SHARE: usize = 4;

/// What became of a span.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Inserted {
    Kept,
    /// The same span was here already: its sender tried again.
    Duplicate,
    /// The trace has its full share of the memory.
    TraceFull,
}

/// What has been thrown out since the start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Evicted {
    pub(crate) traces: u64,
    pub(crate) spans: u64,
}

/// Everything that is kept, and the indexes over it.
pub(crate) struct Store {
    limit: Usage,
    slow: Duration,
    traces: HashMap<TraceId, Trace>,
    queues: Queues,
    arrivals: u64,
    /// Of the traces alone; tables are counted on top.
    usage: Usage,
    strings: Interner,
    processes: Processes,
    operations: Operations,
    evicted: Evicted,
}

impl Store {
    pub(crate) fn new(limit: Usage, slow: Duration) -> Self {
        Self {
            limit,
            slow,
            traces: HashMap::new(),
            queues: Queues::default(),
            arrivals: 0,
            usage: Usage::default(),
            strings: Interner::default(),
            processes: Processes::default(),
            operations: Operations::default(),
            evicted: Evicted::default(),
        }
    }

    /// Adds one sender's spans, tells of each what became of it, and evicts what no longer fits.
    pub(crate) fn insert(&mut self, process: NewProcess, spans: Vec<NewSpan>) -> Vec<Inserted> {
        let process = self.processes.hold(process, &mut self.strings);
        let outcomes = spans.into_iter().map(|span| self.insert_span(process, span)).collect();
        self.processes.release(process, &mut self.strings);
        outcomes
    }

    fn insert_span(&mut self, process: u32, mut span: NewSpan) -> Inserted {
        let Some(service) = self.processes.get(process).map(Process::service) else { return Inserted::TraceFull };
        let place = match self.place(process, &mut span) {
            Ok(place) => place,
            Err(outcome) => {
                if outcome == Inserted::TraceFull {
                    self.refuse(span.trace);
                }
                return outcome;
            }
        };
        let (id, is_error) = (span.trace, span.is_error);
        self.processes.hold_again(process);
        let packed = PackedSpan::pack(span, process, service, &mut self.strings);
        self.operations.add(&packed);
        self.add(id, place, packed, is_error);
        self.evict();
        Inserted::Kept
    }

    /// Remembers for its page that the trace is not whole.
    pub(crate) fn refuse(&mut self, id: TraceId) {
        if let Some(trace) = self.traces.get_mut(&id) {
            trace.refuse();
        }
    }

    /// Finds where the span belongs in its trace; one whose id another span took first gets the next free id.
    fn place(&mut self, process: u32, span: &mut NewSpan) -> Result<usize, Inserted> {
        let Some(trace) = self.traces.get(&span.trace) else { return Ok(0) };
        let share = Usage { spans: self.limit.spans / TRACE_SHARE, bytes: self.limit.bytes / TRACE_SHARE };
        let asked = span.id;
        for step in 0..SAME_ID_LIMIT {
            span.id = SpanId(asked.0.wrapping_add(step).max(1));
            match trace.place(span.id) {
                Place::Ok(place) if is_same(&trace.spans()[place], span, process, &self.strings) => {
                    return Err(Inserted::Duplicate);
                }
                Place::Ok(_) => {}
                Place::Err(_) if trace.usage.spans >= share.spans || trace.usage.bytes >= share.bytes => {
                    return Err(Inserted::TraceFull);
                }
                Place::Err(place) => {
                    if step > 0 {
                        span.warnings.push(format!("span id {asked} is taken by another span; shown as {}", span.id));
                    }
                    return Ok(place);
                }
            }
        }
        Err(Inserted::Duplicate)
    }

    fn add(&mut self, id: TraceId, place: usize, packed: PackedSpan, is_error: bool) {
        if !self.traces.contains_key(&id) {
            self.arrivals += 1;
            let trace = Trace::new(self.arrivals);
            self.usage.add(trace.usage);
            self.queues.add(id, &trace);
            self.traces.insert(id, trace);
        }
        let Some(trace) = self.traces.get_mut(&id) else { return };
        let added = trace.insert(place, packed, is_error);
        self.usage.add(added);
        self.queues.update(id, trace, added, trace.is_worth_keeping(self.slow));
    }

    fn evict(&mut self) {
        while self.usage().exceeds(self.limit) {
            let Some(victim) = self.queues.next_victim(self.limit) else { return };
            self.remove(victim);
        }
    }

    fn remove(&mut self, id: TraceId) {
        let Some(trace) = self.traces.remove(&id) else { return };
        self.queues.remove(&trace);
        self.usage.subtract(trace.usage);
        self.evicted.traces += 1;
        for span in trace.into_spans() {
            self.evicted.spans += 1;
            self.operations.remove(&span);
            self.processes.release(span.process, &mut self.strings);
            span.release(&mut self.strings);
        }
    }

    /// Spans and bytes in use, tables included.
    pub(crate) fn usage(&self) -> Usage {
        let tables = self.strings.bytes() + self.processes.bytes() + self.operations.bytes();
        Usage { spans: self.usage.spans, bytes: self.usage.bytes + tables }
    }

    pub(crate) fn evicted(&self) -> Evicted {
        self.evicted
    }

    pub(crate) fn get(&self, id: TraceId) -> Option<&Trace> {
        self.traces.get(&id)
    }

    pub(crate) fn traces(&self) -> &HashMap<TraceId, Trace> {
        &self.traces
    }

    pub(crate) fn strings(&self) -> &Interner {
        &self.strings
    }

    pub(crate) fn process(&self, place: u32) -> Option<&Process> {
        self.processes.get(place)
    }

    pub(crate) fn operations(&self) -> &Operations {
        &self.operations
    }
}

/// Senders repeat a batch unchanged when its answer was lost, so equal heads mean the same span.
fn is_same(kept: &PackedSpan, new: &NewSpan, process: u32, strings: &Interner) -> bool {
    kept.process == process
        && kept.start_ns == new.start_ns
        && kept.duration_ns == new.duration_ns
        && kept.kind == new.kind
        && strings.text(kept.name) == new.name
}

#[cfg(test)]
mod tests;

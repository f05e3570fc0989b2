//! The graph of services: who calls whom, counted over parent links that cross from one service to another.

use std::{collections::HashMap, ops::RangeInclusive};

use serde::Serialize;

use crate::store::{Store, Symbol, Trace};

/// One arrow of the graph, as Jaeger's pages read it.
#[derive(Debug, Serialize, PartialEq, Eq, PartialOrd, Ord)]
#[serde(rename_all = "camelCase")]
pub(super) struct Dependency {
    pub(super) parent: String,
    pub(super) child: String,
    pub(super) call_count: u64,
}

/// Arrows of the traces that started within `starts_ns`, sorted by name.
pub(super) fn dependencies(store: &Store, starts_ns: &RangeInclusive<u64>) -> Vec<Dependency> {
    let mut calls = HashMap::new();
    for trace in store.traces().values().filter(|trace| starts_ns.contains(&trace.start_ns())) {
        count_calls(trace, &mut calls);
    }
    let name = |symbol| store.strings().text(symbol).to_owned();
    let arrows = calls.into_iter();
    let arrows = arrows.map(|((parent, child), calls)| Dependency {
        parent: name(parent),
        child: name(child),
        call_count: calls,
    });
    let mut arrows: Vec<_> = arrows.collect();
    arrows.sort_unstable();
    arrows
}

fn count_calls(trace: &Trace, calls: &mut HashMap<(Symbol, Symbol), u64>) {
    for span in trace.spans() {
        let Some(parent) = trace.parent_of(span).filter(|parent| parent.service != span.service) else { continue };
        *calls.entry((parent.service, span.service)).or_default() += 1;
    }
}

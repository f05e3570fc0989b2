//! Who is whose child, with circles cut, so that every span hangs under a root and is drawn.

use crate::store::Trace;

/// For each span, in the order of the trace: whether its link to the parent was cut because the links form a circle.
///
/// Each circle is cut once, above its earliest span, which is its most plausible beginning.
pub(super) fn find_cuts(trace: &Trace) -> Vec<bool> {
    let spans = trace.spans();
    let mut cuts = vec![false; spans.len()];
    // In which walk a span was first met; walks that meet an earlier walk end there.
    let mut met_in = vec![0_usize; spans.len()];
    for first in 0..spans.len() {
        let walk = first + 1;
        let mut at = Some(first);
        while let Some(here) = at.filter(|here| met_in[*here] == 0) {
            met_in[here] = walk;
            at = parent(trace, here);
        }
        if let Some(again) = at.filter(|again| met_in[*again] == walk) {
            cuts[earliest_of_circle(trace, again)] = true;
        }
    }
    cuts
}

fn parent(trace: &Trace, index: usize) -> Option<usize> {
    trace.index_of(trace.spans().get(index)?.parent?)
}

fn earliest_of_circle(trace: &Trace, start: usize) -> usize {
    let (mut earliest, mut at) = (start, parent(trace, start));
    while let Some(here) = at.filter(|here| *here != start) {
        if trace.spans()[here].start_ns < trace.spans()[earliest].start_ns {
            earliest = here;
        }
        at = parent(trace, here);
    }
    earliest
}

//! Several gateways' views of the same replicas as one. Each gateway balances by itself, so that figures add up and
//! states may differ; replicas are known by their address.

use crm_balance::{CallsSnapshot, ReplicaSnapshot};

use super::{Document, Replica, Upstream};

/// The upstreams of all documents; `true` if faults are allowed.
///
/// Of gateways that are `away`, the totals that they told last count on: without them a total would fall when a gateway
/// misses an answer, and grow by its whole life when the next one comes.
pub(crate) fn merge<'a>(
    documents: Vec<Document>,
    away: impl IntoIterator<Item = &'a Document>,
) -> (Vec<Upstream>, bool) {
    let allowed = documents.iter().any(|document| document.faults.allowed);
    let mut merged: Vec<Upstream> = Vec::new();
    for upstream in documents.into_iter().flat_map(|document| document.upstreams) {
        match merged.iter_mut().find(|known| known.name == upstream.name) {
            Some(known) => add(known, upstream),
            None => merged.push(upstream),
        }
    }
    for upstream in away.into_iter().flat_map(|document| &document.upstreams) {
        if let Some(known) = merged.iter_mut().find(|known| known.name == upstream.name) {
            remember(known, upstream);
        }
    }
    merged.iter_mut().for_each(share_out);
    (merged, allowed)
}

fn add(known: &mut Upstream, other: Upstream) {
    let (mine, theirs) = (&mut known.calls, other.calls);
    // Without the buckets two percentiles cannot be joined: the middle by traffic, the tail at its worst.
    mine.p50_ms = weighted((mine.p50_ms, mine.ok), (theirs.p50_ms, theirs.ok));
    mine.p99_ms = mine.p99_ms.max(theirs.p99_ms);
    count(mine, theirs);
    known.panic |= other.panic;
    for replica in other.replicas {
        match known.replicas.iter_mut().find(|mine| mine.seen.address == replica.seen.address) {
            Some(mine) => add_replica(mine, replica),
            None => known.replicas.push(replica),
        }
    }
}

fn add_replica(known: &mut Replica, other: Replica) {
    let (mine, theirs) = (&mut known.seen, other.seen);
    mine.p50_ms = weighted((mine.p50_ms, mine.calls), (theirs.p50_ms, theirs.calls));
    mine.p99_ms = mine.p99_ms.max(theirs.p99_ms);
    mine.rate += theirs.rate;
    mine.in_flight += theirs.in_flight;
    count_attempts(mine, &theirs);
    // The worse word is the one that a person should see.
    if mine.state == crm_balance::Phase::Ready {
        (mine.state, mine.reason) = (theirs.state, theirs.reason);
    }
    known.fault = known.fault.take().or(other.fault);
}

/// The totals alone: what is true of a moment is not known of one who is away.
fn remember(known: &mut Upstream, last: &Upstream) {
    count(&mut known.calls, last.calls);
    for replica in &last.replicas {
        if let Some(mine) = known.replicas.iter_mut().find(|mine| mine.seen.address == replica.seen.address) {
            count_attempts(&mut mine.seen, &replica.seen);
        }
    }
}

fn count(mine: &mut CallsSnapshot, theirs: CallsSnapshot) {
    mine.ok += theirs.ok;
    mine.errors += theirs.errors;
    mine.cancelled += theirs.cancelled;
    mine.retries += theirs.retries;
    mine.shed += theirs.shed;
}

fn count_attempts(mine: &mut ReplicaSnapshot, theirs: &ReplicaSnapshot) {
    mine.ejections += theirs.ejections;
    mine.calls += theirs.calls;
    mine.failures += theirs.failures;
}

#[allow(clippy::cast_precision_loss, reason = "counts of calls stay far below 2^53")]
fn weighted((a, a_calls): (f64, u64), (b, b_calls): (f64, u64)) -> f64 {
    let total = (a_calls + b_calls) as f64;
    if total > 0.0 { (a * a_calls as f64 + b * b_calls as f64) / total } else { a.max(b) }
}

/// Each replica's part of what they all get.
fn share_out(upstream: &mut Upstream) {
    let total: f64 = upstream.replicas.iter().map(|replica| replica.seen.rate).sum();
    for replica in &mut upstream.replicas {
        replica.seen.share = if total > 0.0 { replica.seen.rate / total } else { 0.0 };
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use crm_balance::{Phase, Policy};

    use super::*;

    pub(crate) fn document(address: &str, state: Phase, rate: f64) -> Document {
        let seen = ReplicaSnapshot {
            ordinal: 0,
            address: address.to_owned(),
            state,
            reason: (state != Phase::Ready).then(|| "consecutive failures".to_owned()),
            weight: 1,
            share: 1.0,
            rate,
            latency_ms_ewma: 1.0,
            p50_ms: 1.0,
            p99_ms: rate,
            in_flight: 1,
            ejections: 0,
            calls: 10,
            failures: 1,
        };
        let calls = CallsSnapshot { ok: 9, errors: 1, cancelled: 0, retries: 0, shed: 0, p50_ms: 1.0, p99_ms: rate };
        let replicas = vec![Replica { seen, fault: None }];
        let upstream =
            Upstream { name: "customers".to_owned(), policy: Policy::PeakEwma, panic: false, calls, replicas };
        Document { upstreams: vec![upstream], ..Document::default() }
    }

    #[test]
    fn figures_add_up_and_the_worse_state_is_shown() {
        let documents = vec![
            document("a:1", Phase::Ready, 30.0),
            document("a:1", Phase::Ejected, 0.0),
            document("b:1", Phase::Ready, 10.0),
        ];
        let (upstreams, allowed) = merge(documents, []);
        assert!(!allowed);
        let [upstream] = &upstreams[..] else { panic!("{upstreams:?}") };
        assert_eq!((upstream.calls.ok, upstream.replicas.len()), (27, 2));
        let first = &upstream.replicas[0].seen;
        assert_eq!((first.state, first.in_flight, first.share), (Phase::Ejected, 2, 0.75));
    }

    #[test]
    fn one_who_is_away_is_counted_on_but_not_looked_at() {
        let away = [document("a:1", Phase::Ejected, 30.0), document("gone:1", Phase::Ready, 30.0)];
        let (upstreams, _) = merge(vec![document("a:1", Phase::Ready, 10.0)], &away);
        let [replica] = &upstreams[0].replicas[..] else { panic!("{upstreams:?}") };
        assert_eq!((upstreams[0].calls.ok, replica.seen.calls), (27, 20));
        assert_eq!((replica.seen.state, replica.seen.rate, replica.seen.in_flight), (Phase::Ready, 10.0, 1));
    }
}

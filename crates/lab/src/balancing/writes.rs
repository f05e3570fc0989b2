//! What became of calls that change something, and whether any of them came to the toys twice.

use std::collections::HashMap;
use std::time::Duration;

use serde::Serialize;

use super::load::Record;
use super::mix::{CREATE, READ, UPDATE, WRITES};

/// Calls by their method, from the calm to the end. The toys enter each call into one ledger as it arrives, and compare
/// nothing: what arrives once can be done once only, and what arrives twice a service has to recognise.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct WriteMetrics {
    /// Reads.
    pub reads: MethodMetrics,
    /// Creates: the gateway may send one twice, as it carries a request id by which a service does it once.
    pub creates: MethodMetrics,
    /// Updates: the gateway may not.
    pub updates: MethodMetrics,
}

/// One method's calls.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct MethodMetrics {
    /// Calls that were made.
    pub calls: u64,
    /// Calls that failed.
    pub failed: u64,
    /// Calls that came to the toys more than once.
    pub arrived_twice: u64,
    /// Calls that succeeded beyond those that are in the ledger: it has been lost, and proves nothing.
    pub missing: u64,
}

/// `ledger` is the text of the toys' ledger.
pub(super) fn measure(records: &[Record], ledger: &str, calm: Duration) -> WriteMetrics {
    let mut arrived: HashMap<&str, u64> = HashMap::new();
    for line in ledger.lines() {
        *arrived.entry(line).or_default() += 1;
    }
    let of = |part| method(part, records, &arrived, calm);
    // All reads say the same: one is not known from another.
    WriteMetrics {
        reads: MethodMetrics { arrived_twice: 0, missing: 0, ..of(READ) },
        creates: of(CREATE),
        updates: of(UPDATE),
    }
}

fn method(part: usize, records: &[Record], arrived: &HashMap<&str, u64>, calm: Duration) -> MethodMetrics {
    let path = WRITES[part].path();
    let all = || records.iter().filter(|record| record.part == part);
    let counted = || all().filter(|record| record.due >= calm);
    let mut distinct = 0;
    let mut arrived_twice = 0;
    for (_, times) in arrived.iter().filter(|(line, _)| line.split(' ').next() == Some(&path)) {
        distinct += 1;
        arrived_twice += u64::from(*times > 1);
    }
    let succeeded = count(all().filter(|record| record.failure.is_none()));
    MethodMetrics {
        calls: count(counted()),
        failed: count(counted().filter(|record| record.failure.is_some())),
        arrived_twice,
        missing: succeeded.saturating_sub(distinct),
    }
}

fn count<'a>(records: impl Iterator<Item = &'a Record>) -> u64 {
    records.fold(0, |count, _| count + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(part: usize, due: u64, failure: Option<&str>) -> Record {
        let due = Duration::from_millis(due);
        Record { part, due, latency: Duration::ZERO, lag: Duration::ZERO, failure: failure.map(str::to_owned) }
    }

    fn ledger(lines: &[(usize, &str)]) -> String {
        lines.iter().map(|(part, message)| format!("{} {message}\n", WRITES[*part].path())).collect()
    }

    #[test]
    fn a_call_in_the_ledger_twice_arrived_twice_and_one_that_is_not_there_is_missing() {
        let records = [
            record(READ, 900, Some("Unavailable")),
            record(READ, 1_000, None),
            record(READ, 1_000, None),
            record(CREATE, 1_500, None),
            record(CREATE, 1_500, Some("Unavailable")),
            record(UPDATE, 2_000, None),
            record(UPDATE, 2_000, None),
            record(UPDATE, 2_000, Some("Unavailable")),
        ];
        let ledger = ledger(&[(READ, ""), (READ, ""), (CREATE, "0a"), (CREATE, "0a"), (UPDATE, "0a")]);
        let metrics = measure(&records, &ledger, Duration::from_secs(1));
        assert_eq!(metrics.reads, MethodMetrics { calls: 2, ..MethodMetrics::default() });
        assert_eq!(metrics.creates, MethodMetrics { calls: 2, failed: 1, arrived_twice: 1, missing: 0 });
        assert_eq!(metrics.updates, MethodMetrics { calls: 3, failed: 1, arrived_twice: 0, missing: 1 });
    }
}

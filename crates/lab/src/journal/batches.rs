//! What a follower's batch costs: at the beginning of the journal, in the middle, and near its end.

use std::time::Duration;

use crm_server::token::tenant_id;
use futures_util::future::BoxFuture;
use uuid::Uuid;

use super::counters::rows_read;
use super::fill::{Filled, TOGETHER, tenant};
use super::plan::Plan;
use crate::scratch::{LabError, Part, Servers, Stage, quantile, ratio};

/// Changes of a batch at most.
const LIMIT: u32 = 500;
/// Batches that are read in a row.
const IN_A_ROW: u32 = 10;
/// What a batch may read for each change that it gives.
const READ_LIMIT: f64 = 1.1;
/// How much longer a batch may take elsewhere than at the beginning.
const TIME_LIMIT: f64 = 2.0;

/// Where reading begins.
#[derive(Debug, Clone, Copy)]
pub struct Position {
    /// Whose changes.
    pub tenant: Uuid,
    /// All transactions before this one have been seen.
    pub transaction: u64,
    /// What they wrote has no greater number.
    pub sequence: u32,
}

/// A batch.
#[derive(Debug, Clone, Copy)]
pub struct Read {
    /// Changes in it.
    pub given: u32,
    /// How long it took.
    pub took: Duration,
}

/// Reads on as services do, by sessions of its own that end when it has read. What a cursor is, is theirs to know.
pub trait Reader: Sync {
    /// So many batches from a position on, of so many changes at most; fewer where there are no more.
    fn read<'a>(
        &'a self,
        servers: &'a Servers,
        from: Position,
        batches: u32,
        limit: u32,
    ) -> BoxFuture<'a, Result<Vec<Read>, String>>;
}

/// What was seen at one place.
#[derive(Default)]
struct Seen {
    given: f64,
    read: f64,
    took_ms: Vec<f64>,
}

pub(super) async fn measure(
    stage: &Stage,
    plan: &Plan,
    filled: &Filled,
    reader: &dyn Reader,
) -> Result<Part, LabError> {
    let mut part = Part::new(
        "batches",
        format!(
            "A follower of the largest tenant reads {IN_A_ROW} batches of {LIMIT} in a row, at three places in turns."
        ),
    );
    let places = places(filled.entries, plan.rounds);
    let mut seen: [Seen; 3] = Default::default();
    let mut owner = stage.owner().await?;
    let mut before = rows_read(&mut owner).await?;
    for round in 0..plan.rounds {
        for ((_, place), seen) in places.iter().zip(&mut seen) {
            let sequence = place + round * (step(filled.entries) / TOGETHER * TOGETHER);
            let position =
                Position { tenant: tenant_id(&tenant(1)), transaction: filled.transaction(sequence + 1), sequence };
            let batches = reader.read(&stage.servers, position, IN_A_ROW, LIMIT).await.map_err(LabError::Reader)?;
            let after = rows_read(&mut owner).await?;
            seen.read += after - before;
            before = after;
            for Read { given, took } in batches {
                seen.given += f64::from(given);
                seen.took_ms.push(took.as_secs_f64() * 1e3);
            }
        }
    }
    let medians = seen.each_mut().map(|seen| quantile(&mut seen.took_ms, 0.5));
    for (((name, _), seen), median) in places.iter().zip(&mut seen).zip(medians) {
        part.figure(format!("{name}: changes given"), seen.given, "");
        part.figure(format!("{name}: rows read"), seen.read, "");
        part.figure(format!("{name}: a batch, median"), median, "ms");
        part.figure(format!("{name}: a batch, 99th percentile"), quantile(&mut seen.took_ms, 0.99), "ms");
        part.claim(
            &format!("{name}: rows read for each change that a follower is given"),
            READ_LIMIT,
            ratio(seen.read, seen.given),
        );
    }
    for ((name, _), median) in places.iter().zip(medians).skip(1) {
        let what = format!("{name}: time of a batch, times the one at the beginning (medians)");
        part.claim(&what, TIME_LIMIT, ratio(median, medians[0]));
    }
    Ok(part)
}

/// How far apart rounds begin, so that none reads what the one before has just read.
fn step(entries: u32) -> u32 {
    entries / 100
}

fn places(entries: u32, rounds: u32) -> [(&'static str, u32); 3] {
    let at = |number: u32| number / TOGETHER * TOGETHER;
    [("beginning", 0), ("middle", at(entries / 2)), ("end", at(entries.saturating_sub(rounds * step(entries))))]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_begin_with_a_transaction_and_leave_room_for_all_rounds() {
        let [(_, first), (_, middle), (_, end)] = places(1_000_003, 3);
        assert_eq!((first, middle, end), (0, 500_000, 970_000));
        assert!([first, middle, end].iter().all(|place| place % TOGETHER == 0));
        let filled = Filled { entries: 100, first_transaction: 700 };
        assert_eq!([0, 1, 4, 5, 8].map(|sequence| filled.transaction(sequence)), [700, 700, 700, 701, 701]);
    }
}

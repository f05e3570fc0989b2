//! Bodies on their way in: what has come of them, within a budget for all, and until when more must come.
//!
//! Nothing is held for what has not come, so a sender that stops half-way holds a few bytes and no more. Where the budget is
//! used up, whoever needs room takes it from the unfinished body that holds most, if that is more than its own would then be:
//! a small request gets in however many large ones hang, and of equally large ones some are finished.

use std::{collections::HashMap, sync::Arc, time::Duration};

use bytes::Bytes;
use parking_lot::Mutex;
use tokio::time::Instant;

use super::RequestError;

/// A second's worth of a body that is on its way.
const BYTES_A_SECOND: f64 = 65_536.0;

/// All unfinished bodies, and the budget for them and for those that are being read.
pub(super) struct Arrivals {
    table: Mutex<Table>,
    /// How long a body may rest. Those that move are given time by their bytes, and never more than this in hand.
    rest: Duration,
}

struct Table {
    free: usize,
    next: u64,
    unfinished: HashMap<u64, Vec<u8>>,
}

impl Arrivals {
    pub(super) fn new(budget: usize, rest: Duration) -> Arc<Self> {
        let table = Table { free: budget, next: 0, unfinished: HashMap::new() };
        Arc::new(Self { table: Mutex::new(table), rest })
    }

    /// A body begins.
    pub(super) fn begin(self: &Arc<Self>, now: Instant) -> Arrival {
        let mut table = self.table.lock();
        let number = table.next;
        table.next += 1;
        table.unfinished.insert(number, Vec::new());
        Arrival { arrivals: Arc::clone(self), number, until: now + self.rest }
    }
}

impl Table {
    fn push(&mut self, number: u64, part: &[u8]) -> Result<(), RequestError> {
        let would_hold = self.unfinished.get(&number).ok_or(RequestError::Busy)?.len() + part.len();
        while self.free < part.len() {
            let others = self.unfinished.iter().filter(|(other, _)| **other != number);
            let largest = others.max_by_key(|(_, body)| body.len()).map(|(other, body)| (*other, body.len()));
            match largest {
                Some((other, holds)) if holds > would_hold => self.drop_unfinished(other),
                _ => return Err(RequestError::Busy),
            }
        }
        self.free -= part.len();
        self.unfinished.entry(number).or_default().extend_from_slice(part);
        Ok(())
    }

    fn drop_unfinished(&mut self, number: u64) {
        self.free += self.unfinished.remove(&number).map_or(0, |body| body.len());
    }
}

/// A body on its way in. Its bytes lie with the others', so that they can be let go while their sender is waited for.
pub(super) struct Arrival {
    arrivals: Arc<Arrivals>,
    number: u64,
    until: Instant,
}

impl Arrival {
    /// When the next part must have come.
    pub(super) fn until(&self) -> Instant {
        self.until
    }

    /// A part has come, and made the body so long.
    pub(super) fn push(&mut self, part: &[u8], now: Instant) -> Result<(), RequestError> {
        self.arrivals.table.lock().push(self.number, part)?;
        let gained = Duration::from_secs_f64(part.len() as f64 / BYTES_A_SECOND);
        self.until = (self.until + gained).min(now + self.arrivals.rest);
        Ok(())
    }

    /// The whole body, which keeps its part of the budget.
    pub(super) fn finish(self) -> Result<Arrived, RequestError> {
        let body = self.arrivals.table.lock().unfinished.remove(&self.number).ok_or(RequestError::Busy)?;
        Ok(Arrived { body: body.into(), arrivals: Arc::clone(&self.arrivals) })
    }
}

impl Drop for Arrival {
    fn drop(&mut self) {
        self.arrivals.table.lock().drop_unfinished(self.number);
    }
}

/// A whole body; its bytes count until it is dropped.
pub(super) struct Arrived {
    pub(super) body: Bytes,
    arrivals: Arc<Arrivals>,
}

impl Drop for Arrived {
    fn drop(&mut self) {
        self.arrivals.table.lock().free += self.body.len();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REST: Duration = Duration::from_secs(10);

    fn arrival(arrivals: &Arc<Arrivals>, bytes: usize) -> Result<Arrival, RequestError> {
        let mut arrival = arrivals.begin(Instant::now());
        arrival.push(&vec![7; bytes], Instant::now()).map(|()| arrival)
    }

    fn free(arrivals: &Arc<Arrivals>) -> usize {
        arrivals.table.lock().free
    }

    #[test]
    fn whoever_holds_most_makes_room_for_who_holds_less() {
        let arrivals = Arrivals::new(100, REST);
        let (small, mut large) = (arrival(&arrivals, 30).unwrap(), arrival(&arrivals, 60).unwrap());
        let other = arrival(&arrivals, 40).unwrap();
        assert_eq!(large.push(b"x", Instant::now()), Err(RequestError::Busy));
        assert_eq!(large.finish().err(), Some(RequestError::Busy));
        assert_eq!(free(&arrivals), 30);
        assert_eq!(arrival(&arrivals, 40).err(), Some(RequestError::Busy), "as large as the largest");
        assert_eq!(free(&arrivals), 30);
        let third = arrival(&arrivals, 35).unwrap();
        assert!(other.finish().is_err() && small.finish().unwrap().body.len() == 30 && third.finish().is_ok());
        assert_eq!(free(&arrivals), 100);
        assert!(arrivals.table.lock().unfinished.is_empty());
    }

    #[test]
    fn what_has_come_whole_counts_until_it_was_read_and_makes_no_room() {
        let arrivals = Arrivals::new(100, REST);
        let whole = arrival(&arrivals, 90).unwrap().finish().unwrap();
        assert_eq!(arrival(&arrivals, 11).err(), Some(RequestError::Busy));
        assert_eq!((whole.body.len(), free(&arrivals)), (90, 10));
        drop(whole);
        drop(arrival(&arrivals, 100).unwrap());
        assert_eq!(free(&arrivals), 100);
    }

    #[test]
    fn bodies_earn_their_time_and_save_none_up() {
        let now = Instant::now();
        let mut arrival = Arrivals::new(10 << 20, REST).begin(now);
        let mut left = |seconds: u64, bytes: usize| {
            let now = now + Duration::from_secs(seconds);
            arrival.push(&vec![7; bytes], now).unwrap();
            arrival.until().saturating_duration_since(now).as_secs()
        };
        assert_eq!(left(0, 0), 10);
        assert_eq!(left(0, 4 << 20), 10, "much at once is no leave to rest longer");
        assert_eq!(left(6, 2 << 16), 6);
        assert_eq!(left(11, 1), 1, "a byte now and then is no pace");
        assert_eq!(left(12, 1), 0);
    }
}

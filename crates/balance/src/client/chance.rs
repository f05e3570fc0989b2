//! Whether a bad end is the endpoint's fault or its caller's doing: what a call left its endpoint to succeed with.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::replay::Debt;
use crate::replica::Outcome;

/// A reader that stays away for so long may have the stream cut off under it by any endpoint that bounds such things.
const LONG_AWAY: Duration = Duration::from_secs(1);
/// A call whose time is a tenth of a fair one says nothing, however it ends.
const HURRY: u32 = 10;

/// One attempt, as seen by its endpoint.
pub(super) struct Chance {
    started: Instant,
    /// The call's, which the endpoint is told.
    deadline: Instant,
    /// What its caller still owes of the request; nothing where that was there from the start.
    debt: Option<Arc<Debt>>,
    /// When its reader was last given something.
    given: Option<Instant>,
    longest_away: Duration,
}

impl Chance {
    pub(super) fn new(started: Instant, deadline: Instant, debt: Option<Arc<Debt>>) -> Self {
        Self { started, deadline, debt, given: None, longest_away: Duration::ZERO }
    }

    /// The reader asks for more.
    pub(super) fn asked(&mut self) {
        if let Some(given) = self.given.take() {
            self.longest_away = self.longest_away.max(given.elapsed());
        }
    }

    /// The reader got something.
    pub(super) fn gave(&mut self, now: Instant) {
        self.given = Some(now);
    }

    /// Whether the endpoint waits for its caller to finish the request, and has done so for this long.
    pub(super) fn is_owed(&self, time: Duration, now: Instant) -> bool {
        let since = self.debt.as_ref().and_then(|debt| debt.since());
        since.is_some_and(|since| now.saturating_duration_since(since) >= time)
    }

    /// What an end before headers says, if calls are to have had `fair` time.
    pub(super) fn judge_answer(&self, outcome: Outcome, fair: Duration, now: Instant) -> Outcome {
        match self.late(outcome, now) {
            Outcome::TimedOut if self.allowed() < fair => Outcome::Cancelled,
            Outcome::Failed if !self.could_succeed(fair, now) => Outcome::Cancelled,
            Outcome::Failed | Outcome::TimedOut if self.is_owed(fair, now) => Outcome::Cancelled,
            outcome => outcome,
        }
    }

    /// What an end after headers says. These came in time; how long the rest takes is up to its reader, too.
    pub(super) fn judge_stream(&self, outcome: Outcome, fair: Duration, now: Instant) -> Outcome {
        match self.late(outcome, now) {
            Outcome::TimedOut => Outcome::Cancelled,
            Outcome::Failed if !self.could_succeed(fair, now) => Outcome::Cancelled,
            Outcome::Failed if self.longest_away >= LONG_AWAY => Outcome::Cancelled,
            outcome => outcome,
        }
    }

    /// Whatever is told when the time is over: that is why.
    fn late(&self, outcome: Outcome, now: Instant) -> Outcome {
        if outcome == Outcome::Failed && now >= self.deadline { Outcome::TimedOut } else { outcome }
    }

    fn allowed(&self) -> Duration {
        self.deadline.saturating_duration_since(self.started)
    }

    /// A hurried call may make its endpoint fail, and not by its time-out alone; but not long before its time is over.
    fn could_succeed(&self, fair: Duration, now: Instant) -> bool {
        let (allowed, spent) = (self.allowed(), now.saturating_duration_since(self.started));
        allowed >= fair || (allowed >= fair / HURRY && spent <= allowed / 2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FAIR: Duration = Duration::from_millis(100);

    fn millis(count: u64) -> Duration {
        Duration::from_millis(count)
    }

    #[tokio::test(start_paused = true)]
    async fn only_calls_that_had_time_speak_against_their_endpoint() {
        use Outcome::{Cancelled, Failed, Lost, Served, TimedOut};
        let cases = [
            // Allowed, spent, told; what it says of an answer, and of a stream.
            (1, 0, TimedOut, Cancelled, Cancelled),
            (1, 0, Failed, Cancelled, Cancelled),
            (9, 1, Failed, Cancelled, Cancelled),
            (10, 5, Failed, Failed, Failed),
            (10, 6, Failed, Cancelled, Cancelled),
            (99, 10, TimedOut, Cancelled, Cancelled),
            (99, 99, Failed, Cancelled, Cancelled),
            (100, 10, TimedOut, TimedOut, Cancelled),
            (100, 99, Failed, Failed, Failed),
            (100, 100, Failed, TimedOut, Cancelled),
            (1, 0, Lost, Lost, Lost),
            (1, 0, Served, Served, Served),
        ];
        let started = Instant::now();
        for (allowed, spent, told, answer, stream) in cases {
            let (chance, now) = (Chance::new(started, started + millis(allowed), None), started + millis(spent));
            assert_eq!(chance.judge_answer(told, FAIR, now), answer, "{told:?} after {spent} of {allowed} ms");
            assert_eq!(chance.judge_stream(told, FAIR, now), stream, "{told:?} after {spent} of {allowed} ms");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn stream_that_breaks_under_a_reader_who_stayed_away_is_not_its_endpoints_fault() {
        for (away, expected) in [(999, Outcome::Failed), (1_000, Outcome::Cancelled)] {
            let mut chance = Chance::new(Instant::now(), Instant::now() + millis(60_000), None);
            for pause in [away, 1] {
                chance.gave(Instant::now());
                tokio::time::sleep(millis(pause)).await;
                chance.asked();
            }
            tokio::time::sleep(millis(5_000)).await;
            chance.asked();
            assert_eq!(chance.judge_stream(Outcome::Failed, FAIR, Instant::now()), expected, "{away} ms away");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn endpoint_that_was_not_sent_the_whole_request_is_not_at_fault() {
        let debt = Arc::new(Debt::default());
        let (started, told) = (Instant::now(), Arc::clone(&debt));
        let chance = Chance::new(started, started + millis(60_000), Some(debt));
        let judge = |outcome| chance.judge_answer(outcome, FAIR, Instant::now());
        assert_eq!(judge(Outcome::TimedOut), Outcome::TimedOut);
        told.owe();
        tokio::time::sleep(millis(99)).await;
        told.owe();
        assert_eq!(judge(Outcome::Failed), Outcome::Failed);
        tokio::time::sleep(millis(1)).await;
        assert_eq!((judge(Outcome::Failed), judge(Outcome::TimedOut)), (Outcome::Cancelled, Outcome::Cancelled));
        told.pay();
        assert_eq!(judge(Outcome::Failed), Outcome::Failed);
    }
}

//! Faults on demand: what a process does to its calls when somebody wants to see how the platform copes.

mod dice;
mod fault;
mod handler;

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwapOption;
use tokio::time::Instant;
use tonic::Code;

use self::dice::Dice;

pub use self::fault::{Fault, LONGEST_DELAY, LONGEST_LIFE};
pub(crate) use self::handler::Handler;

/// The fault that is set in this process, if any. Clones share it.
///
/// Without one, a call costs one read of a pointer that nobody writes.
#[derive(Clone, Debug)]
pub struct Faults {
    active: Arc<ArcSwapOption<Active>>,
    dice: Arc<Dice>,
}

#[derive(Debug)]
struct Active {
    fault: Fault,
    until: Option<Instant>,
}

impl Active {
    fn is_over(&self, now: Instant) -> bool {
        self.until.is_some_and(|until| until <= now)
    }
}

/// What happens to one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Strike {
    pub(crate) delay: Duration,
    pub(crate) then: Then,
}

/// What follows the delay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Then {
    /// The call is worked on.
    Pass,
    /// It is answered with this code.
    Fail(Code),
    /// It is never answered.
    Hang,
}

impl Strike {
    /// How the call's span names it.
    pub(crate) fn name(&self) -> &'static str {
        match (self.delay.is_zero(), self.then) {
            (_, Then::Hang) => "hang",
            (true, Then::Fail(_)) => "error",
            (false, Then::Fail(_)) => "delay, error",
            (_, Then::Pass) => "delay",
        }
    }
}

impl Default for Faults {
    fn default() -> Self {
        Self::with_seed(dice::fresh_seed())
    }
}

impl Faults {
    /// With chosen luck: the same seed fails the same calls of a sequence.
    pub fn with_seed(seed: u64) -> Self {
        Self { active: Arc::default(), dice: Arc::new(Dice::new(seed)) }
    }

    /// Sets a fault in the place of the one before, until it is cleared or its time is over.
    pub fn set(&self, fault: Fault, lasts: Option<Duration>) {
        let until = lasts.and_then(|lasts| Instant::now().checked_add(lasts));
        self.active.store(Some(Arc::new(Active { fault, until })));
    }

    /// Calls are treated as they deserve again.
    pub fn clear(&self) {
        self.active.store(None);
    }

    /// What is set, and how long it still lasts.
    pub fn current(&self) -> Option<(Fault, Option<Duration>)> {
        let now = Instant::now();
        let active = self.active.load_full().filter(|active| !active.is_over(now))?;
        Some((active.fault, active.until.map(|until| until - now)))
    }

    /// What happens to the call that has just come in.
    pub(crate) fn strike(&self) -> Option<Strike> {
        let active = self.active.load();
        let active = active.as_ref()?;
        if active.is_over(Instant::now()) { None } else { active.fault.strike(&self.dice) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faulty(error_rate: f64) -> Fault {
        Fault::Degraded { delay: Duration::ZERO, error_rate, code: Code::Internal }
    }

    #[tokio::test(start_paused = true)]
    async fn a_fault_ends_when_it_is_cleared_replaced_or_over() {
        let faults = Faults::with_seed(7);
        assert_eq!((faults.current(), faults.strike()), (None, None));
        faults.set(Fault::Hang, Some(Duration::from_secs(3)));
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(faults.current(), Some((Fault::Hang, Some(Duration::from_secs(2)))));
        assert_eq!(faults.strike().map(|strike| strike.then), Some(Then::Hang));
        faults.set(Fault::FailFast(Code::Internal), Some(Duration::from_secs(5)));
        tokio::time::advance(Duration::from_millis(4_999)).await;
        assert_eq!(faults.strike().map(|strike| strike.then), Some(Then::Fail(Code::Internal)));
        tokio::time::advance(Duration::from_millis(1)).await;
        assert_eq!((faults.current(), faults.strike()), (None, None));
        faults.set(Fault::Hang, None);
        tokio::time::advance(Duration::from_secs(1_000_000)).await;
        assert_eq!(faults.current(), Some((Fault::Hang, None)));
        faults.clear();
        assert_eq!((faults.current(), faults.strike()), (None, None));
    }

    #[tokio::test]
    async fn an_error_rate_is_kept_and_the_same_seed_fails_the_same_calls() {
        let run = |seed, rate| {
            let faults = Faults::with_seed(seed);
            faults.set(faulty(rate), None);
            (0..10_000).map(|_| faults.strike().is_some()).collect::<Vec<_>>()
        };
        let failed = run(1, 0.3).into_iter().filter(|struck| *struck).count();
        assert!((2_800..3_200).contains(&failed), "{failed} of 10,000");
        assert_eq!(run(5, 0.5), run(5, 0.5));
        assert!(run(1, 1.0).into_iter().all(|struck| struck));
        assert!(!run(1, 0.0).into_iter().any(|struck| struck));
    }

    #[tokio::test]
    async fn a_delay_and_an_error_rate_come_together() {
        let faults = Faults::with_seed(7);
        let delay = Duration::from_millis(80);
        faults.set(Fault::Degraded { delay, error_rate: 1.0, code: Code::Aborted }, None);
        let strike = faults.strike().unwrap();
        assert_eq!((strike, strike.name()), (Strike { delay, then: Then::Fail(Code::Aborted) }, "delay, error"));
        faults.set(Fault::Degraded { delay, error_rate: 0.0, code: Code::Aborted }, None);
        let strike = faults.strike().unwrap();
        assert_eq!((strike, strike.name()), (Strike { delay, then: Then::Pass }, "delay"));
    }
}

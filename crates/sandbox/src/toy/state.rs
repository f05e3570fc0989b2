//! What a toy is told and has counted, and how it answers by that.

use http::Response;
use std::{
    hash::{BuildHasher, RandomState},
    io,
    sync::{Mutex, PoisonError},
    time::Duration,
};
use tokio::sync::{Semaphore, watch};

use super::{
    FailureMode, ToySettings,
    answer::{self, Body},
    counts::Counts,
    health,
    ledger::Ledger,
};

#[derive(Debug)]
pub(super) struct State {
    settings: ToySettings,
    slots: Semaphore,
    fault: Mutex<FailureMode>,
    pub(super) serving: watch::Sender<bool>,
    counts: Counts,
    dice: RandomState,
    pub(super) ledger: Option<Ledger>,
}

impl State {
    pub(super) fn new(settings: ToySettings) -> io::Result<Self> {
        let ledger = settings.ledger.as_deref().map(Ledger::open).transpose()?;
        let slots = Semaphore::new(settings.slots.min(Semaphore::MAX_PERMITS));
        Ok(Self {
            slots,
            serving: watch::Sender::new(true),
            settings,
            fault: Mutex::default(),
            counts: Counts::default(),
            dice: RandomState::new(),
            ledger,
        })
    }

    pub(super) fn set_fault(&self, fault: FailureMode) {
        *self.fault.lock().unwrap_or_else(PoisonError::into_inner) = fault;
    }

    pub(super) fn counts(&self) -> &Counts {
        &self.counts
    }

    fn fault(&self) -> FailureMode {
        *self.fault.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) async fn respond(&self, path: &str, message: Option<&[u8]>) -> Response<Body> {
        let fault = self.fault();
        if fault.hang {
            return std::future::pending().await;
        }
        if health::is_health(path) {
            return health::respond(path, self.settings.health, self.serving.subscribe());
        }
        let number = self.counts.add(path);
        if let (Some(ledger), Some(message)) = (&self.ledger, message) {
            ledger.enter(path, message);
        }
        if fault.fail_fast {
            return answer::status(fault.code);
        }
        self.hold_a_slot(self.settings.service_time + Duration::from_millis(fault.delay_ms)).await;
        if fault.fails(number, self.luck(number)) {
            answer::status(fault.code)
        } else {
            answer::message(&self.settings.answer)
        }
    }

    /// From [0, 1), another in each process.
    fn luck(&self, number: u64) -> f64 {
        let hash = u32::try_from(self.dice.hash_one(number) >> 32).unwrap_or(u32::MAX);
        f64::from(hash) / (f64::from(u32::MAX) + 1.0)
    }

    async fn hold_a_slot(&self, for_how_long: Duration) {
        let _slot = self.slots.acquire().await;
        if !for_how_long.is_zero() {
            tokio::time::sleep(for_how_long).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn luck_is_even() {
        let state = State::new(ToySettings::default()).unwrap();
        for share in [0.005, 0.3] {
            let lucky = (0..200_000).filter(|n| state.luck(*n) < share).count();
            let expected = 200_000.0 * share;
            // Nine standard deviations.
            let room = 9.0 * expected.sqrt();
            assert!((lucky as f64 - expected).abs() < room, "{lucky} of 200,000 at {share}");
        }
    }
}

//! The retry budget: retries are paid for by calls, so that a failing upstream sees little more than its usual load.
//!
//! After Finagle's `RetryBudget`: each call earns a part of a retry, and some are given away by time, so that a quiet client
//! can retry at all.

use std::sync::atomic::{AtomicI64, Ordering::Relaxed};
use std::time::Duration;

use tokio::time::Instant;

use crate::Upstream;
use crate::settings::RetrySettings;

/// Thousandths of a retry: the unit of account.
const TOKEN: f64 = 1_000.0;
/// Retries that may be saved up: enough for the calls that one dying connection takes with it.
const MOST: f64 = 50.0;
/// The floor of this time is there at the start.
const FIRST_FLOOR: Duration = Duration::from_secs(1);

/// One client's terms on the account that all clients of an upstream share.
pub(super) struct Budget {
    upstream: Upstream,
    earned_per_call: i64,
    floor_per_second: f64,
    most: i64,
}

impl Budget {
    pub(super) fn new(upstream: Upstream, settings: &RetrySettings) -> Self {
        let budget = Self {
            upstream,
            // Fractions of a thousandth do not matter, and `as` saturates.
            earned_per_call: (settings.budget_ratio.max(0.0) * TOKEN) as i64,
            floor_per_second: settings.budget_floor_per_second.max(0.0),
            most: (settings.budget_floor_per_second.max(MOST) * TOKEN) as i64,
        };
        budget.pay_floor(Instant::now());
        budget
    }

    /// Kept with the upstream's counters, where its metric reads it.
    fn balance(&self) -> &AtomicI64 {
        &self.upstream.shared.counters.budget
    }

    /// A call came in.
    pub(super) fn earn(&self) {
        if self.balance().load(Relaxed) < self.most {
            self.balance().fetch_add(self.earned_per_call, Relaxed);
        }
    }

    /// Takes the price of one retry, if it is there.
    pub(super) fn spend(&self, now: Instant) -> bool {
        self.pay_floor(now);
        let price = TOKEN as i64;
        self.balance().fetch_update(Relaxed, Relaxed, |have| (have >= price).then_some(have - price)).is_ok()
    }

    fn pay_floor(&self, now: Instant) {
        let shared = &self.upstream.shared;
        let age = now.saturating_duration_since(shared.epoch) + FIRST_FLOOR;
        let millis = u64::try_from(age.as_millis()).unwrap_or(u64::MAX);
        let since = millis.saturating_sub(shared.counters.budget_paid_until.fetch_max(millis, Relaxed));
        let due = (since as f64 / 1e3 * self.floor_per_second * TOKEN) as i64;
        let _ = self
            .balance()
            .fetch_update(Relaxed, Relaxed, |have| Some((have.saturating_add(due)).min(self.most).max(have)));
    }
}

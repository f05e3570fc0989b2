//! Totals of an upstream, for its metrics: plain atomics that a scrape reads.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering::Relaxed};

/// A total.
#[derive(Debug, Default)]
pub(crate) struct Count(AtomicU64);

impl Count {
    pub(crate) fn add(&self) {
        self.0.fetch_add(1, Relaxed);
    }

    pub(crate) fn get(&self) -> u64 {
        self.0.load(Relaxed)
    }
}

#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) ok: Count,
    pub(crate) errors: Count,
    pub(crate) cancelled: Count,
    pub(crate) retries_sent: Count,
    pub(crate) retries_without_budget: Count,
    pub(crate) retries_not_allowed: Count,
    pub(crate) shed_interactive: Count,
    pub(crate) shed_bulk: Count,
    /// Thousandths of a retry that the budget would pay for.
    pub(crate) budget: AtomicI64,
    /// Milliseconds from a second before the upstream's epoch up to which the budget's floor has been paid: clients share
    /// the balance, and so its clock.
    pub(crate) budget_paid_until: AtomicU64,
}

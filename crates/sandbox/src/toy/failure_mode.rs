//! What can be wrong with a toy upstream.

use serde::{Deserialize, Serialize};

/// `UNAVAILABLE`.
const DEFAULT_CODE: u16 = 14;

/// A fault; every field on its own is one. The default is health.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FailureMode {
    /// Added to the service time, in milliseconds: a slow replica, whose slots are held for longer.
    pub delay_ms: u64,
    /// The share of calls, 0 to 1, that fail after having been served; spread evenly, unless told otherwise.
    pub error_rate: f64,
    /// Which calls fail is a matter of chance: now several on end, now none for long.
    pub by_chance: bool,
    /// The gRPC status code of failures.
    pub code: u16,
    /// Accepts calls, health checks too, and never answers.
    pub hang: bool,
    /// Fails each call at once, without taking a slot: what looks fastest to a balancer.
    pub fail_fast: bool,
}

impl Default for FailureMode {
    fn default() -> Self {
        Self { delay_ms: 0, error_rate: 0.0, by_chance: false, code: DEFAULT_CODE, hang: false, fail_fast: false }
    }
}

impl FailureMode {
    /// Whether the `n`th call (from 1) is one that fails: evenly spread, `n * rate` have after n calls, rounded down;
    /// by chance, `luck` decides, from [0, 1).
    pub(super) fn fails(&self, n: u64, luck: f64) -> bool {
        if self.by_chance {
            return luck < self.error_rate;
        }
        #[expect(clippy::cast_precision_loss, reason = "exact far beyond any number of calls that a test makes")]
        let failed_after = |n: u64| (n as f64 * self.error_rate.clamp(0.0, 1.0)).floor();
        failed_after(n) > failed_after(n.saturating_sub(1))
    }
}

#[cfg(test)]
mod tests {
    use super::FailureMode;

    #[test]
    fn failures_are_spread_evenly() {
        let check = |error_rate: f64, expected: &[u64]| {
            let fault = FailureMode { error_rate, ..FailureMode::default() };
            let failing: Vec<u64> = (1..=10).filter(|n| fault.fails(*n, 0.0)).collect();
            assert_eq!(failing, expected, "rate {error_rate}");
        };
        check(0.0, &[]);
        check(0.2, &[5, 10]);
        check(0.5, &[2, 4, 6, 8, 10]);
        check(1.0, &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
        check(7.0, &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    }

    #[test]
    fn by_chance_is_what_luck_says() {
        let fault = FailureMode { error_rate: 0.2, by_chance: true, ..FailureMode::default() };
        assert!(fault.fails(1, 0.199) && fault.fails(2, 0.0));
        assert!(!fault.fails(5, 0.2) && !fault.fails(10, 0.999));
    }
}

//! How long to wait before a child is started again.

use std::time::Duration;

const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// Whoever lived this long is not in a crash loop.
const LONG_LIFE: Duration = Duration::from_secs(10);

/// At once after the first death, so that a killed replica is hardly missed; then ever slower while it keeps dying.
#[derive(Debug, Default)]
pub(super) struct Backoff {
    deaths: u32,
}

impl Backoff {
    /// The pause after a life of this length.
    pub(super) fn after(&mut self, lived: Duration) -> Duration {
        if lived >= LONG_LIFE {
            self.deaths = 0;
        }
        let doubled = self.deaths.checked_sub(1).map(|doublings| FIRST_PAUSE * (1 << doublings.min(10)));
        self.deaths += 1;
        doubled.unwrap_or_default().min(LONGEST_PAUSE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_restart_is_immediate_later_ones_slow_down_and_a_long_life_forgives() {
        let mut backoff = Backoff::default();
        let pauses: Vec<u128> = (0..9).map(|_| backoff.after(Duration::ZERO).as_millis()).collect();
        assert_eq!(pauses, [0, 100, 200, 400, 800, 1600, 3200, 5000, 5000]);
        assert_eq!(backoff.after(LONG_LIFE), Duration::ZERO);
        assert_eq!(backoff.after(Duration::ZERO), FIRST_PAUSE);
    }
}

//! Parts of the cache that can be switched off while it runs, so that their worth can be measured.

use std::sync::atomic::{AtomicBool, Ordering};

/// A part that can be switched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Switch {
    /// The first tier, in this process.
    L1,
    /// The second tier, in Redis.
    L2,
    /// One load per key at a time.
    SingleFlight,
    /// Remembering that there is no such thing.
    Negative,
}

impl Switch {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::L1, Self::L2, Self::SingleFlight, Self::Negative];

    /// Name in the control API.
    pub fn name(self) -> &'static str {
        match self {
            Self::L1 => "l1",
            Self::L2 => "l2",
            Self::SingleFlight => "single_flight",
            Self::Negative => "negative",
        }
    }
}

/// The switches of one or more caches; all on at first.
#[derive(Debug)]
pub struct Switches([AtomicBool; 4]);

impl Default for Switches {
    fn default() -> Self {
        Self(std::array::from_fn(|_| AtomicBool::new(true)))
    }
}

impl Switches {
    /// Whether the part is on.
    pub fn is_on(&self, switch: Switch) -> bool {
        self.slot(switch).load(Ordering::Relaxed)
    }

    /// Switches the part on or off, for all lookups from now on.
    pub fn set(&self, switch: Switch, on: bool) {
        self.slot(switch).store(on, Ordering::Relaxed);
    }

    fn slot(&self, switch: Switch) -> &AtomicBool {
        let [l1, l2, single_flight, negative] = &self.0;
        match switch {
            Switch::L1 => l1,
            Switch::L2 => l2,
            Switch::SingleFlight => single_flight,
            Switch::Negative => negative,
        }
    }
}

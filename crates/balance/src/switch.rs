//! What can be flipped while calls run.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Something that is on or off. Clones share one state, so whoever keeps one may flip it while calls run.
#[derive(Debug, Clone)]
pub struct Switch(Arc<AtomicBool>);

impl Switch {
    /// A switch of its own that is on.
    #[must_use]
    pub fn on() -> Self {
        Self(Arc::new(AtomicBool::new(true)))
    }

    /// A switch of its own that is off.
    #[must_use]
    pub fn off() -> Self {
        Self(Arc::new(AtomicBool::new(false)))
    }

    /// How it stands.
    #[must_use]
    pub fn is_on(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// Flips it for everybody who has it.
    pub fn set(&self, on: bool) {
        self.0.store(on, Ordering::Relaxed);
    }
}

impl PartialEq for Switch {
    fn eq(&self, other: &Self) -> bool {
        self.is_on() == other.is_on()
    }
}

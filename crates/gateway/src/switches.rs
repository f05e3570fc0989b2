//! What can be flipped while the gateway runs, to see what it is worth.

use std::sync::atomic::{AtomicBool, Ordering};

/// One switch as the control API shows it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub(crate) struct SwitchState {
    name: &'static str,
    on: bool,
    meaning: &'static str,
}

/// All switches of a gateway; every one starts on.
#[derive(Debug)]
pub(crate) struct Switches {
    retries: AtomicBool,
    trace_header: AtomicBool,
}

impl Default for Switches {
    fn default() -> Self {
        Self { retries: AtomicBool::new(true), trace_header: AtomicBool::new(true) }
    }
}

impl Switches {
    /// Whether idempotent calls that failed after they were sent are tried again.
    pub(crate) fn retries(&self) -> bool {
        self.retries.load(Ordering::Relaxed)
    }

    /// Whether answers tell their trace's id.
    pub(crate) fn trace_header(&self) -> bool {
        self.trace_header.load(Ordering::Relaxed)
    }

    /// All of them, by name.
    pub(crate) fn all(&self) -> Vec<SwitchState> {
        self.entries().map(|(name, meaning, on)| SwitchState { name, on: on.load(Ordering::Relaxed), meaning }).to_vec()
    }

    /// One of them, or `None` if there is none of the name.
    pub(crate) fn get(&self, name: &str) -> Option<SwitchState> {
        self.all().into_iter().find(|switch| switch.name == name)
    }

    /// Flips one; says how it stands then.
    pub(crate) fn set(&self, name: &str, on: bool) -> Option<SwitchState> {
        let entries = self.entries();
        let (_, _, switch) = entries.iter().find(|(known, ..)| *known == name)?;
        switch.store(on, Ordering::Relaxed);
        self.get(name)
    }

    fn entries(&self) -> [(&'static str, &'static str, &AtomicBool); 2] {
        [
            (
                "retries",
                "idempotent calls that failed after they were sent are tried again on another replica",
                &self.retries,
            ),
            ("trace_header", "answers carry x-trace-id and traceresponse", &self.trace_header),
        ]
    }
}

//! Instruments of watches. Names and labels stand in `crm_telemetry::names`.

use std::collections::HashMap;
use std::sync::LazyLock;

use crm_telemetry::metrics::{self, label};
use crm_telemetry::names::{self, label as key};
use opentelemetry::metrics::Counter;
use parking_lot::Mutex;

use crate::Error;

struct Instruments {
    messages: Counter<u64>,
    ended: Counter<u64>,
}

/// How many are open.
static OPEN: LazyLock<Mutex<HashMap<&'static str, u64>>> = LazyLock::new(Mutex::default);

static INSTRUMENTS: LazyLock<Instruments> = LazyLock::new(|| {
    metrics::observe_gauge(&names::WATCHES_OPEN, |gauge| {
        for (of, open) in OPEN.lock().iter() {
            #[allow(clippy::cast_precision_loss, reason = "far fewer than 2^52")]
            gauge.observe(*open as f64, &[label(key::RESOURCE, of)]);
        }
    });
    Instruments { messages: metrics::counter(&names::WATCH_MESSAGES), ended: metrics::counter(&names::WATCHES_ENDED) }
});

/// A watch, as it is counted: open until it is dropped, and ended by its reader unless somebody says otherwise.
#[derive(Debug)]
pub(crate) struct Open {
    of: &'static str,
    reason: &'static str,
}

impl Open {
    /// Of one resource, or of what else is watched.
    pub(crate) fn new(of: &'static str) -> Self {
        LazyLock::force(&INSTRUMENTS);
        *OPEN.lock().entry(of).or_default() += 1;
        Self { of, reason: "left" }
    }

    /// A message is on its way.
    pub(super) fn count_message(&self) {
        INSTRUMENTS.messages.add(1, &[label(key::RESOURCE, self.of)]);
    }

    /// It ends, and not by its reader.
    pub(super) fn ended(&mut self, error: &Error) {
        self.reason = error.reason();
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        if let Some(open) = OPEN.lock().get_mut(self.of) {
            *open -= 1;
        }
        INSTRUMENTS.ended.add(1, &[label(key::RESOURCE, self.of), label(key::REASON, self.reason)]);
    }
}

//! Which cells are played, and how long each part of a cell takes.

use std::time::Duration;

use super::fault::Fault;
use super::variant::Variant;

/// What to play.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The columns.
    pub variants: Vec<Variant>,
    /// The rows.
    pub faults: Vec<Fault>,
    /// Repetitions; the worst one counts.
    pub runs: u32,
    /// Lengths.
    pub timing: Timing,
    /// Calls a second.
    pub rate: u32,
    /// Cells that are played at a time, each with processes of its own.
    pub lanes: usize,
}

/// Lengths of a cell's parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timing {
    /// Load before anything counts: connections, first averages.
    pub warm_up: Duration,
    /// All is well.
    pub calm: Duration,
    /// The replica is broken.
    pub broken: Duration,
    /// The replica is away after a kill.
    pub away: Duration,
    /// Longest wait for its fair share after it was healed.
    pub healing: Duration,
}

impl Timing {
    /// As the claims are worded: ten seconds of fault, half a minute to heal.
    pub const WHOLE: Self = Self {
        warm_up: Duration::from_secs(1),
        calm: Duration::from_secs(5),
        broken: Duration::from_secs(10),
        away: Duration::from_secs(3),
        healing: Duration::from_secs(30),
    };

    /// For a first look.
    pub const QUICK: Self = Self {
        warm_up: Duration::from_millis(700),
        calm: Duration::from_secs(3),
        broken: Duration::from_secs(6),
        ..Self::WHOLE
    };

    /// How long the fault lasts.
    #[must_use]
    pub fn broken_by(&self, fault: Fault) -> Duration {
        if fault == Fault::KilledAndBack { self.away } else { self.broken }
    }
}

/// One cell.
#[derive(Debug, Clone)]
pub(super) struct Place {
    pub(super) variant: Variant,
    pub(super) fault: Fault,
    pub(super) run: u32,
}

impl Plan {
    /// All cells. Variants alternate under the same fault, so that a minute's noise on the machine hits all alike.
    pub(super) fn places(&self) -> Vec<Place> {
        let mut places = Vec::new();
        for run in 1..=self.runs {
            for fault in &self.faults {
                let place = |variant: &Variant| Place { variant: variant.clone(), fault: *fault, run };
                places.extend(self.variants.iter().map(place));
            }
        }
        places
    }
}

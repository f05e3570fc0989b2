//! Which cells are played, and how long each part of a cell takes.

use std::time::Duration;

use super::fault_scenario::FaultScenario;
use super::toys::CAPACITY;
use super::variant::Variant;

/// What to play.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The columns.
    pub variants: Vec<Variant>,
    /// The rows.
    pub faults: Vec<FaultScenario>,
    /// Repetitions; the worst one counts.
    pub runs: u32,
    /// Lengths.
    pub timing: Timing,
    /// Calls a second, but under overload, which has rates of its own.
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
    /// One replica is broken.
    pub broken: Duration,
    /// Replicas are away after a kill.
    pub away: Duration,
    /// Longest wait for its fair share after it was healed.
    pub healing: Duration,
    /// All replicas fail.
    pub all_failing: Duration,
    /// There are more calls than can be served.
    pub overload: Duration,
    /// A few calls fail everywhere.
    pub noise: Duration,
    /// Watched after a fault of the whole group, once all has to be as before.
    pub after: Duration,
    /// Watched after a replica has come back among writes, for as many of them as are claimed of.
    pub after_writes: Duration,
}

impl Timing {
    /// As the claims are worded: ten seconds of fault, half a minute to heal.
    pub const WHOLE: Self = Self {
        warm_up: Duration::from_secs(1),
        calm: Duration::from_secs(5),
        broken: Duration::from_secs(10),
        away: Duration::from_secs(3),
        healing: Duration::from_secs(30),
        all_failing: Duration::from_secs(20),
        overload: Duration::from_secs(60),
        noise: Duration::from_secs(600),
        after: Duration::from_secs(5),
        after_writes: Duration::from_secs(24),
    };

    /// For a first look.
    pub const QUICK: Self = Self {
        warm_up: Duration::from_millis(700),
        calm: Duration::from_secs(3),
        broken: Duration::from_secs(6),
        all_failing: Duration::from_secs(10),
        overload: Duration::from_secs(20),
        noise: Duration::from_secs(60),
        after_writes: Duration::from_secs(6),
        ..Self::WHOLE
    };

    /// The same with every fault as long as this, but for kills.
    #[must_use]
    pub fn with_faults_of(self, length: Duration) -> Self {
        Self { broken: length, all_failing: length, overload: length, noise: length, ..self }
    }

    /// How long the fault lasts.
    #[must_use]
    pub fn broken_by(&self, fault: FaultScenario) -> Duration {
        match fault {
            fault if fault.kills() => self.away,
            FaultScenario::AllFailing => self.all_failing,
            FaultScenario::Overload => self.overload,
            FaultScenario::Noise => self.noise,
            _ => self.broken,
        }
    }
}

/// One cell.
#[derive(Debug, Clone)]
pub(super) struct Place {
    pub(super) variant: Variant,
    pub(super) fault: FaultScenario,
    pub(super) run: u32,
}

impl Plan {
    /// Calls a second throughout the story. Under overload they are half of what can be served, so that what is added has
    /// something to disturb.
    pub(super) fn rate_under(&self, fault: FaultScenario) -> u32 {
        if fault == FaultScenario::Overload { CAPACITY / 2 } else { self.rate }
    }

    /// Calls a second that a fault adds: with the others, three times what can be served.
    pub(super) fn rate_added_by(fault: FaultScenario) -> Option<u32> {
        (fault == FaultScenario::Overload).then_some(3 * CAPACITY - CAPACITY / 2)
    }

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

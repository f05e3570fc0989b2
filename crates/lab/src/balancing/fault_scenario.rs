//! What goes wrong in an experiment: with one replica of four, or with all of them.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use crm_sandbox::toy;

/// What goes wrong, to which replicas and among which calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FaultScenario {
    /// Nothing.
    None,
    /// One replica is fifty times slower, each call holding its slot.
    Slow,
    /// One replica fails each call in no time.
    FailsAtOnce,
    /// One replica fails three calls of ten, after having served them.
    Fails30Percent,
    /// One replica is stopped (SIGSTOP): its connections stand, and nothing answers.
    Paused,
    /// One replica is killed (SIGKILL), and started anew.
    KilledAndBack,
    /// All replicas are killed, and started anew.
    AllDown,
    /// All replicas fail each call in no time.
    AllFailing,
    /// Three times as many calls as all replicas together can serve.
    Overload,
    /// All replicas fail half a per cent of the calls, by chance, after having served them.
    Noise,
    /// As [`FaultScenario::KilledAndBack`], among creates and updates.
    KilledWrites,
    /// As [`FaultScenario::Paused`], among creates and updates.
    PausedWrites,
}

/// A name that none has.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("no fault {name}; there are {}", FaultScenario::all().map(FaultScenario::name).collect::<Vec<_>>().join(", "))]
pub struct UnknownFault {
    name: String,
}

/// 100 ms in all, with the service time.
const SLOW_BY_MS: u64 = 98;
const NOISE: f64 = 0.005;

impl FaultScenario {
    /// Those under which policies and peers are compared, in the order of reports.
    pub const COMPARED: [Self; 6] =
        [Self::None, Self::Slow, Self::FailsAtOnce, Self::Fails30Percent, Self::Paused, Self::KilledAndBack];

    /// Those under which something is claimed of our gateway alone, whatever its policy.
    pub const ALONE: [Self; 6] =
        [Self::AllDown, Self::AllFailing, Self::Overload, Self::Noise, Self::KilledWrites, Self::PausedWrites];

    fn all() -> impl Iterator<Item = Self> {
        Self::COMPARED.into_iter().chain(Self::ALONE)
    }

    /// Whether policies and peers are worth comparing under it.
    #[must_use]
    pub fn compares(self) -> bool {
        Self::COMPARED.contains(&self)
    }

    /// Whether it hits all replicas alike.
    pub(super) const fn is_of_the_group(self) -> bool {
        matches!(self, Self::AllDown | Self::AllFailing | Self::Overload | Self::Noise)
    }

    /// Whether it is played among calls that change something.
    pub(super) const fn is_among_writes(self) -> bool {
        matches!(self, Self::KilledWrites | Self::PausedWrites)
    }

    /// Whether it ends processes, for a time of its own.
    pub(super) const fn kills(self) -> bool {
        matches!(self, Self::KilledAndBack | Self::KilledWrites | Self::AllDown)
    }

    /// Whether it stops a process in the middle of what it does.
    pub(super) const fn pauses(self) -> bool {
        matches!(self, Self::Paused | Self::PausedWrites)
    }

    /// Its stable name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Slow => "slow",
            Self::FailsAtOnce => "fails_at_once",
            Self::Fails30Percent => "fails_30_percent",
            Self::Paused => "paused",
            Self::KilledAndBack => "killed_and_back",
            Self::AllDown => "all_down",
            Self::AllFailing => "all_failing",
            Self::Overload => "overload",
            Self::Noise => "noise",
            Self::KilledWrites => "killed_writes",
            Self::PausedWrites => "paused_writes",
        }
    }

    /// What it is, for a heading.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::None => "nothing wrong",
            Self::Slow => "one replica 50 times slower",
            Self::FailsAtOnce => "one replica fails at once",
            Self::Fails30Percent => "one replica fails 30 %",
            Self::Paused => "one replica paused",
            Self::KilledAndBack => "one replica killed, and back",
            Self::AllDown => "all replicas killed, and back",
            Self::AllFailing => "all replicas fail at once",
            Self::Overload => "three times the calls that can be served",
            Self::Noise => "all replicas fail 0.5 % by chance",
            Self::KilledWrites => "one replica killed, and back, among writes",
            Self::PausedWrites => "one replica paused among writes",
        }
    }

    /// What a toy is told; `None` for what is done to its process, or not to the toys at all.
    pub(super) fn told(self) -> Option<toy::FailureMode> {
        let well = toy::FailureMode::default();
        match self {
            Self::Slow => Some(toy::FailureMode { delay_ms: SLOW_BY_MS, ..well }),
            Self::FailsAtOnce | Self::AllFailing => Some(toy::FailureMode { fail_fast: true, ..well }),
            Self::Fails30Percent => Some(toy::FailureMode { error_rate: 0.3, ..well }),
            Self::Noise => Some(toy::FailureMode { error_rate: NOISE, by_chance: true, ..well }),
            _ => None,
        }
    }

    /// After healing, the time until all has to be as it was before a fault of the whole group.
    pub(super) const fn recovery(self) -> Duration {
        match self {
            Self::AllDown => Duration::from_secs(3),
            _ => Duration::from_secs(5),
        }
    }
}

impl fmt::Display for FaultScenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for FaultScenario {
    type Err = UnknownFault;

    fn from_str(name: &str) -> Result<Self, UnknownFault> {
        Self::all().find(|fault| fault.name() == name).ok_or_else(|| UnknownFault { name: name.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_is_found_by_its_name_and_no_other() {
        for fault in FaultScenario::all() {
            assert_eq!(fault.name().parse(), Ok(fault));
        }
        let unknown = "slower".parse::<FaultScenario>().unwrap_err().to_string();
        assert!(unknown.contains("fails_30_percent") && unknown.contains("overload"), "{unknown}");
    }
}

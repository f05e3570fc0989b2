//! What can be wrong with one replica of four.

use std::fmt;
use std::str::FromStr;

use crm_sandbox::toy;

/// A fault of one replica.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Nothing.
    None,
    /// Fifty times slower, each call holding its slot.
    Slow,
    /// Fails each call in no time.
    FailsAtOnce,
    /// Fails three calls of ten, after having served them.
    Fails30Percent,
    /// Stopped (SIGSTOP): its connections stand, and nothing answers.
    Paused,
    /// Killed (SIGKILL), and started anew.
    KilledAndBack,
}

/// A name that no fault has.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("no fault {name}; there are {}", Fault::ALL.map(Fault::name).join(", "))]
pub struct UnknownFault {
    name: String,
}

/// 100 ms in all, with the service time.
const SLOW_BY_MS: u64 = 98;

impl Fault {
    /// All of them, in the order of reports.
    pub const ALL: [Self; 6] =
        [Self::None, Self::Slow, Self::FailsAtOnce, Self::Fails30Percent, Self::Paused, Self::KilledAndBack];

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
        }
    }

    /// What the toy is told; `None` for what is done to its process.
    pub(super) fn told(self) -> Option<toy::Fault> {
        match self {
            Self::Slow => Some(toy::Fault { delay_ms: SLOW_BY_MS, ..toy::Fault::default() }),
            Self::FailsAtOnce => Some(toy::Fault { fail_fast: true, ..toy::Fault::default() }),
            Self::Fails30Percent => Some(toy::Fault { error_rate: 0.3, ..toy::Fault::default() }),
            Self::None | Self::Paused | Self::KilledAndBack => None,
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Fault {
    type Err = UnknownFault;

    fn from_str(name: &str) -> Result<Self, UnknownFault> {
        Self::ALL.into_iter().find(|fault| fault.name() == name).ok_or_else(|| UnknownFault { name: name.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_is_found_by_its_name_and_no_other() {
        for fault in Fault::ALL {
            assert_eq!(fault.name().parse(), Ok(fault));
        }
        assert!("slower".parse::<Fault>().unwrap_err().to_string().contains("fails_30_percent"));
    }
}

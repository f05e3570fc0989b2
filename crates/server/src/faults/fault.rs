use std::time::Duration;

use crm_proto::server as pb;
use tonic::Code;

use super::dice::Dice;
use super::{Strike, Then};
use crate::problem::Violation;
use crate::reasons::{CONTRADICTION, FIELD_REQUIRED, OUT_OF_RANGE};

/// Longest delay that a fault may have.
pub const LONGEST_DELAY: Duration = Duration::from_secs(60);
/// Longest time that a fault may be set for; for longer, set it until it is cleared.
pub const LONGEST_LIFE: Duration = Duration::from_secs(24 * 3600);

/// What a process does to its calls.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Fault {
    /// No call is ever answered: each ends at its deadline.
    Hang,
    /// Every call is answered with this code at once.
    FailFast(Code),
    /// Every call waits, and some are answered with a code afterwards. One of the two may be nothing.
    Degraded {
        /// Holds one of the process's places meanwhile.
        delay: Duration,
        /// Part of the calls that fail, 0 to 1.
        error_rate: f64,
        /// What they fail with.
        code: Code,
    },
}

impl Fault {
    /// From its form on the wire, with how long it lasts.
    ///
    /// # Errors
    /// Every rule that it breaks.
    pub fn from_proto(fault: &pb::Fault) -> Result<(Self, Option<Duration>), Vec<Violation>> {
        let violations = violations(fault);
        if !violations.is_empty() {
            return Err(violations);
        }
        let code = if fault.code == 0 { Code::Unavailable } else { Code::from_i32(fault.code) };
        let delay = Duration::from_millis(fault.delay_ms.into());
        let parsed = match (fault.hang, fault.fail_fast) {
            (true, _) => Self::Hang,
            (_, true) => Self::FailFast(code),
            _ => Self::Degraded { delay, error_rate: fault.error_rate, code },
        };
        Ok((parsed, fault.remaining_ms.map(Duration::from_millis)))
    }

    /// Its form on the wire.
    pub fn to_proto(self, remaining: Option<Duration>) -> pb::Fault {
        let remaining_ms = remaining.map(milliseconds);
        match self {
            Self::Hang => pb::Fault { hang: true, remaining_ms, ..Default::default() },
            Self::FailFast(code) => {
                pb::Fault { fail_fast: true, code: code.into(), remaining_ms, ..Default::default() }
            }
            Self::Degraded { delay, error_rate, code } => pb::Fault {
                delay_ms: u32::try_from(delay.as_millis()).unwrap_or(u32::MAX),
                error_rate,
                code: if error_rate > 0.0 { code.into() } else { 0 },
                remaining_ms,
                ..Default::default()
            },
        }
    }

    pub(super) fn strike(&self, dice: &Dice) -> Option<Strike> {
        let strike = match *self {
            Self::Hang => Strike { delay: Duration::ZERO, then: Then::Hang },
            Self::FailFast(code) => Strike { delay: Duration::ZERO, then: Then::Fail(code) },
            Self::Degraded { delay, error_rate, code } => {
                let then = if dice.falls_within(error_rate) { Then::Fail(code) } else { Then::Pass };
                Strike { delay, then }
            }
        };
        (!strike.delay.is_zero() || strike.then != Then::Pass).then_some(strike)
    }
}

/// Rounded up, so that what is not over yet does not look so.
fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos().div_ceil(1_000_000)).unwrap_or(u64::MAX)
}

fn violations(fault: &pb::Fault) -> Vec<Violation> {
    let degrades = fault.delay_ms > 0 || fault.error_rate > 0.0;
    let rules = [
        (u128::from(fault.delay_ms) > LONGEST_DELAY.as_millis(), ("delay_ms", OUT_OF_RANGE, "must be at most 60000")),
        (!(0.0..=1.0).contains(&fault.error_rate), ("error_rate", OUT_OF_RANGE, "must be 0 to 1")),
        (!(0..=16).contains(&fault.code), ("code", OUT_OF_RANGE, "must be a gRPC code other than OK")),
        (fault.hang && fault.fail_fast, ("hang", CONTRADICTION, "must not come with fail_fast")),
        (
            (fault.hang || fault.fail_fast) && degrades,
            ("hang", CONTRADICTION, "hang and fail_fast must not come with delay_ms or error_rate"),
        ),
        (
            !(fault.hang || fault.fail_fast || degrades),
            ("fault", FIELD_REQUIRED, "one of delay_ms, error_rate, hang and fail_fast must be set"),
        ),
        (
            fault.remaining_ms.is_some_and(|left| left == 0 || u128::from(left) > LONGEST_LIFE.as_millis()),
            ("for_s", OUT_OF_RANGE, "must be more than 0 and at most 86400 seconds"),
        ),
    ];
    let broken = rules.into_iter().filter(|(is_broken, _)| *is_broken);
    broken.map(|(_, (field, reason, description))| Violation::new(field, reason, description)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(fault: pb::Fault, expected: &[&str]) {
        let violations = Fault::from_proto(&fault).err().unwrap_or_default();
        let fields: Vec<&str> = violations.iter().map(|violation| violation.field.as_str()).collect();
        assert_eq!(fields, expected, "{fault:?}");
    }

    #[test]
    fn every_broken_rule_is_told_at_once() {
        let none = pb::Fault::default();
        check(none, &["fault"]);
        check(pb::Fault { code: 13, remaining_ms: Some(5), ..none }, &["fault"]);
        check(pb::Fault { delay_ms: 60_001, error_rate: 1.5, code: 17, ..none }, &["delay_ms", "error_rate", "code"]);
        check(pb::Fault { error_rate: f64::NAN, delay_ms: 1, ..none }, &["error_rate"]);
        check(pb::Fault { error_rate: -0.1, ..none }, &["error_rate", "fault"]);
        check(pb::Fault { hang: true, fail_fast: true, delay_ms: 1, ..none }, &["hang", "hang"]);
        check(pb::Fault { hang: true, remaining_ms: Some(0), ..none }, &["for_s"]);
        check(pb::Fault { hang: true, remaining_ms: Some(u64::MAX), ..none }, &["for_s"]);
        check(pb::Fault { code: -1, fail_fast: true, ..none }, &["code"]);
    }

    #[test]
    fn what_is_read_is_written_again() {
        let none = pb::Fault::default();
        for fault in [
            pb::Fault { hang: true, remaining_ms: Some(1), ..none },
            pb::Fault { fail_fast: true, code: 13, ..none },
            pb::Fault { delay_ms: 60_000, ..none },
            pb::Fault { delay_ms: 1, error_rate: 0.3, code: 14, remaining_ms: Some(86_400_000), ..none },
        ] {
            let (parsed, lasts) = Fault::from_proto(&fault).unwrap();
            assert_eq!(parsed.to_proto(lasts), fault);
        }
        let (parsed, _) = Fault::from_proto(&pb::Fault { fail_fast: true, ..none }).unwrap();
        assert_eq!(parsed, Fault::FailFast(Code::Unavailable));
    }

    #[test]
    fn remaining_time_is_rounded_up() {
        let left = |nanos| Fault::Hang.to_proto(Some(Duration::from_nanos(nanos))).remaining_ms;
        assert_eq!([left(1), left(1_000_000), left(1_000_001)], [Some(1), Some(1), Some(2)]);
    }
}

//! Durations as people type them: `500ms`, `30s`, `15m`, `12h`, `7d`.

use std::time::Duration;

/// Why a text is no duration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("give a whole number and a unit (ms, s, m, h, d), such as 30s")]
pub struct DurationError;

/// Reads a whole number and a unit; nothing at all is a duration, too.
///
/// # Errors
/// The text is anything else, or longer than can be counted in milliseconds.
pub fn parse(text: &str) -> Result<Duration, DurationError> {
    let split = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let number: u64 = number.parse().map_err(|_| DurationError)?;
    let unit_ms: u64 = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return Err(DurationError),
    };
    number.checked_mul(unit_ms).map(Duration::from_millis).ok_or(DurationError)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_a_number_with_a_unit_and_nothing_else() {
        let ok = |text: &str, ms: u64| assert_eq!(parse(text), Ok(Duration::from_millis(ms)), "{text}");
        ok("0s", 0);
        ok("500ms", 500);
        ok("30s", 30_000);
        ok("15m", 900_000);
        ok("12h", 43_200_000);
        ok("7d", 604_800_000);
        for bad in ["", "s", "30", "-1s", "1.5s", "99999999999999999999s", "18446744073709551615d", "1w"] {
            assert_eq!(parse(bad), Err(DurationError), "{bad}");
        }
    }
}

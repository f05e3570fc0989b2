//! Durations as people type them: `500ms`, `30s`, `15m`, `12h`, `7d`.

use std::time::Duration;

/// Longest duration that is taken: a year.
const LONGEST: Duration = Duration::from_secs(366 * 24 * 3600);

/// Parses a whole number and a unit.
pub(crate) fn parse(text: &str) -> Result<Duration, String> {
    let split = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let number: u64 = number.parse().map_err(|_| rule())?;
    let unit_ms: u64 = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return Err(rule()),
    };
    let duration = number.checked_mul(unit_ms).map(Duration::from_millis).ok_or_else(rule)?;
    if duration.is_zero() || duration > LONGEST { Err(rule()) } else { Ok(duration) }
}

fn rule() -> String {
    "give a whole number and a unit (ms, s, m, h, d), more than nothing and at most 366d, such as 30s".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_a_number_with_a_unit_and_nothing_else() {
        let ok = |text: &str, ms: u64| assert_eq!(parse(text), Ok(Duration::from_millis(ms)), "{text}");
        ok("500ms", 500);
        ok("30s", 30_000);
        ok("12h", 43_200_000);
        ok("7d", 604_800_000);
        for bad in ["", "s", "30", "0s", "-1s", "1.5s", "99999999999999999999s", "9999d", "18446744073709551615d", "1w"]
        {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}

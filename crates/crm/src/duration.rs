//! Durations on the command line: more than nothing, and no more than anybody means.

use std::time::Duration;

/// Longest duration that is taken: a year.
const LONGEST: Duration = Duration::from_secs(366 * 24 * 3600);

/// Parses a whole number and a unit.
pub(crate) fn parse(text: &str) -> Result<Duration, String> {
    let duration = crm_lab::load::duration::parse(text).map_err(|error| error.to_string())?;
    if duration.is_zero() || duration > LONGEST {
        return Err("give more than nothing and at most 366d".to_owned());
    }
    Ok(duration)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_more_than_nothing_and_at_most_a_year() {
        for (text, is_taken) in [("1ms", true), ("366d", true), ("0s", false), ("367d", false), ("30", false)] {
            assert_eq!(parse(text).is_ok(), is_taken, "{text}");
        }
    }
}

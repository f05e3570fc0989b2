//! Durations as Go writes them, which is how Jaeger's pages send them: `1.5s`, `100ms`, `1h30m`, `250µs`.

/// Nanoseconds per unit, longest names first so that `ms` is not read as `m`.
const UNITS: [(&str, f64); 9] = [
    ("ns", 1.0),
    ("us", 1e3),
    ("µs", 1e3),
    ("μs", 1e3),
    ("ms", 1e6),
    ("s", 1e9),
    ("m", 60e9),
    ("h", 3600e9),
    ("d", 86_400e9),
];

/// Reads a duration in nanoseconds.
///
/// # Errors
/// Tells the rule when the text is no duration, is negative, or is longer than 292 years.
pub(super) fn parse_ns(text: &str) -> Result<u64, &'static str> {
    const RULE: &str = "must be a duration such as 1.2s, 100ms or 500us";
    let mut rest = text.trim();
    if rest == "0" {
        return Ok(0);
    }
    let mut total = 0.0;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.').ok_or(RULE)?;
        let (number, tail) = rest.split_at(digits);
        let (unit, scale) = UNITS.into_iter().find(|(unit, _)| tail.starts_with(unit)).ok_or(RULE)?;
        total += number.parse::<f64>().map_err(|_| RULE)? * scale;
        rest = &tail[unit.len()..];
    }
    if text.trim().is_empty() || total > 9.2e18 {
        return Err(RULE);
    }
    // In range and not negative, as just checked.
    Ok(total as u64)
}

#[cfg(test)]
mod tests {
    use super::parse_ns;

    #[test]
    fn durations_are_read_as_go_writes_them() {
        let cases: [(&str, Option<u64>); 14] = [
            ("1.5s", Some(1_500_000_000)),
            ("100ms", Some(100_000_000)),
            ("250us", Some(250_000)),
            ("250µs", Some(250_000)),
            ("7ns", Some(7)),
            ("1h30m", Some(5_400_000_000_000)),
            ("2d", Some(172_800_000_000_000)),
            ("0", Some(0)),
            ("", None),
            ("5", None),
            ("-1s", None),
            ("1x", None),
            ("s", None),
            ("9999999999999h", None),
        ];
        for (text, expected) in cases {
            assert_eq!(parse_ns(text).ok(), expected, "{text:?}");
        }
    }
}

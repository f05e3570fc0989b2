//! Figures as a person reads them.

use crm_chart::short;

/// `1.8 ms`, `3.2 s`, or a dash where there were no calls.
pub(super) fn duration(ms: f64) -> String {
    match ms {
        _ if !ms.is_finite() || ms <= 0.0 => "–".to_owned(),
        _ if ms >= 999.5 => format!("{} s", short(ms / 1e3)),
        _ => format!("{} ms", short(ms)),
    }
}

/// `52 %` of a part from 0 to 1.
pub(super) fn percent(part: f64) -> String {
    match part * 100.0 {
        percent if !percent.is_finite() => "–".to_owned(),
        percent if percent > 0.0 && percent < 1.0 => "< 1 %".to_owned(),
        percent => format!("{percent:.0} %"),
    }
}

/// `8.1/s`.
pub(super) fn rate(per_second: f64) -> String {
    if per_second.is_finite() { format!("{}/s", short((per_second * 10.0).round() / 10.0)) } else { "–".to_owned() }
}

/// `12 s`, `3 min`.
pub(super) fn ago(seconds: f64) -> String {
    if seconds < 90.0 { format!("{seconds:.0} s") } else { format!("{:.0} min", seconds / 60.0) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_short() {
        assert_eq!(
            (duration(1.84).as_str(), duration(3_210.0).as_str(), duration(0.0).as_str()),
            ("1.84 ms", "3.21 s", "–")
        );
        assert_eq!(
            (percent(0.523).as_str(), percent(0.004).as_str(), percent(f64::NAN).as_str()),
            ("52 %", "< 1 %", "–")
        );
        assert_eq!((rate(8.123).as_str(), rate(f64::NAN).as_str()), ("8.1/s", "–"));
        assert_eq!((ago(12.3).as_str(), ago(200.0).as_str()), ("12 s", "3 min"));
    }
}

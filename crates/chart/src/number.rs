//! Numbers as short as they can be read.

/// A number with about three significant digits: `0.25`, `3.5`, `42`, `1.2k`, `3.4M`. A dash for what is no number.
#[must_use]
pub fn short(value: f64) -> String {
    if !value.is_finite() {
        return "–".to_owned();
    }
    let size = value.abs();
    match size {
        _ if size >= 999_500.0 => format!("{}M", trimmed(value / 1e6, 1)),
        _ if size >= 9_995.0 => format!("{}k", trimmed(value / 1e3, 1)),
        _ if size >= 99.5 => format!("{value:.0}"),
        _ if size >= 9.95 => trimmed(value, 1),
        _ if size >= 0.095 => trimmed(value, 2),
        _ if size >= 0.0005 => trimmed(value, 4),
        _ if size == 0.0 => "0".to_owned(),
        _ => format!("{value:.0e}"),
    }
}

/// So many decimals, without zeros at the end.
fn trimmed(value: f64, decimals: usize) -> String {
    let text = format!("{value:.decimals$}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short_and_lose_nothing_that_matters() {
        let check = |value: f64, text: &str| assert_eq!(short(value), text, "{value}");
        check(0.0, "0");
        check(0.00125, "0.0013");
        check(0.25, "0.25");
        check(3.5, "3.5");
        check(10.0, "10");
        check(42.04, "42");
        check(100.0, "100");
        check(812.4, "812");
        check(8_000.0, "8000");
        check(12_345.0, "12.3k");
        check(3_400_000.0, "3.4M");
        check(-2.5, "-2.5");
        check(f64::NAN, "–");
        check(0.00001, "1e-5");
    }
}

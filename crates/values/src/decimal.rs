//! Decimal numbers as whole numbers of their smallest part, so that what is counted with them is exact.

use crate::Flaw;

/// The number in parts of `10^-places`: `1.5` with three places is 1,500. Not negative.
///
/// # Errors
/// It is more than `most` parts, has more places, or is written otherwise than with digits and one point.
pub fn parse_decimal(text: &str, places: usize, most: i64) -> Result<i64, Flaw> {
    let (whole, part) = text.split_once('.').unwrap_or((text, "0"));
    let is_digits = |digits: &str| !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit());
    if !is_digits(whole) || !is_digits(part) {
        return Err(Flaw::malformed("must be a number such as \"1\" or \"1.5\""));
    }
    let part = part.trim_end_matches('0');
    if part.len() > places {
        return Err(Flaw::new(Flaw::OUT_OF_RANGE, format!("must have at most {places} decimal places")));
    }
    let parts = format!("{whole}{part:0<places$}").parse().ok().filter(|parts| *parts <= most);
    parts.ok_or_else(|| Flaw::new(Flaw::OUT_OF_RANGE, format!("must be at most {}", show_decimal(most, places))))
}

/// The number as it is written, without zeros at its end.
pub fn show_decimal(parts: i64, places: usize) -> String {
    let digits = format!("{parts:0>width$}", width = places + 1);
    let (whole, part) = digits.split_at(digits.len() - places);
    match part.trim_end_matches('0') {
        "" => whole.to_owned(),
        part => format!("{whole}.{part}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_are_whole_numbers_of_their_parts() {
        for (text, parts, shown) in [
            ("1", 1_000, "1"),
            ("1.5", 1_500, "1.5"),
            ("0.001", 1, "0.001"),
            ("00.100000", 100, "0.1"),
            ("0", 0, "0"),
            ("9999.999", 9_999_999, "9999.999"),
        ] {
            assert_eq!(parse_decimal(text, 3, 9_999_999), Ok(parts), "{text}");
            assert_eq!(show_decimal(parts, 3), shown);
        }
        assert_eq!((parse_decimal("7.25", 2, 10_000), show_decimal(700, 2)), (Ok(725), "7".to_owned()));
        for none in ["", ".", "1.", ".5", "-1", "+1", "1,5", "1e3", " 1", "１", "1.2.3", "NaN"] {
            assert_eq!(parse_decimal(none, 3, 10_000).map_err(|flaw| flaw.reason), Err(Flaw::MALFORMED), "{none:?}");
        }
        for beyond in ["10.001", "0.0001", "99999999999999999999999"] {
            assert_eq!(parse_decimal(beyond, 3, 10_000).map_err(|flaw| flaw.reason), Err(Flaw::OUT_OF_RANGE));
        }
    }
}

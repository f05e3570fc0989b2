//! Dates without a time, as ISO 8601 writes them: in this form, their order is that of texts.

use crate::Flaw;

/// The date, such as `2026-01-31`.
///
/// # Errors
/// It is none of the years 1 to 9999, or is written otherwise.
pub fn parse_calendar_date(text: &str) -> Result<String, Flaw> {
    if is_date(text) { Ok(text.to_owned()) } else { Err(Flaw::malformed("must be a date such as \"2026-01-31\"")) }
}

fn is_date(text: &str) -> bool {
    let [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] = text.as_bytes() else { return false };
    let number = |digits: &[u8]| {
        let digit = |so_far: u32, digit: &u8| digit.is_ascii_digit().then(|| so_far * 10 + u32::from(digit - b'0'));
        digits.iter().try_fold(0, digit)
    };
    let parts = (number(&[*y1, *y2, *y3, *y4]), number(&[*m1, *m2]), number(&[*d1, *d2]));
    let (Some(year), Some(month), Some(day)) = parts else { return false };
    year > 0 && (1..=days(year, month)).contains(&day)
}

fn days(year: u32, month: u32) -> u32 {
    let is_leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if is_leap => 29,
        2 => 28,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_days_that_there_are() {
        for date in ["2026-01-31", "2024-02-29", "2000-02-29", "0001-01-01", "9999-12-31", "2026-04-30"] {
            assert_eq!(parse_calendar_date(date).as_deref(), Ok(date));
        }
        for none in [
            "",
            "2026-02-29",
            "1900-02-29",
            "2026-00-10",
            "2026-13-01",
            "2026-04-31",
            "2026-01-00",
            "2026-1-1",
            "0000-01-01",
            "2026-01-32",
            "20260131",
            "2026-01-31T00:00:00Z",
            "+026-01-31",
            "2026/01/31",
            "２026-01-3",
        ] {
            assert!(parse_calendar_date(none).is_err(), "{none}");
        }
    }
}

//! Numbers as JSON writes them, read without a detour through a double: what is whole stays exact, however it is written.

/// A number of JSON's grammar, in its parts.
struct Decimal<'a> {
    is_negative: bool,
    whole: &'a str,
    fraction: &'a str,
    /// Saturated: beyond it no digits could make up for it.
    exponent: i64,
}

/// Most digits that an integer of 64 bits has.
const MOST_DIGITS: usize = 20;

/// How many bytes at the beginning of `text` are a number; `Err` is where it stops being one.
pub(super) fn scan(text: &[u8]) -> Result<usize, usize> {
    let mut at = usize::from(text.first() == Some(&b'-'));
    at = match text.get(at) {
        Some(b'0') => at + 1,
        _ => digits(text, at)?,
    };
    if text.get(at) == Some(&b'.') {
        at = digits(text, at + 1)?;
    }
    if matches!(text.get(at), Some(b'e' | b'E')) {
        at += 1 + usize::from(matches!(text.get(at + 1), Some(b'+' | b'-')));
        at = digits(text, at)?;
    }
    Ok(at)
}

/// Past one digit or more.
fn digits(text: &[u8], from: usize) -> Result<usize, usize> {
    let count = text.get(from..).unwrap_or_default().iter().take_while(|byte| byte.is_ascii_digit()).count();
    if count == 0 { Err(from) } else { Ok(from + count) }
}

/// The integer that a text says in JSON's grammar: `7`, `1e3`, `100.0`; neither `+7` nor `07`.
pub(super) fn integer(text: &str) -> Option<i128> {
    let Decimal { is_negative, whole, fraction, exponent } = Decimal::read(text)?;
    let significant = || whole.bytes().chain(fraction.bytes()).skip_while(|digit| *digit == b'0');
    let (mut length, mut zeros_behind) = (0_usize, 0_usize);
    for digit in significant() {
        length += 1;
        zeros_behind = if digit == b'0' { zeros_behind + 1 } else { 0 };
    }
    if length == 0 {
        return Some(0);
    }
    let kept = length - zeros_behind;
    let shift = exponent.checked_sub(i64::try_from(fraction.len()).ok()?)?;
    let zeros = usize::try_from(shift.checked_add(i64::try_from(zeros_behind).ok()?)?).ok()?;
    if kept > MOST_DIGITS || zeros > MOST_DIGITS - kept {
        return None;
    }
    let digits = significant().take(kept).chain(std::iter::repeat_n(b'0', zeros));
    let value = digits.fold(0_i128, |value, digit| value * 10 + i128::from(digit - b'0'));
    Some(if is_negative { -value } else { value })
}

/// The double nearest to what a text says in JSON's grammar; none beyond the largest.
pub(super) fn double(text: &str) -> Option<f64> {
    Decimal::read(text)?;
    text.parse().ok().filter(|value: &f64| value.is_finite())
}

/// Whether a double keeps all digits that a text says in JSON's grammar: whether what it writes is the same number.
pub(super) fn fits_double(text: &str) -> bool {
    let Some(shortest) = double(text).map(|value| format!("{value:e}")) else { return false };
    let digits = |text| Decimal::read(text).and_then(|decimal| decimal.digits());
    digits(text).is_some_and(|written| digits(&shortest) == Some(written))
}

impl<'a> Decimal<'a> {
    /// Its digits without zeros at either end, and which power of ten the last of them counts; neither of zero.
    fn digits(&self) -> Option<(String, i64)> {
        let all: String = [self.whole, self.fraction].concat();
        let kept = all.trim_end_matches('0');
        let behind = i64::try_from(self.fraction.len()).ok()? - i64::try_from(all.len() - kept.len()).ok()?;
        let kept = kept.trim_start_matches('0');
        if kept.is_empty() {
            return Some((String::new(), 0));
        }
        Some((kept.to_owned(), self.exponent.checked_sub(behind)?))
    }

    fn read(text: &'a str) -> Option<Self> {
        if scan(text.as_bytes()) != Ok(text.len()) {
            return None;
        }
        let (is_negative, text) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
        let (number, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        let far = if exponent.starts_with('-') { i64::MIN / 2 } else { i64::MAX / 2 };
        Some(Self { is_negative, whole, fraction, exponent: exponent.parse().map_or(far, |near: i32| near.into()) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_whole_is_an_integer_however_it_is_written() {
        let check = |text: &str, expected: Option<i128>| assert_eq!(integer(text), expected, "{text}");
        for (text, expected) in [
            ("0", 0),
            ("-0", 0),
            ("-0.00e7", 0),
            ("0e999999999999999999999", 0),
            ("1e3", 1000),
            ("1E+3", 1000),
            ("100.0", 100),
            ("-1.50e1", -15),
            ("1200e-2", 12),
            ("0.00012e5", 12),
            ("9223372036854775807.000", i128::from(i64::MAX)),
            ("18446744073709551615", i128::from(u64::MAX)),
            ("18446744073709551615000e-3", i128::from(u64::MAX)),
            ("99999999999999999999", 99_999_999_999_999_999_999),
        ] {
            check(text, Some(expected));
        }
        for text in [
            "",
            "-",
            "+7",
            "07",
            "-07",
            " 7",
            "7 ",
            "7.",
            ".5",
            "1.5",
            "1e",
            "1e+",
            "1e-1",
            "0x7",
            "1_000",
            "٣",
            "NaN",
            "Infinity",
            "1e999999999",
            "1e99999999999999999999",
            "1e-99999999999999999999",
            "1e20",
            "100000000000000000000",
            "7f",
            "1e3.0",
            "--1",
        ] {
            check(text, None);
        }
        check(&format!("{}e-{}", "10".repeat(4), 1_000_000), None);
        check(&format!("1{}e-100000", "0".repeat(100_000)), Some(1));
    }

    #[test]
    fn a_double_keeps_what_it_writes_as_it_was_written() {
        let check = |text: &str, expected: bool| assert_eq!(fits_double(text), expected, "{text}");
        for text in [
            "0",
            "-0.000e7",
            "1",
            "-1.50",
            "0.1",
            "1e3",
            "1000.0",
            "1e22",
            "123456789012345",
            "0.000000001",
            "9007199254740992",
            "90071992547409920e-1",
            "0.30000000000000004",
            "1.7976931348623157e308",
            "5e-324",
        ] {
            check(text, true);
        }
        for text in [
            "9007199254740993",
            "9007199254740993.0",
            "-900719925474099.31",
            "1000000000000000000000001",
            "0.1000000000000000055511151231257827",
            "0.30000000000000001",
            "1e400",
            "1e-400",
            "5.5e-324",
            "+1",
            "",
        ] {
            check(text, false);
        }
        check(&format!("1{}1", "0".repeat(100_000)), false);
        check(&format!("0.{}1e100001", "0".repeat(100_000)), true);
    }

    #[test]
    fn doubles_have_the_same_grammar_and_an_end() {
        let check = |text: &str, expected: Option<f64>| assert_eq!(double(text), expected, "{text}");
        check("1e3", Some(1000.0));
        check("-0", Some(-0.0));
        check("1e-400", Some(0.0));
        check("1.7976931348623157e308", Some(f64::MAX));
        for text in ["1e400", "1e999999999", "-1e400", "+1", "01", "inf", "nan", "NaN", "infinity", "", "1.", ".5"] {
            check(text, None);
        }
    }
}

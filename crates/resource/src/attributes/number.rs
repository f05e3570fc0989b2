//! Numbers: decimal, and kept as they are written.
//!
//! They travel as doubles, which keep any 15 digits. A number of more is refused, and none is ever rounded: who reads a
//! value reads the digits that somebody wrote.

use crm_proto::standard::any_json;
use crm_values::Flaw;
use prost_types::value::Kind;
use serde_json::Value;

const MOST_DIGITS: usize = 15;
const MOST_DECIMALS: i32 = 9;

fn too_long() -> Flaw {
    Flaw::new(Flaw::OUT_OF_RANGE, "must be a number of at most 15 digits, 9 of them behind the point")
}

/// The number that a text says, which may be digits with a point, or none.
pub(super) fn parse(text: &str) -> Result<f64, Flaw> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    if [whole, fraction].iter().any(|part| part.is_empty() || !part.bytes().all(|byte| byte.is_ascii_digit())) {
        return Err(Flaw::malformed("must be a number"));
    }
    let significant = whole.trim_start_matches('0').len() + fraction.trim_end_matches('0').len();
    // More of them would be rounded here, before anybody could see it.
    if significant > MOST_DIGITS {
        return Err(too_long());
    }
    text.parse().map_err(|_| Flaw::malformed("must be a number"))
}

/// The number as it is stored: whole ones as such.
pub(super) fn stored(number: f64) -> Result<Value, Flaw> {
    let (digits, exponent) = decimal(number).ok_or_else(too_long)?;
    let decimals = i32::try_from(digits.len()).map_err(|_| too_long())? - 1 - exponent;
    if digits.len() > MOST_DIGITS || decimals > MOST_DECIMALS || exponent >= 15 {
        return Err(too_long());
    }
    // There is one zero.
    let number = if number == 0.0 { 0.0 } else { number };
    Ok(any_json(&prost_types::Value { kind: Some(Kind::NumberValue(number)) }))
}

/// Beyond the largest number, as [`scaled`] has it.
pub(super) const BEYOND: i128 = 10_i128.pow(24);

/// So many thousand millionths is it, if it is one that is kept.
pub(super) fn scaled(number: f64) -> Option<i128> {
    let (digits, exponent) = decimal(number)?;
    let decimals = i32::try_from(digits.len()).ok()? - 1 - exponent;
    let zeros = u32::try_from(MOST_DECIMALS - decimals).ok()?;
    let scaled = digits.parse::<i128>().ok()?.checked_mul(10_i128.checked_pow(zeros)?)?;
    (scaled < BEYOND).then_some(if number < 0.0 { -scaled } else { scaled })
}

/// Whole units and thousand millionths of one that is kept.
pub(crate) fn units_of(number: f64) -> Option<(i64, i32)> {
    const ONE: i128 = 1_000_000_000;
    let scaled = scaled(number)?;
    Some((i64::try_from(scaled / ONE).ok()?, i32::try_from(scaled % ONE).ok()?))
}

/// The fewest digits that name this number, and the power of ten that the first of them counts.
fn decimal(number: f64) -> Option<(String, i32)> {
    let written = number.is_finite().then(|| format!("{:e}", number.abs()))?;
    let (digits, exponent) = written.split_once('e')?;
    Some((digits.replace('.', ""), exponent.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_text_that_says_more_digits_than_are_kept_is_no_number() {
        for (text, expected) in [("0", 0.0), ("-12.50", -12.5), ("007", 7.0), ("123456.789012345", 123_456.789_012_345)]
        {
            assert_eq!(parse(text), Ok(expected), "{text}");
        }
        for text in ["", "-", ".5", "5.", "1e3", "+1", "1,5", "0x7", "NaN", "inf", "1.2.3", " 1"] {
            assert_eq!(parse(text).unwrap_err().reason, Flaw::MALFORMED, "{text}");
        }
        for text in ["9007199254740993", "0.1000000000000000055", "1000000000000000.0"] {
            assert_eq!(parse(text).unwrap_err().reason, Flaw::OUT_OF_RANGE, "{text}");
        }
    }

    #[test]
    fn numbers_of_fifteen_digits_are_kept_and_no_others_are_taken() {
        for (number, expected) in [
            (0.0, json!(0)),
            (-0.0, json!(0)),
            (5.0, json!(5)),
            (-1.5, json!(-1.5)),
            (0.1, json!(0.1)),
            (999_999_999_999_999.0, json!(999_999_999_999_999_i64)),
            (-999_999_999_999_999.0, json!(-999_999_999_999_999_i64)),
            (100_000_000_000_000.0, json!(100_000_000_000_000_i64)),
            (0.000_000_001, json!(0.000_000_001)),
            (123_456.789_012_345, json!(123_456.789_012_345)),
        ] {
            assert_eq!(stored(number), Ok(expected), "{number}");
        }
        for number in [
            1e15,
            -1e15,
            1e22,
            9_007_199_254_740_992.0,
            0.1 + 0.2,
            0.000_000_000_1,
            1.000_000_000_1,
            f64::NAN,
            f64::INFINITY,
            f64::NEG_INFINITY,
            f64::MAX,
            f64::MIN_POSITIVE,
        ] {
            assert_eq!(stored(number).unwrap_err().reason, Flaw::OUT_OF_RANGE, "{number}");
        }
    }
}

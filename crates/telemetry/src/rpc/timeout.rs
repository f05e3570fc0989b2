use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue};

/// The header in which a call's time travels: at most eight digits and a unit.
pub const GRPC_TIMEOUT: HeaderName = HeaderName::from_static("grpc-timeout");

/// A `grpc-timeout` that is not what gRPC's specification says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("grpc-timeout must be 1 to 8 digits and a unit (H, M, S, m, u, n)")]
pub struct MalformedTimeout;

/// What the caller allows; none if it says nothing.
pub fn read_timeout(headers: &HeaderMap) -> Result<Option<Duration>, MalformedTimeout> {
    headers.get(GRPC_TIMEOUT).map(|value| parse(value.as_bytes())).transpose()
}

fn parse(value: &[u8]) -> Result<Duration, MalformedTimeout> {
    let (unit, digits) = value.split_last().ok_or(MalformedTimeout)?;
    if digits.is_empty() || digits.len() > 8 || !digits.iter().all(u8::is_ascii_digit) {
        return Err(MalformedTimeout);
    }
    let number = digits.iter().fold(0_u64, |number, digit| number * 10 + u64::from(digit - b'0'));
    match unit {
        b'H' => Ok(Duration::from_secs(number * 3600)),
        b'M' => Ok(Duration::from_secs(number * 60)),
        b'S' => Ok(Duration::from_secs(number)),
        b'm' => Ok(Duration::from_millis(number)),
        b'u' => Ok(Duration::from_micros(number)),
        b'n' => Ok(Duration::from_nanos(number)),
        _ => Err(MalformedTimeout),
    }
}

/// Tells the next hop what is left, in the finest unit that fits; never zero, which some servers take for "none".
pub fn write_timeout(headers: &mut HeaderMap, left: Duration) {
    const MOST: u128 = 99_999_999;
    let (number, unit) = match (left.as_micros(), left.as_millis()) {
        (micros, _) if micros <= MOST => (micros.max(1), b'u'),
        (_, millis) if millis <= MOST => (millis, b'm'),
        _ => (u128::from(left.as_secs()).min(MOST), b'S'),
    };
    let (mut text, mut at, mut rest) = ([0_u8; 9], 8, u32::try_from(number).unwrap_or(0));
    text[8] = unit;
    while rest > 0 {
        at -= 1;
        text[at] = b'0' + u8::try_from(rest % 10).unwrap_or(0);
        rest /= 10;
    }
    if let Ok(value) = HeaderValue::from_bytes(&text[at..]) {
        headers.insert(GRPC_TIMEOUT, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_unit_is_read_and_anything_else_is_refused() {
        let cases = [
            ("1H", Ok(Duration::from_secs(3600))),
            ("2M", Ok(Duration::from_secs(120))),
            ("3S", Ok(Duration::from_secs(3))),
            ("250m", Ok(Duration::from_millis(250))),
            ("99999999u", Ok(Duration::from_micros(99_999_999))),
            ("7n", Ok(Duration::from_nanos(7))),
            ("0n", Ok(Duration::ZERO)),
            ("99999999H", Ok(Duration::from_secs(99_999_999 * 3600))),
            ("", Err(MalformedTimeout)),
            ("m", Err(MalformedTimeout)),
            ("100", Err(MalformedTimeout)),
            ("123456789m", Err(MalformedTimeout)),
            ("-1S", Err(MalformedTimeout)),
            ("1.5S", Err(MalformedTimeout)),
            ("1s", Err(MalformedTimeout)),
            ("+1S", Err(MalformedTimeout)),
            ("1 S", Err(MalformedTimeout)),
            ("1\u{fc}", Err(MalformedTimeout)),
        ];
        for (text, expected) in cases {
            assert_eq!(parse(text.as_bytes()), expected, "{text}");
        }
    }

    #[test]
    fn what_is_written_reads_back_to_within_its_unit() {
        let cases = [
            (Duration::ZERO, Duration::from_micros(1)),
            (Duration::from_micros(999_999), Duration::from_micros(999_999)),
            (Duration::from_secs(60), Duration::from_secs(60)),
            (Duration::from_millis(120_500), Duration::from_millis(120_500)),
            (Duration::from_secs(400_000), Duration::from_secs(400_000)),
        ];
        for (left, expected) in cases {
            let mut headers = HeaderMap::new();
            write_timeout(&mut headers, left);
            assert_eq!(read_timeout(&headers), Ok(Some(expected)));
        }
    }
}

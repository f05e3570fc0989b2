//! `x-crm-timeout`: how long a REST caller is ready to wait.
//!
//! The counterpart of `grpc-timeout` for people: a whole number and a unit, `500ms`, `2s` or `1m`.
//! A header of our own, because no standard one says this: `Request-Timeout` is a draft that expired, and `Prefer:
//! wait` (RFC 7240) means the time after which an answer may come later instead of never.

use std::time::Duration;

use http::HeaderMap;

/// Name of the header.
pub(crate) const TIMEOUT: &str = "x-crm-timeout";

/// The header is not a whole number with a unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct InvalidTimeout;

/// Reads the header; `Ok(None)` where there is none.
pub(crate) fn read(headers: &HeaderMap) -> Result<Option<Duration>, InvalidTimeout> {
    let Some(value) = headers.get(TIMEOUT) else { return Ok(None) };
    let text = value.to_str().map_err(|_| InvalidTimeout)?;
    parse(text).map(Some).ok_or(InvalidTimeout)
}

fn parse(text: &str) -> Option<Duration> {
    let digits = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at(digits);
    let number: u32 = number.parse().ok().filter(|number| *number > 0)?;
    match unit {
        "ms" => Some(Duration::from_millis(number.into())),
        "s" => Some(Duration::from_secs(number.into())),
        "m" => Some(Duration::from_secs(u64::from(number) * 60)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn check(text: &'static str, expected: Result<Option<Duration>, InvalidTimeout>) {
        let headers = HeaderMap::from_iter([(TIMEOUT.parse().expect("name"), HeaderValue::from_static(text))]);
        assert_eq!(read(&headers), expected, "{text}");
    }

    #[test]
    fn numbers_with_a_unit_are_read() {
        check("500ms", Ok(Some(Duration::from_millis(500))));
        check("2s", Ok(Some(Duration::from_secs(2))));
        check("1m", Ok(Some(Duration::from_secs(60))));
        assert_eq!(read(&HeaderMap::new()), Ok(None));
    }

    #[test]
    fn anything_else_is_refused() {
        for text in ["", "5", "s", "0s", "-1s", "1.5s", "5 s", "99999999999s", "1h"] {
            check(text, Err(InvalidTimeout));
        }
    }
}

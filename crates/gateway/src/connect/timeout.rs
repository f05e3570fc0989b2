//! `connect-timeout-ms`: how long a caller is ready to wait.

use std::time::Duration;

use http::HeaderMap;

/// Name of the header.
pub(super) const TIMEOUT: &str = "connect-timeout-ms";

/// The header is not a whole number of one to ten digits, or none at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct InvalidTimeout;

/// Reads the header; `Ok(None)` where there is none.
pub(super) fn read(headers: &HeaderMap) -> Result<Option<Duration>, InvalidTimeout> {
    let Some(value) = headers.get(TIMEOUT) else { return Ok(None) };
    let text = value.to_str().map_err(|_| InvalidTimeout)?;
    let is_number = (1..=10).contains(&text.len()) && text.bytes().all(|digit| digit.is_ascii_digit());
    let millis = text.parse().ok().filter(|millis| is_number && *millis > 0);
    millis.map(|millis| Some(Duration::from_millis(millis))).ok_or(InvalidTimeout)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn milliseconds_of_at_most_ten_digits_are_read() {
        let check = |text, expected| {
            let value = HeaderValue::from_bytes(str::as_bytes(text)).expect("value");
            let headers = HeaderMap::from_iter([(http::HeaderName::from_static(TIMEOUT), value)]);
            assert_eq!(read(&headers), expected, "{text}");
        };
        check("1", Ok(Some(Duration::from_millis(1))));
        check("0000000005", Ok(Some(Duration::from_millis(5))));
        check("9999999999", Ok(Some(Duration::from_millis(9_999_999_999))));
        for wrong in ["", "0", "-1", "+1", "1.5", "1s", "00000000005", "10000000000", "x", "１"] {
            check(wrong, Err(InvalidTimeout));
        }
        assert_eq!(read(&HeaderMap::new()), Ok(None));
    }
}

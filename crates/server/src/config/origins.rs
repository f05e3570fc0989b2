use std::fmt;
use std::str::FromStr;

use http::HeaderValue;
use url::{Position, Url};

/// Origins whose pages may do what others may not (CORS), as browsers write them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Origins(Vec<HeaderValue>);

/// Text that is no list of origins.
#[derive(Debug, PartialEq, Eq)]
pub struct NotAnOrigin(usize);

impl fmt::Display for NotAnOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Not what it is: somebody may have written a password into it.
        write!(f, "part {} is no origin; write them as https://shop.example, with commas between them", self.0)
    }
}

impl std::error::Error for NotAnOrigin {}

impl Origins {
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether this is one of them.
    pub fn contains(&self, origin: &HeaderValue) -> bool {
        self.0.contains(origin)
    }
}

impl FromStr for Origins {
    type Err = NotAnOrigin;

    /// Scheme, host and port, and nothing else. `*` is none: who may is named.
    fn from_str(text: &str) -> Result<Self, NotAnOrigin> {
        let origins = text.split(',').zip(1..).map(|(origin, part)| read(origin.trim()).ok_or(NotAnOrigin(part)));
        origins.collect::<Result<_, _>>().map(Self)
    }
}

/// As a browser sends it: in lower case, without the scheme's own port, and in ASCII.
fn read(origin: &str) -> Option<HeaderValue> {
    let url = Url::parse(&format!("{}/", origin.to_ascii_lowercase())).ok()?;
    let host = &url[Position::BeforeHost..Position::AfterPort];
    let origin = format!("{}://{host}", url.scheme());
    let is_whole = url.as_str().strip_suffix('/') == Some(&*origin);
    (is_whole && !host.is_empty() && !host.contains('*')).then(|| HeaderValue::try_from(origin).ok())?
}

#[cfg(test)]
#[allow(clippy::expect_used)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_those_that_browsers_send() {
        let two: Origins = "HTTPS://Shop.example:443, http://localhost:3000".parse().expect("origins");
        for sent in ["https://shop.example", "http://localhost:3000"] {
            assert!(two.contains(&HeaderValue::from_static(sent)), "{sent}");
        }
        assert!(!two.contains(&HeaderValue::from_static("http://shop.example")));
        for one in ["http://shop.example:80", "http://[::1]:8080", "app://localhost", "https://a.example:4430"] {
            one.parse::<Origins>().expect(one);
        }
        let punycode: Origins = "https://Müller.example".parse().expect("origins");
        assert!(punycode.contains(&HeaderValue::from_static("https://xn--mller-kva.example")));
        for wrong in [
            "*",
            "https://*.example",
            "shop.example",
            "localhost:3000",
            "https://shop.example/",
            "https://shop.example?",
            "https://shop.example#",
            "https://a@b.example",
            "https://",
            "app://",
            "https://a:70000",
            "null",
            ",",
            "",
        ] {
            assert!(wrong.parse::<Origins>().is_err(), "{wrong}");
        }
    }
}

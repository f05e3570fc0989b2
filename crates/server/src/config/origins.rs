use std::fmt;
use std::str::FromStr;

use http::{HeaderValue, Uri};

/// Origins whose pages may do what others may not (CORS), as browsers write them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Origins(Vec<HeaderValue>);

/// Text that is no list of origins.
#[derive(Debug, PartialEq, Eq)]
pub struct NotAnOrigin(String);

impl fmt::Display for NotAnOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} is no origin; write them as https://shop.example, with commas between them", self.0)
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
        let origins = text.split(',').map(|origin| read(origin.trim()).ok_or_else(|| NotAnOrigin(origin.to_owned())));
        origins.collect::<Result<_, _>>().map(Self)
    }
}

/// In lower case and without the scheme's own port, as a browser sends it.
fn read(origin: &str) -> Option<HeaderValue> {
    let origin = origin.to_ascii_lowercase();
    let uri: Uri = origin.parse().ok()?;
    let (scheme, authority) = (uri.scheme_str()?, uri.authority()?.as_str());
    if format!("{scheme}://{authority}") != origin || origin.contains(['@', '*']) {
        return None;
    }
    let own_port = match scheme {
        "http" => ":80",
        "https" => ":443",
        _ => "",
    };
    HeaderValue::try_from(origin.strip_suffix(own_port).unwrap_or(&origin)).ok()
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
        for wrong in
            ["*", "https://*.example", "shop.example", "https://shop.example/", "https://a@b.example", "null", ",", ""]
        {
            assert!(wrong.parse::<Origins>().is_err(), "{wrong}");
        }
    }
}

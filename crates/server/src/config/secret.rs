use std::borrow::Cow;
use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;

use url::Url;

/// A setting that is not to be seen: a password, or a URL with one in it.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// The text itself. Whoever calls this must not print it.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// The URL with a password for its user; `None` if it is none, names no user, or has a password, in its query as well.
    pub fn with_password(&self, password: &str) -> Option<Self> {
        let mut url = Url::parse(&self.0).ok()?;
        let is_password = |(name, _): (Cow<'_, str>, _)| name == "password";
        if url.username().is_empty() || url.password().is_some() || url.query_pairs().any(is_password) {
            return None;
        }
        // The one byte that is left as it is, as what is set may be encoded.
        url.set_password(Some(&password.replace('%', "%25"))).ok()?;
        Some(Self(url.into()))
    }
}

impl FromStr for Secret {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

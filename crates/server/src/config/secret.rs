use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;

/// A setting that is not to be seen: a password, or a URL with one in it.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// The text itself. Whoever calls this must not print it.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// The URL with a password for its user, percent-encoded (RFC 3986); `None` if it names no user, or has a password.
    pub fn with_password(&self, password: &str) -> Option<Self> {
        let (scheme, rest) = self.0.split_once("://")?;
        let (user, host) = rest.split_once('@')?;
        if user.is_empty() || user.contains([':', '/', '?']) {
            return None;
        }
        let encoded: String = password.bytes().map(encode).collect();
        Some(Self(format!("{scheme}://{user}:{encoded}@{host}")))
    }
}

fn encode(byte: u8) -> String {
    if byte.is_ascii_alphanumeric() { char::from(byte).to_string() } else { format!("%{byte:02X}") }
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

//! A token as it comes (RFC 7515, 7.1), looked at before any key is.
//!
//! The library reads it more kindly than the standards want: it passes over `crit`, takes a list for claims, and leaves
//! unread what it does not look for.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, IgnoredAny},
};

use super::TokenError;
use crate::json::Object;

/// Longest token that is looked at; ours have about 350 bytes.
pub(super) const LONGEST: usize = 4096;
/// What a token may say that it is (RFC 7519, 5.1, and RFC 9068); one that says nothing is one of ours, too.
const TYPES: [&str; 2] = ["jwt", "at+jwt"];

/// What is looked at. Keys that a header brings along or points to (`jwk`, `jku`, `x5u`, `kid`) are not: a token does not
/// choose the key that it is judged by. A name that stands twice is refused.
#[derive(Deserialize)]
struct Header {
    alg: String,
    #[serde(default, deserialize_with = "there")]
    typ: Option<String>,
    #[serde(default, deserialize_with = "there")]
    crit: Option<IgnoredAny>,
    #[serde(default, deserialize_with = "there")]
    b64: Option<bool>,
}

/// Checks what can be checked without a key.
pub(super) fn check(bearer: &str) -> Result<(), TokenError> {
    if bearer.len() > LONGEST {
        return Err(TokenError::Malformed);
    }
    let mut parts = bearer.split('.');
    let header: Header = object(parts.next())?;
    // Before the rest, so that `none` is told apart from garbage.
    if header.alg != "EdDSA" {
        return Err(TokenError::Algorithm);
    }
    // Extensions of which there is none that we know (RFC 7515, 4.1.11); a malformed list is no better.
    if header.crit.is_some() {
        return Err(TokenError::Critical);
    }
    // RFC 7797, 7: no token is without base64.
    if header.b64 == Some(false) || !header.typ.is_none_or(|typ| is_token(&typ)) {
        return Err(TokenError::Malformed);
    }
    object::<IgnoredAny>(parts.next())?;
    if parts.next().is_none() || parts.next().is_some() { Err(TokenError::Malformed) } else { Ok(()) }
}

/// What the claims say, whoever signed them; nothing, where they cannot be read as an object.
pub(super) fn unverified<T: DeserializeOwned>(bearer: &str) -> Option<T> {
    object(bearer.split('.').nth(1)).ok()
}

/// Media types are compared in any case, and `application/` may be left out (RFC 7515, 4.1.9).
fn is_token(typ: &str) -> bool {
    let typ = typ.to_ascii_lowercase();
    TYPES.contains(&typ.strip_prefix("application/").unwrap_or(&typ))
}

/// A part that is to be a JSON object.
fn object<T: DeserializeOwned>(part: Option<&str>) -> Result<T, TokenError> {
    let bytes = URL_SAFE_NO_PAD.decode(part.unwrap_or_default()).map_err(|_| TokenError::Malformed)?;
    let text = String::from_utf8(bytes).map_err(|_| TokenError::Malformed)?;
    serde_json::from_str(&text).map(|Object(it)| it).map_err(|_| TokenError::Malformed)
}

/// For what may be left out, and must not be null.
pub(super) fn there<'de, D: Deserializer<'de>, T: Deserialize<'de>>(value: D) -> Result<Option<T>, D::Error> {
    T::deserialize(value).map(Some)
}

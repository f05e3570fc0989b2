//! The opaque token: where the next page starts, bound to the list it was given for.
//!
//! Layout: version (1 byte) · tag (16) · scope (8) · payload, in URL-safe base64.
//! The tag is HMAC-SHA-256 over all the rest, cut to 128 bits (RFC 2104). Its key is part of this source, so the tag is no
//! secret and no permission: it tells an edited token from a whole one. What a forged token could say is only where in
//! the caller's own rows to start, since the tenant comes from the access token and the rows from row-level security.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::{digest, hmac};
use serde::Serialize;
use serde::de::DeserializeOwned;
use uuid::Uuid;

use super::PageError;

const VERSION: u8 = 1;
const TAG: usize = 16;
const SCOPE: usize = 8;
const HEAD: usize = 1 + TAG + SCOPE;
const KEY: &[u8] = b"bellwether page token, version 1";
/// Longest token that is looked at, so that a hostile one costs nothing.
const MAX_LENGTH: usize = 4_096;

/// What a token is valid for: one tenant, one list, one filter, one order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scope([u8; SCOPE]);

impl Scope {
    /// Scope of the list that `parts` describe: `Scope::new(tenant, &["accounts", filter, order])`.
    ///
    /// Each part counts with its length, so that `["ab", "c"]` and `["a", "bc"]` differ.
    pub fn new(tenant: Uuid, parts: &[&str]) -> Self {
        let mut hash = digest::Context::new(&digest::SHA256);
        hash.update(tenant.as_bytes());
        for part in parts {
            hash.update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            hash.update(part.as_bytes());
        }
        let mut scope = [0; SCOPE];
        scope.copy_from_slice(hash.finish().as_ref().get(..SCOPE).unwrap_or(&[0; SCOPE]));
        Self(scope)
    }
}

/// Token for the page that starts after `last`: the values of the last row that the order compares.
///
/// Fails only where `last` has no JSON form, such as a map with keys that are no strings.
pub fn encode<T: Serialize>(scope: Scope, last: &T) -> Result<String, serde_json::Error> {
    let payload = serde_json::to_vec(last)?;
    let mut token = Vec::with_capacity(HEAD + payload.len());
    token.push(VERSION);
    token.extend_from_slice(&tag(&scope.0, &payload));
    token.extend_from_slice(&scope.0);
    token.extend_from_slice(&payload);
    Ok(URL_SAFE_NO_PAD.encode(token))
}

/// Where the page starts; `None` for the empty token, which asks for the first page.
pub fn decode<T: DeserializeOwned>(scope: Scope, token: &str) -> Result<Option<T>, PageError> {
    if token.is_empty() {
        return Ok(None);
    }
    let bytes = open(token).ok_or(PageError::DamagedToken)?;
    let (found, payload) = verify(&bytes).ok_or(PageError::DamagedToken)?;
    if found != scope.0 {
        return Err(PageError::ForeignToken);
    }
    serde_json::from_slice(payload).map(Some).map_err(|_| PageError::DamagedToken)
}

fn open(token: &str) -> Option<Vec<u8>> {
    (token.len() <= MAX_LENGTH).then(|| URL_SAFE_NO_PAD.decode(token).ok())?
}

/// The scope and payload of a token whose tag fits.
fn verify(token: &[u8]) -> Option<(&[u8], &[u8])> {
    let (&version, rest) = token.split_first()?;
    let (found, rest) = rest.split_at_checked(TAG)?;
    let (scope, payload) = rest.split_at_checked(SCOPE)?;
    (version == VERSION && tag(scope, payload) == found).then_some((scope, payload))
}

fn tag(scope: &[u8], payload: &[u8]) -> [u8; TAG] {
    let mut context = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, KEY));
    context.update(&[VERSION]);
    context.update(scope);
    context.update(payload);
    let mut tag = [0; TAG];
    tag.copy_from_slice(context.sign().as_ref().get(..TAG).unwrap_or(&[0; TAG]));
    tag
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use time::OffsetDateTime;

    use super::*;

    type Last = (String, OffsetDateTime, Uuid);

    fn scope(parts: &[&str]) -> Scope {
        Scope::new(Uuid::nil(), parts)
    }

    fn token() -> String {
        let last: Last = ("Zoë & Sons".to_owned(), OffsetDateTime::UNIX_EPOCH, Uuid::max());
        encode(scope(&["accounts", "", "name"]), &last).unwrap()
    }

    #[test]
    fn token_comes_back_as_it_was() {
        let last: Option<Last> = decode(scope(&["accounts", "", "name"]), &token()).unwrap();
        assert_eq!(last, Some(("Zoë & Sons".to_owned(), OffsetDateTime::UNIX_EPOCH, Uuid::max())));
    }

    #[test]
    fn empty_token_asks_for_the_first_page() {
        assert_eq!(decode::<Last>(scope(&[]), ""), Ok(None));
    }

    #[test]
    fn token_of_another_list_is_refused_as_such() {
        let check = |scope: Scope| assert_eq!(decode::<Last>(scope, &token()), Err(PageError::ForeignToken));
        check(scope(&["contacts", "", "name"]));
        check(scope(&["accounts", "owner = ada", "name"]));
        check(scope(&["accounts", "", "update_time desc"]));
        check(scope(&["accounts", "name", ""]));
        check(scope(&["accounts", "", "nam", "e"]));
        check(Scope::new(Uuid::max(), &["accounts", "", "name"]));
    }

    #[test]
    fn token_of_another_shape_is_refused() {
        let result = decode::<(u8,)>(scope(&["accounts", "", "name"]), &token());
        assert_eq!(result, Err(PageError::DamagedToken));
    }

    proptest! {
        #[test]
        fn no_text_panics_or_passes(text in any::<String>()) {
            prop_assume!(!text.is_empty());
            prop_assert_eq!(decode::<Last>(scope(&[]), &text), Err(PageError::DamagedToken));
        }

        #[test]
        fn one_changed_character_is_noticed(at in any::<prop::sample::Index>(), other in "[A-Za-z0-9_-]") {
            let token = token();
            let at = at.index(token.len());
            let mut changed = token.clone();
            changed.replace_range(at..=at, &other);
            prop_assume!(changed != token);
            prop_assert_eq!(decode::<Last>(scope(&["accounts", "", "name"]), &changed), Err(PageError::DamagedToken));
        }

        #[test]
        fn cut_token_is_noticed(length in any::<prop::sample::Index>()) {
            let token = token();
            let length = 1 + length.index(token.len() - 1);
            let cut = decode::<Last>(scope(&["accounts", "", "name"]), &token[..length]);
            prop_assert_eq!(cut, Err(PageError::DamagedToken));
        }
    }
}

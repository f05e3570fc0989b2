//! The opaque token: where the next page starts, bound to the list it was given for.
//!
//! Layout: sum (8 bytes) · scope (8) · payload, in URL-safe base64. The sum is the beginning of SHA-256 over the rest. It
//! has no key, as a token is no permission: it tells an edited token from a whole one. What a forged token could say is
//! only where in the caller's own rows to start, since the tenant comes from the access token and the rows from row-level
//! security.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::digest;
use serde::Serialize;
use serde::de::DeserializeOwned;
use uuid::Uuid;

use super::PageError;

/// Longest token that is looked at, so that a hostile one costs nothing.
const MAX_LENGTH: usize = 4_096;

/// What a token is valid for: one tenant, one list, one filter, one order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scope(Sum);

/// 64 bits are plenty: nobody gains by a token that passes by chance.
type Sum = [u8; 8];

impl Scope {
    /// Scope of the list that `parts` describe: `Scope::new(tenant, &["accounts", filter, order])`.
    ///
    /// Each part counts with its length, so that `["ab", "c"]` and `["a", "bc"]` differ.
    pub fn new(tenant: Uuid, parts: &[&str]) -> Self {
        let mut described = tenant.as_bytes().to_vec();
        for part in parts {
            described.extend_from_slice(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            described.extend_from_slice(part.as_bytes());
        }
        Self(sum(&described))
    }
}

/// Token for the page that starts after `last`: the values of the last row that the order compares.
///
/// Fails only where `last` has no JSON form, such as a map with keys that are no strings.
pub fn encode<T: Serialize>(scope: Scope, last: &T) -> Result<String, serde_json::Error> {
    let summed = [scope.0.as_slice(), &serde_json::to_vec(last)?].concat();
    Ok(URL_SAFE_NO_PAD.encode([sum(&summed).as_slice(), &summed].concat()))
}

/// Where the page starts; `None` for the empty token, which asks for the first page.
pub fn decode<T: DeserializeOwned>(scope: Scope, token: &str) -> Result<Option<T>, PageError> {
    decode_within(scope, token, MAX_LENGTH)
}

/// As [`decode`], a token that may be as long as this.
pub fn decode_within<T: DeserializeOwned>(
    scope: Scope,
    token: &str,
    max_length: usize,
) -> Result<Option<T>, PageError> {
    if token.is_empty() {
        return Ok(None);
    }
    let summed = open(token, max_length).ok_or(PageError::DamagedToken)?;
    let payload = summed.strip_prefix(scope.0.as_slice()).ok_or(PageError::ForeignToken)?;
    serde_json::from_slice(payload).map(Some).map_err(|_| PageError::DamagedToken)
}

/// The scope and the payload of a whole token.
fn open(token: &str, max_length: usize) -> Option<Vec<u8>> {
    let bytes = if token.len() <= max_length { URL_SAFE_NO_PAD.decode(token).ok()? } else { return None };
    let (found, summed) = bytes.split_first_chunk()?;
    (sum(summed) == *found).then(|| summed.to_vec())
}

fn sum(bytes: &[u8]) -> Sum {
    digest::digest(&digest::SHA256, bytes).as_ref().first_chunk().copied().unwrap_or_default()
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
    fn token_of_a_release_before_is_refused() {
        let with_a_key = "AV750g4jNA-ldHT1NgZ8n78hznYnojt-DVsiWm_DqyAmIFNvbnMiLCIxOTcwLTAxLTAxVDAwOjAwOjAwWiIsImZmZmZmZmZmLWZmZmYtZmZmZi1mZmZmLWZmZmZmZmZmZmZmZiJd";
        assert_eq!(decode::<Last>(scope(&["accounts", "", "name"]), with_a_key), Err(PageError::DamagedToken));
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

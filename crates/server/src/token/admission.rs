use std::sync::Arc;

use http::HeaderMap;
use http::header::AUTHORIZATION;
use serde::Deserialize;

use super::compact::unverified;
use super::{Claims, ISSUER, Role, TokenError, Verifier};
use crate::problem::Problem;

impl Verifier {
    /// Lets in the bearer of a valid token whose role may call the method of this path, which `only_reads`, or does not.
    pub fn admit(
        &self,
        headers: &HeaderMap,
        path: &str,
        only_reads: impl FnOnce() -> bool,
    ) -> Result<Arc<Claims>, Problem> {
        let claims = self.verify(bearer(headers)?)?;
        claims.role.check(path, only_reads)?;
        Ok(claims)
    }
}

/// What anybody can read of a token.
#[derive(Deserialize)]
struct Said {
    iss: String,
    role: String,
}

/// Whether the bearer says that it is one of our services, whoever signed that. For where tokens are not verified and
/// nobody comes from within; others' tokens may say what they like.
pub fn says_service(headers: &HeaderMap) -> bool {
    let said: Option<Said> = bearer(headers).ok().and_then(unverified);
    said.is_some_and(|said| said.iss == ISSUER && said.role == Role::Service.as_str())
}

/// The token itself. The scheme's name is matched in any case (RFC 9110, 11.1).
fn bearer(headers: &HeaderMap) -> Result<&str, TokenError> {
    let value = headers.get(AUTHORIZATION).ok_or(TokenError::Missing)?;
    let text = value.to_str().map_err(|_| TokenError::Malformed)?;
    let (scheme, token) = text.split_once(' ').ok_or(TokenError::Missing)?;
    if scheme.eq_ignore_ascii_case("bearer") { Ok(token.trim()) } else { Err(TokenError::Missing) }
}

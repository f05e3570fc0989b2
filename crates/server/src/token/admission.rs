use std::sync::Arc;

use http::HeaderMap;
use http::header::AUTHORIZATION;
use tonic::Code;

use super::{Claims, Role, TokenError, Verifier};
use crate::problem::Problem;
use crate::reasons::ROLE_READ_ONLY;

impl Verifier {
    /// Lets in the bearer of a valid token whose role may call a method that `only_reads`, or does not.
    pub fn admit(&self, headers: &HeaderMap, only_reads: impl FnOnce() -> bool) -> Result<Arc<Claims>, Problem> {
        let claims = self.verify(bearer(headers)?)?;
        if claims.role.may_write() || only_reads() {
            return Ok(claims);
        }
        let message = "this role may only read";
        Err(Problem::new(Code::PermissionDenied, ROLE_READ_ONLY, message).with_metadata("role", Role::Viewer.as_str()))
    }
}

/// The token itself. The scheme's name is matched in any case (RFC 9110, 11.1).
fn bearer(headers: &HeaderMap) -> Result<&str, TokenError> {
    let value = headers.get(AUTHORIZATION).ok_or(TokenError::Missing)?;
    let text = value.to_str().map_err(|_| TokenError::Malformed)?;
    let (scheme, token) = text.split_once(' ').ok_or(TokenError::Missing)?;
    if scheme.eq_ignore_ascii_case("bearer") { Ok(token.trim()) } else { Err(TokenError::Missing) }
}

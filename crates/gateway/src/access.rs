//! Who may call: the token is checked before anything is forwarded.
//!
//! The service behind checks it again, with the same key. The check here keeps strangers from costing a replica
//! anything; the check there makes the network between the two irrelevant.

use std::sync::Arc;

use crm_server::{
    problem::Problem,
    token::{Claims, TokenError, Verifier},
};
use crm_transcode::{Idempotency, Rpc};
use http::{HeaderMap, header};
use tonic::{Code, Status};

use crate::table::Routed;

/// Reason of a write by somebody who may only read; the service gives the same.
const ROLE_READ_ONLY: &str = "ROLE_READ_ONLY";

/// The check, if this gateway has keys.
pub(crate) struct Access {
    verifier: Option<Verifier>,
}

impl Access {
    pub(crate) fn new(verifier: Option<Verifier>) -> Self {
        Self { verifier }
    }

    /// The caller, where the route asks for one.
    pub(crate) fn admit(
        &self,
        routed: &Routed,
        rpc: Option<&Rpc>,
        headers: &HeaderMap,
    ) -> Result<Option<Arc<Claims>>, Status> {
        if !routed.auth {
            return Ok(None);
        }
        // Without keys the configuration has been refused already; should it not have been, nobody gets in.
        let verifier = self.verifier.as_ref().ok_or(TokenError::Signature)?;
        let claims = verifier.verify(bearer(headers)?)?;
        if claims.role.may_write() || rpc.is_some_and(|rpc| rpc.idempotency == Idempotency::NoSideEffects) {
            Ok(Some(claims))
        } else {
            Err(Problem::new(Code::PermissionDenied, ROLE_READ_ONLY, "this role may only read").into())
        }
    }
}

fn bearer(headers: &HeaderMap) -> Result<&str, TokenError> {
    let value = headers.get(header::AUTHORIZATION).ok_or(TokenError::Missing)?;
    let value = value.to_str().map_err(|_| TokenError::Malformed)?;
    let (scheme, token) = value.split_once(' ').ok_or(TokenError::Missing)?;
    // Schemes are not case-sensitive (RFC 9110, 11.1).
    if scheme.eq_ignore_ascii_case("bearer") { Ok(token.trim()) } else { Err(TokenError::Missing) }
}

//! Who may call: the token is checked before anything is forwarded.
//!
//! The service behind checks it again, with the same key. The check here keeps strangers from costing a replica
//! anything; the check there makes the network between the two irrelevant.

use std::sync::Arc;

use crm_server::token::{Claims, TokenError, Verifier};
use crm_transcode::{Idempotency, Rpc};
use http::HeaderMap;
use tonic::Status;

use crate::table::Routed;

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
        let only_reads = || rpc.is_some_and(|rpc| rpc.idempotency == Idempotency::NoSideEffects);
        Ok(verifier.admit(headers, only_reads).map(Some)?)
    }
}

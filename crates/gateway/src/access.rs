//! Who may call, and what one tenant may hold of the gateway meanwhile.
//!
//! The service behind checks the token again, with the same key. The check here keeps strangers from costing a replica
//! anything; the check there makes the network between the two irrelevant. Services' own tokens are for calls among them:
//! the gateway has no key for them, and lets none pass. A call takes its place only once its token
//! has been found good: whoever has none holds nothing, not even while a refusal goes unread.

use std::sync::Arc;

use crm_server::{
    shares,
    token::{Claims, TokenError, Verifier, says_service},
};
use crm_shares::{Holder, Share, Shares};
use crm_transcode::{Idempotency, Rpc};
use http::HeaderMap;
use tonic::Status;

use crate::table::Routed;

/// Holds what calls of open routes take, where other routes know their callers.
const ANYBODY: u128 = 0;

/// The check, if this gateway has keys, and the places of those who pass it.
pub(crate) struct Access {
    verifier: Option<Verifier>,
    places: Shares,
}

/// Somebody whose call was let in.
pub(crate) struct Caller {
    /// Known where the route asks for a token.
    pub(crate) claims: Option<Arc<Claims>>,
    /// Who holds what the call takes of anything scarce.
    pub(crate) holder: Holder,
    /// To be kept until the last byte of the answer.
    pub(crate) place: Share,
}

impl Access {
    /// So many calls at a time, in all.
    pub(crate) fn new(verifier: Option<Verifier>, calls: usize) -> Self {
        Self { verifier, places: Shares::new(calls) }
    }

    /// The caller, if it may call and there is room for one more call of its tenant.
    pub(crate) fn admit(&self, routed: &Routed, rpc: Option<&Rpc>, headers: &HeaderMap) -> Result<Caller, Status> {
        let claims = self.check(routed, rpc, headers)?;
        let holder = match &claims {
            Some(claims) => shares::holder(claims),
            None => self.verifier.is_some().then_some(ANYBODY),
        };
        let place = self.places.take(holder, 1).map_err(|refused| shares::refuse(refused, "calls in flight"))?;
        Ok(Caller { claims, holder, place })
    }

    fn check(&self, routed: &Routed, rpc: Option<&Rpc>, headers: &HeaderMap) -> Result<Option<Arc<Claims>>, Status> {
        if !routed.auth {
            // Nothing is verified here; but behind somebody may hold a key that this token fits.
            return if says_service(headers) { Err(TokenError::Role.into()) } else { Ok(None) };
        }
        // Without keys the configuration has been refused already; should it not have been, nobody gets in.
        let verifier = self.verifier.as_ref().ok_or(TokenError::Signature)?;
        let only_reads = || rpc.is_some_and(|rpc| rpc.idempotency == Idempotency::NoSideEffects);
        // A method that no descriptor tells of stands in no table either.
        let path = rpc.map_or("", |rpc| rpc.path.as_str());
        Ok(verifier.admit(headers, path, only_reads).map(Some)?)
    }
}

//! What calls of both protocols have in common on their way to a replica.

use crm_balance::{CalledFor, Expires, HashKey, Policy, Retryable, Waits};
use crm_server::{process::TakeBy, token::Claims};
use crm_telemetry::rpc::{read_timeout, write_timeout};
use crm_transcode::{IDEMPOTENCY_KEY, Rpc};
use http::{Request, Response};
use tonic::{Status, body::Body};
use tower::ServiceExt;

use crate::{
    access::Caller, allowance, config::CallLimits, gateway::Gateway, headers, switches::Switches, table::Routed,
};

/// Sends a call whose token has been checked; an error is the gateway's own, not the service's.
pub(crate) async fn send(
    gateway: &Gateway,
    routed: &Routed,
    rpc: Option<&Rpc>,
    caller: &Caller,
    mut request: Request<Body>,
) -> Result<Response<Body>, Status> {
    headers::sanitize_request(request.headers_mut());
    mark_retryable(&gateway.switches, rpc, &mut request);
    mark_affinity(routed, caller.claims.as_deref(), &mut request);
    if let Some(holder) = caller.holder {
        request.extensions_mut().insert(CalledFor(holder));
    }
    if rpc.is_some_and(|rpc| rpc.waits) {
        request.extensions_mut().insert(Waits);
    }
    write_allowance(&gateway.limits, rpc, &mut request);
    let mut response = routed.client.clone().oneshot(request).await?;
    // What is behind the answer must not wait for a caller who does not read it.
    if let Some(Expires(deadline)) = response.extensions().get().copied() {
        response.extensions_mut().insert(TakeBy(deadline));
    }
    Ok(response)
}

/// A call may be sent twice if its method says so in its descriptor. Of a method without one its caller says so, with a key;
/// where there is a descriptor, a key tells nothing more: methods that recognise a call by it are declared idempotent.
fn mark_retryable(switches: &Switches, rpc: Option<&Rpc>, request: &mut Request<Body>) {
    let may_repeat = match rpc {
        Some(rpc) => rpc.idempotency.is_retryable(),
        None => request.headers().contains_key(IDEMPOTENCY_KEY),
    };
    if may_repeat && switches.retries.is_on() {
        request.extensions_mut().insert(Retryable(true));
    }
}

/// Under consistent hashing, a tenant's calls go to one replica, whose cache then knows the tenant.
fn mark_affinity(routed: &Routed, claims: Option<&Claims>, request: &mut Request<Body>) {
    let Some(claims) = claims else { return };
    if routed.upstream.policy() == Policy::ConsistentHash {
        let (high, low) = claims.tenant.as_u64_pair();
        request.extensions_mut().insert(HashKey(high ^ low));
    }
}

/// The client stack behind knows one longest time and one default. What is malformed it refuses.
fn write_allowance(limits: &CallLimits, rpc: Option<&Rpc>, request: &mut Request<Body>) {
    let Ok(asked) = read_timeout(request.headers()) else { return };
    let given = allowance::given(limits, rpc, asked);
    if given != asked.unwrap_or(limits.default_timeout) {
        write_timeout(request.headers_mut(), given);
    }
}

//! Through what every call passes on its way to a handler.

mod access;
mod deadline;
mod explain;
mod fault;
mod framed;
mod limit;
mod panics;
pub(crate) mod refusal;
mod repeat;

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use crm_proto::server::fault_service_server::{FaultServiceServer, SERVICE_NAME as FAULT_SERVICE};
use crm_telemetry::rpc::{Methods, ServerLayer};
use http::{Request, Response};
use tonic::body::Body;
use tower::ServiceBuilder;
use tower::util::BoxCloneSyncService;

use crate::config::{Env, OnOff};
use crate::faults::{Faults, Handler};
use crate::methods::DescriptorError;
use crate::readiness::Readiness;
use crate::services::{MAX_MESSAGE_BYTES, Services};
use crate::token::Verifier;

use access::AccessLayer;
use deadline::DeadlineLayer;
pub use explain::explain;
use fault::FaultLayer;
pub use framed::{Framed, FramedLayer};
use limit::LimitLayer;
pub use panics::CatchPanicLayer;
pub use repeat::Repeat;
use repeat::RepeatLayer;

/// A whole server stack, boxed at its outer seam.
pub type BoxService = BoxCloneSyncService<Request<Body>, Response<Body>, Infallible>;

/// What can be set about the stack.
#[derive(Clone, Debug)]
pub struct StackSettings {
    /// Calls that the process works on at a time; more are refused at once, which is cheaper than letting them wait.
    pub max_concurrent_calls: usize,
    /// Deadline of a call that brings none.
    pub default_timeout: Duration,
    /// Longest deadline that a caller gets, whatever it asks for.
    pub max_timeout: Duration,
    /// The same for calls that stream, which get it, too, where they bring no deadline.
    pub max_stream_timeout: Duration,
    /// Whether the process can be told to fail, by anyone who reaches its port. Never in production.
    pub faults: bool,
}

impl Default for StackSettings {
    fn default() -> Self {
        Self {
            max_concurrent_calls: 512,
            default_timeout: Duration::from_secs(15),
            max_timeout: Duration::from_secs(300),
            max_stream_timeout: Duration::from_secs(30 * 60),
            faults: false,
        }
    }
}

impl StackSettings {
    /// `CRM_MAX_CONCURRENT_CALLS`, `CRM_DEFAULT_TIMEOUT_MS`, `CRM_MAX_TIMEOUT_MS`, `CRM_MAX_STREAM_TIMEOUT_MS`,
    /// `CRM_FAULTS` (`on` or `off`).
    pub fn from_env(env: &mut Env) -> Self {
        let default = Self::default();
        let default_timeout = env.millis("CRM_DEFAULT_TIMEOUT_MS", default.default_timeout, 1);
        let max_timeout = env.millis("CRM_MAX_TIMEOUT_MS", default.max_timeout, 1);
        let max_stream_timeout = env.millis("CRM_MAX_STREAM_TIMEOUT_MS", default.max_stream_timeout, 1);
        let max_concurrent_calls = env.within("CRM_MAX_CONCURRENT_CALLS", default.max_concurrent_calls, 1..=1_000_000);
        let OnOff(faults) = env.or("CRM_FAULTS", OnOff(default.faults));
        Self { max_concurrent_calls, default_timeout, max_timeout, max_stream_timeout, faults }
    }
}

/// Builds the stack, and the switch that says whether the process wants calls. Outermost layer first.
pub fn build(
    services: Services,
    settings: &StackSettings,
    verifier: Verifier,
) -> Result<(BoxService, Readiness), DescriptorError> {
    let faults = Faults::default();
    let services = if settings.faults { offer_faults(services, &faults) } else { services };
    let (routes, methods, readiness) = services.finish()?;
    let known = Methods::new(methods.names());
    let methods = Arc::new(methods);
    let stack = ServiceBuilder::new()
        // The seam: everything below is generic, nothing above knows what it is made of.
        .map_response(|response: Response<_>| response.map(Body::new))
        // Outermost, so that every answer below is counted and traced, a caught panic and a refusal among them.
        .layer(ServerLayer::new(known))
        // Outside all other layers, so that a defect in one of them is caught too.
        .layer(CatchPanicLayer)
        // Outside the limit: a stranger takes nobody's place, and places are shared by tenant. The check waits for nothing.
        .layer(AccessLayer::new(verifier, Arc::clone(&methods)))
        // Before any work is spent on a call. For the whole process: a limit per connection bounds nothing.
        .layer(LimitLayer::new(settings.max_concurrent_calls, Arc::clone(&methods)))
        // Within the limit, whose place is given back when the time is over; around everything that takes time.
        .layer(DeadlineLayer::new(settings, Arc::clone(&methods)))
        // Within the limit and the deadline: a delay holds a place, and runs into the deadline, as real slowness does.
        .layer(FaultLayer::new(faults))
        // Innermost: what is made once more was let in, counted and given its deadline once.
        .layer(RepeatLayer)
        // What no handler has seen is refused by the routes themselves, and needs words.
        .map_response(explain)
        // Inside what repeats a call: what is read again is watched again.
        .layer(FramedLayer::new(methods, MAX_MESSAGE_BYTES))
        .service(routes);
    Ok((BoxService::new(stack), readiness))
}

fn offer_faults(services: Services, faults: &Faults) -> Services {
    tracing::warn!("this process can be told to fail calls (CRM_FAULTS=on)");
    services.add(FaultServiceServer::new(Handler::new(faults.clone())))
}

/// Health checks and reflection pass without a token, a limit or a default deadline:
/// an overloaded process is not a dead one, and who asks for health has no token.
/// So does what sets and ends faults, where it is served: a process that was told to hang must be healed.
fn is_open(path: &str) -> bool {
    path.starts_with("/grpc.health.v1.") || path.starts_with("/grpc.reflection.") || is_fault_service(path)
}

fn is_fault_service(path: &str) -> bool {
    path.strip_prefix('/').and_then(|path| path.strip_prefix(FAULT_SERVICE)).is_some_and(|rest| rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_come_from_the_environment_or_stay() {
        let mut env = Env::from_pairs([
            ("CRM_MAX_CONCURRENT_CALLS", "7"),
            ("CRM_FAULTS", "on"),
            ("CRM_DEFAULT_TIMEOUT_MS", "250"),
            ("CRM_MAX_STREAM_TIMEOUT_MS", "900"),
        ]);
        let settings = StackSettings::from_env(&mut env);
        env.finish().unwrap();
        assert_eq!((settings.max_concurrent_calls, settings.default_timeout), (7, Duration::from_millis(250)));
        assert_eq!(settings.max_timeout, StackSettings::default().max_timeout);
        assert_eq!(settings.max_stream_timeout, Duration::from_millis(900));
        assert!(settings.faults && !StackSettings::default().faults);
    }

    #[test]
    fn a_process_that_could_take_no_call_is_refused() {
        let mut env = Env::from_pairs([("CRM_MAX_CONCURRENT_CALLS", "0")]);
        StackSettings::from_env(&mut env);
        assert_eq!(env.finish().unwrap_err().faults()[0].name, "CRM_MAX_CONCURRENT_CALLS");
    }
}

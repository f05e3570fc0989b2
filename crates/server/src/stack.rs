//! Through what every call passes on its way to a handler.

mod access;
mod deadline;
mod limit;
mod panics;
mod refusal;

use std::convert::Infallible;
use std::time::Duration;

use crm_telemetry::rpc::{Methods, ServerLayer};
use http::{Request, Response};
use tonic::body::Body;
use tower::ServiceBuilder;
use tower::util::BoxCloneSyncService;

use crate::config::Env;
use crate::methods::DescriptorError;
use crate::readiness::Readiness;
use crate::services::Services;
use crate::token::Verifier;

pub use access::AccessLayer;
pub use deadline::{DeadlineLayer, MalformedTimeout, parse_timeout};
pub use limit::LimitLayer;
pub use panics::CatchPanicLayer;

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
}

impl Default for StackSettings {
    fn default() -> Self {
        Self {
            max_concurrent_calls: 512,
            default_timeout: Duration::from_secs(15),
            max_timeout: Duration::from_secs(300),
        }
    }
}

impl StackSettings {
    /// `CRM_MAX_CONCURRENT_CALLS`, `CRM_DEFAULT_TIMEOUT_MS`, `CRM_MAX_TIMEOUT_MS`.
    pub fn from_env(env: &mut Env) -> Self {
        let default = Self::default();
        let mut milliseconds =
            |name, default: Duration| env.optional::<u64>(name).map_or(default, Duration::from_millis);
        let default_timeout = milliseconds("CRM_DEFAULT_TIMEOUT_MS", default.default_timeout);
        let max_timeout = milliseconds("CRM_MAX_TIMEOUT_MS", default.max_timeout);
        let max_concurrent_calls = env.or("CRM_MAX_CONCURRENT_CALLS", default.max_concurrent_calls);
        if max_concurrent_calls == 0 {
            env.fault("CRM_MAX_CONCURRENT_CALLS", "must be 1 or more");
        }
        Self { max_concurrent_calls, default_timeout, max_timeout }
    }
}

/// Builds the stack, and the switch that says whether the process wants calls. Outermost layer first.
pub fn build(
    services: Services,
    settings: &StackSettings,
    verifier: Verifier,
) -> Result<(BoxService, Readiness), DescriptorError> {
    let (routes, methods, readiness) = services.finish()?;
    let known = Methods::new(methods.names());
    let stack = ServiceBuilder::new()
        // The seam: everything below is generic, nothing above knows what it is made of.
        .map_response(|response: Response<_>| response.map(Body::new))
        // Outermost, so that every answer below is counted and traced, a caught panic and a refusal among them.
        .layer(ServerLayer::new(known))
        // Outside all other layers, so that a defect in one of them is caught too.
        .layer(CatchPanicLayer)
        // Before any work is spent on a call. For the whole process: a limit per connection bounds nothing.
        .layer(LimitLayer::new(settings.max_concurrent_calls))
        // The caller's clock is running already while the token is checked.
        .layer(DeadlineLayer::new(settings.default_timeout, settings.max_timeout))
        // Innermost: handlers see nobody but callers whom this layer has let in.
        // Injected faults belong between the deadline and this line: a delay must run into the deadline.
        .layer(AccessLayer::new(verifier, methods))
        .service(routes);
    Ok((BoxService::new(stack), readiness))
}

/// Health checks and reflection pass without a token, a limit or a default deadline:
/// an overloaded process is not a dead one, and who asks for health has no token.
fn is_open(path: &str) -> bool {
    path.starts_with("/grpc.health.v1.") || path.starts_with("/grpc.reflection.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_come_from_the_environment_or_stay() {
        let mut env = Env::from_pairs([("CRM_MAX_CONCURRENT_CALLS", "7"), ("CRM_DEFAULT_TIMEOUT_MS", "250")]);
        let settings = StackSettings::from_env(&mut env);
        env.finish().unwrap();
        assert_eq!((settings.max_concurrent_calls, settings.default_timeout), (7, Duration::from_millis(250)));
        assert_eq!(settings.max_timeout, StackSettings::default().max_timeout);
    }

    #[test]
    fn a_process_that_could_take_no_call_is_refused() {
        let mut env = Env::from_pairs([("CRM_MAX_CONCURRENT_CALLS", "0")]);
        StackSettings::from_env(&mut env);
        assert_eq!(env.finish().unwrap_err().faults()[0].name, "CRM_MAX_CONCURRENT_CALLS");
    }
}

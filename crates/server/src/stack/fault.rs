use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use crm_telemetry::names::attribute;
use http::{Request, Response};
use pin_project_lite::pin_project;
use tonic::Code;
use tonic::body::Body;
use tower::{Layer, Service};
use tracing_opentelemetry::OpenTelemetrySpanExt;

use super::is_open;
use super::refusal::refuse;
use crate::faults::{Faults, Strike, Then};
use crate::problem::Problem;
use crate::reasons::FAULT_INJECTED;

/// Does to calls what the fault that is set says, and writes into their spans that it did.
///
/// Health checks are spared: what a health check sees is a matter of killing or pausing the process.
#[derive(Clone, Debug)]
pub(crate) struct FaultLayer {
    faults: Faults,
}

impl FaultLayer {
    /// `faults` may change at any time.
    pub(crate) fn new(faults: Faults) -> Self {
        Self { faults }
    }
}

impl<S> Layer<S> for FaultLayer {
    type Service = WithFaults<S>;

    fn layer(&self, inner: S) -> WithFaults<S> {
        WithFaults { inner, faults: self.faults.clone() }
    }
}

/// What [`FaultLayer`] makes of a service.
#[derive(Clone, Debug)]
pub(crate) struct WithFaults<S> {
    inner: S,
    faults: Faults,
}

impl<S> Service<Request<Body>> for WithFaults<S>
where
    S: Service<Request<Body>, Response = Response<Body>> + Clone + Send + 'static,
    S::Error: Send,
    S::Future: Send,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = FaultFuture<S::Future, S::Error>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let spared = is_open(request.uri().path());
        let Some(strike) = self.faults.strike().filter(|_| !spared) else {
            return FaultFuture { spared: Some(self.inner.call(request)), struck: None };
        };
        tracing::Span::current().set_attribute(attribute::FAULT, strike.name());
        // The one that is ready goes with the call.
        let next = self.inner.clone();
        let inner = std::mem::replace(&mut self.inner, next);
        FaultFuture { spared: None, struck: Some(Box::pin(suffer(strike, inner, request))) }
    }
}

async fn suffer<S>(strike: Strike, mut inner: S, request: Request<Body>) -> Result<Response<Body>, S::Error>
where
    S: Service<Request<Body>, Response = Response<Body>>,
{
    wait(strike.delay).await;
    match strike.then {
        Then::Pass => inner.call(request).await,
        Then::Fail(code) => Ok(refuse(injected(code))),
        // The deadline's layer is outside of this one.
        Then::Hang => std::future::pending().await,
    }
}

async fn wait(delay: Duration) {
    if !delay.is_zero() {
        tokio::time::sleep(delay).await;
    }
}

fn injected(code: Code) -> Problem {
    Problem::new(code, FAULT_INJECTED, "this process was told to fail")
}

type Struck<E> = Pin<Box<dyn Future<Output = Result<Response<Body>, E>> + Send>>;

pin_project! {
    /// Either the call as it came, which costs no allocation, or what the fault makes of it.
    pub(crate) struct FaultFuture<F, E> {
        #[pin]
        spared: Option<F>,
        struck: Option<Struck<E>>,
    }
}

impl<F, E> fmt::Debug for FaultFuture<F, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FaultFuture").field("struck", &self.struck.is_some()).finish_non_exhaustive()
    }
}

impl<F, E> Future for FaultFuture<F, E>
where
    F: Future<Output = Result<Response<Body>, E>>,
{
    type Output = Result<Response<Body>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        match this.spared.as_pin_mut() {
            Some(inner) => inner.poll(cx),
            None => this.struck.as_mut().map_or(Poll::Pending, |struck| struck.as_mut().poll(cx)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::sync::Arc;

    use tokio::time::Instant;
    use tower::util::BoxCloneSyncService;
    use tower::{ServiceBuilder, ServiceExt, service_fn};

    use super::*;
    use crate::faults::Fault;
    use crate::stack::{DeadlineLayer, LimitLayer, StackSettings};

    const CALL: &str = "/crm.customers.v1.AccountService/GetAccount";

    type Stack = BoxCloneSyncService<Request<Body>, Response<Body>, Infallible>;

    /// The layers around this one as the real stack has them, with two places and a deadline of a second.
    fn stack() -> (Stack, Faults) {
        let faults = Faults::with_seed(7);
        let second = Duration::from_secs(1);
        let settings = StackSettings { default_timeout: second, max_timeout: second, ..StackSettings::default() };
        let answer = service_fn(|_| async { Ok::<_, Infallible>(Response::new(Body::empty())) });
        let service = ServiceBuilder::new()
            .map_response(|response: Response<_>| response.map(Body::new))
            .layer(LimitLayer::new(2, Arc::default()))
            .layer(DeadlineLayer::new(&settings, Arc::default()))
            .layer(FaultLayer::new(faults.clone()))
            .service(answer);
        (BoxCloneSyncService::new(service), faults)
    }

    /// The status that a call gets, and the milliseconds that it took.
    async fn call(stack: &Stack, path: &'static str) -> (Code, u128) {
        let started = Instant::now();
        let response = stack.clone().oneshot(Request::post(path).body(Body::empty()).unwrap()).await.unwrap();
        let status = tonic::Status::from_header_map(response.headers());
        (status.map_or(Code::Ok, |status| status.code()), started.elapsed().as_millis())
    }

    fn delay(milliseconds: u64) -> Fault {
        Fault::Degraded { delay: Duration::from_millis(milliseconds), error_rate: 0.0, code: Code::Unavailable }
    }

    #[tokio::test(start_paused = true)]
    async fn each_fault_does_what_it_says_until_it_is_cleared() {
        let (stack, faults) = stack();
        let failing = Fault::Degraded { delay: Duration::from_millis(5), error_rate: 1.0, code: Code::Internal };
        for (fault, expected) in [
            (delay(100), (Code::Ok, 100)),
            (delay(5_000), (Code::DeadlineExceeded, 1_000)),
            (failing, (Code::Internal, 5)),
            (Fault::FailFast(Code::Unavailable), (Code::Unavailable, 0)),
            (Fault::Hang, (Code::DeadlineExceeded, 1_000)),
        ] {
            faults.set(fault, None);
            assert_eq!(call(&stack, CALL).await, expected, "{fault:?}");
            faults.clear();
            assert_eq!(call(&stack, CALL).await, (Code::Ok, 0), "after {fault:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_delay_holds_one_of_the_places() {
        let (stack, faults) = stack();
        faults.set(delay(100), None);
        let waiting = [0, 1].map(|_| {
            tokio::spawn({
                let stack = stack.clone();
                async move { call(&stack, CALL).await }
            })
        });
        tokio::time::advance(Duration::from_millis(50)).await;
        assert_eq!(call(&stack, CALL).await.0, Code::ResourceExhausted);
        for waiting in waiting {
            assert_eq!(waiting.await.unwrap().0, Code::Ok);
        }
        assert_eq!(call(&stack, CALL).await, (Code::Ok, 100));
    }

    #[tokio::test(start_paused = true)]
    async fn health_reflection_and_the_way_to_heal_are_spared() {
        let (stack, faults) = stack();
        faults.set(Fault::Hang, None);
        for path in [
            "/grpc.health.v1.Health/Check",
            "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
            "/crm.server.v1.FaultService/ClearFault",
        ] {
            assert_eq!(call(&stack, path).await, (Code::Ok, 0), "{path}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_fault_ends_with_its_time() {
        let (stack, faults) = stack();
        faults.set(Fault::FailFast(Code::Unavailable), Some(Duration::from_secs(30)));
        tokio::time::advance(Duration::from_millis(29_999)).await;
        assert_eq!(call(&stack, CALL).await.0, Code::Unavailable);
        tokio::time::advance(Duration::from_millis(1)).await;
        assert_eq!(call(&stack, CALL).await.0, Code::Ok);
    }
}

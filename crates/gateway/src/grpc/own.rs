//! gRPC services of the gateway's own: its health, and reflection over what it routes.

use std::sync::Arc;

use crm_server::{readiness::Readiness, stack::CatchPanicLayer};
use http::{Request, Response};
use http_body_util::BodyExt;
use tokio::sync::Semaphore;
use tonic::{body::Body, service::Routes};
use tower::{Layer, ServiceExt};

use crate::reasons;

/// Calls that may be under way at once. They are streams that end when their callers like, so they must not take the places
/// of other calls; nor may there be any number of them, for they need no token.
const PLACES: usize = 1_000;
/// Answered at once, and always: whoever asks decides whether this gateway is sent calls.
const CHECK: &str = "/grpc.health.v1.Health/Check";

/// Services that are answered here and not forwarded. They need no token: they tell nothing about a tenant.
#[derive(Clone)]
pub(crate) struct OwnServices {
    routes: Routes,
    places: Arc<Semaphore>,
}

/// The descriptors do not fit reflection.
#[derive(Debug, thiserror::Error)]
#[error("reflection cannot use the descriptors: {0}")]
pub struct ReflectionError(#[from] tonic_reflection::server::Error);

impl OwnServices {
    /// Reflection names `services` and no others: those that this gateway routes. Health is what the switch says.
    pub(crate) fn new(services: &[&str]) -> Result<(Self, Readiness), ReflectionError> {
        let (health, health_service) = tonic_health::server::health_reporter();
        let builder = || {
            let builder = tonic_reflection::server::Builder::configure()
                .include_reflection_service(false)
                .register_encoded_file_descriptor_set(crm_proto::DESCRIPTORS);
            services.iter().fold(builder, |builder, service| builder.with_service_name(*service))
        };
        let routes = Routes::new(health_service)
            .add_service(builder().build_v1()?)
            .add_service(builder().build_v1alpha()?)
            .prepare();
        let own = Self { routes, places: Arc::new(Semaphore::new(PLACES)) };
        Ok((own, Readiness::new(health, services.iter().map(ToString::to_string).collect())))
    }

    /// Whether a path belongs to one of them.
    pub(crate) fn answers(&self, path: &str) -> bool {
        path.starts_with("/grpc.health.v1.") || path.starts_with("/grpc.reflection.v1")
    }

    pub(crate) async fn call(&self, request: Request<Body>) -> Response<Body> {
        if request.uri().path() == CHECK {
            return self.answer(request).await;
        }
        let Ok(place) = Arc::clone(&self.places).try_acquire_owned() else {
            return reasons::too_many_own_calls().into_http();
        };
        let hold = move |body: Body| {
            Body::new(body.map_frame(move |frame| {
                let _held = &place;
                frame
            }))
        };
        self.answer(request).await.map(hold)
    }

    /// A defect that one call finds ends this call and no other.
    async fn answer(&self, request: Request<Body>) -> Response<Body> {
        match CatchPanicLayer.layer(self.routes.clone()).oneshot(request).await {
            Ok(response) => response.map(Body::new),
            Err(never) => match never {},
        }
    }
}

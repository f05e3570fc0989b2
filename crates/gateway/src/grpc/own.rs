//! gRPC services of the gateway's own: its health, and reflection over what it routes.

use crm_server::readiness::Readiness;
use http::{Request, Response};
use tonic::{body::Body, service::Routes};
use tower::ServiceExt;

/// Services that are answered here and not forwarded. They need no token: they tell nothing about a tenant.
#[derive(Clone)]
pub(crate) struct OwnServices {
    routes: Routes,
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
        Ok((Self { routes }, Readiness::new(health, services.iter().map(ToString::to_string).collect())))
    }

    /// Whether a path belongs to one of them.
    pub(crate) fn answers(&self, path: &str) -> bool {
        path.starts_with("/grpc.health.v1.") || path.starts_with("/grpc.reflection.v1")
    }

    pub(crate) async fn call(&self, request: Request<Body>) -> Response<Body> {
        match self.routes.clone().oneshot(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        }
    }
}

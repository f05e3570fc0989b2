//! What a process serves: its gRPC services, and with them always health and reflection.

use std::convert::Infallible;

use http::{Request, Response};
use tonic::body::Body;
use tonic::server::NamedService;
use tonic::service::Routes;
use tonic_health::pb::health_server::HealthServer;
use tonic_health::server::{HealthReporter, HealthService};
use tower::Service;

use crate::methods::{DescriptorError, MethodTable};
use crate::readiness::Readiness;

/// Largest message that a generated server should decode or encode, in bytes.
///
/// Set it on each one: `AccountServiceServer::new(…).max_decoding_message_size(MAX_MESSAGE_BYTES)`.
pub const MAX_MESSAGE_BYTES: usize = 4 * 1024 * 1024;

/// The services of one process.
#[derive(Debug)]
pub struct Services {
    pub(crate) routes: Routes,
    pub(crate) methods: MethodTable,
    descriptors: &'static [u8],
    reporter: HealthReporter,
    names: Vec<String>,
}

impl Services {
    /// `descriptors` is the encoded descriptor set of all services that will be added.
    pub fn new(descriptors: &'static [u8]) -> Result<Self, DescriptorError> {
        let reporter = HealthReporter::new();
        let health = HealthServer::new(HealthService::from_health_reporter(reporter.clone()));
        Ok(Self {
            routes: Routes::new(health),
            methods: MethodTable::from_descriptors(descriptors)?,
            descriptors,
            reporter,
            names: Vec::new(),
        })
    }

    /// Adds a generated server.
    #[must_use]
    #[allow(clippy::should_implement_trait, reason = "services are added, not summed")]
    pub fn add<S>(mut self, service: S) -> Self
    where
        S: Service<Request<Body>, Response = Response<Body>, Error = Infallible> + NamedService,
        S: Clone + Send + Sync + 'static,
        S::Future: Send + 'static,
    {
        self.names.push(S::NAME.to_owned());
        self.routes = self.routes.add_service(service);
        self
    }

    /// Health and reflection in front of what was added, and the switch that says whether calls are wanted.
    pub(crate) fn finish(self) -> Result<(Routes, MethodTable, Readiness), DescriptorError> {
        let mut reflection = tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(self.descriptors)
            .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
            .with_service_name("grpc.health.v1.Health");
        for name in &self.names {
            reflection = reflection.with_service_name(name);
        }
        let reflection = reflection.build_v1().map_err(|_| DescriptorError)?;
        let routes = self.routes.add_service(reflection).prepare();
        Ok((routes, self.methods, Readiness::new(self.reporter, self.names)))
    }
}

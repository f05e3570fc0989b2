//! What a process serves: its gRPC services, and with them always health and reflection.

use std::convert::Infallible;

use http::{Request, Response};
use tonic::body::Body;
use tonic::server::NamedService;
use tonic::service::Routes;
use tonic_reflection::server as reflection;
use tonic_reflection::server::v1::{ServerReflection, ServerReflectionServer};
use tonic_reflection::server::v1alpha::{ServerReflection as OlderReflection, ServerReflectionServer as Older};
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
    names: Vec<String>,
}

impl Services {
    /// `descriptors` is the encoded descriptor set of all services that will be added.
    pub fn new(descriptors: &'static [u8]) -> Result<Self, DescriptorError> {
        Ok(Self {
            routes: Routes::default(),
            methods: MethodTable::from_descriptors(descriptors)?,
            descriptors,
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
        let (v1, v1alpha) = reflection(self.descriptors, &self.names).map_err(|_| DescriptorError)?;
        let readiness = Readiness::new(self.names);
        let routes = self.routes.add_service(readiness.health()).add_service(v1).add_service(v1alpha).prepare();
        Ok((routes, self.methods, readiness))
    }
}

/// Reflection over the services of these names and health, in both versions that clients ask for.
///
/// `descriptors` describes the services, and what they need.
pub fn reflection(
    descriptors: &'static [u8],
    names: &[String],
) -> Result<
    (ServerReflectionServer<impl ServerReflection + use<>>, Older<impl OlderReflection + use<>>),
    reflection::Error,
> {
    let builder = || {
        let builder = reflection::Builder::configure()
            .include_reflection_service(false)
            .register_encoded_file_descriptor_set(descriptors)
            .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET);
        let named = names.iter().fold(builder, |builder, name| builder.with_service_name(name));
        named.with_service_name(tonic_health::pb::health_server::SERVICE_NAME)
    };
    Ok((builder().build_v1()?, builder().build_v1alpha()?))
}

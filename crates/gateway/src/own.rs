//! gRPC services of the gateway's own: its health, and reflection over what it routes.

use std::sync::Arc;

use crm_server::{
    methods::MethodTable,
    readiness::Readiness,
    services::reflection,
    stack::{CatchPanicLayer, Framed, FramedLayer, explain},
};
use http::{Request, Response};
use http_body_util::BodyExt;
use tokio::sync::Semaphore;
use tonic::{body::Body, service::Routes};
use tower::{Layer, ServiceExt};

use crate::{grpc::inflate, reasons};

/// Calls that may be under way at once. They are streams that end when their callers like, so they must not take the places
/// of other calls; nor may there be any number of them, for they need no token.
const PLACES: usize = 1_000;
/// Names of services and symbols are all that is asked for. So it is bounded what strangers can send without a place.
const MOST_BYTES: usize = 64 * 1024;
/// Answered at once, and always: whoever asks decides whether this gateway is sent calls.
const CHECK: &str = "/grpc.health.v1.Health/Check";

/// Services that are answered here and not forwarded. They need no token: they tell nothing about a tenant.
#[derive(Clone)]
pub(crate) struct OwnServices {
    routes: Framed<Routes>,
    places: Arc<Semaphore>,
}

/// The descriptors do not fit reflection.
#[derive(Debug, thiserror::Error)]
#[error("reflection cannot use the descriptors: {0}")]
pub struct ReflectionError(#[from] tonic_reflection::server::Error);

impl OwnServices {
    /// Reflection names `services`, which this gateway routes, and health, which is what the switch says.
    pub(crate) fn new(services: &[&str]) -> Result<(Self, Readiness), ReflectionError> {
        let names: Vec<String> = services.iter().map(ToString::to_string).collect();
        let (v1, v1alpha) = reflection(crm_proto::DESCRIPTORS, &names)?;
        let readiness = Readiness::new(names);
        let routes = Routes::new(readiness.health()).add_service(v1).add_service(v1alpha).prepare();
        let routes = FramedLayer::new(Arc::new(MethodTable::default()), MOST_BYTES).layer(routes);
        Ok((Self { routes, places: Arc::new(Semaphore::new(PLACES)) }, readiness))
    }

    /// Whether a path belongs to one of them.
    pub(crate) fn answers(&self, path: &str) -> bool {
        path.starts_with("/grpc.health.v1.") || path.starts_with("/grpc.reflection.v1")
    }

    pub(crate) async fn call(&self, request: Request<Body>) -> Response<Body> {
        match inflate::unpack(request, MOST_BYTES) {
            Ok(request) => self.call_unpacked(request).await,
            Err(status) => status.into_http(),
        }
    }

    async fn call_unpacked(&self, request: Request<Body>) -> Response<Body> {
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
            Ok(response) => explain(response.map(Body::new)),
            Err(never) => match never {},
        }
    }
}

//! What every call needs, built once at the start.

use std::{convert::Infallible, net::SocketAddr, sync::Arc};

use crm_server::stack::CatchPanicLayer;
use crm_telemetry::rpc::{Methods, ServerLayer};
use crm_transcode::Transcoder;
use http::{Request, Response};
use tonic::body::Body;
use tower::{Layer, Service, ServiceExt};

use crate::{
    access::Access,
    config::{CallLimits, Links, Origins},
    desk::Desk,
    faults::Faults,
    grpc::deflate::Packer,
    intake::Intake,
    own::OwnServices,
    pages::{Home, Pages, UpstreamRow},
    switches::Switches,
    table::{Routed, Table},
};

/// The gateway's state; shared by all calls, changed by none but the switches.
pub(crate) struct Gateway {
    pub(crate) table: Arc<Table>,
    pub(crate) access: Access,
    pub(crate) transcoder: Arc<Transcoder>,
    pub(crate) telemetry: ServerLayer,
    pub(crate) own: OwnServices,
    pub(crate) pages: Pages,
    pub(crate) switches: Arc<Switches>,
    pub(crate) faults: Arc<Faults>,
    pub(crate) limits: CallLimits,
    /// Requests that are taken in whole before they go on.
    pub(crate) intake: Intake,
    /// Answers that are put together before they go out.
    pub(crate) outlet: Intake,
    /// Where large messages are turned into JSON, and back.
    pub(crate) desk: Desk,
    /// Answers over gRPC that go out in gzip.
    pub(crate) packer: Packer,
    pub(crate) max_header_bytes: u32,
    pub(crate) links: PageLinks,
    pub(crate) origins: Origins,
}

/// Addresses that the start page points to.
#[derive(Debug, Clone, Default)]
pub(crate) struct PageLinks {
    pub(crate) configured: Links,
    pub(crate) control: Option<SocketAddr>,
    pub(crate) metrics: Option<SocketAddr>,
}

impl Gateway {
    /// Answers a call of either protocol through what stands around all of them.
    ///
    /// The layers' own answers are gRPC's, and headers only.
    pub(crate) async fn guard<S>(&self, handler: S, request: Request<Body>) -> Response<Body>
    where
        S: Service<Request<Body>, Response = Response<Body>, Error = Infallible>,
    {
        // A defect that one call finds ends this call and no other.
        let caught = CatchPanicLayer.layer(handler);
        // Outermost, so that refusals and panics are counted and traced.
        match self.telemetry.layer(caught).oneshot(request).await {
            Ok(response) => response.map(Body::new),
            Err(never) => match never {},
        }
    }

    /// The start page as of now, for a caller who reached the gateway under `host`.
    pub(crate) fn home(&self, host: &str) -> Home {
        Home {
            base: format!("http://{host}"),
            example: "/v1/accounts?pageSize=3",
            viewer: self.links.configured.viewer.as_ref().map(|viewer| viewer.to("")),
            console: self.links.configured.console.as_ref().map(|console| console.to("")),
            control: self.links.control.map(|address| link(address, host)),
            metrics: self.links.metrics.map(|address| link(address, host)),
            upstreams: self.table.all().iter().map(|routed| row(routed)).collect(),
        }
    }
}

/// Who listens on all addresses is found where the caller found the gateway.
fn link(address: SocketAddr, host: &str) -> String {
    if !address.ip().is_unspecified() {
        return format!("http://{address}");
    }
    let name = host.rsplit_once(':').filter(|(_, port)| port.parse::<u16>().is_ok()).map_or(host, |(name, _)| name);
    format!("http://{name}:{}", address.port())
}

fn row(routed: &Routed) -> UpstreamRow {
    let (ready, replicas) = routed.count_ready();
    UpstreamRow {
        name: routed.upstream.name().to_owned(),
        key: routed.key.clone(),
        policy: routed.upstream.policy().to_string(),
        ready,
        replicas,
    }
}

/// Spans and metrics for the methods of every service behind the gateway; others share one label.
pub(crate) fn telemetry_layer(transcoder: &Transcoder) -> ServerLayer {
    ServerLayer::new(Methods::new(transcoder.methods().map(|rpc| rpc.path.as_str())))
}

#[cfg(test)]
mod tests {
    use super::link;

    #[test]
    fn links_lead_to_where_somebody_listens() {
        let check = |address: &str, host, expected| assert_eq!(link(address.parse().expect("address"), host), expected);
        check("127.0.0.1:8081", "crm.example", "http://127.0.0.1:8081");
        check("0.0.0.0:8081", "crm.example:8080", "http://crm.example:8081");
        check("0.0.0.0:8081", "crm.example", "http://crm.example:8081");
        check("[::]:8081", "[::1]:8080", "http://[::1]:8081");
    }
}

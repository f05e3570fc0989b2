//! What every call needs, built once at the start.

use std::sync::Arc;

use crm_telemetry::rpc::{Methods, ServerLayer};
use crm_transcode::Transcoder;

use crate::{
    access::Access,
    config::{CallLimits, Links},
    grpc::OwnServices,
    pages::{Home, Pages, UpstreamRow},
    switches::Switches,
    table::Table,
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
    pub(crate) limits: CallLimits,
    pub(crate) links: PageLinks,
}

/// Addresses that the start page points to.
#[derive(Debug, Clone, Default)]
pub(crate) struct PageLinks {
    pub(crate) configured: Links,
    pub(crate) control: Option<String>,
    pub(crate) metrics: Option<String>,
}

impl Gateway {
    /// The start page as of now, for a caller who reached the gateway under `host`.
    pub(crate) fn home(&self, host: &str) -> Home {
        Home {
            base: format!("http://{host}"),
            example: "/v1/accounts?pageSize=3",
            viewer: self.links.configured.viewer.clone(),
            control: self.links.control.clone(),
            metrics: self.links.metrics.clone(),
            upstreams: self.table.all().iter().map(|routed| row(routed)).collect(),
        }
    }
}

fn row(routed: &crate::table::Routed) -> UpstreamRow {
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

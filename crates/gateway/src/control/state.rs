//! What the handlers of the control API need of the gateway.

use std::sync::Arc;

use crm_transcode::Transcoder;
use tokio_util::sync::CancellationToken;

use crate::{
    faults::Faults,
    gateway::{Gateway, PageLinks},
    switches::Switches,
    table::Table,
};

/// What the handlers need.
#[derive(Clone)]
pub(crate) struct Control {
    pub(super) table: Arc<Table>,
    pub(super) switches: Arc<Switches>,
    pub(super) faults: Arc<Faults>,
    pub(super) transcoder: Arc<Transcoder>,
    pub(super) links: PageLinks,
    pub(super) stopping: CancellationToken,
}

impl Control {
    /// `stopping` ends the streams of events.
    pub(crate) fn new(gateway: &Gateway, stopping: CancellationToken) -> Self {
        Self {
            stopping,
            table: Arc::clone(&gateway.table),
            switches: Arc::clone(&gateway.switches),
            faults: Arc::clone(&gateway.faults),
            transcoder: Arc::clone(&gateway.transcoder),
            links: gateway.links.clone(),
        }
    }
}

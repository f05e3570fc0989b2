use crm_proto::server as pb;
use crm_proto::server::fault_service_server::FaultService;
use tonic::{Request, Response, Status, async_trait};

use super::{Fault, Faults};
use crate::problem::Problem;
use crate::reasons::FAULT_INVALID;

/// How the fault is set from outside.
#[derive(Clone, Debug)]
pub(crate) struct Handler {
    faults: Faults,
}

impl Handler {
    pub(crate) fn new(faults: Faults) -> Self {
        Self { faults }
    }

    fn current(&self) -> Option<pb::Fault> {
        self.faults.current().map(|(fault, remaining)| fault.to_proto(remaining))
    }
}

#[async_trait]
impl FaultService for Handler {
    async fn get_fault(&self, _: Request<pb::GetFaultRequest>) -> Result<Response<pb::GetFaultResponse>, Status> {
        Ok(Response::new(pb::GetFaultResponse { fault: self.current() }))
    }

    async fn set_fault(&self, request: Request<pb::SetFaultRequest>) -> Result<Response<pb::SetFaultResponse>, Status> {
        let fault = request.into_inner().fault.unwrap_or_default();
        let parsed = Fault::from_proto(&fault);
        let (fault, lasts) = parsed.map_err(|violations| Problem::invalid(FAULT_INVALID, violations))?;
        self.faults.set(fault, lasts);
        tracing::warn!(?fault, ?lasts, "a fault has been set on purpose");
        Ok(Response::new(pb::SetFaultResponse { fault: self.current() }))
    }

    async fn clear_fault(&self, _: Request<pb::ClearFaultRequest>) -> Result<Response<pb::ClearFaultResponse>, Status> {
        self.faults.clear();
        tracing::info!("no fault is set any more");
        Ok(Response::new(pb::ClearFaultResponse {}))
    }
}

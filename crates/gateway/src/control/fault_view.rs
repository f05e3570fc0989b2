//! How faults are shown.

use crm_proto::server as pb;
use crm_telemetry::rpc::status_text;
use serde::Serialize;
use tonic::Code;

/// `{"allowed": true}`: whether this gateway may break replicas.
#[derive(Serialize)]
pub(crate) struct FaultsView {
    pub(crate) allowed: bool,
}

/// A fault that is set, under the names it was set with.
#[derive(Serialize)]
pub(crate) struct FaultView {
    delay_ms: u32,
    error_rate: f64,
    /// Of the calls that fail; none of a fault that fails none.
    code: Option<&'static str>,
    hang: bool,
    fail_fast: bool,
    /// None: until it is healed.
    remaining_s: Option<f64>,
}

impl From<pb::Fault> for FaultView {
    #[allow(clippy::cast_precision_loss, reason = "at most a day of milliseconds")]
    fn from(fault: pb::Fault) -> Self {
        Self {
            delay_ms: fault.delay_ms,
            error_rate: fault.error_rate,
            code: (fault.code != 0).then(|| status_text(Code::from_i32(fault.code))),
            hang: fault.hang,
            fail_fast: fault.fail_fast,
            remaining_s: fault.remaining_ms.map(|left| left as f64 / 1_000.0),
        }
    }
}

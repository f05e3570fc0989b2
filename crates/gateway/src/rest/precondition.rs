//! `If-Match` on its way through a service that knows one etag a request.
//!
//! Each attempt is judged by the service within its transaction, so none of them can overwrite a state that the caller
//! did not name. Attempts that were refused have changed nothing, and the next one may be made.

use crm_proto::google::rpc::{ErrorInfo, Status as RpcStatus};
use http::{Response, request::Parts};
use prost::Message;
use tonic::{Code, Status, body::Body};

use super::{Attempts, refusal::Refusal};
use crate::reasons;

impl Attempts<'_> {
    /// Sends the request in each of its forms, until one is not refused as stale.
    pub(super) async fn send_in_turn(self, parts: Parts) -> Result<Response<Body>, Refusal> {
        let Some((last, earlier)) = self.asked.messages.split_last() else {
            return Err(Refusal::precondition_failed(reasons::precondition_failed()));
        };
        for message in earlier {
            match self.send(parts.clone(), message).await {
                Err(Refusal::Status(status)) if is_stale(&status) => {}
                done => return done,
            }
        }
        let done = self.send(parts, last).await;
        done.map_err(|refusal| match refusal {
            Refusal::Status(status) if self.asked.is_conditional && is_stale(&status) => {
                Refusal::precondition_failed(status)
            }
            refusal => refusal,
        })
    }
}

/// Whether a service says that the etag is not that of the resource. ABORTED alone may mean a conflict of transactions,
/// after which the same request may well succeed.
fn is_stale(status: &Status) -> bool {
    status.code() == Code::Aborted && reason(status).is_some_and(|reason| reason == reasons::ETAG_MISMATCH)
}

fn reason(status: &Status) -> Option<String> {
    let status = RpcStatus::decode(status.details()).ok()?;
    let any = status.details.iter().find(|any| any.type_url.ends_with("/google.rpc.ErrorInfo"))?;
    Some(ErrorInfo::decode(&*any.value).ok()?.reason)
}

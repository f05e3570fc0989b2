//! What a toy in a process of its own is told over its port.

use bytes::Bytes;
use http::Response;
use http_body_util::{BodyExt, Full};

use super::{answer::Body, state::State};

pub(super) const SET_FAULT: &str = "/crm.sandbox.Toy/SetFault";
pub(super) const GET_COUNTS: &str = "/crm.sandbox.Toy/GetCounts";

pub(super) fn is_order(path: &str) -> bool {
    path == SET_FAULT || path == GET_COUNTS
}

/// Plain JSON in and out: nobody but [`ToyProcess`](super::ToyProcess) talks like this.
pub(super) fn obey(path: &str, body: &[u8], state: &State) -> Response<Body> {
    if path == SET_FAULT {
        state.set_fault(serde_json::from_slice(body).unwrap_or_default());
    }
    let counts = serde_json::to_vec(&state.counts().all()).unwrap_or_default();
    Response::new(Full::new(Bytes::from(counts)).boxed_unsync())
}

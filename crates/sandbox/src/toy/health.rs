//! `grpc.health.v1`: one field, one byte.

use futures_util::{Stream, stream};
use http::Response;
use tokio::sync::watch;

use super::answer::{self, Body};

const PREFIX: &str = "/grpc.health.v1.Health/";
const SERVING: u8 = 1;
const NOT_SERVING: u8 = 2;

pub(super) fn is_health(path: &str) -> bool {
    path.starts_with(PREFIX)
}

pub(super) fn respond(path: &str, enabled: bool, serving: watch::Receiver<bool>) -> Response<Body> {
    match path.strip_prefix(PREFIX) {
        Some("Check") if enabled => answer::message(&encode(*serving.borrow())),
        Some("Watch") if enabled => answer::messages(changes(serving)),
        _ => answer::status(answer::UNIMPLEMENTED),
    }
}

/// The present state, then each new one.
fn changes(mut serving: watch::Receiver<bool>) -> impl Stream<Item = Vec<u8>> + Send {
    serving.mark_changed();
    stream::unfold(serving, |mut serving| async move {
        serving.changed().await.ok()?;
        let state = *serving.borrow_and_update();
        Some((encode(state), serving))
    })
}

/// `HealthCheckResponse { status = 1 }`.
fn encode(serving: bool) -> Vec<u8> {
    const FIELD_1_VARINT: u8 = 0x08;
    vec![FIELD_1_VARINT, if serving { SERVING } else { NOT_SERVING }]
}

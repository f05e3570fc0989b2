//! What a span says of a call that a fault struck. Alone in its process: a test that listens to no spans can
//! turn them off for one beside it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

#[allow(dead_code, reason = "each test file uses its part")]
mod support;

use crm_proto::server as pb;
use crm_proto::server::fault_service_client::FaultServiceClient;
use crm_server::process::ServerSettings;
use crm_server::stack::StackSettings;
use crm_telemetry::testing::{attribute, record};
use support::{Channel, Server};

async fn set(faults: &mut FaultServiceClient<Channel>, fault: pb::Fault) {
    faults.set_fault(pb::SetFaultRequest { fault: Some(fault) }).await.unwrap();
}

#[tokio::test]
async fn a_struck_call_says_so_in_its_span() {
    let (recorder, _guard) = record();
    let layers = StackSettings { faults: true, ..StackSettings::default() };
    let server = Server::with(layers, ServerSettings::default()).await;
    let mut client = server.client().await;
    let mut faults = FaultServiceClient::with_origin(server.channel().await, server.origin());
    client.get_account(server.get("who")).await.unwrap();
    set(&mut faults, pb::Fault { delay_ms: 1, ..Default::default() }).await;
    client.get_account(server.get("who")).await.unwrap();
    set(&mut faults, pb::Fault { error_rate: 1.0, ..Default::default() }).await;
    client.get_account(server.get("who")).await.unwrap_err();

    let spans = || recorder.spans_named("crm.customers.v1.AccountService/GetAccount");
    // A span may end a moment after its answer has arrived.
    support::within(|| async { spans().len() == 3 }).await;
    let told: Vec<_> = spans().iter().map(|span| attribute(span, "crm.fault")).collect();
    assert_eq!(told, [None, Some("delay".to_owned()), Some("error".to_owned())]);
}

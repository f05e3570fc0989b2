//! Faults as they are set from outside: a real server, the service that breaks it, and the calls that notice.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

#[allow(dead_code, reason = "each test file uses its part")]
mod support;

use crm_proto::server as pb;
use crm_proto::server::fault_service_client::FaultServiceClient;
use crm_server::process::ServerSettings;
use crm_server::stack::StackSettings;
use support::{Channel, Server, reason};
use tonic::metadata::MetadataValue;
use tonic::{Code, Status};
use tonic_types::StatusExt;

async fn breakable(max_concurrent_calls: usize) -> Server {
    let layers = StackSettings { faults: true, max_concurrent_calls, ..StackSettings::default() };
    Server::with(layers, ServerSettings::default()).await
}

async fn faults(server: &Server) -> FaultServiceClient<Channel> {
    FaultServiceClient::with_origin(server.channel().await, server.origin())
}

async fn set(server: &Server, fault: pb::Fault) -> Result<pb::Fault, Status> {
    let request = pb::SetFaultRequest { fault: Some(fault) };
    faults(server).await.set_fault(request).await.map(|answer| answer.into_inner().fault.unwrap())
}

async fn current(server: &Server) -> Option<pb::Fault> {
    faults(server).await.get_fault(pb::GetFaultRequest {}).await.unwrap().into_inner().fault
}

#[tokio::test]
async fn a_process_that_was_not_set_up_for_it_cannot_be_broken() {
    let server = Server::start().await;
    let status = set(&server, pb::Fault { hang: true, ..Default::default() }).await.unwrap_err();
    assert_eq!(status.code(), Code::Unimplemented);
    server.client().await.get_account(server.get("who")).await.unwrap();
}

#[tokio::test]
async fn a_fault_is_set_told_and_cleared() {
    let server = breakable(16).await;
    let mut client = server.client().await;
    assert_eq!(current(&server).await, None);

    let failing = pb::Fault { fail_fast: true, code: 8, remaining_ms: Some(60_000), ..Default::default() };
    let told = set(&server, failing).await.unwrap();
    assert!(told.fail_fast && told.remaining_ms.is_some_and(|left| (50_000..=60_000).contains(&left)), "{told:?}");
    let status = client.get_account(server.get("who")).await.unwrap_err();
    assert_eq!((status.code(), reason(&status).as_str()), (Code::ResourceExhausted, "FAULT_INJECTED"));

    faults(&server).await.clear_fault(pb::ClearFaultRequest {}).await.unwrap();
    assert_eq!(current(&server).await, None);
    client.get_account(server.get("who")).await.unwrap();
}

#[tokio::test]
async fn a_hanging_process_that_is_full_can_still_be_healed() {
    let server = breakable(1).await;
    set(&server, pb::Fault { hang: true, ..Default::default() }).await.unwrap();
    let hanging = tokio::spawn({
        let (mut client, request) = (server.client().await, server.get("who"));
        async move { client.get_account(request).await }
    });
    // The only place is taken: no other call gets in.
    let mut short = server.get("who");
    short.metadata_mut().insert("grpc-timeout", MetadataValue::from_static("200m"));
    let status = server.client().await.get_account(short).await.unwrap_err();
    assert!(matches!(status.code(), Code::ResourceExhausted | Code::DeadlineExceeded), "{status:?}");
    faults(&server).await.clear_fault(pb::ClearFaultRequest {}).await.unwrap();
    hanging.abort();
    support::within(|| async { server.client().await.get_account(server.get("who")).await.is_ok() }).await;
}

#[tokio::test]
async fn nonsense_is_refused_with_every_violation() {
    let server = breakable(16).await;
    let nonsense = pb::Fault { error_rate: 2.0, code: 99, remaining_ms: Some(0), ..Default::default() };
    let status = set(&server, nonsense).await.unwrap_err();
    assert_eq!((status.code(), reason(&status).as_str()), (Code::InvalidArgument, "FAULT_INVALID"));
    let details = status.get_details_bad_request().unwrap();
    let fields: Vec<&str> = details.field_violations.iter().map(|violation| violation.field.as_str()).collect();
    assert_eq!(fields, ["error_rate", "code", "for_s"]);
    assert_eq!(current(&server).await, None);
}

//! Each layer, seen from outside: a real server, a generated client, one TCP connection.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

#[allow(dead_code, reason = "each test file uses its part")]
mod support;

use std::time::Duration;

use crm_proto::customers::{
    BatchGetAccountsRequest, CreateAccountRequest, DeleteAccountRequest, ExportAccountsRequest, GetAccountRequest,
};
use crm_server::methods::MethodTable;
use crm_server::process::ServerSettings;
use crm_server::stack::StackSettings;
use crm_server::token::Role;
use http::Request;
use support::{Server, raw, reason, value};
use tonic::body::Body;
use tonic::metadata::MetadataValue;
use tonic::{Code, Status};
use tonic_types::StatusExt;

#[tokio::test]
async fn a_handler_knows_its_caller() {
    let server = Server::start().await;
    let answer = server.client().await.get_account(server.get("who")).await.unwrap();
    assert_eq!(answer.get_ref().name, "ada acme agent");
}

#[tokio::test]
async fn a_viewer_reads_and_does_not_write() {
    let server = Server::start().await;
    let mut client = server.client().await;
    let read = server.request(Role::Viewer, GetAccountRequest { id: "who".to_owned() });
    assert_eq!(client.get_account(read).await.unwrap().get_ref().name, "ada acme viewer");
    let streamed =
        server.request(Role::Viewer, ExportAccountsRequest { filter: "hang".to_owned(), show_deleted: false });
    assert!(client.export_accounts(streamed).await.unwrap().get_mut().message().await.unwrap().is_some());

    let create = server.request(Role::Viewer, CreateAccountRequest::default());
    let delete = server.request(Role::Viewer, DeleteAccountRequest::default());
    for refused in [client.create_account(create).await, client.delete_account(delete).await] {
        let status = refused.unwrap_err();
        assert_eq!((status.code(), reason(&status).as_str()), (Code::PermissionDenied, "ROLE_READ_ONLY"));
    }
    for role in [Role::Admin, Role::Manager, Role::Agent] {
        client.create_account(server.request(role, CreateAccountRequest::default())).await.unwrap();
    }
}

#[tokio::test]
async fn each_role_may_call_what_the_table_says_and_nothing_else() {
    let server = Server::start().await;
    let mut channel = server.channel().await;
    for (path, roles) in crm_proto::RIGHTS {
        for role in Role::ALL {
            let request = Request::post(format!("http://{}{path}", server.address))
                .header("content-type", "application/grpc")
                .header("authorization", format!("Bearer {}", server.token(role)))
                .body(Body::new(http_body_util::Full::from(&[0; 5][..])))
                .unwrap();
            let may = raw(&mut channel, request).await.code() != Code::PermissionDenied;
            assert_eq!(may, roles.contains(&role.as_str()), "{role} calls {path}");
        }
    }
}

/// What each role may do today, in words: a row that says something else was not meant. Who sells does not change what is
/// sold, at which price and rate, by whom, how much and in which stages.
#[test]
fn who_works_reads_and_writes_and_a_viewer_reads() {
    let methods = MethodTable::from_descriptors(crm_proto::DESCRIPTORS).unwrap();
    for (path, roles) in crm_proto::RIGHTS {
        let reads = methods.only_reads(path);
        // Who manages decides over many records at once, too.
        let catalogues =
            [".ProductService/", ".SalesTeamService/", ".PipelineService/", ".ExchangeRateService/", ".TargetService/"];
        let merges =
            ["/MergeTag", "/MergeAccount", "/MergeContact", "/UnmergeAccount", "/UnmergeContact", "/MergeStage"];
        let manages = catalogues.iter().chain(&merges).chain(&[
            "/ReassignAccounts",
            "/ReassignOpportunities",
            "/CancelOperation",
            "/UpdateSalesSettings",
        ]);
        let manages = manages.into_iter().any(|part| path.contains(part));
        let agent: &[&str] = if reads || !manages { &["agent"] } else { &[] };
        let viewer: &[&str] = if reads { &["viewer"] } else { &[] };
        let people: Vec<&str> = roles.iter().copied().filter(|role| *role != "service").collect();
        // Of all tenants at once, which is nobody's to see.
        if path.ends_with(".ChangeService/WatchTenants") {
            assert!(people.is_empty(), "{path}");
            continue;
        }
        // What records have is for a tenant's administrators to say, and who is to be forgotten.
        if path.contains(".AttributeDefinitionService/") && !reads || path.ends_with("/EraseContact") {
            assert_eq!(people, ["admin"], "{path}");
            continue;
        }
        // Files are full of what nobody has looked at yet.
        if path.contains(".ImportService/") {
            assert_eq!(people, ["admin", "manager"], "{path}");
            continue;
        }
        assert_eq!(people, [&["admin", "manager"], agent, viewer].concat(), "{path}");
    }
}

/// Each is here because a service needs it for work that no caller waits for.
#[test]
fn a_service_may_call_these_and_nothing_else() {
    let may = crm_proto::RIGHTS.iter().filter(|(_, roles)| roles.contains(&"service"));
    let may: Vec<&str> = may.map(|(path, _)| *path).collect();
    let batches =
        ["/crm.customers.v1.AccountService/BatchGetAccounts", "/crm.customers.v1.ContactService/BatchGetContacts"];
    let changes = ["customers", "sales"].map(|service| {
        ["ListChanges", "WatchChanges", "WatchTenants"]
            .map(|method| format!("/crm.{service}.v1.ChangeService/{method}"))
    });
    let mut read: Vec<String> = batches.map(str::to_owned).into_iter().chain(changes.into_iter().flatten()).collect();
    read.sort();
    assert_eq!(may, read);
}

#[tokio::test]
async fn a_service_is_let_in_by_its_own_key_and_told_what_it_may_not() {
    let server = Server::start().await;
    let mut client = server.client().await;
    let allowed = server.request(Role::Service, BatchGetAccountsRequest::default());
    // The fake's own answer.
    assert_eq!(client.batch_get_accounts(allowed).await.unwrap_err().code(), Code::Unimplemented);
    let refused = server.request(Role::Service, GetAccountRequest { id: "who".to_owned() });
    let status = client.get_account(refused).await.unwrap_err();
    assert_eq!((status.code(), reason(&status).as_str()), (Code::PermissionDenied, "ROLE_NOT_ALLOWED"));
}

#[tokio::test]
async fn without_a_good_token_nobody_gets_in() {
    let server = Server::start().await;
    let other = Server::start().await;
    let cases = [
        (None, "TOKEN_MISSING"),
        (Some("Basic YWRhOng=".to_owned()), "TOKEN_MISSING"),
        (Some("Bearer garbage".to_owned()), "TOKEN_MALFORMED"),
        (Some(format!("Bearer {}", other.token(Role::Admin))), "TOKEN_SIGNATURE"),
    ];
    let mut client = server.client().await;
    for (header, expected) in cases {
        let mut request = server.get("who");
        request.metadata_mut().remove("authorization");
        if let Some(header) = header {
            request.metadata_mut().insert("authorization", header.parse::<MetadataValue<_>>().unwrap());
        }
        let status = client.get_account(request).await.unwrap_err();
        assert_eq!((status.code(), reason(&status).as_str()), (Code::Unauthenticated, expected));
    }
}

#[tokio::test]
async fn a_header_that_says_two_things_is_refused() {
    let server = Server::start().await;
    let mut client = server.client().await;
    for (name, [one, other]) in [("authorization", ["Bearer x", "Bearer y"]), ("grpc-timeout", ["5S", "6S"])] {
        let mut request = server.get("who");
        for value in [one, other] {
            request.metadata_mut().append(name, value.parse::<MetadataValue<_>>().unwrap());
        }
        let status = client.get_account(request).await.unwrap_err();
        assert_eq!((status.code(), reason(&status).as_str()), (Code::InvalidArgument, "CONFLICTING_VALUE"), "{name}");
    }
}

#[tokio::test]
async fn health_and_reflection_need_no_token() {
    let server = Server::start().await;
    let mut channel = server.channel().await;
    let health = tonic_health::pb::HealthCheckRequest { service: "crm.customers.v1.AccountService".to_owned() };
    let mut client = tonic_health::pb::health_client::HealthClient::with_origin(channel.clone(), server.origin());
    let status = client.check(health).await.unwrap().get_ref().status();
    assert_eq!(status, tonic_health::pb::health_check_response::ServingStatus::Serving);

    let uri = format!("{}grpc.reflection.v1.ServerReflection/ServerReflectionInfo", server.origin());
    let request = Request::post(uri).header("content-type", "application/grpc").header("te", "trailers");
    let status = raw(&mut channel, request.body(Body::empty()).unwrap()).await;
    assert_eq!(status.code(), Code::Ok);
}

#[tokio::test]
async fn a_panic_is_one_callers_internal_error_and_nobody_elses() {
    let server = Server::start().await;
    let mut client = server.client().await;
    let before = value("crm_server_panics_total");
    let hanging = tokio::spawn({
        let (mut client, request) = (client.clone(), server.get("slow"));
        async move { client.get_account(request).await }
    });
    let status = client.get_account(server.get("panic")).await.unwrap_err();
    assert_eq!((status.code(), reason(&status).as_str()), (Code::Internal, "HANDLER_PANICKED"));
    assert!(!status.message().contains("purpose"), "a defect's text is not for callers");
    hanging.await.unwrap().expect("a call on the same connection goes on");
    assert!(value("crm_server_panics_total") > before);
    let method = "crm.customers.v1.AccountService/GetAccount";
    assert!(value(&format!("crm_rpc_server_errors_total{{code=\"INTERNAL\",method=\"{method}\"}}")) > 0.0);
}

#[tokio::test]
async fn a_panic_in_the_middle_of_a_stream_ends_it_with_a_status() {
    let server = Server::start().await;
    let request =
        server.request(Role::Agent, ExportAccountsRequest { filter: "panic".to_owned(), show_deleted: false });
    let mut stream = server.client().await.export_accounts(request).await.unwrap().into_inner();
    assert!(stream.message().await.unwrap().is_some());
    assert_eq!(stream.message().await.unwrap_err().code(), Code::Internal);
}

async fn deadline(server: &Server, timeout: &'static str) -> Result<String, Status> {
    let mut request = server.get("deadline");
    request.metadata_mut().insert("grpc-timeout", MetadataValue::from_static(timeout));
    server.client().await.get_account(request).await.map(|answer| answer.into_inner().name)
}

#[tokio::test]
async fn a_deadline_is_the_callers_unless_it_is_too_far_away() {
    let layers = StackSettings {
        default_timeout: Duration::from_secs(3),
        max_timeout: Duration::from_secs(20),
        ..StackSettings::default()
    };
    let server = Server::with(layers, ServerSettings::default()).await;
    let left = |text: String| text.parse::<u64>().unwrap();
    assert!((5_000..=10_000).contains(&left(deadline(&server, "10S").await.unwrap())));
    assert!((10_001..=20_000).contains(&left(deadline(&server, "5H").await.unwrap())));
    let default = server.client().await.get_account(server.get("deadline")).await.unwrap();
    assert!((1..=3_000).contains(&left(default.into_inner().name)));
    let malformed = deadline(&server, "soon").await.unwrap_err();
    assert_eq!((malformed.code(), reason(&malformed).as_str()), (Code::InvalidArgument, "TIMEOUT_MALFORMED"));
}

#[tokio::test]
async fn a_call_that_takes_too_long_is_ended_by_the_server() {
    let server = Server::start().await;
    let mut client = server.client().await;
    let mut call = server.get("hang");
    call.metadata_mut().insert("grpc-timeout", MetadataValue::from_static("50m"));
    let status = client.get_account(call).await.unwrap_err();
    assert_eq!((status.code(), reason(&status).as_str()), (Code::DeadlineExceeded, "DEADLINE_EXCEEDED"));

    let mut call =
        server.request(Role::Agent, ExportAccountsRequest { filter: "hang".to_owned(), show_deleted: false });
    call.metadata_mut().insert("grpc-timeout", MetadataValue::from_static("200m"));
    let mut stream = client.export_accounts(call).await.unwrap().into_inner();
    assert!(stream.message().await.unwrap().is_some());
    assert_eq!(stream.message().await.unwrap_err().code(), Code::DeadlineExceeded);
}

#[tokio::test]
async fn an_overloaded_server_says_so_at_once_and_still_answers_health() {
    let layers = StackSettings { max_concurrent_calls: 1, ..StackSettings::default() };
    let server = Server::with(layers, ServerSettings::default()).await;
    let mut client = server.client().await;
    let export = server.request(Role::Agent, ExportAccountsRequest { filter: "hang".to_owned(), show_deleted: false });
    let stream = client.export_accounts(export).await.unwrap();
    let status = client.get_account(server.get("who")).await.unwrap_err();
    assert_eq!((status.code(), reason(&status).as_str()), (Code::ResourceExhausted, "OVERLOADED"));
    assert_eq!(status.metadata().get("grpc-retry-pushback-ms").unwrap(), "100");

    let mut health =
        tonic_health::pb::health_client::HealthClient::with_origin(server.channel().await, server.origin());
    health.check(tonic_health::pb::HealthCheckRequest::default()).await.unwrap();

    // The stream held the only slot; letting go of it frees the slot.
    drop(stream);
    support::within(|| async { server.client().await.get_account(server.get("who")).await.is_ok() }).await;
}

#[tokio::test]
async fn one_tenants_hanging_calls_leave_places_for_every_other() {
    let layers = StackSettings { max_concurrent_calls: 8, ..StackSettings::default() };
    let server = Server::with(layers, ServerSettings::default()).await;
    let mut client = server.client().await;
    let (mut held, mut refused) = (Vec::new(), None);
    while refused.is_none() {
        let export = ExportAccountsRequest { filter: "hang".to_owned(), show_deleted: false };
        match client.export_accounts(server.request_of("greedy", export)).await {
            Ok(stream) => held.push(stream),
            Err(status) => refused = Some(status),
        }
    }
    let refused = refused.unwrap();
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::ResourceExhausted, "TENANT_SHARE_TAKEN"));
    assert_eq!(refused.metadata().get("grpc-retry-pushback-ms").unwrap(), "100");
    assert_eq!(held.len(), 4);
    for tenant in ["one", "two", "three"] {
        let get = GetAccountRequest { id: "who".to_owned() };
        client.get_account(server.request_of(tenant, get)).await.unwrap();
    }
    // A stranger is told so, and takes nobody's place.
    let stranger = tonic::Request::new(GetAccountRequest { id: "who".to_owned() });
    assert_eq!(client.get_account(stranger).await.unwrap_err().code(), Code::Unauthenticated);
}

#[tokio::test]
async fn a_stream_has_more_time_than_other_calls_and_is_told_how_much() {
    let short = Duration::from_millis(1);
    let max_stream_timeout = Duration::from_millis(300);
    let layers = StackSettings { default_timeout: short, max_timeout: short, max_stream_timeout, ..Default::default() };
    let server = Server::with(layers, ServerSettings::default()).await;
    for asked in [None, Some("1H")] {
        let mut export =
            server.request(Role::Agent, ExportAccountsRequest { filter: "hang".to_owned(), show_deleted: false });
        if let Some(asked) = asked {
            export.metadata_mut().insert("grpc-timeout", MetadataValue::from_static(asked));
        }
        let mut stream = server.client().await.export_accounts(export).await.unwrap().into_inner();
        assert!(stream.message().await.unwrap().is_some());
        let ended = stream.message().await.unwrap_err();
        assert_eq!(ended.message(), "the call took longer than the 300ms that it had", "{asked:?}");
    }
}

#[tokio::test]
async fn what_is_not_served_is_unimplemented_and_counted_together() {
    let server = Server::start().await;
    let mut channel = server.channel().await;
    for path in ["crm.customers.v1.AccountService/Invented", "no.Such/Thing"] {
        let request = Request::post(format!("{}{path}", server.origin()))
            .header("content-type", "application/grpc")
            .header("authorization", format!("Bearer {}", server.token(Role::Admin)));
        let status = raw(&mut channel, request.body(Body::empty()).unwrap()).await;
        assert_eq!((status.code(), reason(&status).as_str()), (Code::Unimplemented, "METHOD_UNKNOWN"));
    }
    let text = crm_telemetry::metrics_text();
    assert!(text.contains("crm_rpc_server_calls_total{method=\"_OTHER\",outcome=\"error\"}"), "{text}");
    assert!(!text.contains("Invented"));
}

#[tokio::test]
async fn hostile_requests_do_not_take_the_server_down() {
    let server = Server::start().await;
    let mut channel = server.channel().await;
    let uri = format!("{}crm.customers.v1.AccountService/GetAccount", server.origin());
    let bodies: [(&'static [u8], Code, &str); 8] = [
        (b"", Code::Unimplemented, "MESSAGE_COUNT"),
        (b"\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00", Code::Unimplemented, "MESSAGE_COUNT"),
        (b"\x00\x00\x00\x00\x00garbage", Code::Unimplemented, "MESSAGE_COUNT"),
        (b"\x00\xff\xff\xff\xff", Code::ResourceExhausted, "MESSAGE_TOO_LARGE"),
        (b"\x01\x00\x00\x00\x01\x00", Code::Internal, "COMPRESSION_INVALID"),
        (b"\x02\x00\x00\x00\x01\x00", Code::Internal, "COMPRESSION_INVALID"),
        // Not INTERNAL: a balancer in front would take this process for broken.
        (b"\x00\x00\x00\x00\x03\xff\xff\xff", Code::InvalidArgument, "MESSAGE_MALFORMED"),
        (b"\x00\x00\x00\x00\x03\x0a", Code::InvalidArgument, "MESSAGE_MALFORMED"),
    ];
    for (bytes, code, expected) in bodies {
        let request = Request::post(&uri)
            .header("content-type", "application/grpc")
            .header("authorization", format!("Bearer {}", server.token(Role::Admin)))
            .header("traceparent", "00-zz")
            .body(Body::new(http_body_util::Full::from(bytes)));
        let status = raw(&mut channel, request.unwrap()).await;
        assert_eq!((status.code(), reason(&status).as_str()), (code, expected), "{bytes:?}");
        // Whoever waits sends the same again; and no balancer holds it against this process.
        assert!(status.get_details_retry_info().is_none());
        let pushback = status.metadata().get("grpc-retry-pushback-ms").map(|value| value.to_str().unwrap());
        assert_eq!(pushback, (code != Code::InvalidArgument).then_some("-1"), "{bytes:?}");
    }
    server.client().await.get_account(server.get("who")).await.unwrap();
}

#[tokio::test]
async fn a_compressed_message_is_told_what_is_understood() {
    let server = Server::start().await;
    let mut channel = server.channel().await;
    let request = Request::post(format!("{}crm.customers.v1.AccountService/GetAccount", server.origin()))
        .header("content-type", "application/grpc")
        .header("grpc-encoding", "gzip")
        .header("authorization", format!("Bearer {}", server.token(Role::Admin)))
        .body(Body::new(http_body_util::Full::from(&b"\x01\x00\x00\x00\x01\x00"[..])));
    let status = raw(&mut channel, request.unwrap()).await;
    assert_eq!((status.code(), reason(&status).as_str()), (Code::Unimplemented, "COMPRESSION_UNSUPPORTED"));
    assert_eq!(status.metadata().get("grpc-accept-encoding").unwrap(), "identity");
}

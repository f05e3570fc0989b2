//! Spans on their whole way: `tracing` → SDK → OTLP/gRPC → a collector, as the variables say.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::collections::BTreeMap;
use std::process::Stdio;
use std::time::Duration;

use crm_sandbox::TemporaryFolder;
use crm_sandbox::testing::Certificates;
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{TraceService, TraceServiceServer};
use opentelemetry_proto::tonic::collector::trace::v1::{ExportTraceServiceRequest, ExportTraceServiceResponse};
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use tokio::net::{TcpListener, UnixListener};
use tokio::process::Command;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::timeout;
use tonic::metadata::MetadataMap;
use tonic::service::Routes;
use tonic::transport::server::TcpIncoming;
use tonic::transport::{Certificate, Identity, Server, ServerTlsConfig};
use tonic::{Request, Response, Status, async_trait};

/// Set in the child process, which makes the spans.
const CHILD: &str = "TELEMETRY_TEST_EXPORT";

/// What was sent, and with which headers.
type Export = (ExportTraceServiceRequest, MetadataMap);

struct Collector(UnboundedSender<Export>);

#[async_trait]
impl TraceService for Collector {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        let headers = request.metadata().clone();
        self.0.send((request.into_inner(), headers)).unwrap();
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

/// A collector, and a child process that exports to it.
async fn run(variables: &[(&str, &str)]) -> UnboundedReceiver<Export> {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let (collector, received) = collector();
    let server = tokio::spawn(async move { axum::serve(listener, collector).await });
    run_child(&endpoint, variables).await;
    server.abort();
    received
}

fn collector() -> (axum::Router, UnboundedReceiver<Export>) {
    let (sender, received) = unbounded_channel();
    (Routes::new(TraceServiceServer::new(Collector(sender))).into_axum_router(), received)
}

#[tokio::test]
async fn spans_go_to_a_collector_at_a_socket() {
    let folder = TemporaryFolder::new("crm-telemetry").unwrap();
    let path = folder.path().join("collector.sock");
    let (listener, (collector, mut received)) = (UnixListener::bind(&path).unwrap(), collector());
    let server = tokio::spawn(async move { axum::serve(listener, collector).await });
    let logged = run_child(&format!("unix:{}", path.display()), &[]).await;
    server.abort();
    assert!(received.try_recv().is_ok(), "{logged}");
}

/// What a signal's own variable leaves empty is taken from the one for all.
#[tokio::test]
async fn headers_are_sent_and_the_empty_variable_counts_as_not_set() {
    let variables = [
        ("OTEL_EXPORTER_OTLP_TRACES_HEADERS", ""),
        ("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Bearer%20one,x-team = sales, broken"),
    ];
    let (_, headers) = run(&variables).await.try_recv().unwrap();
    for (name, value) in [("authorization", "Bearer one"), ("x-team", "sales")] {
        let sent: Vec<_> = headers.get_all(name).iter().collect();
        assert_eq!(sent, [value], "{name}");
    }
}

/// A process that makes spans and ends well, whatever the variables say; what it logged.
async fn run_child(endpoint: &str, variables: &[(&str, &str)]) -> String {
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child", "--test-threads=1"])
        .env(CHILD, "1")
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint)
        .env("CRM_REPLICA", "7")
        .envs(variables.iter().copied())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let output = timeout(Duration::from_secs(20), child.wait_with_output()).await.expect("the child ends").unwrap();
    let logged = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{logged}");
    logged
}

/// As [`run`], over TLS; also what the child logged.
async fn run_with_tls(variables: &[(&str, &str)]) -> (UnboundedReceiver<Export>, String) {
    let folder = TemporaryFolder::new("crm-telemetry").unwrap();
    let files = Certificates::write(folder.path()).unwrap();
    let (authority, certificate) = (files.authority.to_str().unwrap(), files.server.to_str().unwrap());
    let key = files.server_key.to_str().unwrap();
    let read = |path: &str| std::fs::read(path).unwrap();
    let tls = ServerTlsConfig::new()
        .identity(Identity::from_pem(read(certificate), read(key)))
        .client_ca_root(Certificate::from_pem(read(authority)));
    let (sender, received) = unbounded_channel();
    let incoming = TcpIncoming::bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let endpoint = format!("https://localhost:{}", incoming.local_addr().unwrap().port());
    let mut builder = Server::builder().tls_config(tls).unwrap();
    let collector = builder.add_service(TraceServiceServer::new(Collector(sender)));
    let server = tokio::spawn(collector.serve_with_incoming(incoming));
    let replace =
        |text: &str| text.replace("AUTHORITY", authority).replace("CERTIFICATE", certificate).replace("KEY", key);
    let variables: Vec<_> = variables.iter().map(|(name, value)| (*name, replace(value))).collect();
    let variables: Vec<_> = variables.iter().map(|(name, value)| (*name, &**value)).collect();
    let logged = run_child(&endpoint, &variables).await;
    server.abort();
    (received, logged)
}

const CLIENT: [(&str, &str); 2] =
    [("OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE", "CERTIFICATE"), ("OTEL_EXPORTER_OTLP_CLIENT_KEY", "KEY")];

#[tokio::test]
async fn spans_go_over_tls_to_a_collector_that_the_variables_or_the_system_vouch_for() {
    for authority in ["OTEL_EXPORTER_OTLP_CERTIFICATE", "SSL_CERT_FILE"] {
        let (mut received, logged) = run_with_tls(&[(authority, "AUTHORITY"), CLIENT[0], CLIENT[1]]).await;
        assert!(received.try_recv().is_ok(), "{authority}: {logged}");
    }
}

/// Telemetry ends no process: what cannot be done is told, and the rest goes on.
#[tokio::test]
async fn no_collector_and_no_variable_keeps_a_process_from_its_work() {
    let (mut received, logged) = run_with_tls(&CLIENT).await;
    assert!(received.try_recv().is_err() && logged.contains("spans cannot be exported"), "{logged}");
    let no_file = [("OTEL_EXPORTER_OTLP_CERTIFICATE", "/no/such/file")];
    let none = [("SSL_CERT_FILE", "/no/such/file"), ("SSL_CERT_DIR", "/no/such/folder")];
    for (endpoint, variables, told) in [
        ("ftp://127.0.0.1:1", &[][..], "no spans are exported"),
        ("https://127.0.0.1:1", &no_file, "no spans are exported"),
        ("https://127.0.0.1:1", &none, "no spans are exported"),
        ("unix:/no/such/socket", &[], "spans cannot be exported"),
        ("http://127.0.0.1:1", &[("OTEL_EXPORTER_OTLP_HEADERS", "hunter2,a=hunter2")], "is no header"),
    ] {
        let logged = run_child(endpoint, variables).await;
        assert!(logged.contains(told) && !logged.contains("hunter2"), "{endpoint}: {logged}");
    }
}

#[tokio::test]
async fn a_span_reaches_the_collector_with_the_name_of_its_process() {
    let resource = [("OTEL_RESOURCE_ATTRIBUTES", "service.version=9,team=sales"), ("OTEL_BSP_SCHEDULE_DELAY", "10")];
    let mut received = run(&resource).await;
    let mut names = Vec::new();
    let mut attributes = BTreeMap::new();
    while let Ok((request, _)) = received.try_recv() {
        for spans in request.resource_spans {
            for attribute in spans.resource.unwrap().attributes {
                if let Some(Value::StringValue(value)) = attribute.value.and_then(|value| value.value) {
                    attributes.insert(attribute.key, value);
                }
            }
            names.extend(spans.scope_spans.into_iter().flat_map(|scope| scope.spans).map(|span| span.name));
        }
    }
    names.sort();
    names.dedup();
    // The first waits for the delay, the second for the shutdown.
    assert_eq!(names, ["early", "late"]);
    for (key, value) in
        [("service.name", "worker"), ("service.instance.id", "7"), ("service.version", "9"), ("team", "sales")]
    {
        assert_eq!(attributes.get(key).map(String::as_str), Some(value), "{key}: {attributes:?}");
    }
}

#[tokio::test]
async fn the_sampler_is_the_environments() {
    assert!(run(&[("OTEL_TRACES_SAMPLER", "always_off")]).await.try_recv().is_err());
    assert!(run(&[("OTEL_SDK_DISABLED", "true")]).await.try_recv().is_err());
}

#[test]
fn child() {
    if std::env::var_os(CHILD).is_none() {
        return;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let telemetry = crm_telemetry::start("worker").unwrap();
        let exports = std::env::var_os("OTEL_BSP_SCHEDULE_DELAY").is_some();
        drop(tracing::info_span!("early"));
        for _ in 0..500 {
            if !exports || crm_telemetry::metrics_text().contains("crm_telemetry_spans_exported_total 1") {
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        drop(tracing::info_span!("late"));
        telemetry.shutdown().await;
    });
}

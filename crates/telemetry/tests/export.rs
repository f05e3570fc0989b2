//! Spans on their whole way: `tracing` → SDK → OTLP/gRPC → a collector, as the variables say.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::collections::BTreeMap;
use std::process::Stdio;
use std::time::Duration;

use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{TraceService, TraceServiceServer};
use opentelemetry_proto::tonic::collector::trace::v1::{ExportTraceServiceRequest, ExportTraceServiceResponse};
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use tokio::net::TcpListener;
use tokio::process::Command;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::timeout;
use tonic::service::Routes;
use tonic::{Request, Response, Status, async_trait};

/// Set in the child process, which makes the spans.
const CHILD: &str = "TELEMETRY_TEST_EXPORT";

struct Collector(UnboundedSender<ExportTraceServiceRequest>);

#[async_trait]
impl TraceService for Collector {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        self.0.send(request.into_inner()).unwrap();
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

/// A collector, and a child process that exports to it.
async fn run(variables: &[(&str, &str)]) -> UnboundedReceiver<ExportTraceServiceRequest> {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let (sender, received) = unbounded_channel();
    let app = Routes::new(TraceServiceServer::new(Collector(sender))).into_axum_router();
    let server = tokio::spawn(async move { axum::serve(listener, app).await });
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child", "--test-threads=1"])
        .env(CHILD, "1")
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint)
        .env("CRM_REPLICA", "7")
        .envs(variables.iter().copied())
        .stdout(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let output = timeout(Duration::from_secs(20), child.wait_with_output()).await.expect("the child ends").unwrap();
    assert!(output.status.success());
    server.abort();
    received
}

#[tokio::test]
async fn a_span_reaches_the_collector_with_the_name_of_its_process() {
    let resource = [("OTEL_RESOURCE_ATTRIBUTES", "service.version=9,team=sales"), ("OTEL_BSP_SCHEDULE_DELAY", "10")];
    let mut received = run(&resource).await;
    let mut names = Vec::new();
    let mut attributes = BTreeMap::new();
    while let Ok(request) = received.try_recv() {
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

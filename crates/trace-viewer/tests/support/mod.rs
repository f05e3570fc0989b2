//! A viewer on free ports, an exporter to feed it, and a client for its API. Each test file uses its part of it.
#![allow(dead_code, unreachable_pub)]

pub mod http;
pub mod spans;

use std::{net::SocketAddr, time::Duration};

use ::http::{Method, Request};
use crm_trace_viewer::{Config, Listeners, serve};
use opentelemetry_proto::tonic::{
    collector::trace::v1::{
        ExportTracePartialSuccess, ExportTraceServiceRequest, trace_service_client::TraceServiceClient,
    },
    trace::v1::ResourceSpans,
};
use serde_json::Value;
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_util::sync::CancellationToken;
use tonic::transport::Channel;

/// A running viewer; it drains when told to [`stop`](Viewer::stop).
pub struct Viewer {
    pub web: SocketAddr,
    pub otlp: SocketAddr,
    pub admin: SocketAddr,
    pub exporter: TraceServiceClient<Channel>,
    shutdown: CancellationToken,
    running: JoinHandle<()>,
}

impl Viewer {
    pub async fn start() -> Self {
        Self::start_with(Config::default()).await
    }

    pub async fn start_with(config: Config) -> Self {
        let (web, otlp, admin) = (listen().await, listen().await, listen().await);
        let addresses = (web.local_addr().unwrap(), otlp.local_addr().unwrap(), admin.local_addr().unwrap());
        let shutdown = CancellationToken::new();
        let listeners = Listeners { web, otlp, otlp_http: None, admin: Some(admin) };
        let running = tokio::spawn(serve(config, listeners, shutdown.clone()));
        let exporter = TraceServiceClient::connect(format!("http://{}", addresses.1)).await.unwrap();
        Self { web: addresses.0, otlp: addresses.1, admin: addresses.2, exporter, shutdown, running }
    }

    /// Exports as any OpenTelemetry exporter does; answers what was refused.
    pub async fn export(&self, resource_spans: Vec<ResourceSpans>) -> Option<ExportTracePartialSuccess> {
        let request = ExportTraceServiceRequest { resource_spans };
        self.exporter.clone().export(request).await.unwrap().into_inner().partial_success
    }

    /// `POST /v1/traces` as it stands.
    pub async fn post_traces(&self, headers: &[(&str, &str)], body: impl Into<bytes::Bytes>) -> http::Answer {
        self.send_traces(Method::POST, headers, body).await
    }

    pub async fn send_traces(
        &self,
        method: Method,
        headers: &[(&str, &str)],
        body: impl Into<bytes::Bytes>,
    ) -> http::Answer {
        let request = Request::builder().method(method).uri(format!("http://{}/v1/traces", self.otlp));
        let request = headers.iter().fold(request, |it, (name, value)| it.header(*name, *value));
        http::send(request.body(body.into().into()).unwrap()).await
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.web)
    }

    /// Status and JSON of an API query.
    pub async fn query(&self, path: &str) -> (u16, Value) {
        let answer = http::get(&self.url(path)).await;
        let json = serde_json::from_slice(&answer.body);
        (answer.status, json.unwrap_or_else(|error| panic!("{path}: {error}: {:?}", answer.text())))
    }

    /// The `data` of a query that must succeed.
    pub async fn data(&self, path: &str) -> Value {
        let (status, mut json) = self.query(path).await;
        assert_eq!(status, 200, "{path}: {json}");
        json["data"].take()
    }

    pub async fn metric(&self, name: &str) -> f64 {
        let page = http::get(&format!("http://{}/metrics", self.admin)).await.text();
        let line = page.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')).map(str::parse);
        line.unwrap_or_else(|| panic!("no {name} in {page}")).unwrap()
    }

    /// Ends the viewer; an exporter that stays connected, as they do, must not delay it.
    pub async fn stop(self) {
        self.shutdown.cancel();
        tokio::time::timeout(Duration::from_secs(4), self.running).await.expect("drained in time").unwrap();
        drop(self.exporter);
    }
}

async fn listen() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").await.unwrap()
}

//! Those whom the console asks.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::{SystemTime, UNIX_EPOCH},
};

use axum::{
    Json, Router,
    body::Bytes,
    extract::State,
    http::{Method, StatusCode, Uri},
    response::{
        IntoResponse, Response,
        sse::{Event, Sse},
    },
    routing::get,
};
use futures_util::StreamExt;
use serde_json::{Value, json};
use tokio::{net::TcpListener, sync::broadcast, task::JoinHandle};
use tokio_stream::wrappers::BroadcastStream;

/// A control API.
pub struct Gateway {
    pub address: SocketAddr,
    pub state: Arc<Mutex<Truth>>,
    events: broadcast::Sender<String>,
    running: JoinHandle<()>,
}

/// What the control API says, and what it was told.
#[derive(Debug)]
pub struct Truth {
    pub replicas: Vec<Value>,
    pub policy: String,
    pub faults_allowed: bool,
    pub told: Vec<String>,
    /// Instead of doing what it is told, it refuses, saying this.
    pub refusal: Option<String>,
    /// No calls flow.
    pub is_idle: bool,
    /// A second upstream, `sales`, with these replicas.
    pub sales: Option<Vec<Value>>,
    asked: u64,
}

impl Gateway {
    pub async fn start(replicas: Vec<Value>) -> Self {
        Self::start_at("127.0.0.1:0".parse().unwrap(), replicas).await
    }

    pub async fn start_at(address: SocketAddr, replicas: Vec<Value>) -> Self {
        let listener = TcpListener::bind(address).await.unwrap();
        let (address, events) = (listener.local_addr().unwrap(), broadcast::Sender::new(16));
        let policy = "peak_ewma".to_owned();
        let truth = Truth {
            replicas,
            policy,
            faults_allowed: true,
            told: Vec::new(),
            refusal: None,
            is_idle: false,
            sales: None,
            asked: 0,
        };
        let state = Arc::new(Mutex::new(truth));
        let routes = Router::new()
            .route("/upstreams", get(upstreams))
            .route("/events", get(stream))
            .fallback(told)
            .with_state((Arc::clone(&state), events.clone()));
        let running = tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() });
        Self { address, state, events, running }
    }

    pub fn tell(&self, event: &Value) {
        let _ = self.events.send(event.to_string());
    }

    pub fn change(&self, change: impl FnOnce(&mut Truth)) {
        change(&mut self.state.lock().unwrap());
    }

    pub fn told(&self) -> Vec<String> {
        self.state.lock().unwrap().told.clone()
    }

    /// Ends as a killed process does: its port is closed, and so is what was open.
    pub async fn die(&self) {
        self.running.abort();
        self.change(|truth| truth.refusal = Some("dead".to_owned()));
    }
}

type Shared = State<(Arc<Mutex<Truth>>, broadcast::Sender<String>)>;

async fn upstreams(State((state, _)): Shared) -> Response {
    let mut truth = state.lock().unwrap();
    if truth.refusal.as_deref() == Some("dead") {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    truth.asked += u64::from(!truth.is_idle);
    // Each answer is half a second after the one before: 8 calls a second.
    let calls = truth.asked * 4;
    let counts =
        json!({"ok": calls, "errors": 0, "cancelled": 0, "retries": 0, "shed": 0, "p50_ms": 2.0, "p99_ms": 40.0});
    let upstream = |name: &str, replicas: &[Value]| {
        let replicas: Vec<Value> = replicas.iter().map(|replica| with_calls(replica, calls / 2)).collect();
        let key = format!("crm.{name}.v1");
        json!({"name": name, "key": key, "policy": truth.policy, "panic": false, "calls": counts, "replicas": replicas})
    };
    let sales = truth.sales.iter().map(|replicas| upstream("sales", replicas));
    let upstreams: Vec<Value> = std::iter::once(upstream("customers", &truth.replicas)).chain(sales).collect();
    Json(json!({"faults": {"allowed": truth.faults_allowed}, "upstreams": upstreams})).into_response()
}

fn with_calls(replica: &Value, calls: u64) -> Value {
    let mut replica = replica.clone();
    replica["calls"] = calls.into();
    replica
}

async fn stream(State((_, events)): Shared) -> impl IntoResponse {
    let events = BroadcastStream::new(events.subscribe());
    Sse::new(events.map(|event| event.map(|data| Event::default().event("balance").data(data))))
}

async fn told(State((state, _)): Shared, method: Method, uri: Uri, body: Bytes) -> Response {
    let mut truth = state.lock().unwrap();
    if let Some(message) = &truth.refusal {
        return (StatusCode::CONFLICT, Json(json!({"code": 9, "message": message, "details": []}))).into_response();
    }
    let line = format!("{method} {} {}", uri.path(), String::from_utf8_lossy(&body));
    truth.told.push(line.trim_end().to_owned());
    if let Ok(change) = serde_json::from_slice::<Value>(&body)
        && let Some(policy) = change["policy"].as_str()
    {
        policy.clone_into(&mut truth.policy);
    }
    Json(json!({})).into_response()
}

pub fn replica(ordinal: u32, state: &str) -> Value {
    let reason = if state == "ready" { Value::Null } else { "consecutive failures".into() };
    json!({"ordinal": ordinal, "address": format!("10.0.0.{ordinal}:50051"), "state": state, "reason": reason,
        "weight": 1, "share": 0.5, "rate": 4.0, "latency_ms_ewma": 2.0, "p50_ms": 1.8, "p99_ms": 40.0,
        "in_flight": 0, "ejections": 0, "calls": 0, "failures": 0, "fault": null})
}

/// A trace viewer that finds one slow call, and one that a retry saved.
pub async fn start_viewer() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let routes = Router::new().route("/api/traces", get(|uri: Uri| async move { Json(traces(&uri)) }));
    tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() });
    address
}

fn traces(uri: &Uri) -> Value {
    let is_failed = uri.query().unwrap_or_default().contains("tags=");
    let (id, codes) = if is_failed { ("bad0", &["UNAVAILABLE", "OK"][..]) } else { ("510e", &["OK"][..]) };
    let name = "crm.customers.v1.AccountService/GetAccount";
    // Both came just now, however often it is asked.
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_micros() as u64;
    let span = |kind: &str, start: u64, tags: Vec<Value>| {
        let kind = json!({"key": "span.kind", "value": kind});
        let tags: Vec<Value> = [kind].into_iter().chain(tags).collect();
        json!({"traceID": id, "operationName": name, "startTime": now + start, "duration": 123_000, "processID": "p1", "tags": tags})
    };
    let attempt = |(at, code): (u64, &&str)| {
        let replica = json!({"key": "crm.replica", "value": at.to_string()});
        span("client", at + 1, vec![replica, json!({"key": "rpc.status_code", "value": code})])
    };
    let root = span("server", 0, vec![json!({"key": "rpc.status_code", "value": "OK"})]);
    let spans: Vec<Value> = [root].into_iter().chain((0..).zip(codes).map(attempt)).collect();
    json!({"data": [{"traceID": id, "spans": spans, "processes": {"p1": {"serviceName": "gateway"}}}]})
}

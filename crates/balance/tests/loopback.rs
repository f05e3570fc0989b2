//! Over real loopback HTTP/2: what only sockets can show. Real time, so every wait is a bounded poll.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use crm_balance::{
    Client, ClientSettings, ConnectionSettings, Discovery, Endpoint, HealthCheck, Phase, Policy, Retryable, Upstream,
    client,
};
use h2::Reason;
use h2::server::SendResponse;
use http::{HeaderMap, HeaderValue, Request, Response};
use http_body_util::{BodyExt, Full, StreamBody};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};
use tokio_util::sync::CancellationToken;
use tonic::Code;
use tonic::body::Body;
use tower::ServiceExt;

/// An HTTP/2 server that answers any gRPC call by sending back what it got.
struct Server {
    address: SocketAddr,
    calls: Arc<AtomicU64>,
    resets: Arc<AtomicU64>,
    is_hung: Arc<AtomicBool>,
    go_away: CancellationToken,
    task: JoinHandle<()>,
}

#[derive(Clone)]
struct Shared {
    calls: Arc<AtomicU64>,
    resets: Arc<AtomicU64>,
    is_hung: Arc<AtomicBool>,
    go_away: CancellationToken,
}

impl Server {
    async fn start() -> Self {
        Self::on(TcpListener::bind("127.0.0.1:0").await.unwrap())
    }

    fn on(listener: TcpListener) -> Self {
        let address = listener.local_addr().unwrap();
        let shared = Shared {
            calls: Arc::default(),
            resets: Arc::default(),
            is_hung: Arc::default(),
            go_away: CancellationToken::new(),
        };
        let Shared { calls, resets, is_hung, go_away } = shared.clone();
        let task = tokio::spawn(async move {
            // Dropping the set with the task closes every connection, as the death of a process does.
            let mut connections = JoinSet::new();
            while let Ok((socket, _)) = listener.accept().await {
                connections.spawn(connection(socket, shared.clone()));
            }
        });
        Self { address, calls, resets, is_hung, go_away, task }
    }

    async fn kill(self) -> SocketAddr {
        self.task.abort();
        let _ = self.task.await;
        self.address
    }

    fn calls(&self) -> u64 {
        self.calls.load(Ordering::Relaxed)
    }
}

async fn connection(socket: TcpStream, shared: Shared) {
    let mut connection = h2::server::handshake(socket).await.unwrap();
    let mut calls = JoinSet::new();
    let mut told = shared.go_away.is_cancelled();
    loop {
        while shared.is_hung.load(Ordering::Relaxed) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let accepted = tokio::select! {
            accepted = connection.accept() => accepted,
            () = shared.go_away.cancelled(), if !told => {
                told = true;
                connection.graceful_shutdown();
                continue;
            }
            // Looks up now and then whether it is to hang.
            () = tokio::time::sleep(Duration::from_millis(10)) => continue,
        };
        match accepted {
            Some(Ok((request, respond))) => drop(calls.spawn(answer(request, respond, shared.clone()))),
            _ => return,
        }
    }
}

async fn answer(request: Request<h2::RecvStream>, mut respond: SendResponse<Bytes>, shared: Shared) {
    if request.uri().path() == "/test.Echo/Never" {
        let _ = std::future::poll_fn(|cx| respond.poll_reset(cx)).await;
        shared.resets.fetch_add(1, Ordering::Relaxed);
        return;
    }
    if request.uri().path().starts_with("/grpc.health") {
        let refused = Response::builder().header("grpc-status", "12").body(()).unwrap();
        let _ = respond.send_response(refused, true);
        return;
    }
    if let Some(reset) = request.uri().path().strip_prefix("/test.Echo/Reset/") {
        let (when, reason) = reset.split_once('/').unwrap();
        let reason = Reason::from(reason.parse::<u32>().unwrap());
        match when {
            "before" => respond.send_reset(reason),
            _ => {
                let mut stream = respond.send_response(Response::new(()), false).unwrap();
                stream.send_data(Bytes::from_static(b"begun"), false).unwrap();
                tokio::time::sleep(Duration::from_millis(20)).await;
                stream.send_reset(reason);
            }
        }
        return;
    }
    shared.calls.fetch_add(1, Ordering::Relaxed);
    let Ok(mut stream) = respond.send_response(Response::new(()), false) else { return };
    let mut body = request.into_body();
    while let Some(Ok(data)) = body.data().await {
        let _ = body.flow_control().release_capacity(data.len());
        let _ = stream.send_data(data, false);
    }
    let mut trailers = HeaderMap::new();
    trailers.insert("grpc-status", HeaderValue::from_static("0"));
    let _ = stream.send_trailers(trailers);
}

fn over(servers: &[&Server]) -> crm_balance::Builder {
    let endpoints = servers.iter().map(|server| Endpoint::from(server.address)).collect();
    Upstream::builder("echo", Discovery::Static(endpoints)).health(HealthCheck::Off).policy(Policy::RoundRobin)
}

fn request(path: &str, body: Body) -> Request<Body> {
    let mut request = Request::new(body);
    *request.uri_mut() = path.parse().unwrap();
    *request.method_mut() = http::Method::POST;
    request
}

async fn echo(client: &Client, bytes: Bytes, retryable: bool) -> Result<Bytes, tonic::Status> {
    let mut request = request("/test.Echo/Say", Body::new(Full::new(bytes)));
    request.extensions_mut().insert(Retryable(retryable));
    let body = client.clone().oneshot(request).await?.into_body().collect().await?;
    assert_eq!(body.trailers().unwrap()["grpc-status"], "0");
    Ok(body.to_bytes())
}

fn plain(upstream: &Upstream) -> Client {
    client(upstream.clone(), ClientSettings::default())
}

async fn until(what: &str, condition: impl Fn() -> bool) {
    let begin = Instant::now();
    while !condition() {
        assert!(begin.elapsed() < Duration::from_secs(20), "{what} did not come true");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

async fn ready(upstream: &Upstream) {
    until("readiness", || upstream.replicas().iter().all(|replica| replica.state == Phase::Ready)).await;
}

/// Calls without a pause until told to stop; returns how many calls there were and which failed.
fn keep_calling(client: &Client, retryable: bool) -> (CancellationToken, JoinHandle<(u64, Vec<String>)>) {
    let (stop, client) = (CancellationToken::new(), client.clone());
    let stopped = stop.clone();
    let task = tokio::spawn(async move {
        let (mut calls, mut failures) = (0, Vec::new());
        while !stopped.is_cancelled() {
            calls += 1;
            if let Err(status) = echo(&client, Bytes::from_static(b"ping"), retryable).await {
                failures.push(status.to_string());
            }
        }
        (calls, failures)
    });
    (stop, task)
}

#[tokio::test]
async fn bodies_of_every_size_come_back_whole() {
    let server = Server::start().await;
    let upstream = over(&[&server]).build();
    let client = plain(&upstream);
    for size in [0, 1, 16_384, 65_536, 65_537, 3_000_000] {
        let bytes: Bytes = (0..size).map(|at| (at % 251) as u8).collect();
        assert_eq!(echo(&client, bytes.clone(), true).await.unwrap(), bytes, "{size} bytes");
    }
}

#[tokio::test]
async fn stream_runs_in_both_directions_at_once() {
    let server = Server::start().await;
    let upstream = over(&[&server]).build();
    let (sender, receiver) = tokio::sync::mpsc::unbounded_channel::<&'static str>();
    let frames = futures_util::stream::unfold(receiver, async |mut receiver| {
        let text = receiver.recv().await?;
        Some((Ok::<_, tonic::Status>(http_body::Frame::data(Bytes::from_static(text.as_bytes()))), receiver))
    });
    let call = request("/test.Echo/Chat", Body::new(StreamBody::new(Box::pin(frames))));
    let mut answer = plain(&upstream).oneshot(call).await.unwrap().into_body();
    for text in ["one", "two", "three"] {
        sender.send(text).unwrap();
        assert_eq!(answer.frame().await.unwrap().unwrap().into_data().unwrap(), text);
    }
    drop(sender);
    assert!(answer.frame().await.unwrap().unwrap().is_trailers());
}

#[tokio::test]
async fn killed_server_costs_no_retryable_call_and_is_back_soon_after_its_return() {
    let (victim, other) = (Server::start().await, Server::start().await);
    let upstream = over(&[&victim, &other]).build();
    let client = plain(&upstream);
    ready(&upstream).await;
    let (stop, calling) = keep_calling(&client, true);
    until("traffic", || victim.calls() > 20).await;
    let address = victim.kill().await;
    let before = other.calls();
    until("the other taking over", || other.calls() > before + 50).await;
    let victim = Server::on(TcpListener::bind(address).await.unwrap());
    until("traffic after the return", || victim.calls() > 0).await;
    stop.cancel();
    let (calls, failures) = calling.await.unwrap();
    assert!(failures.is_empty(), "{} of {calls} failed: {failures:?}", failures.len());
}

#[tokio::test]
async fn going_away_costs_no_call_retryable_or_not() {
    let (leaving, staying) = (Server::start().await, Server::start().await);
    let upstream = over(&[&leaving, &staying]).build();
    let client = plain(&upstream);
    ready(&upstream).await;
    let callers: Vec<_> = (0..8).map(|_| keep_calling(&client, false)).collect();
    until("traffic", || leaving.calls() > 50).await;
    leaving.go_away.cancel();
    let before = staying.calls();
    until("the other serving on", || staying.calls() > before + 200).await;
    for (stop, calling) in callers {
        stop.cancel();
        let (calls, failures) = calling.await.unwrap();
        assert!(failures.is_empty(), "{} of {calls} failed: {failures:?}", failures.len());
    }
}

#[tokio::test]
async fn silent_server_is_found_out_by_pings() {
    let (silent, other) = (Server::start().await, Server::start().await);
    let pings = ConnectionSettings {
        keep_alive_every: Duration::from_millis(200),
        keep_alive_timeout: Duration::from_millis(500),
        ..ConnectionSettings::default()
    };
    let upstream = over(&[&silent, &other]).connection(pings).build();
    ready(&upstream).await;
    silent.is_hung.store(true, Ordering::Relaxed);
    until("its connection's end", || upstream.replicas()[0].state != Phase::Ready).await;
    let client = plain(&upstream);
    // What accepts connections but says nothing may look connected for a moment; retryable calls pass it by.
    for _ in 0..20 {
        echo(&client, Bytes::from_static(b"ping"), true).await.unwrap();
    }
}

#[tokio::test]
async fn process_that_is_stopped_never_looks_ready() {
    // Never accepted from: the kernel takes the connection, nobody answers.
    let stopped = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let discovery = Discovery::of([stopped.local_addr().unwrap()]);
    let brief = Duration::from_millis(100);
    let upstream = Upstream::builder("stopped", discovery).health(HealthCheck::Off).connect_timeout(brief).build();
    let is_timed_out = || upstream.replicas()[0].reason.as_deref().is_some_and(|reason| reason.contains("timed out"));
    until("the connect time-out", is_timed_out).await;
    assert_eq!(upstream.replicas()[0].state, Phase::Connecting);
}

#[tokio::test]
async fn deadline_and_leaving_reset_the_stream_at_the_server() {
    let server = Server::start().await;
    let upstream = over(&[&server]).build();
    ready(&upstream).await;
    let client = plain(&upstream);
    let mut bounded = request("/test.Echo/Never", Body::empty());
    bounded.headers_mut().insert("grpc-timeout", HeaderValue::from_static("50m"));
    assert_eq!(client.clone().oneshot(bounded).await.unwrap_err().code(), Code::DeadlineExceeded);
    until("the reset at the deadline", || server.resets.load(Ordering::Relaxed) == 1).await;
    let left = client.clone().oneshot(request("/test.Echo/Never", Body::empty()));
    assert!(tokio::time::timeout(Duration::from_millis(50), left).await.is_err());
    until("the reset of the caller who left", || server.resets.load(Ordering::Relaxed) == 2).await;
}

/// How a call ends, by its status or the trailers of its body.
async fn ending(client: &Client, path: &str) -> Code {
    match client.clone().oneshot(request(path, Body::empty())).await {
        Err(status) => status.code(),
        Ok(response) => {
            let trailers = response.into_body().collect().await.unwrap().trailers().cloned().unwrap();
            Code::from_bytes(trailers["grpc-status"].as_bytes())
        }
    }
}

#[tokio::test]
async fn reset_means_the_same_before_headers_and_after_them() {
    let cases = [
        (Reason::CANCEL, Code::Cancelled),
        (Reason::INTERNAL_ERROR, Code::Internal),
        (Reason::ENHANCE_YOUR_CALM, Code::ResourceExhausted),
    ];
    for (reason, code) in cases {
        for when in ["before", "after"] {
            let server = Server::start().await;
            let upstream = over(&[&server]).build();
            ready(&upstream).await;
            let path = format!("/test.Echo/Reset/{when}/{}", u32::from(reason));
            assert_eq!(ending(&plain(&upstream), &path).await, code, "{reason:?} {when} headers");
            let replica = &upstream.replicas()[0];
            assert_eq!((replica.calls, replica.failures), (1, 1), "{reason:?} {when} headers");
        }
    }
}

#[tokio::test]
async fn connection_is_renewed_by_age_without_a_failed_call() {
    let server = Server::start().await;
    let aged = ConnectionSettings { max_age: Some(Duration::from_millis(50)), ..ConnectionSettings::default() };
    let upstream = over(&[&server]).connection(aged).build();
    ready(&upstream).await;
    let (stop, calling) = keep_calling(&plain(&upstream), false);
    tokio::time::sleep(Duration::from_millis(400)).await;
    stop.cancel();
    let (calls, failures) = calling.await.unwrap();
    assert!(failures.is_empty(), "{} of {calls} failed: {failures:?}", failures.len());
}

#[tokio::test]
async fn nobody_listening_is_told_at_once() {
    let server = Server::start().await;
    let upstream = over(&[&server]).build();
    ready(&upstream).await;
    server.kill().await;
    until("the loss", || upstream.replicas()[0].state == Phase::Connecting).await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    let begin = Instant::now();
    let refused = echo(&plain(&upstream), Bytes::new(), true).await.unwrap_err();
    assert_eq!(refused.code(), Code::Unavailable);
    assert!(begin.elapsed() < Duration::from_secs(3), "{:?}", begin.elapsed());
}

/// A generated client and server, to show that they fit.
#[tokio::test]
async fn generated_tonic_client_works_over_it_with_health_checks_on() {
    use tonic_health::pb::HealthCheckRequest;
    use tonic_health::pb::health_client::HealthClient;

    let (reporter, service) = tonic_health::server::health_reporter();
    reporter.set_service_status("test.Echo", tonic_health::ServingStatus::Serving).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let incoming = tokio_stream::wrappers::TcpListenerStream::new(listener);
    let server = tokio::spawn(tonic::transport::Server::builder().add_service(service).serve_with_incoming(incoming));

    let upstream = Upstream::builder("health", Discovery::of([address])).build();
    let mut health = HealthClient::new(plain(&upstream));
    let request = HealthCheckRequest { service: "test.Echo".to_owned() };
    let answer = health.check(request).await.unwrap().into_inner();
    assert_eq!(answer.status, 1);
    let unknown = health.check(HealthCheckRequest { service: "nobody".to_owned() }).await.unwrap_err();
    assert_eq!(unknown.code(), Code::NotFound);

    reporter.set_service_status("", tonic_health::ServingStatus::NotServing).await;
    until("the health check's finding", || upstream.replicas()[0].state == Phase::Unhealthy).await;
    server.abort();
}

//! A server with h2's own bounds, and callers of it that stay or leave.

#![allow(dead_code, unreachable_pub)]

use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Waker};
use std::time::{Duration, Instant};

use bytes::Bytes;
use crm_balance::{Client, ClientSettings, Discovery, HealthCheck, Phase, ShedSettings, Switch, Upstream, client};
use h2::server::SendResponse;
use http::{HeaderMap, HeaderValue, Request, Response};
use http_body::Frame;
use http_body_util::{BodyExt, Full, StreamBody};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};
use tonic::Status;
use tonic::body::Body;
use tower::ServiceExt;

use super::wire;

/// Calls that never end by themselves: how many came, and how many of them ended.
#[derive(Clone, Default)]
pub struct Seen {
    begun: Arc<AtomicU64>,
    ended: Arc<AtomicU64>,
}

impl Seen {
    pub fn begun(&self) -> u64 {
        self.begun.load(Ordering::Relaxed)
    }

    pub fn ended(&self) -> u64 {
        self.ended.load(Ordering::Relaxed)
    }
}

pub async fn serve(builder: h2::server::Builder) -> (SocketAddr, Seen) {
    let (address, seen, _) = serve_until_killed(builder).await;
    (address, seen)
}

/// Aborting the task ends all connections, as the death of a process does.
pub async fn serve_until_killed(builder: h2::server::Builder) -> (SocketAddr, Seen, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (address, seen) = (listener.local_addr().unwrap(), Seen::default());
    let told = seen.clone();
    let task = tokio::spawn(async move {
        let mut connections = JoinSet::new();
        while let Ok((socket, _)) = listener.accept().await {
            connections.spawn(connection(builder.clone(), socket, told.clone()));
        }
    });
    (address, seen, task)
}

async fn connection(builder: h2::server::Builder, socket: TcpStream, seen: Seen) {
    let mut connection = builder.handshake(socket).await.unwrap();
    let mut calls = JoinSet::new();
    while let Some(Ok((request, respond))) = connection.accept().await {
        calls.spawn(answer(request, respond, seen.clone()));
    }
}

async fn answer(request: Request<h2::RecvStream>, mut respond: SendResponse<Bytes>, seen: Seen) {
    if request.uri().path() == "/test.Echo/Chat" {
        return echo(request, respond).await;
    }
    seen.begun.fetch_add(1, Ordering::Relaxed);
    if request.uri().path() == "/test.Echo/Stream" {
        // Its caller may have left already.
        if let Ok(mut stream) = respond.send_response(Response::new(()), false) {
            let _ = stream.send_data(Bytes::from_static(b"begun"), false);
            let _ = std::future::poll_fn(|cx| stream.poll_reset(cx)).await;
        }
    } else {
        let _ = std::future::poll_fn(|cx| respond.poll_reset(cx)).await;
    }
    seen.ended.fetch_add(1, Ordering::Relaxed);
}

async fn echo(request: Request<h2::RecvStream>, mut respond: SendResponse<Bytes>) {
    let mut stream = respond.send_response(Response::new(()), false).unwrap();
    let mut body = request.into_body();
    while let Some(Ok(data)) = body.data().await {
        let _ = body.flow_control().release_capacity(data.len());
        let _ = stream.send_data(data, false);
    }
    let mut trailers = HeaderMap::new();
    trailers.insert("grpc-status", HeaderValue::from_static("0"));
    let _ = stream.send_trailers(trailers);
}

pub fn over(address: SocketAddr) -> Upstream {
    Upstream::builder("echo", Discovery::of([address])).health(HealthCheck::Off).build()
}

pub async fn ready(upstream: &Upstream) -> Client {
    until("readiness", || upstream.replicas()[0].state == Phase::Ready).await;
    let shed = ShedSettings { enabled: Switch::off(), ..ShedSettings::default() };
    client(upstream.clone(), ClientSettings { shed, ..ClientSettings::default() })
}

pub async fn until(what: &str, condition: impl Fn() -> bool) {
    let begin = Instant::now();
    while !condition() {
        assert!(begin.elapsed() < Duration::from_secs(20), "{what} did not come true");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

pub fn request(path: &str, body: Body) -> Request<Body> {
    let mut request = Request::new(body);
    *request.uri_mut() = path.parse().unwrap();
    *request.method_mut() = http::Method::POST;
    request
}

/// A call that goes on both ways while others come and go.
pub struct Live {
    sender: tokio::sync::mpsc::UnboundedSender<&'static str>,
    answer: Body,
}

impl Live {
    pub async fn begin(client: &Client) -> Self {
        let (sender, receiver) = tokio::sync::mpsc::unbounded_channel::<&'static str>();
        let frames = futures_util::stream::unfold(receiver, async |mut receiver| {
            let text = receiver.recv().await?;
            Some((Ok::<_, Status>(Frame::data(Bytes::from_static(text.as_bytes()))), receiver))
        });
        let call = request("/test.Echo/Chat", Body::new(StreamBody::new(Box::pin(frames))));
        let answer = client.clone().oneshot(call).await.unwrap().into_body();
        let mut live = Self { sender, answer };
        live.say("one").await;
        live
    }

    pub async fn say(&mut self, text: &'static str) {
        self.sender.send(text).unwrap();
        let frame = self.answer.frame().await.unwrap().unwrap();
        assert_eq!(frame.into_data().expect("the live call has ended"), text);
    }
}

/// An upload that has begun and never goes on.
pub fn endless_upload() -> Body {
    let first = futures_util::stream::iter([Ok::<_, Infallible>(Frame::data(Bytes::from_static(&[7; 1_000])))]);
    let frames = futures_util::StreamExt::chain(first, futures_util::stream::pending());
    Body::new(StreamBody::new(frames))
}

/// Begins so many calls, and gives them all up before a byte has left: opened and reset in one write.
pub fn open_and_leave(client: &Client, count: usize, path: &str, body: impl Fn() -> Body) {
    let calls: Vec<_> = (0..count)
        .map(|_| {
            let mut call = Box::pin(client.clone().oneshot(request(path, body())));
            assert!(call.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
            call
        })
        .collect();
    drop(calls);
}

pub fn empty() -> Body {
    Body::empty()
}

pub fn small() -> Body {
    Body::new(Full::new(Bytes::from_static(&[0; 100])))
}

/// What the wire answers.
pub fn please() -> Body {
    Body::new(Full::new(Bytes::from_static(wire::PLEASE)))
}

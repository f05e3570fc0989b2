//! Callers that leave, beside one that stays, at a server with h2's own bounds.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod wire;

use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use bytes::Bytes;
use crm_balance::{
    Client, ClientSettings, ConnectionSettings, Discovery, HealthCheck, Phase, ShedSettings, Switch, Upstream, client,
};
use h2::server::SendResponse;
use http::{HeaderMap, HeaderValue, Request, Response};
use http_body::Frame;
use http_body_util::{BodyExt, Full, StreamBody};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tonic::body::Body;
use tonic::{Code, Status};
use tower::ServiceExt;
use wire::Wire;

/// Calls that never end by themselves: how many came, and how many of them ended.
#[derive(Clone, Default)]
struct Seen {
    begun: Arc<AtomicU64>,
    ended: Arc<AtomicU64>,
}

impl Seen {
    fn begun(&self) -> u64 {
        self.begun.load(Ordering::Relaxed)
    }

    fn ended(&self) -> u64 {
        self.ended.load(Ordering::Relaxed)
    }
}

async fn serve(builder: h2::server::Builder) -> (SocketAddr, Seen) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (address, seen) = (listener.local_addr().unwrap(), Seen::default());
    let told = seen.clone();
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            tokio::spawn(connection(builder.clone(), socket, told.clone()));
        }
    });
    (address, seen)
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

fn over(address: SocketAddr) -> Upstream {
    Upstream::builder("echo", Discovery::of([address])).health(HealthCheck::Off).build()
}

async fn ready(upstream: &Upstream) -> Client {
    until("readiness", || upstream.replicas()[0].state == Phase::Ready).await;
    let shed = ShedSettings { enabled: Switch::off(), ..ShedSettings::default() };
    client(upstream.clone(), ClientSettings { shed, ..ClientSettings::default() })
}

async fn until(what: &str, condition: impl Fn() -> bool) {
    let begin = Instant::now();
    while !condition() {
        assert!(begin.elapsed() < Duration::from_secs(20), "{what} did not come true");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

fn request(path: &str, body: Body) -> Request<Body> {
    let mut request = Request::new(body);
    *request.uri_mut() = path.parse().unwrap();
    *request.method_mut() = http::Method::POST;
    request
}

/// A call that goes on both ways while others come and go.
struct Live {
    sender: tokio::sync::mpsc::UnboundedSender<&'static str>,
    answer: Body,
}

impl Live {
    async fn begin(client: &Client) -> Self {
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

    async fn say(&mut self, text: &'static str) {
        self.sender.send(text).unwrap();
        let frame = self.answer.frame().await.unwrap().unwrap();
        assert_eq!(frame.into_data().expect("the live call has ended"), text);
    }
}

/// An upload that has begun and never goes on.
fn endless_upload() -> Body {
    let first = futures_util::stream::iter([Ok::<_, Infallible>(Frame::data(Bytes::from_static(&[7; 1_000])))]);
    let frames = futures_util::StreamExt::chain(first, futures_util::stream::pending());
    Body::new(StreamBody::new(frames))
}

/// Begins so many calls, and gives them all up before a byte has left: opened and reset in one write.
fn open_and_leave(client: &Client, count: usize, path: &str, body: impl Fn() -> Body) {
    let calls: Vec<_> = (0..count)
        .map(|_| {
            let mut call = Box::pin(client.clone().oneshot(request(path, body())));
            assert!(call.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
            call
        })
        .collect();
    drop(calls);
}

fn empty() -> Body {
    Body::empty()
}

fn small() -> Body {
    Body::new(Full::new(Bytes::from_static(&[0; 100])))
}

/// What the wire answers.
fn please() -> Body {
    Body::new(Full::new(Bytes::from_static(wire::PLEASE)))
}

#[tokio::test]
async fn calls_opened_and_given_up_in_one_write_do_not_cost_the_live_one() {
    let bodies: [fn() -> Body; 3] = [empty, small, endless_upload];
    for body in bodies {
        for count in [30, 300] {
            let (address, seen) = serve(h2::server::Builder::new()).await;
            let upstream = over(address);
            let client = ready(&upstream).await;
            let mut live = Live::begin(&client).await;
            open_and_leave(&client, count, "/test.Echo/Never", body);
            live.say("two").await;
            let ended = || seen.ended() == count as u64;
            until("the end of every call that was given up", ended).await;
            live.say("three").await;
        }
    }
}

#[tokio::test]
async fn calls_given_up_at_any_stage_do_not_cost_the_live_one() {
    let (address, seen) = serve(h2::server::Builder::new()).await;
    let upstream = over(address);
    let client = ready(&upstream).await;
    let mut live = Live::begin(&client).await;
    let mut all = 0;
    for stage in ["deadline", "streaming", "unread", "mixed"] {
        let mut calls = JoinSet::new();
        for number in 0..100 {
            let client = client.clone();
            calls.spawn(async move {
                match stage {
                    "deadline" => {
                        let mut bounded = request("/test.Echo/Never", small());
                        bounded.headers_mut().insert("grpc-timeout", HeaderValue::from_static("1m"));
                        client.oneshot(bounded).await.unwrap_err();
                    }
                    "streaming" => {
                        let body = client.oneshot(request("/test.Echo/Stream", endless_upload())).await.unwrap();
                        body.into_body().frame().await.unwrap().unwrap();
                    }
                    "unread" => drop(client.oneshot(request("/test.Echo/Stream", empty())).await.unwrap()),
                    _ => {
                        let path = if number % 2 == 0 { "/test.Echo/Never" } else { "/test.Echo/Stream" };
                        let call = client.oneshot(request(path, small()));
                        let _ = tokio::time::timeout(Duration::from_millis(number % 5), call).await;
                    }
                }
            });
        }
        calls.join_all().await;
        live.say(stage).await;
        all += 100;
        until("the end of what had begun", || seen.ended() == seen.begun()).await;
    }
    // What is given up before it was sent never reaches the server.
    assert!((300..=all).contains(&seen.begun()), "{}", seen.begun());
    live.say("two").await;
}

#[tokio::test]
async fn failed_upload_is_given_up_like_any_other_call() {
    let (address, seen) = serve(h2::server::Builder::new()).await;
    let upstream = over(address);
    let client = ready(&upstream).await;
    let mut live = Live::begin(&client).await;
    for _ in 0..50 {
        let mut call = Box::pin(client.clone().oneshot(request("/test.Echo/Never", breaking_off())));
        let polled = call.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        let Poll::Ready(Err(status)) = polled else { panic!("the upload has not failed") };
        assert_eq!(status.code(), Code::Cancelled);
    }
    live.say("two").await;
    until("the end of what had begun", || seen.ended() == 50).await;
}

/// Nothing has arrived when it is looked at first, and then its caller has left.
fn breaking_off() -> Body {
    let mut is_over = false;
    let frames = futures_util::stream::poll_fn(move |_| match std::mem::replace(&mut is_over, true) {
        false => Poll::Pending,
        true => Poll::Ready(Some(Err::<Frame<Bytes>, _>(Status::cancelled("left")))),
    });
    Body::new(StreamBody::new(frames))
}

#[tokio::test]
async fn calls_beyond_the_peers_limit_that_are_given_up_never_reach_it() {
    let mut limited = h2::server::Builder::new();
    limited.max_concurrent_streams(10);
    let (address, seen) = serve(limited).await;
    let upstream = over(address);
    let client = ready(&upstream).await;
    let mut live = Live::begin(&client).await;
    let held: Vec<_> =
        (0..9).map(|_| tokio::spawn(client.clone().oneshot(request("/test.Echo/Never", empty())))).collect();
    until("a full connection", || seen.begun() == 9).await;
    open_and_leave(&client, 100, "/test.Echo/Never", small);
    live.say("two").await;
    held.iter().for_each(tokio::task::JoinHandle::abort);
    until("room", || seen.ended() == 9).await;
    live.say("three").await;
    assert_eq!(seen.begun(), 9);
    open_and_leave(&client, 9, "/test.Echo/Never", small);
    until("the next calls", || seen.ended() == 18).await;
    live.say("four").await;
}

#[tokio::test]
async fn peer_that_takes_nothing_up_is_sent_ten_resets_and_loses_its_connection_with_its_pings() {
    let pings = ConnectionSettings { keep_alive_timeout: Duration::from_millis(500), ..ConnectionSettings::default() };
    let wire = Wire::listen(wire::Ways { pongs: 1, late: false }).await;
    let upstream =
        Upstream::builder("wire", Discovery::of([wire.address])).health(HealthCheck::Off).connection(pings).build();
    let client = ready(&upstream).await;
    open_and_leave(&client, 100, "/test.Echo/Never", small);
    until("the connection's end", || wire.connections() == 2).await;
    assert_eq!((wire.opened(), wire.resets()), (100, 10));
}

#[tokio::test]
async fn answer_lets_go_all_that_was_opened_before_it() {
    let wire = Wire::listen(wire::Ways { pongs: 1, late: false }).await;
    let upstream = over(wire.address);
    let client = ready(&upstream).await;
    open_and_leave(&client, 50, "/test.Echo/Never", empty);
    until("the first resets", || wire.resets() == 10).await;
    client.clone().oneshot(request("/test.Echo/Last", please())).await.unwrap();
    until("the others", || wire.resets() == 50).await;
}

#[tokio::test]
async fn connection_whose_peer_takes_nothing_up_gets_no_more_calls_after_a_thousand() {
    let wire = Wire::listen(wire::Ways { pongs: 1, late: false }).await;
    let patient = ConnectionSettings { keep_alive_timeout: Duration::from_secs(60), ..ConnectionSettings::default() };
    let upstream =
        Upstream::builder("wire", Discovery::of([wire.address])).health(HealthCheck::Off).connection(patient).build();
    let client = ready(&upstream).await;
    open_and_leave(&client, 1_009, "/test.Echo/Never", empty);
    tokio::time::sleep(Duration::from_millis(20)).await;
    assert_eq!(wire.connections(), 1);
    open_and_leave(&client, 1, "/test.Echo/Never", empty);
    until("another connection", || wire.connections() == 2).await;
}

#[tokio::test]
async fn answers_that_cross_their_resets_do_not_end_the_connection() {
    let wire = Wire::listen(wire::Ways { pongs: u32::MAX, late: true }).await;
    let upstream = over(wire.address);
    let client = ready(&upstream).await;
    for round in 1..=30 {
        open_and_leave(&client, 40, "/test.Echo/Never", empty);
        client.clone().oneshot(request("/test.Echo/Last", please())).await.unwrap();
        until("the resets", || wire.resets() >= round * 40).await;
    }
    client.clone().oneshot(request("/test.Echo/Last", please())).await.unwrap();
    assert_eq!(wire.connections(), 1);
}

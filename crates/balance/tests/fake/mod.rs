//! Endpoints made of memory, behind the seam where connections sit, and an open-loop caller: both on tokio's paused clock.

#![allow(dead_code, unreachable_pub)]

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use crm_balance::{
    Attempted, Client, ClientSettings, Connect, ConnectError, Connection, Discovery, EjectionSettings, Endpoint, Event,
    HealthCheck, ReplicaSnapshot, Retryable, SendError, SendErrorKind, ShedSettings, Switch, Upstream, client,
};
use futures_util::future::BoxFuture;
use http::{HeaderMap, HeaderValue, Request, Response};
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;
use tonic::body::Body;
use tonic::{Code, Status};
use tower::ServiceExt;

/// How an endpoint behaves now.
#[derive(Clone, Debug, PartialEq)]
pub enum Mode {
    /// Answers after this long.
    Serve(Duration),
    /// Answers this code, headers only, after 0.1 ms.
    FailFast(Code),
    /// The same after this long.
    FailAfter(Duration, Code),
    /// Answers this HTTP status, without a word of gRPC.
    Http(u16),
    /// Answers UNAVAILABLE and this pushback.
    Push(&'static str),
    /// Fails one call in so many, and serves the others after this long.
    FailOneIn(u64, Duration),
    /// Says that it will serve, and breaks that promise in the trailers.
    FailLate(Code),
    /// Reads the request; then answers this code a moment before the caller's 500 ms are over, or never.
    Upload(Option<Code>),
    /// Never answers; health checks neither.
    Hang,
    /// Sends headers and a message, then nothing until released.
    Stream,
    /// The same with two messages.
    Export,
    /// Sends headers and a message, then breaks with this status.
    BreakOff(Code),
    /// Works on four calls at a time, each for this long; the others queue.
    Slots(Duration),
}

pub const SERVE: Mode = Mode::Serve(Duration::from_millis(2));

pub struct Fake {
    pub mode: Mutex<Mode>,
    pub is_up: Mutex<bool>,
    /// None: there is no health service.
    pub health: Mutex<Option<bool>>,
    pub calls: AtomicU64,
    pub connections: AtomicU64,
    /// Calls whose future was dropped before its end.
    pub abandoned: AtomicU64,
    pub headers: Mutex<Vec<HeaderMap>>,
    slots: tokio::sync::Semaphore,
    links: Mutex<Vec<Ends>>,
}

/// How a connection ends: at once, or by refusing what is new.
#[derive(Clone, Default)]
struct Ends {
    broken: CancellationToken,
    retired: CancellationToken,
}

impl Fake {
    fn new() -> Self {
        Self {
            mode: Mutex::new(SERVE),
            is_up: Mutex::new(true),
            health: Mutex::new(None),
            calls: AtomicU64::new(0),
            connections: AtomicU64::new(0),
            abandoned: AtomicU64::new(0),
            headers: Mutex::default(),
            slots: tokio::sync::Semaphore::new(4),
            links: Mutex::default(),
        }
    }

    pub fn set(&self, mode: Mode) {
        *self.mode.lock().unwrap() = mode;
    }

    pub fn calls(&self) -> u64 {
        self.calls.load(Ordering::Relaxed)
    }

    /// Like `kill -9`: every connection breaks, none can be made.
    pub fn kill(&self) {
        *self.is_up.lock().unwrap() = false;
        self.links.lock().unwrap().drain(..).for_each(|link| link.broken.cancel());
    }

    /// Like GOAWAY: what is under way finishes, new calls need a new connection.
    pub fn retire(&self) {
        self.links.lock().unwrap().drain(..).for_each(|link| link.retired.cancel());
    }

    pub fn revive(&self) {
        *self.is_up.lock().unwrap() = true;
    }
}

/// All endpoints, by address.
#[derive(Clone)]
pub struct Net(Arc<HashMap<String, Arc<Fake>>>);

impl Net {
    pub fn of(count: usize) -> Self {
        Self(Arc::new((0..count).map(|at| (address(at), Arc::new(Fake::new()))).collect()))
    }

    pub fn at(&self, at: usize) -> &Fake {
        &self.0[&address(at)]
    }

    pub fn calls(&self) -> u64 {
        self.0.values().map(|fake| fake.calls()).sum()
    }

    pub fn set_all(&self, mode: &Mode) {
        self.0.values().for_each(|fake| fake.set(mode.clone()));
    }

    pub fn discovery(&self) -> Discovery {
        Discovery::Static((0..self.0.len()).map(|at| Endpoint::new(address(at))).collect())
    }

    /// An upstream over all of them with a fixed seed and without health checks.
    pub fn upstream(&self) -> crm_balance::Builder {
        Upstream::builder("fakes", self.discovery()).health(HealthCheck::Off).connector(Arc::new(self.clone())).seed(42)
    }
}

pub fn address(at: usize) -> String {
    format!("10.0.0.{at}:50051")
}

impl Connect for Net {
    fn connect(&self, address: &str) -> BoxFuture<'static, Result<Arc<dyn Connection>, ConnectError>> {
        let fake = self.0.get(address).cloned();
        Box::pin(async move {
            sleep(Duration::from_micros(500)).await;
            let fake = fake.filter(|fake| *fake.is_up.lock().unwrap());
            let fake = fake.ok_or_else(|| ConnectError::Refused("connection refused".to_owned()))?;
            let ends = Ends::default();
            fake.connections.fetch_add(1, Ordering::Relaxed);
            fake.links.lock().unwrap().push(ends.clone());
            Ok(Arc::new(Link { fake, ends }) as Arc<dyn Connection>)
        })
    }
}

struct Link {
    fake: Arc<Fake>,
    ends: Ends,
}

impl Connection for Link {
    fn send(&self, request: Request<Body>) -> BoxFuture<'static, Result<Response<Body>, SendError>> {
        let (fake, ends) = (Arc::clone(&self.fake), self.ends.clone());
        Box::pin(async move {
            if ends.broken.is_cancelled() || ends.retired.is_cancelled() {
                return Err(SendError { kind: SendErrorKind::NotSent, message: "closed".to_owned() });
            }
            tokio::select! {
                response = answer(&fake, request) => Ok(response),
                () = ends.broken.cancelled() => Err(SendError { kind: SendErrorKind::Lost, message: "broken".to_owned() }),
            }
        })
    }

    fn is_closed(&self) -> bool {
        self.ends.broken.is_cancelled() || self.ends.retired.is_cancelled()
    }

    fn closed(&self) -> BoxFuture<'static, ()> {
        let ends = self.ends.clone();
        Box::pin(async move {
            tokio::select! { () = ends.broken.cancelled() => {}, () = ends.retired.cancelled() => {} }
        })
    }
}

/// Counts a call that is dropped before its answer.
struct Abandoned<'a>(&'a Fake, bool);

impl Drop for Abandoned<'_> {
    fn drop(&mut self) {
        self.0.abandoned.fetch_add(u64::from(!self.1), Ordering::Relaxed);
    }
}

async fn answer(fake: &Fake, request: Request<Body>) -> Response<Body> {
    if request.uri().path().starts_with("/grpc.health") {
        return health(fake).await;
    }
    let number = fake.calls.fetch_add(1, Ordering::Relaxed);
    fake.headers.lock().unwrap().push(request.headers().clone());
    let mut abandoned = Abandoned(fake, false);
    let mode = fake.mode.lock().unwrap().clone();
    let response = match mode {
        Mode::Serve(time) => served(time).await,
        Mode::FailFast(code) => refused(code).await,
        Mode::FailAfter(time, code) => {
            sleep(time).await;
            refused(code).await
        }
        Mode::Http(status) => Response::builder().status(status).body(Body::empty()).unwrap(),
        Mode::Push(millis) => pushed(millis).await,
        Mode::FailOneIn(count, _) if number % count == count - 1 => refused(Code::Internal).await,
        Mode::FailOneIn(_, time) => served(time).await,
        Mode::FailLate(code) => body(code),
        Mode::BreakOff(code) => frames(vec![message(), Err(Status::new(code, "broke off"))]),
        Mode::Upload(code) => {
            let read = async { drop(request.into_body().collect().await) };
            let _ =
                tokio::join!(tokio::time::timeout(Duration::from_millis(499), read), sleep(Duration::from_millis(499)));
            match code {
                Some(code) => refused(code).await,
                None => std::future::pending().await,
            }
        }
        Mode::Hang => std::future::pending().await,
        Mode::Stream => endless(1),
        Mode::Export => endless(2),
        Mode::Slots(time) => {
            let _slot = fake.slots.acquire().await.unwrap();
            served(time).await
        }
    };
    abandoned.1 = true;
    response
}

async fn health(fake: &Fake) -> Response<Body> {
    if *fake.mode.lock().unwrap() == Mode::Hang {
        return std::future::pending().await;
    }
    let health = *fake.health.lock().unwrap();
    let Some(is_serving) = health else { return refused(Code::Unimplemented).await };
    let message = Bytes::copy_from_slice(&[0, 0, 0, 0, 2, 8, if is_serving { 1 } else { 2 }]);
    frames(vec![Ok(Frame::data(message)), Ok(Frame::trailers(status(Code::Ok)))])
}

async fn served(time: Duration) -> Response<Body> {
    sleep(time).await;
    body(Code::Ok)
}

async fn refused(code: Code) -> Response<Body> {
    sleep(Duration::from_micros(100)).await;
    let mut response = Response::new(Body::empty());
    *response.headers_mut() = status(code);
    response
}

async fn pushed(millis: &'static str) -> Response<Body> {
    let mut response = refused(Code::Unavailable).await;
    response.headers_mut().insert("grpc-retry-pushback-ms", HeaderValue::from_static(millis));
    response
}

fn message() -> Result<Frame<Bytes>, Status> {
    Ok(Frame::data(Bytes::from_static(&[0, 0, 0, 0, 0])))
}

/// A message and trailers.
fn body(code: Code) -> Response<Body> {
    frames(vec![message(), Ok(Frame::trailers(status(code)))])
}

/// So many messages, and trailers that never come.
fn endless(messages: usize) -> Response<Body> {
    let first = futures_util::stream::iter((0..messages).map(|_| message()));
    let endless = futures_util::StreamExt::chain(first, futures_util::stream::pending());
    Response::new(Body::new(StreamBody::new(endless)))
}

fn frames(frames: Vec<Result<Frame<Bytes>, Status>>) -> Response<Body> {
    Response::new(Body::new(StreamBody::new(futures_util::stream::iter(frames))))
}

fn status(code: Code) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert("grpc-status", HeaderValue::from(i32::from(code)));
    headers
}

/// What the caller of one call saw.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Seen {
    pub code: Code,
    pub replica: Option<u32>,
    pub tries: u32,
    pub elapsed: Duration,
}

pub fn request(retryable: bool) -> Request<Body> {
    let message = http_body_util::Full::new(Bytes::from_static(&[0, 0, 0, 0, 0]));
    let mut request = Request::new(Body::new(message));
    *request.uri_mut() = "/test.Echo/Say".parse().unwrap();
    request.extensions_mut().insert(Retryable(retryable));
    request
}

/// Calls once and reads the answer to its end.
pub async fn call(client: &Client, request: Request<Body>) -> Seen {
    let started = Instant::now();
    let (code, attempted) = match client.clone().oneshot(request).await {
        Err(status) => (status.code(), None),
        Ok(response) => {
            let attempted = response.extensions().get::<Attempted>().copied();
            let early = code_in(response.headers());
            let trailers = response.into_body().collect().await.unwrap().trailers().cloned();
            (early.or_else(|| code_in(&trailers?)).unwrap(), attempted)
        }
    };
    let elapsed = started.elapsed();
    Seen { code, replica: attempted.map(|it| it.replica), tries: attempted.map_or(0, |it| it.tries), elapsed }
}

pub fn code_in(headers: &HeaderMap) -> Option<Code> {
    headers.get("grpc-status").map(|code| Code::from_bytes(code.as_bytes()))
}

/// Open loop: so many calls a second for so many seconds, whatever becomes of them.
pub async fn load(client: &Client, per_second: u64, seconds: u64, retryable: bool) -> Vec<Seen> {
    let mut calls = JoinSet::new();
    let begin = Instant::now();
    for number in 0..per_second * seconds {
        tokio::time::sleep_until(begin + Duration::from_nanos(number * 1_000_000_000 / per_second)).await;
        let client = client.clone();
        calls.spawn(async move {
            let mut request = request(retryable);
            request.headers_mut().insert("grpc-timeout", HeaderValue::from_static("1S"));
            call(&client, request).await
        });
    }
    calls.join_all().await
}

pub fn failed(seen: &[Seen]) -> usize {
    seen.iter().filter(|call| call.code != Code::Ok).count()
}

pub fn share(seen: &[Seen], replica: u32) -> f64 {
    seen.iter().filter(|call| call.replica == Some(replica)).count() as f64 / seen.len() as f64
}

/// A client whose limits do not interfere, for tests that are about something else.
pub fn plain(upstream: &Upstream) -> Client {
    let shed = ShedSettings { enabled: Switch::off(), ..ShedSettings::default() };
    client(upstream.clone(), ClientSettings { shed, ..ClientSettings::default() })
}

/// Waits until all endpoints are ready.
pub async fn ready(upstream: &Upstream) {
    until(|| upstream.replicas().iter().all(|replica| replica.state == crm_balance::Phase::Ready)).await;
}

/// Polls a condition, within a minute of the paused clock.
pub async fn until(condition: impl Fn() -> bool) {
    for _ in 0..60_000 {
        if condition() {
            return;
        }
        sleep(Duration::from_millis(1)).await;
    }
    panic!("condition did not come true within a minute");
}

pub fn replica(upstream: &Upstream, ordinal: u32) -> ReplicaSnapshot {
    upstream.replicas().into_iter().find(|replica| replica.ordinal == ordinal).unwrap()
}

pub fn drain(events: &mut tokio::sync::broadcast::Receiver<Event>) -> Vec<Event> {
    std::iter::from_fn(|| events.try_recv().ok()).collect()
}

pub fn never_eject() -> EjectionSettings {
    EjectionSettings { consecutive_failures: u32::MAX, success_rate: 0.0, ..EjectionSettings::default() }
}

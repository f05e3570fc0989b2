//! The toy upstream, in this process and as a child.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use bytes::Bytes;
use crm_sandbox::{
    TemporaryFolder,
    child::ChildSignal,
    toy::{FailureMode, Toy, ToyProcess, ToySettings},
};
use http::{HeaderMap, Request};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http2::{self, SendRequest};
use hyper_util::rt::{TokioExecutor, TokioIo};
use std::{
    net::SocketAddr,
    process::Command,
    time::{Duration, Instant},
};
use tokio::{net::TcpStream, time::timeout};

const METHOD: &str = "/shop.v1.Goods/Get";
const CHECK: &str = "/grpc.health.v1.Health/Check";

type Sender = SendRequest<Full<Bytes>>;

async fn connect(address: SocketAddr) -> Sender {
    let stream = TcpStream::connect(address).await.unwrap();
    let (sender, connection) = http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    sender
}

/// The status and the message's bytes with their frame.
async fn call(sender: &mut Sender, path: &str) -> (String, Bytes) {
    // The frame of an empty message.
    let body = Full::from(Bytes::from_static(&[0; 5]));
    let request = Request::post(format!("http://toy{path}")).body(body).unwrap();
    let response = sender.send_request(request).await.unwrap();
    let status = |map: &HeaderMap| map.get("grpc-status").map(|value| value.to_str().unwrap().to_owned());
    let in_headers = status(response.headers());
    let body = response.into_body().collect().await.unwrap();
    let status = in_headers.or_else(|| body.trailers().and_then(status)).expect("a gRPC status");
    (status, body.to_bytes())
}

async fn toy(settings: ToySettings) -> (Toy, Sender) {
    let toy = Toy::start(settings).await.unwrap();
    let sender = connect(toy.address()).await;
    (toy, sender)
}

#[tokio::test]
async fn any_method_is_answered_with_the_same_message_and_counted() {
    let (toy, mut sender) = toy(ToySettings { answer: b"apple".to_vec(), ..ToySettings::default() }).await;
    for path in [METHOD, METHOD, "/other.v1.Service/Do"] {
        assert_eq!(call(&mut sender, path).await, ("0".to_owned(), Bytes::from_static(b"\0\0\0\0\x05apple")));
    }
    assert_eq!(toy.calls(METHOD), 2);
    assert_eq!(toy.counts().values().sum::<u64>(), 3);
}

#[tokio::test]
async fn faults_fail_as_asked_and_heal() {
    let (toy, mut sender) = toy(ToySettings::default()).await;
    let statuses = async |sender: &mut Sender| {
        let mut found = Vec::new();
        for _ in 0..4 {
            found.push(call(sender, METHOD).await.0);
        }
        found.join(" ")
    };
    toy.set_fault(FailureMode { fail_fast: true, ..FailureMode::default() });
    assert_eq!(statuses(&mut sender).await, "14 14 14 14");
    toy.set_fault(FailureMode { error_rate: 0.5, code: 8, ..FailureMode::default() });
    assert_eq!(statuses(&mut sender).await, "0 8 0 8");
    toy.heal();
    assert_eq!(statuses(&mut sender).await, "0 0 0 0");
}

#[tokio::test]
async fn hanging_toy_answers_nothing_not_even_health_checks() {
    let (toy, mut sender) = toy(ToySettings::default()).await;
    toy.set_fault(FailureMode { hang: true, ..FailureMode::default() });
    for path in [METHOD, CHECK] {
        timeout(Duration::from_millis(50), call(&mut sender, path)).await.expect_err(path);
    }
}

#[tokio::test]
async fn calls_beyond_the_slots_wait_in_line() {
    let settings = ToySettings { slots: 2, service_time: Duration::from_millis(20), ..ToySettings::default() };
    let (toy, sender) = toy(settings).await;
    toy.set_fault(FailureMode { delay_ms: 20, ..FailureMode::default() });
    let started = Instant::now();
    let calls = (0..6).map(|_| {
        let mut sender = sender.clone();
        tokio::spawn(async move { call(&mut sender, METHOD).await })
    });
    for call in calls.collect::<Vec<_>>() {
        call.await.unwrap();
    }
    assert!(started.elapsed() >= Duration::from_millis(3 * 40), "{:?}", started.elapsed());
}

#[tokio::test]
async fn health_is_what_was_set_or_unimplemented() {
    let (with, mut sender) = toy(ToySettings::default()).await;
    assert_eq!(call(&mut sender, CHECK).await, ("0".to_owned(), Bytes::from_static(b"\0\0\0\0\x02\x08\x01")));
    with.set_serving(false);
    assert_eq!(call(&mut sender, CHECK).await.1, Bytes::from_static(b"\0\0\0\0\x02\x08\x02"));
    let (_without, mut sender) = toy(ToySettings { health: false, ..ToySettings::default() }).await;
    assert_eq!(call(&mut sender, CHECK).await.0, "12");
}

#[tokio::test]
async fn health_watch_tells_each_change() {
    let (toy, mut sender) = toy(ToySettings::default()).await;
    let request = Request::post("http://toy/grpc.health.v1.Health/Watch").body(Full::default()).unwrap();
    let mut body = sender.send_request(request).await.unwrap().into_body();
    for serving in [true, false, true] {
        toy.set_serving(serving);
        let frame = body.frame().await.unwrap().unwrap().into_data().unwrap();
        assert_eq!(frame.last(), Some(if serving { &1 } else { &2 }));
    }
}

#[tokio::test]
async fn stopped_toy_refuses_and_comes_back_on_the_same_port() {
    let (toy, mut sender) = toy(ToySettings::default()).await;
    call(&mut sender, METHOD).await;
    toy.stop().await;
    assert!(TcpStream::connect(toy.address()).await.is_err());
    assert!(sender.ready().await.is_err());
    toy.start_again().await.unwrap();
    assert_eq!(call(&mut connect(toy.address()).await, METHOD).await.0, "0");
}

fn toy_command() -> Command {
    Command::new(env!("CARGO_BIN_EXE_toy-upstream"))
}

#[tokio::test]
async fn toy_process_can_be_told_paused_killed_and_restarted() {
    let mut toy = ToyProcess::start(toy_command, ToySettings::default()).await.unwrap();
    let mut sender = connect(toy.address()).await;
    assert_eq!(call(&mut sender, METHOD).await.0, "0");
    let arrived = toy.set_fault(FailureMode { fail_fast: true, ..FailureMode::default() }).await.unwrap();
    assert_eq!(arrived[METHOD], 1, "before the fault");
    assert_eq!(call(&mut sender, METHOD).await.0, "14");
    assert_eq!(toy.counts().await.unwrap()[METHOD], 2);

    assert!(toy.process().signal(ChildSignal::SIGSTOP));
    timeout(Duration::from_millis(50), call(&mut sender, METHOD)).await.expect_err("paused");
    toy.process().kill().expect("dead");
    assert!(TcpStream::connect(toy.address()).await.is_err());
    toy.restart().await.unwrap();
    assert_eq!(call(&mut connect(toy.address()).await, METHOD).await.0, "0");
}

#[tokio::test]
async fn what_a_killed_toy_was_asked_stays_in_the_ledger() {
    let folder = TemporaryFolder::new("toy-ledger").unwrap();
    let path = folder.path().join("ledger");
    let settings = ToySettings { ledger: Some(path.clone()), ..ToySettings::default() };
    let mut toy = ToyProcess::start(toy_command, settings).await.unwrap();
    call(&mut connect(toy.address()).await, METHOD).await;
    toy.process().kill().expect("dead");
    toy.restart().await.unwrap();
    call(&mut connect(toy.address()).await, METHOD).await;
    let ledger = std::fs::read_to_string(&path).unwrap();
    assert_eq!(ledger.lines().count(), 2, "{ledger}");
    assert!(ledger.lines().all(|line| line.starts_with(METHOD)), "{ledger}");
}

//! Callers that leave, beside one that stays, at a server with h2's own bounds.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod peer;
mod wire;

use std::future::Future;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use crm_balance::{ConnectionSettings, Discovery, HealthCheck, Upstream};
use http::HeaderValue;
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use peer::*;
use tokio::task::JoinSet;
use tonic::body::Body;
use tonic::{Code, Status};
use tower::ServiceExt;
use wire::Wire;

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
    open_and_leave(&client, 10, "/test.Echo/Never", empty);
    until("the next, without any news", || wire.resets() == 60).await;
}

#[tokio::test]
async fn answer_that_nobody_waits_for_lets_go_what_was_opened_before_it_and_needs_no_reset() {
    let wire = Wire::listen(wire::Ways { pongs: 3, late: false }).await;
    let upstream = over(wire.address);
    let client = ready(&upstream).await;
    open_and_leave(&client, 50, "/test.Echo/Never", empty);
    open_and_leave(&client, 1, "/test.Echo/Never", please);
    until("all resets", || wire.resets() == 50).await;
    tokio::time::sleep(Duration::from_millis(20)).await;
    assert_eq!((wire.opened(), wire.resets()), (51, 50));
}

#[tokio::test]
async fn ping_that_comes_back_lets_one_stream_more_go() {
    // The greeting, and three: the first may have overtaken the streams, each of the others stands for one.
    let wire = Wire::listen(wire::Ways { pongs: 4, late: false }).await;
    let pings = ConnectionSettings { keep_alive_timeout: Duration::from_millis(500), ..ConnectionSettings::default() };
    let upstream =
        Upstream::builder("wire", Discovery::of([wire.address])).health(HealthCheck::Off).connection(pings).build();
    let client = ready(&upstream).await;
    open_and_leave(&client, 100, "/test.Echo/Never", empty);
    until("the connection's end", || wire.connections() == 2).await;
    assert_eq!((wire.opened(), wire.resets()), (100, 12));
}

#[tokio::test]
async fn call_that_waits_for_a_place_is_told_of_its_connections_end() {
    let mut limited = h2::server::Builder::new();
    limited.max_concurrent_streams(1);
    let (address, seen, server) = serve_until_killed(limited).await;
    let upstream = over(address);
    let client = ready(&upstream).await;
    let held = tokio::spawn(client.clone().oneshot(request("/test.Echo/Never", empty())));
    until("a full connection", || seen.begun() == 1).await;
    let waiting = tokio::spawn(client.clone().oneshot(request("/test.Echo/Never", small())));
    tokio::time::sleep(Duration::from_millis(20)).await;
    server.abort();
    for call in [held, waiting] {
        let ended = tokio::time::timeout(Duration::from_secs(5), call).await.expect("a call hangs").unwrap();
        assert_eq!(ended.unwrap_err().code(), Code::Unavailable);
    }
    assert_eq!(seen.begun(), 1);
}

#[tokio::test]
async fn upload_that_fails_under_a_stream_ends_it_on_both_sides() {
    let (address, seen) = serve(h2::server::Builder::new()).await;
    let upstream = over(address);
    let client = ready(&upstream).await;
    let (sender, receiver) = tokio::sync::oneshot::channel::<()>();
    let frames = futures_util::stream::once(async move {
        let _ = receiver.await;
        Err::<Frame<Bytes>, _>(Status::cancelled("left"))
    });
    let call = request("/test.Echo/Stream", Body::new(StreamBody::new(Box::pin(frames))));
    let mut answer = client.oneshot(call).await.unwrap().into_body();
    answer.frame().await.unwrap().unwrap();
    sender.send(()).unwrap();
    let last = tokio::time::timeout(Duration::from_secs(5), answer.frame()).await.expect("the stream goes on");
    assert_eq!(last.unwrap().unwrap().into_trailers().unwrap()["grpc-status"], "1");
    until("the end at the server", || seen.ended() == 1).await;
    assert_eq!(upstream.replicas()[0].failures, 0);
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

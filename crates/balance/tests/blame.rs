//! What callers do looks like an endpoint's fault, and must not eject it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod fake;

use std::time::Duration;

use crm_balance::{Client, Phase, Policy, Upstream};
use fake::*;
use http::Request;
use http_body_util::{BodyExt, StreamBody};
use tokio::time::{sleep, timeout};
use tonic::Code;
use tonic::body::Body;
use tower::ServiceExt;

async fn two(net: &Net) -> (Upstream, Client) {
    let upstream = net.upstream().policy(Policy::RoundRobin).build();
    ready(&upstream).await;
    let client = plain(&upstream);
    (upstream, client)
}

fn bounded(timeout: &str) -> Request<Body> {
    let mut request = request(false);
    request.headers_mut().insert("grpc-timeout", timeout.parse().unwrap());
    request
}

fn millis(count: u64) -> Duration {
    Duration::from_millis(count)
}

/// Whether endpoints that behave so are ejected by callers with such a time-out.
async fn check(mode: Mode, timeout: &str, is_ejected: bool) {
    let net = Net::of(2);
    let (upstream, client) = two(&net).await;
    let before = replica(&upstream, 0).latency_ms_ewma;
    net.set_all(&mode);
    for _ in 0..150 {
        if let Ok(response) = client.clone().oneshot(bounded(timeout)).await {
            let _ = response.into_body().collect().await;
        }
    }
    let ejections: u64 = upstream.replicas().iter().map(|replica| replica.ejections).sum();
    assert_eq!(ejections > 0, is_ejected, "{mode:?} within {timeout}");
    let latency = replica(&upstream, 0).latency_ms_ewma;
    // Failures count ten times, again and again; what a call has waited for in vain counts once.
    assert!(is_ejected || latency < before + 110.0, "{mode:?} within {timeout}: {latency} ms");
}

#[tokio::test(start_paused = true)]
async fn calls_without_a_fair_chance_eject_nobody_however_their_end_is_told() {
    let codes = [
        Code::DeadlineExceeded,
        Code::Cancelled,
        Code::Unavailable,
        Code::Internal,
        Code::Unknown,
        Code::DataLoss,
        Code::ResourceExhausted,
    ];
    for code in codes {
        for mode in [Mode::FailFast(code), Mode::FailLate(code), Mode::BreakOff(code)] {
            // That one means that the connection was lost, which no caller brings about.
            if mode != Mode::BreakOff(Code::Unavailable) {
                check(mode, "1m", false).await;
            }
        }
        for (late, timeout) in [(30, "50m"), (49, "50m"), (70, "99m")] {
            check(Mode::FailAfter(millis(late), code), timeout, false).await;
        }
    }
    for timeout in ["1m", "50m", "99m"] {
        check(Mode::Hang, timeout, false).await;
        check(Mode::Stream, timeout, false).await;
        check(Mode::FailFast(Code::DeadlineExceeded), timeout, false).await;
    }
}

#[tokio::test(start_paused = true)]
async fn endpoints_that_fail_on_their_own_account_are_ejected_by_hurried_callers_too() {
    check(Mode::FailFast(Code::Internal), "50m", true).await;
    check(Mode::FailFast(Code::Unavailable), "10m", true).await;
    check(Mode::FailLate(Code::Internal), "50m", true).await;
    check(Mode::FailAfter(millis(90), Code::Internal), "100m", true).await;
    check(Mode::FailAfter(millis(90), Code::DeadlineExceeded), "100m", true).await;
    check(Mode::Hang, "100m", true).await;
}

#[tokio::test(start_paused = true)]
async fn refusals_of_http_that_are_about_the_request_eject_nobody() {
    for status in [400, 408, 413, 414, 431] {
        check(Mode::Http(status), "10S", false).await;
    }
    for status in [500, 502, 503] {
        check(Mode::Http(status), "10S", true).await;
    }
}

#[tokio::test(start_paused = true)]
async fn stream_that_ends_at_its_deadline_is_not_its_endpoints_fault() {
    let net = Net::of(2);
    let (upstream, client) = two(&net).await;
    net.set_all(&Mode::FailLate(Code::DeadlineExceeded));
    for _ in 0..20 {
        client.clone().oneshot(bounded("10S")).await.unwrap().into_body().collect().await.unwrap();
    }
    assert!(upstream.replicas().iter().all(|replica| replica.ejections == 0));
}

#[tokio::test(start_paused = true)]
async fn stream_that_breaks_unread_is_not_its_endpoints_fault() {
    for (away, is_ejected) in [(millis(10), true), (millis(2_000), false)] {
        let net = Net::of(2);
        let (upstream, client) = two(&net).await;
        net.set_all(&Mode::BreakOff(Code::Internal));
        for _ in 0..20 {
            let mut body = client.clone().oneshot(bounded("60S")).await.unwrap().into_body();
            body.frame().await.unwrap().unwrap();
            sleep(away).await;
            body.frame().await.unwrap().unwrap();
        }
        let ejections: u64 = upstream.replicas().iter().map(|replica| replica.ejections).sum();
        assert_eq!(ejections > 0, is_ejected, "{away:?} away");
    }
}

/// An upload of one part that its caller never finishes.
fn unfinished() -> Request<Body> {
    let part = futures_util::stream::iter([Ok::<_, tonic::Status>(http_body::Frame::data("part".into()))]);
    let frames = futures_util::StreamExt::chain(part, futures_util::stream::pending());
    bounded("500m").map(|_| Body::new(StreamBody::new(frames)))
}

/// One whose caller takes its time, and leaves its endpoint enough.
fn late() -> Request<Body> {
    let end = futures_util::stream::once(async {
        sleep(millis(200)).await;
        Ok::<_, tonic::Status>(http_body::Frame::data("all".into()))
    });
    bounded("500m").map(|_| Body::new(StreamBody::new(Box::pin(end))))
}

#[tokio::test(start_paused = true)]
async fn request_that_its_caller_does_not_finish_is_not_its_endpoints_fault() {
    // A fake reads no request; so somebody has to play the transport that asks for it.
    for mode in [Mode::Upload(None), Mode::Upload(Some(Code::Internal))] {
        let net = Net::of(2);
        let (upstream, client) = two(&net).await;
        net.set_all(&mode);
        let before = replica(&upstream, 0).latency_ms_ewma;
        for _ in 0..20 {
            let _ = timeout(millis(600), client.clone().oneshot(unfinished())).await.unwrap();
        }
        for replica in upstream.replicas() {
            assert_eq!((replica.state, replica.ejections), (Phase::Ready, 0), "{mode:?}");
            assert!(replica.latency_ms_ewma <= before, "{mode:?}: {}", replica.latency_ms_ewma);
        }
        // The same from callers who finish theirs, if late.
        for _ in 0..20 {
            let _ = timeout(millis(600), client.clone().oneshot(late())).await.unwrap();
        }
        let ejections: u64 = upstream.replicas().iter().map(|replica| replica.ejections).sum();
        assert!(ejections > 0, "{mode:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn hurried_call_that_carries_a_probe_decides_nothing() {
    let net = Net::of(2);
    let (upstream, client) = two(&net).await;
    net.at(0).set(Mode::FailFast(Code::Internal));
    while replica(&upstream, 0).state != Phase::Ejected {
        call(&client, request(false)).await;
    }
    until(|| replica(&upstream, 0).state == Phase::Probing).await;
    sleep(millis(1_100)).await;
    for mode in [Mode::FailFast(Code::DeadlineExceeded), Mode::FailAfter(millis(1), Code::Unavailable)] {
        net.at(0).set(mode);
        for _ in 0..5 {
            let _ = client.clone().oneshot(bounded("1m")).await;
        }
        assert_eq!((replica(&upstream, 0).state, replica(&upstream, 0).ejections), (Phase::Probing, 1));
    }
    net.at(0).set(SERVE);
    assert_eq!(call(&client, request(false)).await.replica, Some(0));
    assert_eq!(replica(&upstream, 0).state, Phase::Ready);
}

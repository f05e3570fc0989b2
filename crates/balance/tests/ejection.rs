//! Leaving and returning: ejection, its one probe, its bounds, panic.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod fake;

use std::time::Duration;

use crm_balance::{
    ClientSettings, EjectionSettings, Event, HealthCheck, Phase, Policy, RetrySettings, Switch, Upstream, client,
};
use fake::*;
use http_body_util::BodyExt;
use tokio::time::sleep;
use tonic::Code;
use tower::ServiceExt;

async fn eject(net: &Net, upstream: &Upstream, at: usize) {
    net.at(at).set(Mode::FailFast(Code::Internal));
    let client = plain(upstream);
    while replica(upstream, at as u32).state != Phase::Ejected {
        call(&client, request(false)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn ejected_endpoint_gets_no_call_until_its_time_is_over_and_then_one_at_a_time() {
    let net = Net::of(3);
    let upstream = net.upstream().policy(Policy::RoundRobin).build();
    ready(&upstream).await;
    eject(&net, &upstream, 1).await;
    let client = plain(&upstream);
    let before = net.at(1).calls();
    load(&client, 200, 1, true).await;
    assert_eq!(net.at(1).calls(), before, "called while ejected");

    until(|| replica(&upstream, 1).state == Phase::Probing).await;
    net.at(1).set(Mode::Serve(Duration::from_millis(250)));
    let during_probe = async {
        sleep(Duration::from_millis(200)).await;
        assert_eq!(net.at(1).calls(), before + 1, "more than one probe");
        assert_eq!(replica(&upstream, 1).state, Phase::Probing);
        sleep(Duration::from_millis(100)).await;
        net.at(1).set(SERVE);
        assert_eq!(replica(&upstream, 1).state, Phase::Ready);
    };
    tokio::join!(load(&client, 200, 1, true), during_probe);
    assert!(share(&load(&client, 200, 5, true).await, 1) > 0.2);
}

#[tokio::test(start_paused = true)]
async fn nobody_is_ejected_while_the_switch_is_off_and_the_failing_one_is_as_soon_as_it_is_on() {
    let net = Net::of(3);
    let switch = Switch::off();
    let ejection = EjectionSettings { enabled: switch.clone(), ..EjectionSettings::default() };
    let upstream = net.upstream().policy(Policy::RoundRobin).ejection(ejection).build();
    ready(&upstream).await;
    net.at(1).set(Mode::FailFast(Code::Internal));
    let client = plain(&upstream);
    let seen = load(&client, 200, 2, false).await;
    assert!(failed(&seen) > 100 && replica(&upstream, 1).ejections == 0, "{} failed", failed(&seen));
    switch.set(true);
    load(&client, 200, 1, false).await;
    assert_eq!(replica(&upstream, 1).ejections, 1);
    // Who is out when it is switched off comes back by its probe, whatever becomes of that.
    switch.set(false);
    load(&client, 200, 5, false).await;
    assert_eq!((replica(&upstream, 1).ejections, replica(&upstream, 1).state), (1, Phase::Ready));
}

#[tokio::test(start_paused = true)]
async fn failed_probe_ejects_for_longer_and_a_retryable_call_does_not_notice_it() {
    for code in [Code::Unavailable, Code::Internal, Code::Unknown, Code::DataLoss] {
        check_failed_probe(code).await;
    }
}

async fn check_failed_probe(code: Code) {
    let net = Net::of(3);
    let upstream = net.upstream().policy(Policy::RoundRobin).build();
    ready(&upstream).await;
    eject(&net, &upstream, 0).await;
    net.at(0).set(Mode::FailFast(code));
    let seen = load(&plain(&upstream), 100, 20, true).await;
    assert_eq!(failed(&seen), 0, "{code:?}");
    let ejections = replica(&upstream, 0).ejections;
    assert!((3..=4).contains(&ejections), "{ejections} ejections in 20 s of 2, 4, 8, … s");
}

#[tokio::test(start_paused = true)]
async fn cancelled_probe_lets_the_next_call_probe() {
    let net = Net::of(2);
    let upstream = net.upstream().policy(Policy::RoundRobin).build();
    ready(&upstream).await;
    eject(&net, &upstream, 0).await;
    until(|| replica(&upstream, 0).state == Phase::Probing).await;
    net.at(0).set(Mode::Hang);
    let client = plain(&upstream);
    let _ = tokio::time::timeout(Duration::from_millis(50), call(&client, request(true))).await;
    net.at(0).set(SERVE);
    assert_eq!(call(&client, request(true)).await.replica, Some(0));
    assert_eq!(replica(&upstream, 0).state, Phase::Ready);
}

/// An upstream of two whose first waits for its probe.
async fn probing(net: &Net) -> Upstream {
    let upstream = net.upstream().policy(Policy::RoundRobin).build();
    ready(&upstream).await;
    eject(net, &upstream, 0).await;
    until(|| replica(&upstream, 0).state == Phase::Probing).await;
    upstream
}

#[tokio::test(start_paused = true)]
async fn call_that_cannot_be_tried_again_does_not_carry_a_probe() {
    let net = Net::of(2);
    let upstream = probing(&net).await;
    let large = http_body_util::Full::new(bytes::Bytes::from(vec![0; 100_000]));
    let large = request(true).map(|_| tonic::body::Body::new(large));
    assert_eq!(call(&plain(&upstream), large).await.replica, Some(1));
    let settings = ClientSettings { retry: RetrySettings::off(), ..ClientSettings::default() };
    assert_eq!(call(&client(upstream, settings), request(true)).await.replica, Some(1));
}

#[tokio::test(start_paused = true)]
async fn stream_as_probe_is_judged_before_its_end() {
    let net = Net::of(2);
    let upstream = probing(&net).await;
    net.at(0).set(Mode::Export);
    let mut body = plain(&upstream).oneshot(request(true)).await.unwrap().into_body();
    for state in [Phase::Probing, Phase::Ready] {
        body.frame().await.unwrap().unwrap();
        assert_eq!(replica(&upstream, 0).state, state);
    }
}

#[tokio::test(start_paused = true)]
async fn stream_that_breaks_counts_unless_its_connection_was_lost() {
    let cases = [
        (Code::Unavailable, Phase::Ready),
        (Code::Internal, Phase::Ejected),
        (Code::Cancelled, Phase::Ejected),
        (Code::PermissionDenied, Phase::Ejected),
    ];
    for (code, state) in cases {
        let net = Net::of(2);
        let upstream = net.upstream().policy(Policy::RoundRobin).build();
        ready(&upstream).await;
        net.at(0).set(Mode::BreakOff(code));
        let client = plain(&upstream);
        for _ in 0..20 {
            let _ = client.clone().oneshot(request(false)).await.unwrap().into_body().collect().await;
        }
        assert_eq!(replica(&upstream, 0).state, state, "{code:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn at_most_half_is_ejected_and_a_lone_endpoint_never() {
    for (count, most) in [(1, 0), (2, 1), (3, 1), (4, 2)] {
        let net = Net::of(count);
        let upstream = net.upstream().policy(Policy::Random).build();
        ready(&upstream).await;
        net.set_all(&Mode::FailFast(Code::Internal));
        load(&plain(&upstream), 400, 1, false).await;
        let out = upstream.replicas().iter().filter(|replica| replica.state != Phase::Ready).count();
        assert_eq!(out, most, "of {count}");
    }
}

#[tokio::test(start_paused = true)]
async fn hurried_callers_eject_nobody() {
    let net = Net::of(2);
    let upstream = net.upstream().policy(Policy::RoundRobin).build();
    ready(&upstream).await;
    let client = plain(&upstream);
    for _ in 0..100 {
        let mut hurried = request(false);
        hurried.headers_mut().insert("grpc-timeout", "1m".parse().unwrap());
        assert_eq!(call(&client, hurried).await.code, Code::DeadlineExceeded);
    }
    assert!(upstream.replicas().iter().all(|replica| replica.state == Phase::Ready));
}

fn checked(net: &Net) -> Upstream {
    net.upstream().health(HealthCheck::default()).policy(Policy::RoundRobin).build()
}

#[tokio::test(start_paused = true)]
async fn endpoint_that_says_it_does_not_serve_gets_nothing_until_it_does() {
    let net = Net::of(2);
    let upstream = checked(&net);
    *net.at(0).health.lock().unwrap() = Some(true);
    ready(&upstream).await;
    *net.at(0).health.lock().unwrap() = Some(false);
    until(|| replica(&upstream, 0).state == Phase::Unhealthy).await;
    let client = plain(&upstream);
    assert_eq!(share(&load(&client, 100, 1, false).await, 0), 0.0);
    *net.at(0).health.lock().unwrap() = Some(true);
    until(|| replica(&upstream, 0).state == Phase::Ready).await;
    assert!(share(&load(&client, 100, 5, false).await, 0) > 0.2);
}

#[tokio::test(start_paused = true)]
async fn endpoint_that_stops_answering_health_checks_is_unhealthy_after_the_second() {
    let net = Net::of(2);
    let upstream = checked(&net);
    *net.at(1).health.lock().unwrap() = Some(true);
    ready(&upstream).await;
    net.at(1).set(Mode::Hang);
    sleep(Duration::from_millis(3_500)).await;
    assert_eq!(replica(&upstream, 1).state, Phase::Unhealthy);
}

#[tokio::test(start_paused = true)]
async fn without_a_health_service_an_endpoint_is_healthy() {
    let net = Net::of(2);
    let upstream = checked(&net);
    ready(&upstream).await;
    assert_eq!(failed(&load(&plain(&upstream), 100, 3, false).await), 0);
}

#[tokio::test(start_paused = true)]
async fn when_nobody_is_healthy_calls_go_to_all_and_panic_is_told() {
    let net = Net::of(3);
    let upstream = checked(&net);
    for at in 0..3 {
        *net.at(at).health.lock().unwrap() = Some(true);
    }
    ready(&upstream).await;
    let mut events = upstream.subscribe();
    for at in 0..3 {
        *net.at(at).health.lock().unwrap() = Some(false);
    }
    until(|| upstream.is_panicking()).await;
    let seen = load(&plain(&upstream), 300, 1, false).await;
    assert_eq!(failed(&seen), 0);
    assert!((0..3).all(|ordinal| share(&seen, ordinal) > 0.2));
    *net.at(0).health.lock().unwrap() = Some(true);
    until(|| !upstream.is_panicking()).await;
    let told = drain(&mut events);
    assert!(told.iter().any(|event| matches!(event, Event::PanicEntered { healthy: 0, known: 3, .. })), "{told:?}");
    assert!(told.iter().any(|event| matches!(event, Event::PanicLeft { .. })));
}

#[tokio::test(start_paused = true)]
async fn connection_lost_while_ejected_does_not_shorten_the_ejection() {
    let net = Net::of(2);
    let upstream = net.upstream().policy(Policy::RoundRobin).build();
    ready(&upstream).await;
    eject(&net, &upstream, 0).await;
    net.at(0).kill();
    net.at(0).revive();
    sleep(Duration::from_millis(100)).await;
    assert_eq!(replica(&upstream, 0).state, Phase::Ejected);
    until(|| replica(&upstream, 0).state == Phase::Probing).await;
}

#[tokio::test(start_paused = true)]
async fn snapshot_is_plain_json() {
    let net = Net::of(1);
    let upstream = net.upstream().build();
    load(&plain(&upstream), 100, 2, false).await;
    let snapshot = serde_json::to_value(upstream.replicas()).unwrap();
    assert_eq!(snapshot[0]["state"], "ready");
    assert_eq!(snapshot[0]["calls"], 200);
    assert_eq!(snapshot[0]["share"], 1.0);
    assert!((1.8..2.3).contains(&snapshot[0]["p50_ms"].as_f64().unwrap()), "{snapshot}");
    let calls = serde_json::to_value(upstream.calls()).unwrap();
    assert_eq!((&calls["ok"], &calls["errors"]), (&200.into(), &0.into()));
    assert!((1.8..2.3).contains(&calls["p50_ms"].as_f64().unwrap()), "{calls}");
}

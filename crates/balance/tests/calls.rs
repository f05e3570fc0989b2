//! One call: deadline, retry, pushback, shedding, streams, discovery.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod fake;

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crm_balance::{
    ClientSettings, ConnectionSettings, Discovery, HashKey, Phase, Policy, Resolve, RetrySettings, ShedSettings,
    Upstream, Waits, client,
};
use fake::*;
use futures_util::future::BoxFuture;
use http_body_util::BodyExt;
use tokio::time::{Instant, sleep, timeout};
use tonic::Code;
use tonic_types::StatusExt;
use tower::ServiceExt;

fn reason(status: &tonic::Status) -> String {
    status.get_details_error_info().unwrap().reason
}

#[tokio::test(start_paused = true)]
async fn retry_goes_to_another_endpoint_and_only_for_calls_that_may() {
    for (retryable, code, tries) in [(true, Code::Ok, 2), (false, Code::Unavailable, 1)] {
        let net = Net::of(2);
        let upstream = net.upstream().policy(Policy::RoundRobin).ejection(never_eject()).build();
        ready(&upstream).await;
        net.at(0).set(Mode::FailFast(Code::Unavailable));
        let client = plain(&upstream);
        let seen = [call(&client, request(retryable)).await, call(&client, request(retryable)).await];
        let hit = seen.iter().find(|seen| seen.tries != 1 || seen.code != Code::Ok).unwrap();
        assert_eq!((hit.code, hit.tries), (code, tries), "retryable: {retryable}");
    }
}

#[tokio::test(start_paused = true)]
async fn application_errors_are_not_retried() {
    let net = Net::of(2);
    let upstream = net.upstream().build();
    net.set_all(&Mode::FailFast(Code::NotFound));
    let seen = call(&plain(&upstream), request(true)).await;
    assert_eq!((seen.code, seen.tries, net.calls()), (Code::NotFound, 1, 1));
}

#[tokio::test(start_paused = true)]
async fn pushback_is_honoured() {
    for (pushback, attempts, at_least) in [("-1", 1, 0), ("250", 3, 500), ("soon", 1, 0)] {
        let net = Net::of(3);
        let upstream = net.upstream().build();
        ready(&upstream).await;
        net.set_all(&Mode::Push(pushback));
        let seen = call(&plain(&upstream), request(true)).await;
        assert_eq!((seen.code, net.calls()), (Code::Unavailable, attempts), "pushback {pushback}");
        assert!(seen.elapsed >= Duration::from_millis(at_least), "{:?}", seen.elapsed);
    }
}

#[tokio::test(start_paused = true)]
async fn inner_client_retries_nothing_and_tells_its_caller_not_to() {
    let net = Net::of(2);
    let upstream = net.upstream().build();
    ready(&upstream).await;
    net.set_all(&Mode::FailFast(Code::Unavailable));
    let inner = client(upstream, ClientSettings { retry: RetrySettings::off(), ..ClientSettings::default() });
    let response = inner.oneshot(request(true)).await.unwrap();
    assert_eq!(response.headers()["grpc-retry-pushback-ms"], "-1");
    assert_eq!(net.calls(), 1);
}

#[tokio::test(start_paused = true)]
async fn hung_attempt_of_a_retryable_call_is_given_up_in_time_for_another() {
    let net = Net::of(2);
    let upstream = net.upstream().policy(Policy::RoundRobin).build();
    ready(&upstream).await;
    net.at(0).set(Mode::Hang);
    let client = plain(&upstream);
    for _ in 0..2 {
        let mut bounded = request(true);
        bounded.headers_mut().insert("grpc-timeout", "900m".parse().unwrap());
        assert_eq!(call(&client, bounded).await.code, Code::Ok);
    }
}

#[tokio::test(start_paused = true)]
async fn deadline_is_ours_exact_capped_and_cancels_the_work_behind() {
    let cases = [(Some("300m"), 300), (Some("1H"), 2_000), (None, 1_000)];
    for (asked, millis) in cases {
        let net = Net::of(1);
        let upstream = net.upstream().build();
        net.set_all(&Mode::Hang);
        let settings = ClientSettings {
            default_timeout: Duration::from_secs(1),
            max_timeout: Duration::from_secs(2),
            ..ClientSettings::default()
        };
        let mut bounded = request(false);
        if let Some(asked) = asked {
            bounded.headers_mut().insert("grpc-timeout", asked.parse().unwrap());
        }
        let begin = Instant::now();
        let status = client(upstream.clone(), settings).oneshot(bounded).await.unwrap_err();
        assert_eq!((status.code(), reason(&status).as_str()), (Code::DeadlineExceeded, "DEADLINE_EXCEEDED"));
        assert_eq!(status.metadata().get("grpc-retry-pushback-ms").unwrap(), "-1");
        assert!(begin.elapsed().as_millis().abs_diff(millis) <= 1, "{:?} for {asked:?}", begin.elapsed());
        assert_eq!(net.at(0).abandoned.load(Ordering::Relaxed), 1);
        assert_eq!(replica(&upstream, 0).in_flight, 0);
    }
}

#[tokio::test(start_paused = true)]
async fn endpoint_is_told_what_is_left_of_the_deadline() {
    let net = Net::of(2);
    let upstream = net.upstream().build();
    ready(&upstream).await;
    net.set_all(&Mode::Push("400"));
    let mut bounded = request(true);
    bounded.headers_mut().insert("grpc-timeout", "1S".parse().unwrap());
    call(&plain(&upstream), bounded).await;
    let told: Vec<u64> = (0..2)
        .flat_map(|at| net.at(at).headers.lock().unwrap().clone())
        .map(|headers| headers["grpc-timeout"].to_str().unwrap().trim_end_matches('u').parse().unwrap())
        .collect();
    let (most, least) = (told.iter().max().unwrap(), told.iter().min().unwrap());
    assert!(*most > 990_000 && *most <= 1_000_000 && *least < 600_000, "{told:?}");
}

#[tokio::test(start_paused = true)]
async fn headers_of_the_callers_connection_stay_behind() {
    let net = Net::of(1);
    let upstream = net.upstream().build();
    let mut talkative = request(false);
    for name in ["host", "connection", "transfer-encoding", "upgrade", "keep-alive", "proxy-connection", "x-mine"] {
        talkative.headers_mut().insert(name, "some".parse().unwrap());
    }
    call(&plain(&upstream), talkative).await;
    let told = net.at(0).headers.lock().unwrap()[0].clone();
    let mut names: Vec<_> = told.keys().map(http::HeaderName::as_str).collect();
    names.sort_unstable();
    assert_eq!(names, ["grpc-timeout", "te", "x-mine"]);
}

#[tokio::test(start_paused = true)]
async fn malformed_timeout_is_refused_by_name() {
    let net = Net::of(1);
    let upstream = net.upstream().build();
    let mut malformed = request(false);
    malformed.headers_mut().insert("grpc-timeout", "soon".parse().unwrap());
    let status = plain(&upstream).oneshot(malformed).await.unwrap_err();
    assert_eq!((status.code(), reason(&status).as_str()), (Code::InvalidArgument, "TIMEOUT_MALFORMED"));
}

#[tokio::test(start_paused = true)]
async fn stream_that_outlives_its_deadline_ends_with_a_status() {
    let net = Net::of(1);
    let upstream = net.upstream().build();
    net.set_all(&Mode::Stream);
    let mut bounded = request(false);
    bounded.headers_mut().insert("grpc-timeout", "500m".parse().unwrap());
    let response = plain(&upstream).oneshot(bounded).await.unwrap();
    assert_eq!(replica(&upstream, 0).in_flight, 1, "a stream counts until its end");
    let read = response.into_body().collect().await.unwrap();
    assert_eq!(code_in(read.trailers().unwrap()), Some(Code::DeadlineExceeded));
    assert_eq!(replica(&upstream, 0).in_flight, 0);
}

#[tokio::test(start_paused = true)]
async fn success_is_judged_by_trailers() {
    let net = Net::of(2);
    let upstream = net.upstream().policy(Policy::RoundRobin).build();
    ready(&upstream).await;
    net.at(0).set(Mode::FailLate(Code::Internal));
    load(&plain(&upstream), 100, 1, false).await;
    assert_eq!(replica(&upstream, 0).state, Phase::Ejected);
}

#[tokio::test(start_paused = true)]
async fn caller_that_leaves_frees_what_it_held() {
    let net = Net::of(1);
    let upstream = net.upstream().build();
    net.set_all(&Mode::Hang);
    let client = plain(&upstream);
    assert!(timeout(Duration::from_millis(50), call(&client, request(false))).await.is_err());
    let replica = replica(&upstream, 0);
    assert_eq!((replica.in_flight, replica.failures, replica.calls), (0, 0, 1));
}

#[tokio::test(start_paused = true)]
async fn first_calls_wait_for_the_first_connection_and_no_longer() {
    let net = Net::of(1);
    let upstream = net.upstream().build();
    assert_eq!(call(&plain(&upstream), request(false)).await.code, Code::Ok);

    let dead = Net::of(1);
    dead.at(0).kill();
    let upstream = dead.upstream().build();
    let begin = Instant::now();
    let status = plain(&upstream).oneshot(request(false)).await.unwrap_err();
    assert_eq!((status.code(), reason(&status).as_str()), (Code::Unavailable, "NO_REPLICA_AVAILABLE"));
    assert!(begin.elapsed() < Duration::from_millis(20), "{:?}", begin.elapsed());
}

#[tokio::test(start_paused = true)]
async fn too_many_calls_are_refused_at_once_with_pushback() {
    let net = Net::of(1);
    let upstream = net.upstream().build();
    net.set_all(&Mode::Hang);
    let shed = ShedSettings { initial: 8, min: 8, ..ShedSettings::default() };
    let client = client(upstream, ClientSettings { shed, ..ClientSettings::default() });
    let waiting: Vec<_> = (0..8).map(|_| tokio::spawn(client.clone().oneshot(request(false)))).collect();
    sleep(Duration::from_millis(10)).await;
    let begin = Instant::now();
    let status = client.clone().oneshot(request(false)).await.unwrap_err();
    assert_eq!((status.code(), reason(&status).as_str()), (Code::ResourceExhausted, "UPSTREAM_OVERLOADED"));
    assert!(status.metadata().get("grpc-retry-pushback-ms").is_some());
    assert!(status.get_details_retry_info().is_some());
    assert_eq!(begin.elapsed(), Duration::ZERO);
    waiting.iter().for_each(tokio::task::JoinHandle::abort);
}

#[tokio::test(start_paused = true)]
async fn what_waits_takes_no_place_and_is_no_measure_of_anything() {
    let net = Net::of(1);
    let upstream = net.upstream().build();
    ready(&upstream).await;
    let shed = ShedSettings { initial: 8, min: 1, ..ShedSettings::default() };
    let client = client(upstream.clone(), ClientSettings { shed, ..ClientSettings::default() });
    let wait = |client: &crm_balance::Client| {
        let mut request = request(false);
        request.extensions_mut().insert(Waits);
        tokio::spawn(client.clone().oneshot(request))
    };
    load(&client, 100, 2, false).await;
    let usual = upstream.replicas()[0].latency_ms_ewma;
    net.set_all(&Mode::Serve(Duration::from_secs(3)));
    // They end one after the other for seconds, so that the limit would move.
    for _ in 0..10 {
        let waiting: Vec<_> = (0..50).map(|_| wait(&client)).collect();
        for waited in waiting {
            assert_eq!(waited.await.unwrap().unwrap().status(), 200);
        }
    }
    net.set_all(&SERVE);
    let hanging: Vec<_> = (0..50).map(|_| wait(&client)).collect();
    sleep(Duration::from_millis(1)).await;
    assert!(upstream.replicas()[0].latency_ms_ewma <= usual, "{} of {usual}", upstream.replicas()[0].latency_ms_ewma);
    assert!(upstream.calls().p99_ms < 100.0, "{}", upstream.calls().p99_ms);
    assert_eq!(call(&client, request(false)).await.code, Code::Ok);
    // The limit is what it was.
    net.set_all(&Mode::Hang);
    let working: Vec<_> = (0..8).map(|_| tokio::spawn(client.clone().oneshot(request(false)))).collect();
    sleep(Duration::from_millis(1)).await;
    assert_eq!(reason(&client.clone().oneshot(request(false)).await.unwrap_err()), "UPSTREAM_OVERLOADED");
    assert!(working.iter().all(|call| !call.is_finished()));
    hanging.iter().chain(&working).for_each(tokio::task::JoinHandle::abort);
}

#[tokio::test(start_paused = true)]
async fn same_key_reaches_the_same_endpoint_by_extension_or_header() {
    let net = Net::of(4);
    let header = http::HeaderName::from_static("x-tenant");
    let upstream = net.upstream().policy(Policy::ConsistentHash).hash_header(header).build();
    ready(&upstream).await;
    let client = plain(&upstream);
    let mut reached = std::collections::HashSet::new();
    for key in 0..20_u64 {
        let by_key = || async {
            let mut request = request(false);
            request.extensions_mut().insert(HashKey(key));
            call(&client, request).await.replica
        };
        let by_header = || async {
            let mut request = request(false);
            request.headers_mut().insert("x-tenant", format!("tenant-{key}").parse().unwrap());
            call(&client, request).await.replica
        };
        assert_eq!(by_key().await, by_key().await);
        assert_eq!(by_header().await, by_header().await);
        reached.insert(by_key().await);
    }
    assert_eq!(reached.len(), 4);
}

/// A name whose addresses the test changes.
#[derive(Default)]
struct Names(Mutex<Vec<usize>>);

impl Resolve for Names {
    fn resolve<'a>(&'a self, host: &'a str, port: u16) -> BoxFuture<'a, io::Result<Vec<SocketAddr>>> {
        assert_eq!(host, "customers");
        let addresses =
            self.0.lock().unwrap().iter().map(|at| SocketAddr::from(([10, 0, 0, *at as u8], port))).collect();
        Box::pin(async move { Ok(addresses) })
    }
}

fn named(net: &Net, names: &Arc<Names>) -> Upstream {
    let discovery = Discovery::Dns { host: "customers".to_owned(), port: 50051, every: Duration::from_secs(5) };
    Upstream::builder("fakes", discovery)
        .health(crm_balance::HealthCheck::Off)
        .connector(Arc::new(net.clone()))
        .resolver(Arc::clone(names) as Arc<dyn Resolve>)
        .seed(42)
        .build()
}

#[tokio::test(start_paused = true)]
async fn replicas_appear_and_vanish_without_a_failed_call() {
    let (net, names) = (Net::of(6), Arc::new(Names::default()));
    let upstream = named(&net, &names);
    let lists: [&[usize]; 6] = [&[0, 1], &[0, 1, 2, 3], &[2, 3], &[4, 5], &[], &[0]];
    let change = async {
        for list in lists {
            *names.0.lock().unwrap() = list.to_vec();
            sleep(Duration::from_secs(10)).await;
        }
    };
    let client = plain(&upstream);
    let (seen, ()) = tokio::join!(load(&client, 400, 60, false), change);
    assert_eq!(failed(&seen), 0);
    let left: Vec<_> = upstream.replicas().into_iter().map(|replica| replica.address).collect();
    assert_eq!(left, [address(0)], "an empty answer changes nothing, a full one does");
}

#[tokio::test(start_paused = true)]
async fn calls_that_outlive_their_endpoint_do_not_sentence_the_one_that_has_its_number_now() {
    let (net, names) = (Net::of(3), Arc::new(Names::default()));
    *names.0.lock().unwrap() = vec![0, 1];
    let upstream = named(&net, &names);
    ready(&upstream).await;
    upstream.set_policy(Policy::RoundRobin);
    net.at(0).set(Mode::Hang);
    let client = plain(&upstream);
    let calls: Vec<_> = (0..20)
        .map(|_| {
            let mut long = request(false);
            long.headers_mut().insert("grpc-timeout", "55S".parse().unwrap());
            let client = client.clone();
            tokio::spawn(async move { call(&client, long).await })
        })
        .collect();
    sleep(Duration::from_millis(10)).await;
    *names.0.lock().unwrap() = vec![1, 2];
    until(|| upstream.replicas().iter().any(|it| it.address == address(2) && it.ordinal == 2)).await;
    until(|| upstream.replicas().len() == 2).await;
    *names.0.lock().unwrap() = vec![0, 1, 2];
    net.at(0).set(SERVE);
    until(|| upstream.replicas().len() == 3).await;
    for call in calls {
        call.await.unwrap();
    }
    assert_eq!(replica(&upstream, 0).ejections, 0);
    assert_eq!(net.at(0).connections.load(Ordering::Relaxed), 2, "the newcomer was another one");
}

#[tokio::test(start_paused = true)]
async fn connection_is_replaced_at_its_age_and_kept_where_that_fails() {
    let net = Net::of(1);
    let aged = ConnectionSettings { max_age: Some(Duration::from_secs(10)), ..ConnectionSettings::default() };
    let upstream = net.upstream().connection(aged).build();
    let client = plain(&upstream);
    assert_eq!(failed(&load(&client, 20, 65, false).await), 0);
    assert_eq!(net.at(0).connections.load(Ordering::Relaxed), 7);
    *net.at(0).is_up.lock().unwrap() = false;
    assert_eq!(failed(&load(&client, 20, 30, false).await), 0);
}

#[tokio::test(start_paused = true)]
async fn refusals_do_not_make_latencies_look_good() {
    let net = Net::of(1);
    let upstream = net.upstream().build();
    net.set_all(&Mode::Serve(Duration::from_millis(50)));
    let shed = ShedSettings { initial: 1, min: 1, ..ShedSettings::default() };
    let client = client(upstream.clone(), ClientSettings { shed, ..ClientSettings::default() });
    let seen = load(&client, 200, 5, false).await;
    assert!(failed(&seen) > 800, "{} refused", failed(&seen));
    assert!(upstream.calls().p50_ms > 45.0, "{}", upstream.calls().p50_ms);
}

#[tokio::test(start_paused = true)]
async fn dropping_the_last_handle_ends_the_tasks() {
    let net = Net::of(1);
    let upstream = net.upstream().build();
    let client = plain(&upstream);
    ready(&upstream).await;
    let mut events = upstream.subscribe();
    drop((upstream, client));
    sleep(Duration::from_secs(1)).await;
    drain(&mut events);
    assert!(matches!(events.try_recv(), Err(tokio::sync::broadcast::error::TryRecvError::Closed)));
}

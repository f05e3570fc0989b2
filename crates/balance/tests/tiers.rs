//! Two tiers, each with a client of ours: a failure at the bottom is tried there, and counts against nobody between.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod fake;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crm_balance::{
    Client, ClientSettings, Connect, ConnectError, Connection, HealthCheck, Phase, Policy, RetrySettings, Retryable,
    SendError, ShedSettings, Switch, Upstream, client,
};
use fake::*;
use futures_util::future::BoxFuture;
use http::{Request, Response};
use http_body_util::BodyExt;
use tonic::Code;
use tonic::body::Body;
use tower::ServiceExt;

/// Services that answer whatever the tier below answers them.
#[derive(Clone)]
struct Middle {
    below: Client,
    calls: Arc<AtomicU64>,
}

impl Connect for Middle {
    fn connect(&self, _address: &str) -> BoxFuture<'static, Result<Arc<dyn Connection>, ConnectError>> {
        let link = Arc::new(self.clone()) as Arc<dyn Connection>;
        Box::pin(async move { Ok(link) })
    }
}

impl Connection for Middle {
    fn send(&self, mut request: Request<Body>) -> BoxFuture<'static, Result<Response<Body>, SendError>> {
        self.calls.fetch_add(1, Ordering::Relaxed);
        request.extensions_mut().insert(Retryable(true));
        let below = self.below.clone();
        Box::pin(async move { Ok(below.oneshot(request).await.unwrap_or_else(tonic::Status::into_http)) })
    }

    fn is_closed(&self) -> bool {
        false
    }

    fn closed(&self) -> BoxFuture<'static, ()> {
        Box::pin(std::future::pending())
    }
}

struct Tiers {
    net: Net,
    middle: Upstream,
    calls: Arc<AtomicU64>,
    client: Client,
}

/// Three fakes at the bottom, two services between, and a client above them.
async fn tiers(below: RetrySettings, policy: Policy) -> Tiers {
    let (net, calls) = (Net::of(3), Arc::<AtomicU64>::default());
    let bottom = net.upstream().policy(Policy::RoundRobin).ejection(never_eject()).build();
    ready(&bottom).await;
    let shed = ShedSettings { enabled: Switch::off(), ..ShedSettings::default() };
    let below = client(bottom, ClientSettings { retry: below, shed, ..ClientSettings::default() });
    let connector = Middle { below, calls: Arc::clone(&calls) };
    let middle = Upstream::builder("middle", Net::of(2).discovery())
        .health(HealthCheck::Off)
        .policy(policy)
        .connector(Arc::new(connector))
        .seed(7)
        .build();
    ready(&middle).await;
    Tiers { net, client: plain(&middle), middle, calls }
}

/// How a call ends, whether in headers, in trailers, or by no answer at all.
async fn end(client: &Client) -> (Code, Option<String>) {
    let response = match client.clone().oneshot(request(true)).await {
        Ok(response) => response,
        Err(status) => status.into_http(),
    };
    let mut headers = response.headers().clone();
    if let Ok(body) = response.into_body().collect().await {
        headers.extend(body.trailers().cloned().unwrap_or_default());
    }
    let mark = headers.get("grpc-retry-pushback-ms").map(|value| value.to_str().unwrap().to_owned());
    (code_in(&headers).unwrap(), mark)
}

#[tokio::test(start_paused = true)]
async fn failure_at_the_bottom_is_tried_there_alone_and_ejects_nobody_between() {
    let once = || RetrySettings::off();
    let thrice = || RetrySettings { budget_ratio: 10.0, ..RetrySettings::default() };
    let cases = [
        (Mode::FailFast(Code::Unavailable), once(), Code::Unavailable, 1),
        (Mode::FailFast(Code::Unavailable), thrice(), Code::Unavailable, 3),
        (Mode::Push("20"), thrice(), Code::Unavailable, 3),
        (Mode::Push("-1"), thrice(), Code::Unavailable, 1),
        (Mode::FailFast(Code::Internal), thrice(), Code::Internal, 1),
        (Mode::FailFast(Code::Unknown), thrice(), Code::Unknown, 1),
        (Mode::FailFast(Code::DeadlineExceeded), thrice(), Code::DeadlineExceeded, 1),
        (Mode::FailLate(Code::Unavailable), thrice(), Code::Unavailable, 1),
        (Mode::FailLate(Code::DataLoss), thrice(), Code::DataLoss, 1),
        (Mode::BreakOff(Code::Internal), thrice(), Code::Internal, 1),
        (Mode::Http(503), thrice(), Code::Unavailable, 3),
    ];
    for (mode, retry, code, attempts) in cases {
        for policy in [Policy::RoundRobin, Policy::PeakEwma] {
            let Tiers { net, middle, calls, client } = tiers(retry.clone(), policy).await;
            let usual = replica(&middle, 0).latency_ms_ewma;
            net.set_all(&mode);
            for number in 1..=40 {
                if mode != Mode::Http(503) {
                    assert_eq!(end(&client).await, (code, Some("-1".to_owned())), "{mode:?}");
                } else {
                    let _ = client.clone().oneshot(request(true)).await;
                }
                assert_eq!((calls.load(Ordering::Relaxed), net.calls()), (number, number * attempts), "{mode:?}");
            }
            for replica in middle.replicas() {
                assert_eq!((replica.state, replica.failures), (Phase::Ready, 0), "{mode:?} under {policy}");
                assert!(replica.latency_ms_ewma <= usual.max(2.0), "{mode:?}: {} ms", replica.latency_ms_ewma);
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn nobody_at_the_bottom_ejects_nobody_between() {
    let Tiers { net, middle, calls, client } = tiers(RetrySettings::default(), Policy::RoundRobin).await;
    (0..3).for_each(|at| net.at(at).kill());
    tokio::time::sleep(Duration::from_millis(100)).await;
    for _ in 0..40 {
        assert_eq!(end(&client).await, (Code::Unavailable, Some("-1".to_owned())));
    }
    assert_eq!(calls.load(Ordering::Relaxed), 40);
    assert!(middle.replicas().iter().all(|replica| replica.ejections == 0 && replica.failures == 0));
}

#[tokio::test(start_paused = true)]
async fn success_and_application_errors_bear_no_mark() {
    let Tiers { net, client, .. } = tiers(RetrySettings::default(), Policy::RoundRobin).await;
    for (mode, code) in [
        (SERVE, Code::Ok),
        (Mode::FailFast(Code::NotFound), Code::NotFound),
        (Mode::FailLate(Code::Aborted), Code::Aborted),
    ] {
        net.set_all(&mode);
        assert_eq!(end(&client).await, (code, None), "{mode:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn failure_that_is_passed_on_decides_no_probe() {
    let net = Net::of(2);
    let upstream = net.upstream().policy(Policy::RoundRobin).build();
    ready(&upstream).await;
    net.at(0).set(Mode::FailFast(Code::Internal));
    let client = plain(&upstream);
    while replica(&upstream, 0).state != Phase::Ejected {
        call(&client, request(false)).await;
    }
    until(|| replica(&upstream, 0).state == Phase::Probing).await;
    net.at(0).set(Mode::Push("-1"));
    for _ in 0..3 {
        assert_eq!(call(&client, request(true)).await.code, Code::Unavailable);
        assert_eq!((replica(&upstream, 0).state, replica(&upstream, 0).ejections), (Phase::Probing, 1));
    }
    net.at(0).set(SERVE);
    call(&client, request(true)).await;
    assert_eq!(replica(&upstream, 0).state, Phase::Ready);
}

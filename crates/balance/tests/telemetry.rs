//! What an attempt leaves in traces and metrics.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod fake;

use crm_balance::Policy;
use crm_telemetry::testing::{attribute, record};
use fake::*;
use tonic::Code;

#[tokio::test(start_paused = true)]
async fn each_attempt_is_a_client_span_that_the_endpoint_continues() {
    let (recorder, _guard) = record();
    let net = Net::of(2);
    let upstream = net.upstream().policy(Policy::RoundRobin).build();
    ready(&upstream).await;
    net.at(0).set(Mode::FailFast(Code::Unavailable));
    let client = plain(&upstream);
    let tries = call(&client, request(true)).await.tries + call(&client, request(true)).await.tries;

    let spans = recorder.spans_named("test.Echo/Say");
    assert!(tries >= 3, "at least one of two calls was tried twice");
    assert_eq!(spans.len(), tries as usize);
    let failed = spans.iter().find(|span| attribute(span, "crm.replica").as_deref() == Some("0")).unwrap();
    assert_eq!(attribute(failed, "crm.attempt").as_deref(), Some("1"));
    assert_eq!(attribute(failed, "crm.policy").as_deref(), Some("round_robin"));
    assert_eq!(attribute(failed, "rpc.status_code").as_deref(), Some("UNAVAILABLE"));
    assert!(spans.iter().any(|span| attribute(span, "crm.attempt").as_deref() == Some("2")));

    let sent = net.at(0).headers.lock().unwrap()[0]["traceparent"].to_str().unwrap().to_owned();
    assert!(sent.contains(&failed.span_context.span_id().to_string()), "{sent}");
}

#[tokio::test(start_paused = true)]
async fn scrape_shows_calls_attempts_and_states() {
    // A thread without a subscriber would switch the spans off for the test beside it: tracing remembers by call site.
    let (_recorder, _guard) = record();
    let net = Net::of(1);
    let upstream = crm_balance::Upstream::builder("scraped", net.discovery())
        .health(crm_balance::HealthCheck::Off)
        .connector(std::sync::Arc::new(net.clone()))
        .build();
    let client = plain(&upstream);
    call(&client, request(false)).await;
    let scraped = |line: &str| crm_telemetry::metrics_text().lines().any(|found| found == line);
    let limited = |calls: u32| scraped(&format!("crm_upstream_limited_in_flight{{upstream=\"scraped\"}} {calls}"));
    assert!(limited(0) && scraped("crm_upstream_limit{upstream=\"scraped\"} 256"));
    net.at(0).set(Mode::Serve(std::time::Duration::from_secs(5)));
    let (held, ()) = tokio::join!(call(&client, request(false)), until(|| limited(1)));
    assert!(held.code == Code::Ok && limited(0));
    let text = crm_telemetry::metrics_text();
    let has = |metric: &str, labels: &[&str], value: &str| {
        let of_metric = |line: &&str| line.starts_with(metric) && line.contains("upstream=\"scraped\"");
        let fits = |line: &str| labels.iter().all(|label| line.contains(label)) && line.ends_with(value);
        text.lines().filter(of_metric).any(fits)
    };
    assert!(has("crm_upstream_calls_total", &["outcome=\"ok\""], " 2"), "{text}");
    assert!(has("crm_upstream_attempts_total", &["replica=\"0\"", "outcome=\"ok\""], " 2"), "{text}");
    assert!(has("crm_upstream_replica_state", &["state=\"ready\""], " 1"), "{text}");
    assert!(has("crm_upstream_attempt_duration_seconds_count", &["replica=\"0\""], " 2"), "{text}");
    assert!(has("crm_upstream_panic", &[], " 0"), "{text}");
}

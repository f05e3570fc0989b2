//! Server streams as server-sent events.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod support;

use std::{sync::atomic::Ordering, time::Duration};

use http::{Method, Response, StatusCode};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use serde_json::Value;
use support::{Rig, eventually, wire};

const EVENTS: (&str, &str) = ("accept", "text/event-stream");

/// One event, as a browser reads it.
#[derive(Debug)]
struct Event {
    name: String,
    data: Value,
}

fn events(text: &str) -> Vec<Event> {
    let blocks = text.strip_prefix("retry: 2000\n\n").unwrap_or_else(|| panic!("{text}")).split_terminator("\n\n");
    let read = |block: &str| {
        let field = |name: &str| block.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
        Event { name: field("event").unwrap_or_default().into(), data: serde_json::from_str(field("data")?).ok()? }
            .into()
    };
    blocks.filter_map(read).collect()
}

async fn ask(rig: &Rig, filter: &str, headers: &[(&str, &str)]) -> wire::Answer {
    let bearer = format!("Bearer {}", rig.token());
    let headers: Vec<_> = headers.iter().copied().chain([("authorization", bearer.as_str())]).collect();
    wire::rest(rig.public, Method::GET, &format!("/v1/accounts:export?filter={filter}"), &headers, "").await
}

/// The same, with the body still to be read.
async fn begin(rig: &Rig, filter: &str) -> Response<Incoming> {
    let (mut connection, bearer) = (wire::http1_connection(rig.public).await, format!("Bearer {}", rig.token()));
    let path = format!("/v1/accounts:export?filter={filter}");
    wire::start_on(&mut connection, Method::GET, &path, &[EVENTS, ("authorization", &bearer)], "").await
}

async fn nothing_runs(rig: &Rig) {
    eventually("the call behind is cancelled", async || rig.seen().running.load(Ordering::SeqCst) == 0).await;
}

#[tokio::test]
async fn each_message_is_an_event_for_who_asks_for_events() {
    let rig = Rig::start().await;
    let answer = ask(&rig, "250", &[EVENTS]).await;
    for (name, expected) in [
        ("content-type", "text/event-stream"),
        ("cache-control", "no-store"),
        ("x-accel-buffering", "no"),
        ("vary", "accept"),
    ] {
        assert_eq!(answer.header(name), expected);
    }
    let events = events(&answer.text());
    let (last, messages) = events.split_last().unwrap();
    assert_eq!((messages.len(), &messages[249].data["id"], messages[249].name.as_str()), (250, &"249".into(), ""));
    assert_eq!((last.name.as_str(), &last.data), ("end", &serde_json::json!({})));
    for accept in ["*/*", "application/x-ndjson, text/event-stream", "text/html"] {
        let lines = ask(&rig, "2", &[("accept", accept)]).await;
        assert_eq!(lines.header("content-type"), "application/x-ndjson", "{accept}");
        assert_eq!(lines.text().lines().count(), 2, "{accept}");
    }
    let huge = ask(&rig, "huge", &[EVENTS]).await;
    assert_eq!(self::events(&huge.text()).len(), 4, "whole, however long their lines");
}

#[tokio::test]
async fn what_fails_at_once_fails_with_a_status_and_what_fails_later_with_an_event() {
    let rig = Rig::start().await;
    let refused = ask(&rig, "refused", &[EVENTS]).await;
    assert_eq!((refused.status, refused.reason().as_str()), (StatusCode::BAD_REQUEST, "INVALID_FILTER"));
    assert_eq!(refused.header("content-type"), "application/json");
    for (filter, timeout, code, words) in [("breaks", "10s", 10, "BROKEN_OFF"), ("silent", "300ms", 4, "deadline")] {
        let broken = ask(&rig, filter, &[EVENTS, ("x-crm-timeout", timeout)]).await;
        assert_eq!((broken.status, broken.header("x-crm-timeout")), (StatusCode::OK, timeout));
        let events = events(&broken.text());
        let last = events.last().unwrap();
        assert_eq!((last.name.as_str(), &last.data["code"]), ("error", &code.into()), "{filter}");
        assert!(last.data.to_string().to_lowercase().contains(&words.to_lowercase()), "{last:?}");
        assert!(events[..events.len() - 1].iter().all(|event| event.name.is_empty()), "{events:?}");
    }
}

#[tokio::test]
async fn what_there_is_to_say_is_said_at_once_and_who_leaves_frees_the_call_behind() {
    let rig = Rig::start().await;
    // Says one thing, and then nothing for as long as anybody listens.
    let mut silent = begin(&rig, "silent").await;
    let mut told = String::new();
    while !told.contains("data: ") {
        told += std::str::from_utf8(silent.frame().await.unwrap().unwrap().data_ref().unwrap()).unwrap();
    }
    assert!(told.ends_with("}\n\n"), "{told}");
    assert_eq!(rig.seen().running.load(Ordering::SeqCst), 1);
    drop(silent);
    nothing_runs(&rig).await;
    // Never says anything; its reader is told that it has begun.
    let mut mute = begin(&rig, "mute").await;
    assert_eq!(mute.status(), StatusCode::OK);
    assert_eq!(mute.frame().await.unwrap().unwrap().data_ref().unwrap(), "retry: 2000\n\n");
    drop(mute);
    nothing_runs(&rig).await;
}

#[tokio::test]
async fn a_reader_that_is_too_slow_is_told_so() {
    let pace = crm_gateway::PaceSettings { bytes_per_second: 1 << 40, over: Duration::from_millis(100) };
    let rig = Rig::start_with(1, |config| config.calls.pace = pace).await;
    let mut endless = begin(&rig, "endless").await;
    let mut end = Vec::new();
    while let Some(frame) = endless.frame().await {
        end.extend_from_slice(frame.unwrap().data_ref().unwrap());
        end.drain(..end.len().saturating_sub(2_000));
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let end = String::from_utf8_lossy(&end);
    let last = end.trim_end().rsplit("\n\n").next().unwrap();
    assert!(last.starts_with("event: error\ndata: {\"code\":10,") && last.contains("STREAM_TOO_SLOW"), "{last}");
    nothing_runs(&rig).await;
}

#[tokio::test]
async fn a_head_is_answered_without_events_and_pages_may_tell_what_they_have_read() {
    let rig = Rig::start_with(1, |config| config.origins = "http://page.example".parse().unwrap()).await;
    let bearer = format!("Bearer {}", rig.token());
    let path = "/v1/accounts:export?filter=endless";
    let headers = [EVENTS, ("authorization", bearer.as_str()), ("origin", "http://page.example")];
    let head = wire::rest(rig.public, Method::HEAD, path, &headers, "").await;
    assert_eq!((head.status, head.header("content-type"), head.body.len()), (StatusCode::OK, "text/event-stream", 0));
    assert_eq!(head.header("access-control-allow-origin"), "http://page.example");
    nothing_runs(&rig).await;
    let beforehand = [("origin", "http://page.example"), ("access-control-request-method", "GET")];
    let allowed = wire::rest(rig.public, Method::OPTIONS, path, &beforehand, "").await;
    assert!(allowed.header("access-control-allow-headers").contains("last-event-id"));
}

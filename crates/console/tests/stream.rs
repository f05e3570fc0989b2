//! What an open page is sent.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod support;

use std::collections::HashSet;

use http::Method;
use serde_json::json;
use support::{Room, Stream, replica};

async fn live(room: &Room) -> Stream {
    Stream::of(room.send(Method::GET, "/live", &[], "").await)
}

#[tokio::test]
async fn a_page_is_sent_everything_at_first_and_then_what_changes() {
    let room = Room::open().await;
    room.page_with("customers/1").await;
    let mut stream = live(&room).await;
    let mut first = HashSet::new();
    while !first.contains("calls") {
        first.insert(stream.next().await.unwrap().0);
    }
    for id in [
        "status",
        "upstreams",
        "summary-customers",
        "policy-customers",
        "face-customers-1",
        "charts-customers",
        "events",
    ] {
        assert!(first.contains(id), "{id} is not in {first:?}");
    }
    room.gateway.change(|truth| truth.replicas[1] = replica(1, "ejected"));
    let face = stream.until("face-customers-1", "ejected").await;
    assert!(face.contains("state-ejected") && face.contains("consecutive failures"), "{face}");
    room.close().await;
}

#[tokio::test]
async fn buttons_stay_while_figures_change_and_follow_when_replicas_do() {
    let room = Room::open().await;
    room.page_with("customers/1").await;
    let mut stream = live(&room).await;
    stream.until("calls", "").await;
    for in_flight in 100..104 {
        room.gateway.change(|truth| truth.replicas[0]["in_flight"] = in_flight.into());
        loop {
            let (id, html) = stream.next().await.unwrap();
            assert!(!id.starts_with("boxes-") && !id.starts_with("policy-") && id != "upstreams", "{id}");
            if id == "face-customers-0" && html.contains(&in_flight.to_string()) {
                break;
            }
        }
    }
    room.gateway.change(|truth| truth.replicas.push(replica(2, "connecting")));
    stream.until("boxes-customers", "customers/2").await;
    room.close().await;
}

#[tokio::test]
async fn events_of_the_gateway_are_told_and_announced() {
    let room = Room::open().await;
    room.page_with("customers/1").await;
    let mut stream = live(&room).await;
    stream.until("calls", "").await;
    let event = json!({"event": "state_changed", "upstream": "customers", "replica": 1, "address": "10.0.0.1:50051",
        "from": "ready", "to": "ejected", "reason": "consecutive failures"});
    // Its stream may not be followed yet.
    let telling = async {
        loop {
            room.gateway.tell(&event);
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
    };
    let reading = async {
        stream.until("announce", "customers/1 ejected – consecutive failures").await;
        stream.until("events", "customers/1 ejected").await;
    };
    tokio::select! { () = telling => {}, () = reading => {} }
    room.close().await;
}

#[tokio::test]
async fn pages_are_counted_and_one_too_many_is_told_to_come_again() {
    let room = Room::open().await;
    let mut open = Vec::new();
    for _ in 0..32 {
        open.push(live(&room).await);
    }
    let refused = room.get("/live").await;
    assert_eq!((refused.status, &refused.headers["retry-after"]), (503, &"5".parse().unwrap()));
    open.pop();
    // The place is free as soon as the server notices.
    let mut status = 503;
    for _ in 0..100 {
        let response = room.send(Method::GET, "/live", &[], "").await;
        status = response.status().as_u16();
        if status == 200 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    assert_eq!(status, 200);
    room.close().await;
}

#[tokio::test]
async fn open_pages_do_not_hold_up_the_end() {
    let room = Room::open().await;
    let mut stream = live(&room).await;
    stream.next().await.unwrap();
    room.close().await;
    while stream.next().await.is_some() {}
}

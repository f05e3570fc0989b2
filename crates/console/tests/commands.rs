//! What the buttons do, and who may not press them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod support;

use support::Room;

const POLICY: &str = "/upstreams/customers/policy";
const FAULT: &str = "/upstreams/customers/replicas/1/fault";
const SCRIPT: [(&str, &str); 2] = [("sec-fetch-site", "same-origin"), ("accept", "application/json")];

#[tokio::test]
async fn buttons_become_requests_to_the_control_api() {
    let room = Room::open().await;
    for (path, form, told) in [
        (POLICY, "policy=random", "PUT /upstreams/customers/policy {\"policy\":\"random\"}"),
        (FAULT, "fault=slow", "PUT /upstreams/customers/replicas/1/fault {\"delay_ms\":100,\"for_s\":120}"),
        (FAULT, "fault=hanging", "PUT /upstreams/customers/replicas/1/fault {\"for_s\":120,\"hang\":true}"),
        (FAULT, "fault=none", "DELETE /upstreams/customers/replicas/1/fault"),
    ] {
        let answer = room.post(path, form, &SCRIPT).await;
        assert_eq!(answer.status, 200, "{form}: {}", answer.text);
        assert!(answer.text.contains("said"), "{}", answer.text);
        assert_eq!(room.gateway.told().last().map(String::as_str), Some(told));
    }
    let without_script = room.post(POLICY, "policy=round_robin", &[]).await;
    assert_eq!((without_script.status, &without_script.headers["location"]), (303, &"/".parse().unwrap()));
    room.close().await;
}

#[tokio::test]
async fn nonsense_and_refusals_are_told_in_words() {
    let room = Room::open().await;
    assert_eq!(room.post(POLICY, "policy=fastest", &SCRIPT).await.status, 400);
    assert!((400..500).contains(&room.post(FAULT, "fault=fire", &SCRIPT).await.status));
    assert_eq!(room.post("/upstreams/customers/replicas/x/fault", "fault=slow", &SCRIPT).await.status, 400);
    assert!((400..500).contains(&room.post(POLICY, &format!("policy={}", "x".repeat(8192)), &SCRIPT).await.status));
    assert!(room.gateway.told().is_empty());

    room.gateway.change(|truth| truth.refusal = Some("this gateway is not set up to break replicas".to_owned()));
    let refused = room.post(FAULT, "fault=slow", &SCRIPT).await;
    assert_eq!(refused.status, 502);
    assert!(refused.text.contains("not set up to break replicas"), "{}", refused.text);
    let page = room.post(FAULT, "fault=slow", &[]).await;
    assert!(page.text.contains("<h1>") && page.text.contains("not set up to break replicas"), "{}", page.text);
    room.close().await;
}

#[tokio::test]
async fn other_sites_pages_press_no_button() {
    let room = Room::open().await;
    for headers in [
        &[("sec-fetch-site", "cross-site")][..],
        &[("sec-fetch-site", "same-site")],
        &[("origin", "http://evil.example")],
        &[("origin", "null")],
        &[("host", "evil.example"), ("origin", "http://evil.example")],
        &[("host", "evil.example"), ("sec-fetch-site", "same-origin")],
    ] {
        for path in [POLICY, FAULT, "/tours/slow-replica/break", "/tours/slow-replica/heal"] {
            let answer = room.post(path, "policy=random&fault=slow", headers).await;
            assert_eq!(answer.status, 403, "{path} {headers:?}");
        }
    }
    assert!(room.gateway.told().is_empty());
    room.close().await;
}

#[tokio::test]
async fn a_tour_breaks_and_heals_and_leads_on() {
    let room = Room::open().await;
    room.page_with("A fault lasts two minutes").await;
    let broken = room.post("/tours/slow-replica/break", "guess=1", &[]).await;
    assert_eq!(broken.headers["location"], "/?tour=slow-replica&stage=watch&guess=1#tour");
    let healed = room.post("/tours/slow-replica/heal", "", &[]).await;
    assert_eq!(healed.headers["location"], "/?tour=slow-replica&stage=done#tour");
    assert_eq!(
        room.gateway.told(),
        [
            "PUT /upstreams/customers/policy {\"policy\":\"peak_ewma\"}",
            "PUT /upstreams/customers/replicas/0/fault {\"delay_ms\":100,\"for_s\":120}",
            "DELETE /upstreams/customers/replicas/all/fault",
        ]
    );
    assert_eq!(room.post("/tours/none/break", "", &[]).await.status, 404);
    room.close().await;
}

//! The tours of the live room, played as their pages say.

use std::time::{Duration, Instant};

use ::http::{Method, Request, StatusCode};
use bytes::Bytes;
use crm_console::tour::{Action, Tour, all};
use http_body_util::Full;
use serde_json::Value;

use crate::http::{exchange, send};
use crate::load::Load;
use crate::platform::{Platform, crm, done, eventually};

/// Presses the one button of a stage.
async fn press(platform: &Platform, tour: &Tour, button: &str) {
    let console = platform.address("console");
    let request = Request::post(format!("/tours/{}/{button}", tour.name)).header("host", &console);
    let request = request.header("content-type", "application/x-www-form-urlencoded");
    let answer = exchange(&console, request.body(Full::new(Bytes::from("guess=0"))).unwrap()).await.unwrap();
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{} {button}: {:?}", tour.name, answer.body);
}

/// Types what the page asks for into a terminal.
fn type_commands(platform: &Platform, tour: &Tour) {
    for action in &tour.breaking.actions {
        if let Action::Command(line) = action {
            let words: Vec<&str> = line.strip_prefix("./crm ").expect(line).split(' ').collect();
            done(&crm(&platform.dir, &words));
        }
    }
}

/// What the page says of everything that is expected.
async fn checks(platform: &Platform, tour: &Tour) -> String {
    let path = format!("/?tour={}&stage=watch", tour.name);
    let page = send(&platform.address("console"), Method::GET, &path, Value::Null).await.unwrap();
    let text = String::from_utf8(page.body.into()).unwrap();
    let from = text.find(r#"<ul class="checks">"#).expect("the page shows checks");
    text[from..].split("</ul>").next().unwrap_or_default().to_owned()
}

async fn watch(platform: &Platform, tour: &Tour) {
    let end = Instant::now() + Duration::from_secs(tour.watch.for_s.into());
    loop {
        let checks = checks(platform, tour).await;
        if !checks.contains("not yet") {
            return;
        }
        assert!(Instant::now() < end, "{}, after {} s: {checks}", tour.name, tour.watch.for_s);
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

async fn is_as_before(platform: &Platform) -> bool {
    let control = platform.address("control");
    let answer = send(&control, Method::GET, "/upstreams/customers", Value::Null).await.unwrap();
    let upstream: Value = serde_json::from_slice(&answer.body).unwrap();
    let mut replicas = upstream["replicas"].as_array().unwrap().iter();
    let well = |replica: &Value| {
        replica["state"] == "ready" && replica["fault"].is_null() && replica["share"].as_f64() > Some(0.2)
    };
    upstream["policy"] == "peak_ewma" && replicas.all(well)
}

#[tokio::test]
async fn every_tour_shows_what_it_promises_and_leaves_nothing_broken() {
    let platform = Platform::start().await;
    for n in 0..50 {
        platform.create_account(&format!("Tour {n}")).await.unwrap();
    }
    let load = Load::start(&platform, "40", "20m");
    assert!(eventually(|| is_as_before(&platform)).await, "calls are spread");
    for tour in all() {
        type_commands(&platform, tour);
        press(&platform, tour, "break").await;
        watch(&platform, tour).await;
        press(&platform, tour, "heal").await;
        assert!(eventually(|| is_as_before(&platform)).await, "{}: {}", tour.name, platform.status());
    }
    drop(load);
}

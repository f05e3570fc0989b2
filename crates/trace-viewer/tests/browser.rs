//! The pages in a real browser: what a person would do to find a failing call.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod support;

use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::LazyLock,
};

use crm_sandbox::browser::Browser;
use crm_trace_viewer::Config;
use opentelemetry_proto::tonic::trace::v1::span::{Link, SpanKind};
use serde_json::json;
use support::{
    Viewer,
    spans::{Build, MICROS, MILLIS, contact_lookup, from_service, now_ns, span},
};

const FAILED: u128 = 0x4bf9_2f35_77b3_4da6_a3ce_929d_0e0e_4736;

/// The pages come from their package, as `make` fetches them; a test must not pass without having seen them.
static UI_DIR: LazyLock<PathBuf> = LazyLock::new(|| {
    let crate_dir = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder =
        std::env::var_os("CRM_JAEGER_UI_DIR").map_or_else(|| crate_dir.join("../../target/jaeger-ui"), Into::into);
    if !folder.join("index.html").exists() {
        let fetched = Command::new(crate_dir.join("ui/fetch")).arg(&folder).status().unwrap();
        assert!(fetched.success(), "crates/trace-viewer/ui/fetch could not fetch Jaeger UI");
    }
    folder
});

async fn start_viewer() -> Viewer {
    Viewer::start_with(Config { ui_dir: UI_DIR.clone(), ..Config::default() }).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn person_finds_a_failed_call_and_sees_who_calls_whom() {
    let viewer = start_viewer().await;
    let now = now_ns();
    for call in 0..30_u64 {
        let start = now - (call + 1) * 1_717_171 * MICROS;
        viewer.export(contact_lookup(0xabc0 + u128::from(call), start, "globex", false)).await;
    }
    viewer.export(contact_lookup(FAILED, now - 900 * MILLIS, "initech", true)).await;

    let browser = Browser::start().await;
    search_by_tag(&viewer, &browser).await;
    read_the_trace(&viewer, &browser).await;
    look_at_the_graph(&viewer, &browser).await;
    browser.close().await;
    viewer.stop().await;
}

async fn search_by_tag(viewer: &Viewer, browser: &Browser) {
    browser.open(&viewer.url("/")).await;
    browser.wait_for_text(&["Service (2)", "Find Traces"]).await;

    browser.open(&viewer.url("/search?service=gateway&limit=20&lookback=1h")).await;
    browser.wait_for_text(&["20 Traces", "1 Error"]).await;
    let dots_have_grown = "const widths = [...document.querySelectorAll('.recharts-dot')].map(dot => dot.getBoundingClientRect().width); \
        return widths.filter(width => width > 3).length === 20";
    browser.wait_for_script(dots_have_grown).await;
    browser.picture("search").await;

    let tags = "%7B%22crm.account%22%3A%22initech%22%7D";
    browser.open(&viewer.url(&format!("/search?service=gateway&limit=20&lookback=1h&tags={tags}"))).await;
    let found = browser.wait_for_text(&["1 Trace", "GET /v1/contacts/{id}"]).await;
    browser.picture("search-by-tag").await;
    for part in ["6 Spans", "1 Error", "customers (3)", "gateway (3)"] {
        assert!(found.contains(part), "{part} in {found}");
    }
}

async fn read_the_trace(viewer: &Viewer, browser: &Browser) {
    browser.open(&viewer.url(&format!("/trace/{FAILED:032x}"))).await;
    let page = browser.wait_for_text(&["Services", "Total Spans", "select customers.contacts"]).await;
    browser.picture("trace").await;
    for name in ["GET /v1/contacts/{id}", "crm.customers.v1.ContactService/GetContact", "cache get contacts"] {
        assert!(page.contains(name), "{name} in {page}");
    }
    assert_eq!(browser.run("return document.querySelectorAll('.span-row').length").await, 6);
    assert_eq!(browser.run("return document.querySelectorAll('.SpanBarRow--errorIcon').length").await, 1);

    let open_failed =
        "document.querySelector('.SpanBarRow--errorIcon').closest('.span-row').querySelector('.span-name').click()";
    browser.run(open_failed).await;
    browser.wait_for_text(&["otel.status_description", "UNAVAILABLE", "crm.balance.policy", "Logs"]).await;
    browser.picture("trace-detail").await;
}

async fn look_at_the_graph(viewer: &Viewer, browser: &Browser) {
    browser.open(&viewer.url("/dependencies")).await;
    // Its nodes are drawn by a worker some time after the page: a headless clock that runs ahead would miss them.
    browser.wait_for_text(&["gateway", "customers", "31"]).await;
    browser.picture("dependencies").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn malformed_trace_is_drawn_whole_with_its_warnings() {
    let viewer = start_viewer().await;
    let now = now_ns() - 5_000 * MILLIS;
    let spans = vec![
        span(0xbad, 1, 0, "healthy", now, 3 * MILLIS),
        span(0xbad, 2, 2, "own parent", now, MILLIS),
        span(0xbad, 3, 4, "circle a", now + MILLIS, MILLIS),
        span(0xbad, 4, 3, "circle b", now + MILLIS, MILLIS),
        span(0xbad, 5, 999, "orphan", now + 2 * MILLIS, MILLIS),
    ];
    viewer.export(vec![from_service("crm", spans)]).await;
    let browser = Browser::start().await;
    browser.open(&viewer.url(&format!("/trace/{:032x}", 0xbad))).await;
    browser.wait_for_text(&["healthy", "own parent", "circle a", "circle b", "orphan"]).await;
    browser
        .run("[...document.querySelectorAll('.span-name')].find(row => row.innerText.includes('own parent')).click()")
        .await;
    browser.wait_for_text(&["Warnings (1)"]).await;
    browser.picture("malformed").await;
    browser.close().await;
    viewer.stop().await;
}

/// A batch of changes has many writers, each in a trace of its own.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn person_goes_from_a_batch_of_changes_to_the_calls_that_made_them() {
    let viewer = start_viewer().await;
    let now = now_ns() - 900 * MILLIS;
    for writer in [0xaa_u128, 0xbb] {
        viewer.export(contact_lookup(writer, now, "globex", false)).await;
    }
    let mut batch = span(0xcc, 1, 0, "follower.batch", now, 4 * MILLIS).kind(SpanKind::Consumer);
    batch.links.extend([(0xaa_u128, 4_u64), (0xbb, 3)].map(|(trace, span)| Link {
        trace_id: trace.to_be_bytes().to_vec(),
        span_id: span.to_be_bytes().to_vec(),
        ..Link::default()
    }));
    let statement = span(0xcc, 2, 1, "advance_follower", now + MILLIS, MILLIS);
    viewer.export(vec![from_service("sales", vec![batch, statement])]).await;
    let trace = viewer.data(&format!("/api/traces/{:032x}", 0xcc)).await;
    let follows = |trace: u128, span: u64| json!({"refType": "FOLLOWS_FROM", "traceID": format!("{trace:032x}"), "spanID": format!("{span:016x}")});
    assert_eq!(trace[0]["spans"][0]["references"], json!([follows(0xaa, 4), follows(0xbb, 3)]));
    assert_eq!(trace[0]["spans"][0]["warnings"], json!(null));

    let browser = Browser::start().await;
    browser.open(&viewer.url(&format!("/trace/{:032x}", 0xcc))).await;
    browser.wait_for_text(&["follower.batch", "advance_follower"]).await;
    let open =
        "[...document.querySelectorAll('.span-name')].find(row => row.innerText.includes('follower.batch')).click()";
    browser.run(open).await;
    browser.wait_for_text(&["References (2)"]).await;
    browser.run("document.querySelector('.AccordianReferences--header').click()").await;
    let links = "return [...document.querySelectorAll('.ReferencesList a')].map(link => new URL(link.href).pathname)";
    browser.wait_for_script(&format!("return (() => {{ {links} }})().length === 2")).await;
    browser.picture("batch").await;
    assert_eq!(browser.run(links).await, json!([format!("/trace/{:032x}", 0xaa), format!("/trace/{:032x}", 0xbb)]));
    browser.close().await;
    viewer.stop().await;
}

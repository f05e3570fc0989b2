//! The pages in a real browser: what a person would do to find a failing call.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod support;

use std::path::Path;

use crm_trace_viewer::Config;
use support::{
    Viewer,
    spans::{MILLIS, contact_lookup, now_ns},
    webdriver::Browser,
};

const FAILED: u128 = 0x4bf9_2f35_77b3_4da6_a3ce_929d_0e0e_4736;

/// The pages come from their package, as `make` fetches them; a test must not pass without having seen them.
fn ui_dir() -> std::path::PathBuf {
    let crate_dir = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder =
        std::env::var_os("CRM_JAEGER_UI_DIR").map_or_else(|| crate_dir.join("../../target/jaeger-ui"), Into::into);
    if !folder.join("index.html").exists() {
        let fetched = std::process::Command::new(crate_dir.join("ui/fetch")).arg(&folder).status().unwrap();
        assert!(fetched.success(), "crates/trace-viewer/ui/fetch could not fetch Jaeger UI");
    }
    folder
}

async fn viewer_with_traces() -> Viewer {
    let viewer = Viewer::start_with(Config { ui_dir: ui_dir(), ..Config::default() }).await;
    let now = now_ns();
    for call in 0..30_u64 {
        let start = now - (call + 1) * 1_700 * MILLIS;
        viewer.export(contact_lookup(0xabc0 + u128::from(call), start, "globex", false)).await;
    }
    viewer.export(contact_lookup(FAILED, now - 900 * MILLIS, "initech", true)).await;
    viewer
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn person_finds_a_failed_call_and_sees_who_calls_whom() {
    let viewer = viewer_with_traces().await;
    let browser = Browser::start().await;

    let tags = "%7B%22crm.account%22%3A%22initech%22%7D";
    browser.open(&viewer.url(&format!("/search?service=gateway&limit=20&lookback=1h&tags={tags}"))).await;
    let found = browser.wait_for_text(&["1 Trace", "GET /v1/contacts/{id}"]).await;
    browser.picture("search-by-tag").await;
    assert!(found.contains("6 Spans") && found.contains("1 Error"), "{found}");
    assert!(found.contains("customers (3)") && found.contains("gateway (3)"), "{found}");

    browser.open(&viewer.url("/search?service=gateway&limit=20&lookback=1h")).await;
    browser.wait_for_text(&["20 Traces"]).await;
    browser.picture("search").await;

    browser.open(&viewer.url(&format!("/trace/{FAILED:032x}"))).await;
    let page = browser.wait_for_text(&["Services2", "Total Spans6", "select customers.contacts"]).await;
    browser.picture("trace").await;
    assert!(page.contains("GET /v1/contacts/{id}") && page.contains("cache get contacts"), "{page}");
    let errors = browser.run("return document.querySelectorAll('.SpanBarRow--errorIcon').length").await;
    assert!(errors.as_u64().is_some_and(|errors| errors >= 1), "the failed attempt is marked: {errors}");

    browser.open(&viewer.url("/dependencies")).await;
    browser.wait_for_text(&["gateway", "customers"]).await;
    browser.picture("dependencies").await;

    browser.close().await;
    viewer.stop().await;
}

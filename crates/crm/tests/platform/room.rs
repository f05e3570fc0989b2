//! The pages of a running platform, on a telephone, while a replica fails.

use ::http::Method;
use crm_sandbox::browser::Browser;
use serde_json::Value;

use crate::http::send;
use crate::load::Load;
use crate::platform::{Platform, crm, done};

async fn all_within_the_screen(browser: &Browser, what: &str) {
    let (wide, illegible) = (browser.too_wide().await, browser.illegible().await);
    assert!(wide.is_empty() && illegible.is_empty(), "{what}: {wide:#?} {illegible:#?}");
    browser.picture(what).await;
}

/// Follows the link with this text, and waits until the page behind it says something.
async fn follow(browser: &Browser, link: &str, then: &str) {
    let found = format!("const link = [...document.links].find((link) => link.innerText.startsWith({link:?}));");
    browser.wait_for_script(&format!("{found} link?.click(); return link !== undefined")).await;
    browser.wait_for_text(&[then]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_telephone_shows_the_fault_and_every_page_leads_to_the_next() {
    let platform = Platform::start().await;
    for n in 0..20 {
        platform.create_account(&format!("Telephone {n}")).await.unwrap();
    }
    let load = Load::start(&platform, "20", "5m");
    let browser = Browser::start().await;
    browser.be_a_telephone(390, false).await;
    browser.open(&format!("http://{}/", platform.address("gateway"))).await;
    all_within_the_screen(&browser, "start-page-390").await;

    follow(&browser, "Live room", "customers/1").await;
    done(&crm(&platform.dir, &["fault", "customers/1", "--fail-fast"]));
    // The box, the feed and the charts tell it.
    browser.wait_for_script("return document.querySelector('#face-customers-1 .state-ejected .fault') !== null").await;
    browser.wait_for_script("return document.querySelectorAll('.chart-stretch').length >= 4").await;
    browser.wait_for_text(&["fails at once", "customers/1 ejected"]).await;
    all_within_the_screen(&browser, "live-room-390-fault").await;
    browser.wait_for_script("return document.querySelector('#calls a') !== null").await;
    for (width, dark) in [(320, false), (414, true)] {
        browser.be_a_telephone(width, dark).await;
        all_within_the_screen(&browser, &format!("live-room-{width}-fault")).await;
    }

    follow(&browser, "Start page", "This is its gateway").await;
    for width in [320, 360, 414] {
        browser.be_a_telephone(width, false).await;
        all_within_the_screen(&browser, &format!("start-page-{width}")).await;
    }
    follow(&browser, "API", "Every call needs a token").await;
    browser.open(&format!("http://{}/", platform.address("console"))).await;
    follow(&browser, "API", "Every call needs a token").await;
    browser.open(&format!("http://{}/", platform.address("console"))).await;
    let traces =
        browser.wait_for_script("return [...document.links].find((link) => link.innerText === 'Traces')?.href").await;
    let expected = format!("http://{}/search?service=gateway", platform.address("viewer"));
    assert_eq!(traces, expected);
    let call = browser.wait_for_script("return document.querySelector('#calls a')?.href").await;
    let viewer = platform.address("viewer");
    let trace = call.as_str().unwrap().strip_prefix(&format!("http://{viewer}/trace/")).unwrap();
    let answer = send(&viewer, Method::GET, &format!("/api/traces/{trace}"), Value::Null).await.unwrap();
    assert!(answer.status.is_success(), "{}", answer.message());
    browser.close().await;
    drop(load);
}

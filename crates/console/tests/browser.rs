//! The page in a real browser, without a mouse: the way of a person through a tour.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod support;

use crm_sandbox::browser::{Browser, keys};
use support::{Room, replica};

/// Presses TAB until the element has the focus.
async fn tab_to(browser: &Browser, selector: &str) {
    for _ in 0..80 {
        let there = format!("return document.activeElement.matches({selector:?})");
        if browser.run(&there).await == true {
            return;
        }
        browser.press(keys::TAB).await;
    }
    panic!("no way to {selector} by keyboard");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn person_without_a_mouse_switches_breaks_and_takes_a_tour() {
    let room = Room::open().await;
    room.page_with("GetAccount").await;
    let browser = Browser::start().await;
    browser.open(&room.url("/")).await;
    browser.wait_for_text(&["customers/0", "ready", "What happened"]).await;

    tab_to(&browser, "#policy-customers-random").await;
    let ring = "return getComputedStyle(document.activeElement).outlineStyle";
    assert_eq!(browser.run(ring).await, "solid", "one sees where one is");
    browser.press(keys::ENTER).await;
    browser.wait_for_text(&["customers: random chooses now."]).await;
    // The picker was replaced around it, and the focus is where it was.
    browser
        .wait_for_script("return document.activeElement.matches('#policy-customers-random[aria-pressed=true]')")
        .await;

    tab_to(&browser, "#face-customers-1-failing").await;
    browser.press(keys::SPACE).await;
    browser.wait_for_text(&["customers/1 is broken for 120 s"]).await;
    room.gateway.change(|truth| truth.replicas[1] = replica(1, "ejected"));
    browser.wait_for_text(&["ejected", "consecutive failures"]).await;
    browser.wait_for_script("return document.activeElement.id === 'face-customers-1-failing'").await;
    browser.picture("live-room-browser-test").await;

    take_a_tour(&browser).await;
    assert!(room.gateway.told().iter().any(|told| told.contains("delay_ms")), "{:?}", room.gateway.told());
    browser.close().await;
    room.close().await;
}

async fn take_a_tour(browser: &Browser) {
    tab_to(browser, "a[href*='slow-replica']").await;
    browser.press(keys::ENTER).await;
    browser.wait_for_text(&["What part of the calls will it still get?"]).await;
    tab_to(browser, "input[name=guess]").await;
    browser.press(keys::SPACE).await;
    for (button, then) in [
        ("That is my guess", "each call to replica 0 is held"),
        ("Do it", "Replica 0 gets less than a tenth of the calls"),
        ("Read a trace of it", "123 ms at replica 0"),
        ("Now heal it", "The delay is taken away"),
        ("Heal", "You guessed otherwise"),
    ] {
        tab_to(browser, "#tour .main").await;
        assert_eq!(browser.run("return document.activeElement.innerText").await, button);
        browser.press(keys::ENTER).await;
        browser.wait_for_text(&[then]).await;
    }
}

/// Counts the streams that the page opens from now on, and lets its timers run thirty times as fast.
const COUNT_STREAMS: &str = "
    const [Stream, later] = [EventSource, setTimeout];
    window.opened = 0;
    window.EventSource = class extends Stream { constructor(url) { super(url); window.opened += 1; } };
    window.setTimeout = (then, ms) => later(then, ms / 30);";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_that_is_paused_while_it_is_turned_away_stays_away() {
    let room = Room::open().await;
    let mut open = Vec::new();
    for _ in 0..32 {
        open.push(room.send(http::Method::GET, "/live", &[], "").await);
    }
    let browser = Browser::start().await;
    browser.open(&room.url("/")).await;
    browser.run(COUNT_STREAMS).await;
    browser.wait_for_script("return opened > 1").await;
    // A refusal that is on its way as the button is pressed changes nothing either.
    browser.run("document.getElementById('pause').click(); window.opened = 0").await;
    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    assert_eq!(browser.run("return opened").await, 0, "ten times as long as it takes to try again");
    browser.run("document.getElementById('pause').click()").await;
    browser.wait_for_script("return opened > 1").await;
    browser.close().await;
    room.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_whose_console_goes_says_so() {
    let room = Room::open().await;
    room.page_with("customers/1").await;
    let browser = Browser::start().await;
    browser.open(&room.url("/")).await;
    browser.wait_for_text(&["customers/1"]).await;
    room.close().await;
    browser.wait_for_text(&["The connection to the console is lost"]).await;
    browser.close().await;
}

/// With a fault that its charts have to name, and calls that were tried twice.
async fn troubled_room() -> Room {
    let room = Room::open().await;
    let with_fault = |ordinal, state| {
        let mut replica = replica(ordinal, state);
        replica["fault"] = serde_json::json!({"fail_fast": true, "delay_ms": 100, "error_rate": 0.3});
        replica
    };
    room.page_with("/trace/bad0").await;
    room.gateway.change(|truth| {
        truth.replicas = vec![replica(0, "ready"), with_fault(1, "ejected")];
    });
    room.page_with("1 with a fault").await;
    room
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_any_screen_nothing_is_too_wide_and_every_chart_can_be_read() {
    let room = troubled_room().await;
    let browser = Browser::start().await;
    browser.be_a_telephone(390, false).await;
    browser.open(&room.url("/")).await;
    browser.wait_for_text(&["ejected", "fails at once, answers 100 ms late", "OK, after a retry"]).await;
    browser.wait_for_script("return document.querySelectorAll('.chart-stretch').length >= 4").await;
    assert_eq!(browser.run("return document.querySelectorAll('svg.chart').length").await, 4);
    for (width, dark) in
        [(320, false), (360, true), (390, false), (414, true), (768, false), (1024, false), (1280, true)]
    {
        browser.be_a_telephone(width, dark).await;
        let (wide, illegible) = (browser.too_wide().await, browser.illegible().await);
        assert!(wide.is_empty() && illegible.is_empty(), "{width}: {wide:#?} {illegible:#?}");
        browser.picture(&format!("live-room-{width}")).await;
    }
    browser.be_a_telephone(320, false).await;
    for tour in crm_console::tour::all() {
        for stage in ["predict", "break", "watch"] {
            browser.open(&room.url(&format!("/?tour={}&stage={stage}&guess=0", tour.name))).await;
            let wide = browser.too_wide().await;
            assert!(wide.is_empty(), "{} {stage}: {wide:#?}", tour.name);
        }
    }
    browser.close().await;
    room.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_upstreams_are_seen_at_a_glance_and_one_is_open() {
    let room = Room::open().await;
    let mut broken = replica(1, "ready");
    broken["fault"] = serde_json::json!({"fail_fast": true});
    room.gateway.change(|truth| truth.sales = Some(vec![replica(0, "ejected"), broken]));
    room.page_with("1 of 2").await;
    let browser = Browser::start().await;
    browser.open(&room.url("/")).await;
    browser.wait_for_text(&["2 of 2", "1 of 2", "1 with a fault", "customers/0"]).await;
    let open = "return [...document.querySelectorAll('details.upstream[open] h2')].map((it) => it.innerText).join()";
    assert_eq!(browser.run(open).await, "customers");

    tab_to(&browser, "#upstream-sales > summary").await;
    browser.press(keys::ENTER).await;
    browser.wait_for_text(&["sales/0", "sales/1"]).await;
    assert_eq!(browser.run(open).await, "sales", "one at a time");
    for width in [320, 1280] {
        browser.be_a_telephone(width, false).await;
        let (wide, illegible) = (browser.too_wide().await, browser.illegible().await);
        assert!(wide.is_empty() && illegible.is_empty(), "{width}: {wide:#?} {illegible:#?}");
        browser.picture(&format!("live-room-upstreams-{width}")).await;
    }
    // What was opened stays open when all are drawn anew.
    browser.run("replace({ id: 'upstreams', html: document.getElementById('upstreams').innerHTML.replace(' open=', ' data-was=') })").await;
    assert_eq!(browser.run(open).await, "sales");
    browser.close().await;
    room.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_that_is_left_holds_no_stream() {
    const OTHERS: usize = 31;
    let room = Room::open().await;
    let browser = Browser::start().await;
    for stage in ["predict", "break", "watch", "read", "heal", "done"] {
        browser.open(&room.url(&format!("/?tour=slow-replica&stage={stage}"))).await;
        browser.wait_for_script("return source.readyState === EventSource.OPEN").await;
    }
    // There are places for 32 pages, of which the last one has one.
    let all_find_a_place = async || {
        let mut open = Vec::new();
        for _ in 0..OTHERS {
            open.push(room.send(http::Method::GET, "/live", &[], "").await);
        }
        open.iter().all(|answer| answer.status() == 200)
    };
    let mut tries = 0;
    while !all_find_a_place().await {
        tries += 1;
        assert!(tries < 20, "pages that were left still hold places");
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    }
    browser.close().await;
    room.close().await;
}

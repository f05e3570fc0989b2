//! The page as it is without a script, and what it says when somebody is away.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod support;

use support::{Gateway, Room, replica};

#[tokio::test]
async fn the_first_picture_shows_everything() {
    let room = Room::open().await;
    let page = room.page_with("GetAccount").await;
    for part in [
        "customers/0",
        "customers/1",
        "<span aria-hidden=\"true\">●</span> ready",
        "aria-pressed=\"true\" title=\"of two at random, the cheaper one",
        "Share of each replica",
        "/trace/510e",
        "OK, after a retry",
        "0, then 1",
        "A slow replica",
        "A fault lasts two minutes",
        "href=\"http://gateway.example:8080/\"",
        "href=\"http://gateway.example:8080/docs\"",
    ] {
        assert!(page.contains(part), "{part} is not in {page}");
    }
    assert!(!page.contains(" style="), "the content security policy forbids inline styles");
    room.close().await;
}

#[tokio::test]
async fn nothing_comes_from_elsewhere_and_nobody_may_frame_it() {
    let room = Room::open().await;
    let page = room.get("/").await;
    let policy = page.headers["content-security-policy"].to_str().unwrap();
    assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"), "{policy}");
    for (path, kind) in [("/style.css", "text/css"), ("/live.js", "text/javascript"), ("/icon.svg", "image/svg+xml")] {
        let file = room.get(path).await;
        assert_eq!(file.status, 200, "{path}");
        assert!(file.headers["content-type"].to_str().unwrap().starts_with(kind), "{path}");
    }
    assert_eq!(room.get("/nowhere").await.status, 404);
    room.close().await;
}

#[tokio::test]
async fn faults_that_are_not_allowed_are_shown_with_the_reason() {
    let room = Room::open().await;
    room.page_with("Fail 30 %").await;
    room.gateway.change(|truth| truth.faults_allowed = false);
    let page = room.page_with("Faults are off").await;
    assert!(
        page.contains("value=\"slow\" title=\"each call takes 100 ms more, in one of its slots\" disabled"),
        "{page}"
    );
    room.close().await;
}

#[tokio::test]
async fn who_is_away_is_told_and_the_last_picture_stays() {
    let room = Room::open().await;
    room.page_with("customers/1").await;
    room.gateway.die().await;
    let page = room.page_with("No gateway answers").await;
    assert!(page.contains("customers/1"), "{page}");
    let address = room.gateway.address;
    let _back = Gateway::start_at(address, vec![replica(0, "ready"), replica(7, "ejected")]).await;
    let page = room.page_with("customers/7").await;
    assert!(page.contains("ejected") && page.contains("consecutive failures"), "{page}");
    assert!(page.contains(&format!("{address} answers again")), "{page}");
    room.close().await;
}

#[tokio::test]
async fn a_console_alone_says_what_it_waits_for() {
    let gateway = Gateway::start(Vec::new()).await;
    gateway.die().await;
    let nobody = "127.0.0.1:9".parse().unwrap();
    let room = Room::open_with(gateway, Some(nobody)).await;
    let page = room.page_with("The trace viewer cannot be reached").await;
    assert!(page.contains("waits for a gateway"), "{page}");
    room.close().await;
}

#[tokio::test]
async fn every_stage_of_every_tour_is_a_page_of_its_own() {
    let room = Room::open().await;
    room.page_with("customers/1").await;
    for tour in crm_console::tour::all() {
        for (stage, part) in [
            ("predict", "That is my guess"),
            ("break", "action=\"/tours/"),
            ("watch", "class=\"checks\""),
            ("read", "Now heal it"),
            ("heal", "/heal\""),
            ("done", "Next: "),
        ] {
            let page = room.get(&format!("/?tour={}&stage={stage}&guess=0", tour.name)).await;
            assert!(page.status == 200 && page.text.contains(part), "{} {stage}: {}", tour.name, page.text);
        }
    }
    for nonsense in
        ["/?tour=none", "/?tour=slow-replica&stage=what", "/?tour=slow-replica&stage=done&guess=99", "/?guess=x"]
    {
        assert_eq!(room.get(nonsense).await.status, 200, "{nonsense}");
    }
    room.close().await;
}

#[tokio::test]
async fn before_anything_has_happened_the_page_says_what_would_and_how() {
    let room = Room::open().await;
    let page = room.page_with("will stand here, the newest first").await;
    assert!(page.contains("Press <b>Slow</b>") && page.contains("./crm kill customers/0"), "{page}");
    room.gateway.change(|truth| truth.faults_allowed = false);
    let page = room.page_with("Choose another policy to see a line").await;
    assert!(!page.contains("./crm kill"), "{page}");
    room.close().await;

    let gateway = Gateway::start(Vec::new()).await;
    gateway.die().await;
    let room = Room::open_with(gateway, None).await;
    room.page_with("As soon as a gateway answers").await;
    room.close().await;
}

#[tokio::test]
async fn a_step_that_waits_for_a_command_says_what_for_and_sees_it_by_itself() {
    let room = Room::open().await;
    for stage in ["break", "watch"] {
        let page = room.page_at(&format!("/?tour=killed-replica&stage={stage}"), "Waiting for 1 of 2").await;
        for part in
            ["Replica 0 has been without a connection", "./crm kill customers/0 --hold 10s", "You need not wait"]
        {
            assert!(page.contains(part), "{stage}: {part} is not in {page}");
        }
    }
    // What is done with a button is not asked to be typed.
    let page = room.page_at("/?tour=failing-replica&stage=watch", "Waiting for 1 of 2").await;
    assert!(!page.contains("into a terminal, in the project"), "{page}");
    room.gateway.change(|truth| truth.replicas[0] = replica(0, "connecting"));
    room.page_at("/?tour=killed-replica&stage=break", "All of it is so").await;
    room.close().await;
}

#[tokio::test]
async fn a_tour_that_waits_where_no_calls_flow_says_how_to_make_some() {
    let room = Room::open().await;
    room.gateway.change(|truth| truth.is_idle = true);
    room.page_at("/?tour=slow-replica&stage=watch", "No calls flow").await;
    room.close().await;
}

#[tokio::test]
async fn a_tour_offers_no_trace_but_its_own() {
    let room = Room::open().await;
    room.page_with("/trace/bad0").await;
    for tour in crm_console::tour::all() {
        let page = room.page_at(&format!("/?tour={}&stage=read", tour.name), "This tour has not begun").await;
        assert!(!page.contains("id=\"tour-"), "{}: {page}", tour.name);
    }
    // One call is slow at replica 0, and another one failed there, but none at replica 1.
    for (tour, part) in [
        ("slow-replica", "id=\"tour-510e\""),
        ("policy-change", "id=\"tour-510e\""),
        ("killed-replica", "id=\"tour-bad0\""),
        ("failing-replica", "No failed call of this tour is known yet"),
    ] {
        room.post(&format!("/tours/{tour}/break"), "", &[]).await;
        let read = format!("/?tour={tour}&stage=read");
        let page = room.page_at(&read, part).await;
        assert_eq!(page.contains("id=\"tour-"), part.starts_with("id"), "{tour}: {page}");
        // It can be read on when all is well again.
        room.post(&format!("/tours/{tour}/heal"), "", &[]).await;
        assert!(room.get(&read).await.text.contains(part), "{tour}");
    }
    room.close().await;
}

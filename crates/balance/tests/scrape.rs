//! Scraping while the first upstream of a process starts. Alone in its file: only the first one registers instruments.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod fake;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use fake::Net;

#[test]
fn first_upstream_starts_during_scrapes() {
    // Each scrape lasts long enough for the upstream to start in the midst of it.
    crm_telemetry::metrics::observe_gauge(&crm_telemetry::names::REDIS_UP, |gauge| {
        std::thread::sleep(Duration::from_millis(2));
        gauge.observe(1.0, &[]);
    });
    let done = Arc::new(AtomicBool::new(false));
    let (tell, told) = std::sync::mpsc::channel();
    let scrapes: Vec<_> = (0..4)
        .map(|_| {
            let done = Arc::clone(&done);
            std::thread::spawn(move || {
                while !done.load(Ordering::Relaxed) {
                    crm_telemetry::metrics_text();
                }
            })
        })
        .collect();
    std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(50));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async { drop(Net::of(1).upstream().build()) });
        tell.send(()).unwrap();
    });
    told.recv_timeout(Duration::from_secs(20)).expect("the upstream never started");
    done.store(true, Ordering::Relaxed);
    scrapes.into_iter().for_each(|scrape| scrape.join().unwrap());
}

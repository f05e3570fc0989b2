//! Runs against a toy upstream: what is due is called, timed from then, and nothing that failed is left out.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::time::Duration;

use crm_balance::RetrySettings;
use crm_lab::load::{LoadError, LoadReport, Options, Scenario, client, run};
use crm_sandbox::toy::{FailureMode, Toy, ToySettings};
use tokio_util::sync::CancellationToken;

const CALL: &str = "[[calls]]\nname = 'get'\nrpc = 'crm.customers.v1.AccountService/GetAccount'\n";

async fn play(toy: &Toy, toml: &str) -> Result<LoadReport, LoadError> {
    let scenario = Scenario::parse(&format!("name = 't'\narrivals = 'even'\ntimeout = '20s'\n{toml}")).unwrap();
    let stop = CancellationToken::new();
    let address = toy.address().to_string();
    let client = client([address.as_str()], RetrySettings::off());
    let options = Options { client, token: "t".to_owned(), repeat: false, seed: 1, stop };
    run(&scenario, options, |_| ()).await
}

#[tokio::test]
async fn a_queue_at_the_server_shows_in_every_call_that_it_held_up() {
    // Serves 50 calls a second and is asked for 100: a generator that waited for answers would see 20 ms each.
    let settings = ToySettings { slots: 1, service_time: Duration::from_millis(20), ..ToySettings::default() };
    let toy = Toy::start(settings).await.unwrap();
    let report = play(&toy, &format!("rate = 100\nduration = '1s'\n{CALL}")).await.unwrap();
    assert_eq!((report.calls, report.failed, report.dropped), (99, 0, 0), "{report}");
    assert!(report.latency_ms.p50 > 200.0 && report.latency_ms.max > 700.0, "{report}");
}

#[tokio::test]
async fn calls_beyond_the_bound_are_dropped_and_break_a_threshold() {
    let toy = Toy::start(ToySettings::default()).await.unwrap();
    toy.set_fault(FailureMode { delay_ms: 400, ..FailureMode::default() });
    let limits = format!("max_in_flight = 2\n{CALL}[thresholds]\ndropped_ratio = 0.1");
    let report = play(&toy, &format!("rate = 100\nduration = '500ms'\n{limits}")).await.unwrap();
    assert_eq!((report.offered, report.calls + report.dropped), (49, 49), "{report}");
    assert!(report.calls < 10 && !report.passed(), "{report}");
}

#[tokio::test]
async fn failures_are_counted_by_their_status_and_break_a_threshold() {
    let toy = Toy::start(ToySettings::default()).await.unwrap();
    toy.set_fault(FailureMode { error_rate: 0.5, code: 13, ..FailureMode::default() });
    let limits = format!("{CALL}[thresholds]\nfailed_ratio = 0.1");
    let report = play(&toy, &format!("rate = 100\nduration = '500ms'\n{limits}")).await.unwrap();
    assert_eq!(report.failures.get("Internal"), Some(&report.failed), "{report}");
    assert!((20..=30).contains(&report.failed) && !report.passed(), "{report}");
}

#[tokio::test]
async fn keys_that_cannot_be_fetched_are_named() {
    let toy = Toy::start(ToySettings::default()).await.unwrap();
    toy.set_fault(FailureMode { fail_fast: true, ..FailureMode::default() });
    let keys = "[keys.account]\nrpc = 'crm.customers.v1.AccountService/ExportAccounts'\nfield = 'id'";
    let error = play(&toy, &format!("rate = 1\nduration = '1s'\n{CALL}{keys}")).await.unwrap_err();
    assert!(matches!(&error, LoadError::Keys { set, .. } if set == "account"), "{error}");
}

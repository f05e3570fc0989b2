//! A collector that is away costs spans and a log line, and nothing else.
//!
//! Alone in its file: it starts the process-wide telemetry with variables of its own.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::process::Command;
use std::time::{Duration, Instant};

/// Set in the child process, which does the work under variables that this process must not have.
const CHILD: &str = "TELEMETRY_TEST_COLLECTOR";

#[test]
fn shutdown_ends_soon_whatever_the_collector_does() {
    if std::env::var_os(CHILD).is_some() {
        return;
    }
    let hanging = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let cases = [
        ("away", format!("http://{free}"), true),
        ("hanging", format!("http://{}", hanging.local_addr().unwrap()), false),
    ];
    for (name, endpoint, fails_fast) in cases {
        let output = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "child", "--nocapture", "--test-threads=1"])
            .env(CHILD, name)
            .env("OTEL_EXPORTER_OTLP_ENDPOINT", &endpoint)
            .env("OTEL_BSP_MAX_QUEUE_SIZE", "64")
            .env("RUST_LOG", "info")
            .output()
            .unwrap();
        let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{name}: {stdout}{stderr}");
        // 1,000 spans at once into a queue for 64: most are lost, all losses are counted.
        assert!(stdout.contains("reason=\"queue_full\""), "{name}: {stdout}");
        if fails_fast {
            assert!(stderr.contains("spans cannot be exported"), "{name}: {stderr}");
        }
    }
}

#[test]
fn child() {
    if std::env::var_os(CHILD).is_none() {
        return;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let telemetry = crm_telemetry::start("child").unwrap();
        assert!(crm_telemetry::start("again").is_err(), "a second start is refused");
        for _ in 0..1000 {
            drop(tracing::info_span!("work"));
        }
        let metrics = telemetry.render_metrics();
        for name in ["process_resident_memory_bytes", "process_cpu_seconds_total"] {
            assert!(metrics.contains(name), "{name}: {metrics}");
        }
        println!("{metrics}");
        let begun = Instant::now();
        telemetry.shutdown().await;
        assert!(begun.elapsed() < Duration::from_secs(4), "{:?}", begun.elapsed());
    });
    let begun = Instant::now();
    drop(runtime);
    assert!(begun.elapsed() < Duration::from_secs(4), "{:?}", begun.elapsed());
}

#[test]
fn a_process_without_a_collector_logs_trace_ids_all_the_same() {
    if std::env::var_os(CHILD).is_some() {
        return;
    }
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "lonely_child", "--nocapture", "--test-threads=1"])
        .env(CHILD, "none")
        .env_remove("OTEL_EXPORTER_OTLP_ENDPOINT")
        .env("RUST_LOG", "warn")
        .output()
        .unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stderr}");
    let lines: Vec<serde_json::Value> = stderr.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    assert_eq!(lines.len(), 2, "{stderr}");
    assert_eq!(lines[0]["trace_id"].as_str().unwrap().len(), 32, "{stderr}");
    assert_eq!((&lines[1]["message"], &lines[1]["panic"]), (&"panicked".into(), &"on purpose".into()), "{stderr}");
}

#[test]
fn lonely_child() {
    if std::env::var("TELEMETRY_TEST_COLLECTOR").as_deref() != Ok("none") {
        return;
    }
    let _telemetry = crm_telemetry::start("child").unwrap();
    tracing::info!("below the filter");
    let span = tracing::info_span!("work");
    let _entered = span.enter();
    tracing::warn!("above it");
    let _ = std::panic::catch_unwind(|| panic!("on purpose"));
}

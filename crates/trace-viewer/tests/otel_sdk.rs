//! An exporter that is not ours, in another language, packing what it sends.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod support;

use std::{path::Path, process::Stdio, time::Duration};

use serde_json::json;
use support::Viewer;
use tokio::process::Command;

/// `deploy/ensure otel-sdk` puts the SDK there.
const PYTHON: &str = "../../target/tools/bin/python";

#[tokio::test]
async fn pythons_sdk_sends_its_traces_packed_over_grpc_and_http() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let run = |arguments: &[&str]| {
        let mut command = Command::new(folder.join(PYTHON));
        command.args(arguments).current_dir(folder).kill_on_drop(true).stdin(Stdio::null());
        let output = tokio::time::timeout(Duration::from_secs(40), async move { command.output().await });
        async { output.await.expect("within its time") }
    };
    let found =
        run(&["-c", "import opentelemetry.exporter.otlp.proto.http, opentelemetry.exporter.otlp.proto.grpc"]).await;
    if !found.is_ok_and(|output| output.status.success()) {
        assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "deploy/ensure otel-sdk installs what is missing");
        eprintln!("left out: OpenTelemetry's SDK for Python is not there; deploy/ensure otel-sdk installs it");
        return;
    }
    let viewer = Viewer::start().await;
    let port = viewer.otlp.port().to_string();
    let output = run(&["tests/otel_sdk.py", &port, &port]).await.unwrap();
    assert!(output.status.success(), "{output:?}");
    let told = String::from_utf8(output.stdout).unwrap();
    assert_eq!(told.lines().count(), 2, "{told}");
    for line in told.lines() {
        let (service, trace_id) = line.split_once(' ').unwrap();
        let trace = viewer.data(&format!("/api/traces/{trace_id}")).await[0].take();
        let names: Vec<_> = trace["spans"].as_array().unwrap().iter().map(|span| &span["operationName"]).collect();
        assert_eq!(names, ["outer", "inner ä"], "{service}");
        let tags = trace["spans"][0]["tags"].as_array().unwrap();
        for (key, value) in [("count", json!(7)), ("ratio", json!(0.5)), ("names", json!("[\"a\",\"b\"]"))] {
            assert!(tags.iter().any(|tag| tag["key"] == key && tag["value"] == value), "{service} {key}: {tags:?}");
        }
        assert_eq!(trace["spans"][0]["logs"][0]["fields"][0]["value"], "began");
        let all = viewer.data(&format!("/api/traces?service={service}&limit=1000")).await;
        assert_eq!(all.as_array().unwrap().len(), 301, "{service}");
    }
    viewer.stop().await;
}

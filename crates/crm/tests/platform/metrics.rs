//! What a Prometheus finds: where the processes are, and metrics that its own tool has nothing to say against.

use std::io::Write;
use std::process::{Command, Stdio};

use ::http::Method;
use serde_json::Value;

use crate::http;
use crate::platform::{Platform, crm, done};

/// What promtool has to say to the text on its standard input; `None` where there is no promtool.
fn promtool(arguments: &[&str], input: &str) -> Option<String> {
    let mut command = Command::new("promtool");
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let Ok(mut child) = command.spawn() else {
        assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "deploy/ensure promtool installs what is missing");
        eprintln!("left out: there is no promtool; deploy/ensure promtool installs it");
        return None;
    };
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8(said).unwrap();
    assert!(output.status.success(), "promtool {arguments:?}: {said}");
    Some(said)
}

#[tokio::test]
async fn prometheus_finds_every_process_and_nothing_to_say_against_its_metrics() {
    let platform = Platform::start().await;
    let id = platform.create_account("Measured").await.unwrap();
    platform.get_account(&id).await.unwrap();
    platform.call(Method::GET, "/v1/accounts/none", Value::Null).await.unwrap();

    let status = platform.status();
    let table = done(&crm(&platform.dir, &["status"]));
    assert!(table.contains(&format!("http://{}\n", platform.address("otlp_http"))), "{table}");
    let scrape = done(&crm(&platform.dir, &["status", "--prometheus"]));
    let mut roles = std::collections::BTreeSet::new();
    for process in status["processes"].as_array().unwrap() {
        let Some(admin) = process["admin"].as_str() else { continue };
        roles.insert(process["role"].as_str().unwrap());
        assert!(table.contains(admin) && scrape.contains(&format!("[\"{admin}\"]")), "{table}\n{scrape}");
        let answer = http::send(admin, Method::GET, "/metrics", Value::Null).await.unwrap();
        let metrics = String::from_utf8(answer.body.to_vec()).unwrap();
        if let Some(said) = promtool(&["check", "metrics"], &metrics) {
            assert_eq!(said, "", "of {process}");
        }
    }
    assert_eq!(roles.into_iter().collect::<Vec<_>>(), ["console", "customers", "gateway", "sales", "trace-viewer"]);

    let control = platform.address("control");
    let answer = http::send(&control, Method::GET, "/upstreams", Value::Null).await.unwrap();
    let upstreams: Value = serde_json::from_slice(&answer.body).unwrap();
    assert_eq!(upstreams["admin"], platform.process("gateway", 0)["admin"]);
    let replicas = upstreams["upstreams"][0]["replicas"].as_array().unwrap();
    assert_eq!(replicas.len(), 2);
    for (replica, told) in (0..).zip(replicas) {
        let process = platform.process("customers", replica);
        assert_eq!((&told["address"], &told["admin"]), (&process["address"], &process["admin"]));
    }

    let file = platform.dir.join("prometheus.yml");
    std::fs::write(&file, scrape).unwrap();
    promtool(&["check", "config", "--lint-fatal", file.to_str().unwrap()], "");
}

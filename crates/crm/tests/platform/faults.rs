//! What a user sees when parts of the platform die: at most a retry.

use std::cell::RefCell;
use std::time::Duration;

use serde_json::Value;

use crate::platform::{Platform, eventually};

/// The scenario of the same name with more time for each call: a loaded machine is slow, and that is no failed read.
fn load(platform: &Platform, rate: &str, duration: &str) -> std::process::Child {
    let (scenario, file) = (platform.dir.join("lookups.toml"), platform.dir.join("load.json"));
    let patient = format!("timeout = \"15s\"\n{}", include_str!("../../../../load-tests/lookups.toml"));
    std::fs::write(&scenario, patient).unwrap();
    std::process::Command::new(env!("CARGO_BIN_EXE_crm"))
        .arg("load")
        .arg(scenario)
        .args(["--rate", rate, "--duration", duration, "--json", file.to_str().unwrap()])
        .env("CRM_DIR", &platform.dir)
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap()
}

fn result(platform: &Platform) -> Value {
    serde_json::from_slice(&std::fs::read(platform.dir.join("load.json")).unwrap()).unwrap()
}

async fn with_accounts() -> Platform {
    let platform = Platform::start().await;
    for n in 0..50 {
        platform.create_account(&format!("Fault Test {n}")).await.unwrap();
    }
    platform
}

#[tokio::test]
async fn killing_a_replica_fails_no_read_and_it_comes_back() {
    let platform = with_accounts().await;
    let mut load = load(&platform, "100", "8s");
    tokio::time::sleep(Duration::from_secs(3)).await;
    let old = platform.kill("customers", 0);
    let back = eventually(|| async {
        let process = platform.process("customers", 0);
        process["health"] == "ready" && process["pid"].as_i64() != Some(old)
    });
    assert!(back.await, "{}", platform.status());
    load.wait().unwrap();
    let result = result(&platform);
    assert!(result["calls"].as_u64().unwrap() > 400, "{result}");
    assert_eq!(result["failed"], 0, "{result}");
    assert_eq!(platform.process("customers", 0)["restarts"], 1);
}

#[tokio::test]
async fn killing_redis_fails_no_read() {
    let platform = with_accounts().await;
    let mut load = load(&platform, "100", "6s");
    tokio::time::sleep(Duration::from_secs(2)).await;
    platform.kill("redis", 0);
    load.wait().unwrap();
    let result = result(&platform);
    assert_eq!(result["failed"], 0, "{result}");
}

/// Tries again under the same request id while Postgres is away, and answers the first id that was acknowledged.
async fn create_patiently(platform: &Platform, name: &str) -> String {
    let acknowledged = RefCell::new(None);
    let created = eventually(|| async {
        let id = platform.create_account(name).await.ok();
        acknowledged.replace(id);
        acknowledged.borrow().is_some()
    });
    assert!(created.await, "{name}: {}", platform.status());
    acknowledged.into_inner().unwrap()
}

#[tokio::test]
async fn a_killed_postgres_loses_no_acknowledged_write() {
    let platform = with_accounts().await;
    let mut acknowledged = Vec::new();
    let mut old = 0;
    for n in 0..40 {
        if n == 20 {
            old = platform.kill("postgres", 0);
        }
        acknowledged.push(create_patiently(&platform, &format!("Durable {n}")).await);
    }
    assert_ne!(platform.process("postgres", 0)["pid"].as_i64(), Some(old));
    for id in acknowledged {
        platform.get_account(&id).await.unwrap();
    }
}

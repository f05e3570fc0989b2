//! What a user sees when parts of the platform die: at most a retry.

use std::cell::RefCell;
use std::time::Duration;

use crate::load::Load;
use crate::platform::{Platform, eventually};

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
    let load = Load::start(&platform, "30", "8s");
    tokio::time::sleep(Duration::from_secs(3)).await;
    let old = platform.kill("customers", 0);
    let back = eventually(|| async {
        let process = platform.process("customers", 0);
        process["health"] == "ready" && process["pid"].as_i64() != Some(old)
    });
    assert!(back.await, "{}", platform.status());
    let result = load.result();
    assert!(result["calls"].as_u64().unwrap() > 150, "{result}");
    assert_eq!(result["failed"], 0, "{result}");
    assert_eq!(platform.process("customers", 0)["restarts"], 1);
}

#[tokio::test]
async fn killing_redis_fails_no_read() {
    let platform = with_accounts().await;
    let load = Load::start(&platform, "30", "6s");
    tokio::time::sleep(Duration::from_secs(2)).await;
    platform.kill("redis", 0);
    let result = load.result();
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

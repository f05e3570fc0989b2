//! What a user sees when parts of the platform die: at most a retry.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::time::Duration;

use ::http::Method;
use futures_util::future::join_all;
use serde_json::Value;

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

async fn names_that_begin_with(platform: &Platform, prefix: &str) -> Vec<String> {
    let path = format!("/v1/accounts?pageSize=1000&filter=name%20%3D%20%22{prefix}*%22");
    let answer = platform.call(Method::GET, &path, Value::Null).await.unwrap();
    let page: Value = serde_json::from_slice(&answer.body).unwrap();
    assert_eq!(page["nextPageToken"].as_str().unwrap_or_default(), "", "more than one page");
    let accounts = page["accounts"].as_array().unwrap().iter();
    accounts.map(|account| account["name"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn creates_among_kills_are_applied_once_each() {
    const MOST: usize = 200;
    let platform = Platform::start().await;
    let (acknowledged, is_over) = (RefCell::new(BTreeSet::new()), Cell::new(false));
    let creates = async |caller: usize| {
        for name in (0..MOST).map(|n| format!("Once {caller}-{n}")).take_while(|_| !is_over.get()) {
            if platform.create_account(&name).await.is_ok() {
                acknowledged.borrow_mut().insert(name);
            }
        }
    };
    let kills = async {
        for (kill, replica) in [0, 1, 0].into_iter().enumerate() {
            // However slow the machine is, each kill comes in the middle of work.
            let is_at_work = || async { acknowledged.borrow().len() > 5 * kill };
            assert!(eventually(is_at_work).await, "{}", platform.status());
            let old = platform.kill("customers", replica);
            let is_back = eventually(|| async {
                let process = platform.process("customers", replica);
                process["health"] == "ready" && process["pid"].as_i64() != Some(old)
            });
            assert!(is_back.await, "{}", platform.status());
        }
        is_over.set(true);
    };
    tokio::join!(join_all((0..4).map(creates)), kills);
    let names = names_that_begin_with(&platform, "once").await;
    let once: BTreeSet<String> = names.iter().cloned().collect();
    assert_eq!(names.len(), once.len(), "applied twice: {names:?}");
    let acknowledged = acknowledged.into_inner();
    assert!(acknowledged.len() > 10 && acknowledged.is_subset(&once), "{} of {}", once.len(), acknowledged.len());
}

//! Breaking the platform on purpose, as a user does it, while it is under load.

use std::time::{Duration, Instant};

use ::http::Method;
use serde_json::Value;

use crate::http;
use crate::load::Load;
use crate::platform::{Platform, crm, done, eventually};

async fn platform(arguments: &[&str]) -> Platform {
    let platform = Platform::start_with(arguments).await;
    for n in 0..50 {
        platform.create_account(&format!("Breaking {n}")).await.unwrap();
    }
    platform
}

/// A replica as the control API shows it.
async fn replica(platform: &Platform, ordinal: usize) -> Value {
    let control = platform.address("control");
    let answer = http::send(&control, Method::GET, "/upstreams/customers", Value::Null).await.unwrap();
    let upstream: Value = serde_json::from_slice(&answer.body).unwrap();
    upstream["replicas"][ordinal].clone()
}

async fn share(platform: &Platform, ordinal: usize) -> f64 {
    replica(platform, ordinal).await["share"].as_f64().unwrap()
}

#[tokio::test]
async fn a_slow_replica_is_avoided_and_wins_its_share_back_when_healed() {
    let platform = platform(&["--replicas", "3"]).await;
    let load = Load::start(&platform, "50", "5m");
    assert!(eventually(|| async { share(&platform, 0).await > 0.1 }).await, "calls are spread");

    let said = done(&crm(&platform.dir, &["fault", "customers/0", "--delay", "200ms", "--for", "10m"]));
    assert!(said.contains("customers/0: answers 200 ms late, for 600 s"), "{said}");
    let fault = replica(&platform, 0).await["fault"].clone();
    assert!(fault["delay_ms"] == 200 && fault["remaining_s"].as_f64().unwrap() > 500.0, "{fault}");
    assert!(eventually(|| async { share(&platform, 0).await < 0.05 }).await, "{}", replica(&platform, 0).await);

    assert!(done(&crm(&platform.dir, &["fault", "all", "--heal"])).contains("healed"));
    assert_eq!(replica(&platform, 0).await["fault"], Value::Null);
    assert!(eventually(|| async { share(&platform, 0).await > 0.1 }).await, "{}", replica(&platform, 0).await);
    drop(load);
}

#[tokio::test]
async fn faults_that_cannot_be_are_refused_with_every_rule() {
    let platform = Platform::start().await;
    let cases: [(&[&str], &[&str]); 5] = [
        (&["customers/0", "--error-rate", "7", "--code", "GREEN"], &["error_rate", "code"]),
        (&["customers/0", "--hang", "--delay", "1s"], &["hang"]),
        (&["customers/9", "--hang"], &["no replica"]),
        (&["no-such", "--hang"], &["no upstream"]),
        (&["customers/0/../1", "--hang"], &["customers/0"]),
    ];
    for (arguments, parts) in cases {
        let output = crm(&platform.dir, &[&["fault"], arguments].concat());
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {said}");
        assert!(parts.iter().all(|part| said.contains(part)), "{arguments:?}: {said}");
    }
    assert_eq!(crm(&platform.dir, &["fault", "customers/0"]).status.code(), Some(2), "nothing to do");
    assert_eq!(crm(&platform.dir, &["kill", "no-such"]).status.code(), Some(2));
}

#[tokio::test]
async fn a_killed_replica_stays_down_as_long_as_it_is_held() {
    let platform = Platform::start().await;
    let killed = Instant::now();
    done(&crm(&platform.dir, &["kill", "customers/0", "--hold", "2s"]));
    assert!(eventually(|| async { platform.process("customers", 0)["health"] == "held" }).await);
    assert!(eventually(|| async { platform.process("customers", 0)["health"] == "ready" }).await);
    assert!(killed.elapsed() >= Duration::from_secs(2), "{:?}", killed.elapsed());

    done(&crm(&platform.dir, &["kill", "redis", "--until-healed"]));
    assert!(eventually(|| async { platform.process("redis", 0)["health"] == "held" }).await);
    platform.create_account("Without Redis").await.unwrap();
    done(&crm(&platform.dir, &["kill", "redis", "--heal"]));
    assert!(eventually(|| async { platform.process("redis", 0)["health"] == "ready" }).await);
}

#[tokio::test]
async fn a_paused_replica_fails_hardly_a_read_and_goes_on_where_it_was() {
    let platform = platform(&[]).await;
    let load = Load::start(&platform, "100", "10s");
    tokio::time::sleep(Duration::from_secs(3)).await;
    let before = platform.process("customers", 1)["pid"].clone();
    done(&crm(&platform.dir, &["pause", "customers/1", "--hold", "3s"]));
    assert_eq!(platform.process("customers", 1)["health"], "paused");
    assert!(eventually(|| async { platform.process("customers", 1)["health"] == "ready" }).await);
    assert_eq!(platform.process("customers", 1)["pid"], before);
    let result = load.result();
    assert_eq!(result["failed"], 0, "{result}");
    let refused = crm(&platform.dir, &["pause", "postgres"]);
    assert_eq!(refused.status.code(), Some(1), "{refused:?}");
}

#[tokio::test]
async fn rolling_restarts_of_all_replicas_and_of_both_gateways_lose_no_call() {
    let platform = platform(&["--gateways", "2"]).await;
    let load = Load::start(&platform, "30", "5m");
    tokio::time::sleep(Duration::from_secs(2)).await;
    let replicas = done(&crm(&platform.dir, &["restart", "customers", "--rolling"]));
    assert!(replicas.contains("customers/1 is ready"), "{replicas}");
    let gateways = done(&crm(&platform.dir, &["restart", "gateway", "--rolling"]));
    assert!(gateways.contains("gateway/1 is ready"), "{gateways}");
    // Each of them works again.
    assert!(eventually(|| async { share(&platform, 0).await > 0.1 && share(&platform, 1).await > 0.1 }).await);
    assert!(load.is_running(), "the load has outlived the restarts");
    let result = load.end();
    assert!(result["calls"].as_u64().unwrap() > 100, "{result}");
    assert_eq!(result["failed"], 0, "{result}");
    for (role, replica) in [("customers", 0), ("customers", 1), ("gateway", 0), ("gateway", 1)] {
        assert_eq!(platform.process(role, replica)["restarts"], 1, "{role}/{replica}");
    }
}

//! `crm up` as an operator meets it: in the background, on servers of others, where something is missing.

use std::path::{Path, PathBuf};

use ::http::Method;
use crm_sandbox::child::ChildSignal;
use crm_sandbox::{Postgres, PostgresSettings, Redis, RedisSettings, TemporaryFolder};
use serde_json::Value;

use crate::http;
use crate::platform::{Platform, Start, crm, crm_with, dir_in, done, eventually, folder};
use crate::turns::{Turn, take_turn};

fn said(output: &std::process::Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// A platform in the background, which is taken down at the end of the test even when that fails.
struct Detached {
    folder: TemporaryFolder,
    _turn: Turn,
}

impl Detached {
    fn crm(&self, words: &[&str]) -> std::process::Output {
        crm(&dir_in(&self.folder), words)
    }
}

impl Drop for Detached {
    fn drop(&mut self) {
        self.crm(&["down", "--wipe"]);
    }
}

#[tokio::test]
async fn detached_platform_is_ready_once_a_folder_and_gone_after_a_wipe() {
    let detached = Detached { folder: folder(), _turn: take_turn().await };
    let table = done(&detached.crm(&["up", "--detach", "--ports", "auto"]));
    assert!(table.contains("customers/1") && table.contains("start page"), "{table}");
    let status: Value = serde_json::from_str(&done(&detached.crm(&["status", "--json"]))).unwrap();
    assert_eq!(status["ready"], true);

    let second = detached.crm(&["up", "--detach", "--ports", "auto"]);
    assert_eq!(second.status.code(), Some(2));
    assert!(said(&second).contains("crm down"), "{}", said(&second));

    done(&detached.crm(&["down", "--wipe"]));
    assert!(!dir_in(&detached.folder).exists());
}

/// A second name of the program under test, to be taken away while it runs: as a build does it.
fn another_name() -> PathBuf {
    let name = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("crm-{}", uuid::Uuid::new_v4().simple()));
    std::fs::hard_link(env!("CARGO_BIN_EXE_crm"), &name).unwrap();
    name
}

#[tokio::test]
async fn killed_processes_come_back_at_their_addresses_even_if_the_program_was_replaced() {
    let program = another_name();
    let platform = Platform::start_as(Start { program: Some(&program), ..Start::default() }).await;
    std::fs::remove_file(program).unwrap();
    for role in ["customers", "gateway", "trace-viewer", "redis", "postgres"] {
        let address = platform.process(role, 0)["address"].clone();
        platform.kill(role, 0);
        let is_back = || async {
            let process = platform.process(role, 0);
            process["restarts"] == 1 && process["health"] == "ready"
        };
        assert!(eventually(is_back).await, "{role}: {} {}", platform.status(), platform.log());
        assert_eq!(platform.process(role, 0)["address"], address);
    }
}

#[tokio::test]
async fn servers_of_others_are_used_and_left_alone() {
    let servers = folder();
    let postgres = Postgres::start(&servers.path().join("postgres"), PostgresSettings::for_tests()).unwrap();
    let redis = Redis::start(&servers.path().join("redis"), RedisSettings::default()).unwrap();
    let environment = [("CRM_DATABASE_URL", postgres.url("postgres")), ("CRM_REDIS_URL", redis.url())];
    let mut platform = Platform::start_as(Start { environment: &environment, ..Start::default() }).await;
    let status = platform.status();
    let mut roles = status["processes"].as_array().unwrap().iter().map(|process| &process["role"]);
    assert!(roles.all(|role| role != "postgres" && role != "redis"), "{status}");
    platform.create_account("Elsewhere").await.unwrap();
    done(&crm(&platform.dir, &["down"]));
    platform.wait_for_supervisor();
    assert!(postgres.process().exit_status().is_none() && redis.process().exit_status().is_none());
}

/// It could wait for ever: what the server has against the service does not pass by itself.
#[tokio::test]
async fn database_that_refuses_the_service_ends_the_start_with_the_servers_words() {
    let (_turn, servers, folder) = (take_turn().await, folder(), folder());
    let home = servers.path().join("postgres");
    let postgres = Postgres::start(&home, PostgresSettings::for_tests()).unwrap();
    let rules = home.join("data/pg_hba.conf");
    let before = std::fs::read_to_string(&rules).unwrap();
    std::fs::write(&rules, format!("local all crm_customers reject\n{before}")).unwrap();
    assert!(postgres.process().signal(ChildSignal::SIGHUP));
    let up = |url: String| {
        let output = crm_with(&dir_in(&folder), &["up", "--ports", "auto"], &[("CRM_DATABASE_URL", url)]);
        assert_eq!(output.status.code(), Some(1));
        said(&output)
    };
    let told = up(postgres.url("postgres"));
    assert!(told.contains("28000: pg_hba.conf rejects connection"), "{told}");
    let told = up(postgres.url("no_such_database"));
    assert!(told.contains("3D000") && told.contains("no_such_database"), "{told}");
}

#[test]
fn missing_server_is_answered_with_what_to_install() {
    let folder = folder();
    let environment = [("CRM_POSTGRES_BIN", "/no/such/place".to_owned())];
    for words in [&["up", "--ports", "auto"][..], &["up", "--ports", "auto", "--detach"]] {
        let output = crm_with(&dir_in(&folder), words, &environment);
        assert_eq!(output.status.code(), Some(3));
        assert!(said(&output).contains("apt-get install"), "{}", said(&output));
    }
}

#[tokio::test]
async fn a_policy_is_switched_at_every_gateway_that_runs() {
    let platform = Platform::start_with(&["--gateways", "2"]).await;
    let state = std::fs::read(platform.dir.join("state.json")).unwrap();
    let state: Value = serde_json::from_slice(&state).unwrap();
    let policy = async |gateway: usize| {
        let control = state["controls"][gateway].as_str().unwrap();
        let answer = http::send(control, Method::GET, "/upstreams/customers", Value::Null).await.unwrap();
        serde_json::from_slice::<Value>(&answer.body).unwrap()["policy"].clone()
    };
    done(&crm(&platform.dir, &["policy", "customers", "random"]));
    assert_eq!((policy(0).await, policy(1).await), ("random".into(), "random".into()));

    done(&crm(&platform.dir, &["kill", "gateway/0", "--until-healed"]));
    assert!(eventually(|| async { platform.process("gateway", 0)["health"] == "held" }).await);
    let told = crm(&platform.dir, &["policy", "customers", "round_robin"]);
    assert_eq!(told.status.code(), Some(1), "one was not told: {}", said(&told));
    assert_eq!(policy(1).await, "round_robin");
}

//! `crm up` as an operator meets it: in the background, on servers of others, where something is missing.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Command, Output};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crm_sandbox::{Postgres, PostgresSettings, Redis, RedisSettings, TemporaryFolder};
use serde_json::Value;

const LONG: Duration = Duration::from_secs(60);

/// The folder of one platform, which is taken down at the end of the test even when that fails.
struct Platform {
    folder: TemporaryFolder,
    environment: Vec<(&'static str, String)>,
}

impl Platform {
    fn new() -> Self {
        let folder = TemporaryFolder::new("crm-test-up").unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o711)).unwrap();
        Self { folder, environment: Vec::new() }
    }

    fn root(&self) -> PathBuf {
        self.folder.path().join("platform")
    }

    fn crm(&self, words: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_crm"));
        command.args(words).arg("--dir").arg(self.root()).envs(self.environment.iter().cloned());
        command.output().unwrap()
    }

    fn up(&self) -> String {
        let output = self.crm(&["up", "--detach", "--ports", "auto"]);
        assert!(output.status.success(), "{}", text(&output.stderr));
        text(&output.stdout)
    }

    fn status(&self) -> Value {
        serde_json::from_slice(&self.crm(&["status", "--json"]).stdout).expect("a running platform")
    }

    fn process(&self, name: &str) -> Value {
        let status = self.status();
        let processes = status["processes"].as_array().unwrap();
        processes.iter().find(|process| process["name"] == name).unwrap_or(&Value::Null).clone()
    }
}

impl Drop for Platform {
    fn drop(&mut self) {
        self.crm(&["down", "--wipe"]);
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn kill(process: &Value) {
    let pid = process["pid"].to_string();
    assert!(Command::new("kill").args(["-KILL", &pid]).status().unwrap().success());
}

#[test]
fn detached_platform_is_ready_once_a_folder_and_gone_after_a_wipe() {
    let platform = Platform::new();
    let table = platform.up();
    assert!(table.contains("customers/1") && table.contains("start page"), "{table}");
    assert_eq!(platform.status()["ready"], true);

    let second = platform.crm(&["up", "--detach", "--ports", "auto"]);
    assert_eq!(second.status.code(), Some(2));
    assert!(text(&second.stderr).contains("crm down"), "{}", text(&second.stderr));

    assert!(platform.crm(&["down", "--wipe"]).status.success());
    assert!(!platform.root().exists());
}

#[test]
fn killed_processes_come_back_at_their_addresses() {
    let platform = Platform::new();
    platform.up();
    for name in ["customers/0", "gateway/0", "trace-viewer/0", "redis/0", "postgres/0"] {
        let before = platform.process(name);
        kill(&before);
        let deadline = Instant::now() + LONG;
        let mut now = platform.process(name);
        while now["restarts"] != 1 || now["health"] != "ready" {
            assert!(Instant::now() < deadline, "{now}");
            sleep(Duration::from_millis(20));
            now = platform.process(name);
        }
        assert_eq!(now["address"], before["address"]);
    }
}

#[test]
fn servers_of_others_are_used_and_left_alone() {
    let servers = TemporaryFolder::new("crm-test-up-servers").unwrap();
    fs::set_permissions(servers.path(), fs::Permissions::from_mode(0o711)).unwrap();
    let postgres = Postgres::start(&servers.path().join("postgres"), PostgresSettings::for_tests()).unwrap();
    let redis = Redis::start(&servers.path().join("redis"), RedisSettings::default()).unwrap();
    let mut platform = Platform::new();
    platform.environment = vec![("CRM_DATABASE_URL", postgres.url("postgres")), ("CRM_REDIS_URL", redis.url())];
    platform.up();
    assert_eq!(platform.process("customers/0")["health"], "ready");
    assert_eq!((platform.process("postgres/0"), platform.process("redis/0")), (Value::Null, Value::Null));
    assert!(platform.crm(&["down"]).status.success());
    assert!(postgres.process().exit_status().is_none() && redis.process().exit_status().is_none());
}

#[test]
fn missing_server_is_answered_with_what_to_install() {
    let mut platform = Platform::new();
    platform.environment = vec![("CRM_POSTGRES_BIN", "/no/such/place".to_owned())];
    for words in [&["up", "--ports", "auto"][..], &["up", "--ports", "auto", "--detach"]] {
        let output = platform.crm(words);
        assert_eq!(output.status.code(), Some(3));
        assert!(text(&output.stderr).contains("apt-get install"), "{}", text(&output.stderr));
    }
}

//! A running platform, and the few ways in which tests talk to it.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};
use tokio::sync::{Mutex, MutexGuard};

use crate::http::{self, Answer};

/// Bound of every wait; a loaded machine takes its time.
pub(crate) const PATIENCE: Duration = Duration::from_secs(90);

pub(crate) struct Platform {
    supervisor: Child,
    pub(crate) dir: PathBuf,
    token: String,
    /// One platform at a time: several on two cores would measure each other.
    turn: Option<MutexGuard<'static, ()>>,
}

static TURN: Mutex<()> = Mutex::const_new(());

/// The program under test.
pub(crate) fn crm(dir: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_crm")).args(arguments).env("CRM_DIR", dir).stdin(Stdio::null()).output().unwrap()
}

/// Starts `crm up` in the folder without waiting.
pub(crate) fn spawn_up(dir: &Path, extra: &[&str]) -> Child {
    std::fs::create_dir_all(dir).unwrap();
    let log = std::fs::OpenOptions::new().create(true).append(true).open(dir.join("test-up.log")).unwrap();
    Command::new(env!("CARGO_BIN_EXE_crm"))
        .args(["up", "--ports", "auto"])
        .args(extra)
        .env("CRM_DIR", dir)
        .stdin(Stdio::null())
        .stdout(log.try_clone().unwrap())
        .stderr(log)
        .spawn()
        .unwrap()
}

pub(crate) fn fresh_dir() -> PathBuf {
    PathBuf::from("/var/tmp").join(format!("bellwether-test-{}", uuid::Uuid::new_v4().simple()))
}

impl Platform {
    pub(crate) async fn start() -> Self {
        Self::start_in(fresh_dir()).await
    }

    pub(crate) async fn start_in(dir: PathBuf) -> Self {
        Self::start_with(dir, &[]).await
    }

    pub(crate) async fn start_with(dir: PathBuf, extra: &[&str]) -> Self {
        let turn = Some(TURN.lock().await);
        let supervisor = spawn_up(&dir, extra);
        let mut platform = Self { supervisor, dir, token: String::new(), turn };
        platform.until_ready().await;
        platform.token = String::from_utf8(crm(&platform.dir, &["token"]).stdout).unwrap().trim().to_owned();
        platform
    }

    async fn until_ready(&mut self) {
        let dir = self.dir.clone();
        let supervisor = &mut self.supervisor;
        let ready = eventually(|| {
            if let Some(status) = supervisor.try_wait().unwrap() {
                panic!("crm up ended with {status}: {}", log(&dir));
            }
            let status = status_of(&dir);
            async move { status.is_some_and(|status| status["ready"] == true) }
        });
        assert!(ready.await, "not ready: {}", log(&self.dir));
    }

    pub(crate) fn status(&self) -> Value {
        status_of(&self.dir).unwrap_or_else(|| panic!("no status: {}", log(&self.dir)))
    }

    pub(crate) fn address(&self, of: &str) -> String {
        let status = self.status();
        let address = if of == "gateway" { &status["gateways"][0] } else { &status[of] };
        address.as_str().unwrap_or_else(|| panic!("no {of} in {status}")).to_owned()
    }

    pub(crate) fn process(&self, role: &str, replica: u64) -> Value {
        let status = self.status();
        let all = status["processes"].as_array().unwrap();
        let found =
            all.iter().find(|process| process["role"] == role && process["replica"].as_u64().unwrap_or(0) == replica);
        found.unwrap_or_else(|| panic!("no {role}/{replica} in {status}")).clone()
    }

    pub(crate) fn kill(&self, role: &str, replica: u64) -> i64 {
        let pid = self.process(role, replica)["pid"].as_i64().unwrap();
        kill(Pid::from_raw(pid.try_into().unwrap()), Signal::SIGKILL).unwrap();
        pid
    }

    /// One REST call through the gateway.
    pub(crate) async fn call(&self, method: ::http::Method, path: &str, body: Value) -> anyhow::Result<Answer> {
        http::send_with(
            &self.address("gateway"),
            method,
            path,
            body,
            &[("authorization", &format!("Bearer {}", self.token))],
        )
        .await
    }

    pub(crate) async fn create_account(&self, name: &str) -> anyhow::Result<String> {
        let path =
            format!("/v1/accounts?requestId={}", uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_URL, name.as_bytes()));
        let answer = self.call(::http::Method::POST, &path, json!({ "name": name })).await?;
        anyhow::ensure!(answer.status.is_success(), "{}", answer.message());
        let account: Value = serde_json::from_slice(&answer.body)?;
        Ok(account["id"].as_str().unwrap().to_owned())
    }

    pub(crate) async fn get_account(&self, id: &str) -> anyhow::Result<Value> {
        let answer = self.call(::http::Method::GET, &format!("/v1/accounts/{id}"), Value::Null).await?;
        anyhow::ensure!(answer.status.is_success(), "{}", answer.message());
        Ok(serde_json::from_slice(&answer.body)?)
    }

    pub(crate) fn signal_supervisor(&self, signal: Signal) {
        kill(Pid::from_raw(self.supervisor.id().try_into().unwrap()), signal).unwrap();
    }

    pub(crate) fn wait_for_supervisor(&mut self) {
        self.supervisor.wait().unwrap();
        self.turn = None;
    }
}

impl Drop for Platform {
    fn drop(&mut self) {
        if self.supervisor.try_wait().unwrap().is_none() {
            self.signal_supervisor(Signal::SIGTERM);
            let _ = self.supervisor.wait();
        }
        if !std::thread::panicking() {
            let _ = std::fs::remove_dir_all(&self.dir);
        }
    }
}

fn status_of(dir: &Path) -> Option<Value> {
    serde_json::from_slice(&crm(dir, &["status", "--json"]).stdout).ok()
}

pub(crate) fn log(dir: &Path) -> String {
    std::fs::read_to_string(dir.join("test-up.log")).unwrap_or_default()
}

/// Polls until the condition holds, or patience ends.
pub(crate) async fn eventually<F: Future<Output = bool>>(mut condition: impl FnMut() -> F) -> bool {
    let end = Instant::now() + PATIENCE;
    while Instant::now() < end {
        if condition().await {
            return true;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    false
}

/// Processes whose command line names the folder.
pub(crate) fn processes_of(dir: &Path) -> Vec<String> {
    let named = dir.to_str().unwrap().as_bytes().to_vec();
    let entries = std::fs::read_dir("/proc").unwrap().flatten();
    let of_dir = |path: &Path| {
        let contains = |file: &str| {
            std::fs::read(path.join(file)).is_ok_and(|bytes| bytes.windows(named.len()).any(|window| window == named))
        };
        contains("cmdline") || contains("environ")
    };
    let pids = entries
        .map(|entry| entry.path())
        .filter(|path| path.file_name().is_some_and(|name| name.as_encoded_bytes()[0].is_ascii_digit()));
    pids.filter(|path| of_dir(path)).map(|path| path.display().to_string()).collect()
}

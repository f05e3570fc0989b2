//! A running platform, and the few ways in which tests talk to it.

use std::fs::{Permissions, set_permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use crm_sandbox::TemporaryFolder;
use crm_sandbox::child::{Child, ChildSignal, Program};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};

use crate::cluster;
use crate::http::{self, Answer};
use crate::turns::{Turn, take_turn, take_turn_alone};

/// Bound of every wait; a loaded machine takes its time.
pub(crate) const PATIENCE: Duration = Duration::from_secs(90);

/// A platform that ends with the test, however that ends.
pub(crate) struct Platform {
    supervisor: Child,
    pub(crate) dir: PathBuf,
    token: String,
    folder: TemporaryFolder,
    turn: Option<Turn>,
}

/// How a platform is started, beside its folder and free ports.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Start<'a> {
    pub(crate) arguments: &'a [&'a str],
    pub(crate) environment: &'a [(&'static str, String)],
    /// Instead of the program under test, another file that holds it.
    pub(crate) program: Option<&'a Path>,
    /// Beside no other platform: what it measures needs the whole machine.
    pub(crate) alone: bool,
}

/// The program under test.
pub(crate) fn crm(dir: &Path, arguments: &[&str]) -> Output {
    crm_with(dir, arguments, &[])
}

pub(crate) fn crm_with(dir: &Path, arguments: &[&str], environment: &[(&'static str, String)]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_crm"));
    command.args(arguments).env("CRM_DIR", dir).envs(environment.iter().cloned()).stdin(Stdio::null());
    command.output().unwrap()
}

/// What a command said when it did what it was asked to.
pub(crate) fn done(output: &Output) -> String {
    assert!(output.status.success(), "{output:?}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// For a platform and what a test writes beside it. Others may pass through: Postgres is not started as root.
pub(crate) fn folder() -> TemporaryFolder {
    let folder = TemporaryFolder::new("crm-test-platform").unwrap();
    set_permissions(folder.path(), Permissions::from_mode(0o711)).unwrap();
    folder
}

/// Where the platform itself is in there.
pub(crate) fn dir_in(folder: &TemporaryFolder) -> PathBuf {
    folder.path().join("platform")
}

/// Starts `crm up` without waiting. A test that is killed takes it along.
fn spawn_up(folder: &TemporaryFolder, start: Start<'_>) -> Child {
    const MAX_LOG_BYTES: u64 = 16 << 20;
    let program = start.program.unwrap_or(Path::new(env!("CARGO_BIN_EXE_crm")));
    let mut command = Command::new(program);
    command.args(["up", "--ports", "auto"]).args(start.arguments);
    command.env("CRM_DIR", dir_in(folder)).envs(start.environment.iter().cloned());
    let supervisor = Program::new("crm up", command).log(log_in(folder), MAX_LOG_BYTES);
    supervisor.death_signal(ChildSignal::SIGTERM).spawn().unwrap()
}

fn log_in(folder: &TemporaryFolder) -> PathBuf {
    folder.path().join("up.log")
}

impl Platform {
    pub(crate) async fn start() -> Self {
        Self::start_as(Start::default()).await
    }

    pub(crate) async fn start_with(arguments: &[&str]) -> Self {
        Self::start_as(Start { arguments, ..Start::default() }).await
    }

    pub(crate) async fn start_as(start: Start<'_>) -> Self {
        let turn = if start.alone { take_turn_alone().await } else { take_turn().await };
        let (turn, folder) = (Some(turn), folder());
        cluster::put_into(&dir_in(&folder));
        let (supervisor, dir) = (spawn_up(&folder, start), dir_in(&folder));
        let mut platform = Self { supervisor, dir, token: String::new(), folder, turn };
        platform.until_ready().await;
        platform.token = done(&crm(&platform.dir, &["token"])).trim().to_owned();
        platform
    }

    /// In the same folder, after it has ended.
    pub(crate) async fn start_again(&mut self) {
        self.turn = Some(take_turn().await);
        self.supervisor = spawn_up(&self.folder, Start::default());
        self.until_ready().await;
    }

    async fn until_ready(&self) {
        let ready = eventually(|| async {
            if let Some(status) = self.supervisor.exit_status() {
                panic!("crm up ended with {status}: {}", self.log());
            }
            status_of(&self.dir).is_some_and(|status| status["ready"] == true)
        });
        assert!(ready.await, "not ready: {}", self.log());
    }

    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(log_in(&self.folder)).unwrap_or_default()
    }

    pub(crate) fn status(&self) -> Value {
        status_of(&self.dir).unwrap_or_else(|| panic!("no status: {}", self.log()))
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

    pub(crate) fn token(&self) -> &str {
        &self.token
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

    pub(crate) fn kill_supervisor(&self) {
        assert!(self.supervisor.signal(ChildSignal::SIGKILL));
    }

    pub(crate) fn wait_for_supervisor(&mut self) {
        assert!(self.supervisor.wait_for(PATIENCE).is_some(), "not ended: {}", self.log());
        self.turn = None;
    }
}

impl Drop for Platform {
    fn drop(&mut self) {
        self.supervisor.stop(ChildSignal::SIGTERM, PATIENCE);
    }
}

fn status_of(dir: &Path) -> Option<Value> {
    serde_json::from_slice(&crm(dir, &["status", "--json"]).stdout).ok()
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

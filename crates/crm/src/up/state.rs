//! What runs where, written down for the other commands.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::net::SocketAddr;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

use super::notice::say;
use crate::places::Places;
use crate::services;

const FILE: &str = "state.json";

/// The platform of one folder, as its supervisor knows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct State {
    /// Process id of the supervisor.
    pub(crate) supervisor: u32,
    /// Every process has been ready.
    pub(crate) ready: bool,
    /// Ready, seeded, and told so: what a detached start waits for.
    pub(crate) announced: bool,
    /// How long it took to be ready.
    pub(crate) ready_after_ms: u64,
    pub(crate) gateways: Vec<SocketAddr>,
    pub(crate) control: Option<SocketAddr>,
    /// The control API of each gateway.
    pub(crate) controls: Vec<SocketAddr>,
    pub(crate) console: Option<SocketAddr>,
    pub(crate) viewer: Option<SocketAddr>,
    pub(crate) otlp: Option<SocketAddr>,
    #[serde(default)]
    pub(crate) otlp_http: Option<SocketAddr>,
    /// What each service connects with; the reason why this file is its owner's alone.
    pub(crate) database_urls: BTreeMap<String, String>,
    pub(crate) processes: Vec<Process>,
}

#[cfg(test)]
impl State {
    /// Of a platform that has nothing yet.
    pub(super) fn empty() -> Self {
        Self {
            supervisor: 1,
            ready: false,
            announced: false,
            ready_after_ms: 0,
            gateways: Vec::new(),
            control: None,
            controls: Vec::new(),
            console: None,
            viewer: None,
            otlp: None,
            otlp_http: None,
            database_urls: BTreeMap::new(),
            processes: Vec::new(),
        }
    }
}

/// A process that the supervisor keeps alive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Process {
    /// Such as `customers/0`.
    pub(crate) name: String,
    pub(crate) role: String,
    pub(crate) replica: u16,
    /// `None` while it is not running.
    pub(crate) pid: Option<u32>,
    /// Host and port, or a socket's path; `None` for a process that does not listen.
    pub(crate) address: Option<String>,
    pub(crate) admin: Option<SocketAddr>,
    pub(crate) restarts: u32,
    pub(crate) condition: Condition,
}

/// What somebody has ordered for a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Condition {
    /// Nothing: it runs, or is being started.
    Running,
    /// It is stopped in the middle of what it does.
    Paused,
    /// It has ended and is not to be started yet.
    Held,
}

/// The state shared by all who change it; each change is written at once.
#[derive(Debug)]
pub(super) struct Board {
    path: PathBuf,
    state: Mutex<State>,
}

impl Board {
    pub(super) fn new(places: &Places, state: State) -> Self {
        let board = Self { path: path(places), state: Mutex::new(state) };
        board.update(|_| ());
        board
    }

    pub(super) fn update(&self, change: impl FnOnce(&mut State)) {
        let mut state = self.state.lock();
        change(&mut state);
        if let Err(error) = write(&self.path, &state) {
            say(format!("cannot write {}: {error}", self.path.display()));
        }
    }

    /// Adds it where a reader expects it: in the order of a request's walk.
    pub(super) fn add(&self, process: Process) {
        self.update(|state| {
            state.processes.push(process);
            state.processes.sort_by_key(|process| (rank(&process.role), process.replica));
        });
    }

    /// Notes the process id of what has just been started, and counts it if it is not the first.
    pub(super) fn started(&self, name: &str, pid: u32, restarts: u32) {
        self.change(name, |process| (process.pid, process.restarts) = (Some(pid), restarts));
    }

    pub(super) fn ended(&self, name: &str) {
        self.change(name, |process| process.pid = None);
    }

    pub(super) fn is(&self, name: &str, condition: Condition) {
        self.change(name, |process| process.condition = condition);
    }

    pub(super) fn snapshot(&self) -> State {
        self.state.lock().clone()
    }

    fn change(&self, name: &str, change: impl FnOnce(&mut Process)) {
        self.update(|state| {
            if let Some(process) = state.processes.iter_mut().find(|process| process.name == name) {
                change(process);
            }
        });
    }
}

impl Drop for Board {
    /// What no longer runs is not to be found.
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

fn rank(role: &str) -> usize {
    let services = services::ALL.into_iter().map(|service| service.name);
    let walk = ["gateway"].into_iter().chain(services).chain(["redis", "postgres", "trace-viewer", "console", "load"]);
    walk.take_while(|known| *known != role).count()
}

/// Reads what the supervisor wrote last.
pub(super) fn read(places: &Places) -> Option<State> {
    serde_json::from_slice(&fs::read(path(places)).ok()?).ok()
}

fn path(places: &Places) -> PathBuf {
    places.root().join(FILE)
}

/// Beside, then renamed: a reader sees the old or the new, never half of it.
fn write(path: &Path, state: &State) -> std::io::Result<()> {
    const OWNER_ONLY: u32 = 0o600;
    let beside = path.with_extension("json.new");
    let mut file = fs::OpenOptions::new().create(true).truncate(true).write(true).mode(OWNER_ONLY).open(&beside)?;
    file.write_all(&serde_json::to_vec_pretty(state)?)?;
    fs::rename(beside, path)
}

//! What `crm status` shows: the supervisor's words, and a look at each process at this moment.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use futures_util::future::join_all;
use serde::Serialize;

use super::ready::is_ready;
use super::state::{self, Condition, Process, State};
use super::{lock, table};
use crate::failure::Failure;
use crate::places::Places;

/// A running platform; serialised, it is what `crm status --json` prints.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Status {
    /// Everything has been started, and is healthy now.
    pub(crate) ready: bool,
    pub(crate) gateways: Vec<String>,
    pub(crate) control: Option<String>,
    pub(crate) console: Option<String>,
    pub(crate) viewer: Option<String>,
    pub(crate) otlp: Option<String>,
    pub(crate) otlp_http: Option<String>,
    pub(crate) processes: Vec<ProcessStatus>,
    /// The control API of each gateway.
    #[serde(skip)]
    pub(crate) controls: Vec<SocketAddr>,
    /// Not for everybody's eyes.
    #[serde(skip)]
    pub(crate) database_urls: BTreeMap<String, String>,
}

/// A process of the platform.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct ProcessStatus {
    pub(crate) name: String,
    pub(crate) role: String,
    pub(crate) replica: u16,
    pub(crate) pid: Option<u32>,
    pub(crate) address: Option<String>,
    /// Where it has `/healthz`, `/readyz` and `/metrics`.
    pub(crate) admin: Option<String>,
    pub(crate) health: Health,
    /// Resident memory; of PostgreSQL, its first process alone.
    pub(crate) rss_bytes: Option<u64>,
    pub(crate) restarts: u32,
}

/// How a process is at this moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Health {
    /// It says that it is ready, or has nowhere to say so and runs.
    Ready,
    /// It answers that it is not ready: starting or draining.
    NotReady,
    /// It runs and does not answer.
    Silent,
    /// It does not run.
    Down,
    /// It is paused, as somebody ordered.
    Paused,
    /// It does not run and is not to, as somebody ordered.
    Held,
}

impl Health {
    /// As in the JSON.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::NotReady => "not_ready",
            Self::Silent => "silent",
            Self::Down => "down",
            Self::Paused => "paused",
            Self::Held => "held",
        }
    }
}

/// The platform in the folder as it is now, or a word on how to start one.
pub(crate) async fn status(places: &Places) -> Result<Status, Failure> {
    let state = running(places)?;
    let processes = join_all(state.processes.iter().map(look)).await;
    let ready = state.ready && processes.iter().all(|process| process.health == Health::Ready);
    let text = |address: &SocketAddr| address.to_string();
    Ok(Status {
        ready,
        gateways: state.gateways.iter().map(text).collect(),
        control: state.control.as_ref().map(text),
        console: state.console.as_ref().map(text),
        viewer: state.viewer.as_ref().map(text),
        otlp: state.otlp.as_ref().map(text),
        otlp_http: state.otlp_http.as_ref().map(text),
        processes,
        controls: state.controls,
        database_urls: state.database_urls,
    })
}

/// The table that `crm up` prints, for one that runs in the background.
pub(super) fn announcement(places: &Places) -> Result<String, Failure> {
    Ok(table::render(places, &running(places)?))
}

fn running(places: &Places) -> Result<State, Failure> {
    let alive = lock::holder(places).is_some();
    state::read(places).filter(|_| alive).ok_or_else(|| {
        Failure::Missing(format!("no platform runs in {}; `crm up` starts one", places.root().display()))
    })
}

async fn look(process: &Process) -> ProcessStatus {
    ProcessStatus {
        name: process.name.clone(),
        role: process.role.clone(),
        replica: process.replica,
        pid: process.pid,
        address: process.address.clone(),
        admin: process.admin.as_ref().map(ToString::to_string),
        health: health(process).await,
        rss_bytes: process.pid.and_then(resident_bytes),
        restarts: process.restarts,
    }
}

async fn health(process: &Process) -> Health {
    match process.condition {
        Condition::Paused => return Health::Paused,
        Condition::Held => return Health::Held,
        Condition::Running => {}
    }
    if process.pid.and_then(resident_bytes).is_none() {
        return Health::Down;
    }
    let Some(admin) = process.admin else { return Health::Ready };
    match is_ready(admin).await {
        Some(true) => Health::Ready,
        Some(false) => Health::NotReady,
        None => Health::Silent,
    }
}

/// `VmRSS` of a process that runs.
fn resident_bytes(pid: u32) -> Option<u64> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kibibytes: u64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kibibytes * 1024)
}

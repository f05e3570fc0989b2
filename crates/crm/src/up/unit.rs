//! A process that is to be kept running: this very program in one of its roles, and how to set it up.

use std::net::SocketAddr;
use std::path::PathBuf;

use crm_sandbox::child::{Child, Program};

use super::state::{Condition, Process};
use crate::places::Places;
use crate::program;

const MAX_LOG_BYTES: u64 = 16 * 1024 * 1024;

/// What to start, and where it will answer.
#[derive(Debug)]
pub(super) struct Unit {
    pub(super) role: &'static str,
    pub(super) replica: u16,
    pub(super) address: Option<SocketAddr>,
    /// Where `/readyz` is; `None` for a process that is ready when it runs.
    pub(super) admin: Option<SocketAddr>,
    pub(super) arguments: Vec<String>,
    pub(super) environment: Vec<(&'static str, String)>,
    /// Variables of the supervisor that are none of its business.
    pub(super) hidden: Vec<&'static str>,
    pub(super) log: PathBuf,
}

impl Unit {
    /// `role/replica`, as other commands name it.
    pub(super) fn name(&self) -> String {
        format!("{}/{}", self.role, self.replica)
    }

    pub(super) fn log_path(places: &Places, role: &str, replica: u16) -> PathBuf {
        places.root().join("logs").join(format!("{role}-{replica}.log"))
    }

    pub(super) fn spawn(&self) -> anyhow::Result<Child> {
        let mut command = program::this();
        command.args(&self.arguments);
        for variable in &self.hidden {
            command.env_remove(variable);
        }
        command.envs(self.environment.iter().map(|(name, value)| (*name, value)));
        Ok(Program::new(self.name(), command).log(&self.log, MAX_LOG_BYTES).spawn()?)
    }

    pub(super) fn process(&self) -> Process {
        Process {
            name: self.name(),
            role: self.role.to_owned(),
            replica: self.replica,
            pid: None,
            address: self.address.map(|address| address.to_string()),
            admin: self.admin,
            restarts: 0,
            condition: Condition::Running,
        }
    }
}

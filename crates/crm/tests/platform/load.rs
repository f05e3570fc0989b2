//! `crm load` beside a test.

use std::path::PathBuf;
use std::process::Command;

use crm_sandbox::child::{Child, ChildSignal, Program};
use serde_json::Value;

use crate::platform::{PATIENCE, Platform};

/// Reads that go on until they are over, or dropped, or the test is.
pub(crate) struct Load {
    child: Child,
    file: PathBuf,
}

impl Load {
    /// The scenario of lookups with more time for each call: a loaded machine is slow, and that is no failed read.
    pub(crate) fn start(platform: &Platform, rate: &str, duration: &str) -> Self {
        let (scenario, file) = (platform.dir.join("lookups.toml"), platform.dir.join("load.json"));
        let patient = format!("timeout = \"15s\"\n{}", include_str!("../../../../load-tests/lookups.toml"));
        std::fs::write(&scenario, patient).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_crm"));
        command.arg("load").arg(scenario).args(["--rate", rate, "--duration", duration]);
        command.arg("--json").arg(&file).env("CRM_DIR", &platform.dir);
        Self { child: Program::new("crm load", command).spawn().unwrap(), file }
    }

    pub(crate) fn is_running(&self) -> bool {
        self.child.exit_status().is_none()
    }

    /// Ends it before its time; what it counted until then.
    pub(crate) fn end(self) -> Value {
        assert!(self.child.signal(ChildSignal::SIGINT));
        self.result()
    }

    /// What it counted, once it is over.
    pub(crate) fn result(self) -> Value {
        assert!(self.child.wait_for(PATIENCE).is_some(), "the load does not end");
        serde_json::from_slice(&std::fs::read(&self.file).unwrap()).unwrap()
    }
}

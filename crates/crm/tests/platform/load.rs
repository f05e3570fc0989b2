//! `crm load` beside a test.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::platform::Platform;

/// Reads that go on until they are over, or the test is.
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
        let child = Command::new(env!("CARGO_BIN_EXE_crm"))
            .arg("load")
            .arg(scenario)
            .args(["--rate", rate, "--duration", duration, "--json", file.to_str().unwrap()])
            .env("CRM_DIR", &platform.dir)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Self { child, file }
    }

    pub(crate) fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// What it counted, once it is over.
    pub(crate) fn result(mut self) -> Value {
        self.child.wait().unwrap();
        serde_json::from_slice(&std::fs::read(&self.file).unwrap()).unwrap()
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

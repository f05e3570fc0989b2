//! A client that is not ours: gRPC's own library, in Python.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod support;

use std::{path::Path, process::Stdio, time::Duration};

use support::Rig;
use tokio::process::Command;

/// `deploy/ensure otel-sdk` puts the library there, as OpenTelemetry's needs it.
const PYTHON: &str = "../../target/tools/bin/python";

#[tokio::test]
async fn grpcs_own_library_packs_and_is_refused_in_its_own_words() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let run = |arguments: &[&str]| {
        let mut command = Command::new(folder.join(PYTHON));
        command.args(arguments).current_dir(folder).kill_on_drop(true).stdin(Stdio::null());
        let output = tokio::time::timeout(Duration::from_secs(60), async move { command.output().await });
        async { output.await.expect("within its time") }
    };
    if !run(&["-c", "import grpc"]).await.is_ok_and(|output| output.status.success()) {
        assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "deploy/ensure otel-sdk installs what is missing");
        eprintln!("left out: gRPC's library for Python is not there; deploy/ensure otel-sdk installs it");
        return;
    }
    let rig = Rig::start().await;
    let output = run(&["tests/grpcio.py", &rig.public.to_string(), &rig.token()]).await.unwrap();
    assert!(output.status.success(), "{output:?}");
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "well\n");
}

//! What a newcomer pastes from the project's README.

use std::process::{Command, Stdio};

use crate::platform::Platform;

const README: &str = include_str!("../../../../README.md");

/// The blocks that call the API, in their order: later ones use what earlier ones have set.
fn calls() -> String {
    let blocks = README.split("\n```").skip(1).step_by(2);
    blocks.filter(|block| block.contains("curl ")).collect()
}

#[tokio::test]
async fn its_first_calls_work_as_they_stand_there() {
    let platform = Platform::start().await;
    let script = calls().replace("./crm ", concat!(env!("CARGO_BIN_EXE_crm"), " "));
    let script = script.replace("127.0.0.1:8080", &platform.address("gateway"));
    for pasted in ["once", "again"] {
        let mut bash = Command::new("bash");
        bash.args(["-euo", "pipefail", "-c", &script]).env("CRM_DIR", &platform.dir).stdin(Stdio::null());
        let output = bash.output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{pasted}: {output:?}");
        // A list, an account that is made, and the same one changed.
        assert_eq!(said.matches("HTTP/1.1 200 OK").count(), 3, "{pasted}: {said}");
        for part in ["{\"accounts\":", "\"name\":\"Lantern Works\"", "\"country\":\"Norway\""] {
            assert!(said.contains(part), "{pasted}: {part} is not in {said}");
        }
    }
}

//! What a newcomer pastes from the project's README and its pages.

use std::{
    path::Path,
    process::{Command, Output, Stdio},
};

use crate::platform::Platform;

const README: &str = include_str!("../../../../README.md");
const IMPORTS: &str = include_str!("../../../../docs/imports.md");

/// The blocks that call the API, in their order: later ones use what earlier ones have set.
fn calls(page: &str, platform: &Platform) -> String {
    let blocks = page.split("\n```").skip(1).step_by(2);
    let calls: String = blocks.filter(|block| block.contains("curl ")).collect();
    let calls = calls.replace("./crm ", concat!(env!("CARGO_BIN_EXE_crm"), " "));
    calls.replace("127.0.0.1:8080", &platform.address("gateway"))
}

fn pasted(script: &str, platform: &Platform, folder: &Path) -> Output {
    let mut bash = Command::new("bash");
    bash.args(["-euo", "pipefail", "-c", script]).env("CRM_DIR", &platform.dir).current_dir(folder);
    bash.stdin(Stdio::null()).output().unwrap()
}

#[tokio::test]
async fn its_first_calls_work_as_they_stand_there() {
    let platform = Platform::start().await;
    let script = calls(README, &platform);
    for time in ["once", "again"] {
        let output = pasted(&script, &platform, Path::new("."));
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{time}: {output:?}");
        // A list, an account that is made, and the same one changed.
        assert_eq!(said.matches("HTTP/1.1 200 OK").count(), 3, "{time}: {said}");
        for part in ["{\"accounts\":", "\"name\":\"Lantern Works\"", "\"country\":\"Norway\""] {
            assert!(said.contains(part), "{time}: {part} is not in {said}");
        }
    }
}

#[tokio::test]
async fn a_file_of_people_goes_in_and_out_again_as_its_page_says() {
    let platform = Platform::start().await;
    let folder = platform.dir.join("people");
    std::fs::create_dir(&folder).unwrap();
    let people = "Vorname;Nachname;E-Mail;Firma\nJ\u{f6}rg;M\u{fc}ller;j@firma.example;Firma\nAda;Love;no address;\n";
    let windows_1252: Vec<u8> = people.chars().map(|letter| u8::try_from(u32::from(letter)).unwrap()).collect();
    std::fs::write(folder.join("people.csv"), windows_1252).unwrap();
    let output = pasted(&calls(IMPORTS, &platform), &platform, &folder);
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said} {output:?}");
    for part in ["\"J\u{f6}rg\"", "\"column\":\"E-Mail\"", "\"created\":\"1\",\"invalid\":\"1\"", "\"UndoImport\""] {
        assert!(said.contains(part), "{part} is not in {said}");
    }
    assert_eq!(said.matches("\"state\":\"STATE_SUCCEEDED\"").count(), 3, "{said}");
}

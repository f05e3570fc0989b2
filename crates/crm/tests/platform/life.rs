//! Starting and ending: nothing left behind, data survive.

use crate::platform::{Platform, crm, dir_in, done, eventually, folder, processes_of};

#[tokio::test]
async fn data_survive_a_restart_and_down_leaves_nothing_running() {
    let mut platform = Platform::start().await;
    let id = platform.create_account("Survivor").await.unwrap();
    let dir = platform.dir.clone();
    done(&crm(&dir, &["down"]));
    platform.wait_for_supervisor();
    assert!(eventually(|| async { processes_of(&dir).is_empty() }).await, "{:?}", processes_of(&dir));

    platform.start_again().await;
    assert_eq!(platform.get_account(&id).await.unwrap()["name"], "Survivor");
}

#[tokio::test]
async fn a_killed_supervisor_leaves_nothing_running() {
    let mut platform = Platform::start().await;
    platform.kill_supervisor();
    platform.wait_for_supervisor();
    let dir = platform.dir.clone();
    assert!(eventually(|| async { processes_of(&dir).is_empty() }).await, "{:?}", processes_of(&dir));
}

#[tokio::test]
async fn commands_without_a_platform_say_what_is_missing() {
    let folder = folder();
    let dir = dir_in(&folder);
    for arguments in [
        &["status"][..],
        &["token"],
        &["policy", "customers", "random"],
        &["fault", "all", "--heal"],
        &["kill", "customers"],
        &["load", "gentle"],
    ] {
        let output = crm(&dir, arguments);
        assert_eq!(output.status.code(), Some(3), "{arguments:?}");
        assert!(String::from_utf8_lossy(&output.stderr).contains("crm up"), "{output:?}");
    }
    assert_eq!(crm(&dir, &["load", "no-such-scenario"]).status.code(), Some(2));
    assert_eq!(crm(&dir, &["no-such-command"]).status.code(), Some(2));
}

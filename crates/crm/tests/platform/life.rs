//! Starting and ending: one platform a folder, nothing left behind, data survive.

use nix::sys::signal::Signal;

use crate::platform::{Platform, crm, eventually, fresh_dir, processes_of, spawn_up};

#[tokio::test]
async fn data_survive_a_restart_and_down_leaves_nothing_running() {
    let dir = fresh_dir();
    let mut platform = Platform::start_in(dir.clone()).await;
    let id = platform.create_account("Survivor").await.unwrap();
    assert!(crm(&dir, &["down"]).status.success());
    platform.wait_for_supervisor();
    assert!(eventually(|| async { processes_of(&dir).is_empty() }).await, "{:?}", processes_of(&dir));

    let platform = Platform::start_in(dir).await;
    assert_eq!(platform.get_account(&id).await.unwrap()["name"], "Survivor");
}

#[tokio::test]
async fn a_killed_supervisor_leaves_nothing_running() {
    let mut platform = Platform::start().await;
    platform.signal_supervisor(Signal::SIGKILL);
    platform.wait_for_supervisor();
    let dir = platform.dir.clone();
    assert!(eventually(|| async { processes_of(&dir).is_empty() }).await, "{:?}", processes_of(&dir));
}

#[tokio::test]
async fn a_folder_has_one_platform() {
    let platform = Platform::start().await;
    let mut second = spawn_up(&platform.dir, &[]);
    assert!(!second.wait().unwrap().success());
    assert_eq!(platform.status()["ready"], true);
}

#[tokio::test]
async fn commands_without_a_platform_say_what_is_missing() {
    let dir = fresh_dir();
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

//! Starting and ending: nothing left behind, data survive.

use crate::platform::{Platform, crm, dir_in, done, eventually, folder, processes_of};

/// So does a token, even where the public key was lost in between.
#[tokio::test]
async fn data_survive_a_restart_and_down_leaves_nothing_running() {
    let mut platform = Platform::start().await;
    let id = platform.create_account("Survivor").await.unwrap();
    let dir = platform.dir.clone();
    done(&crm(&dir, &["down"]));
    platform.wait_for_supervisor();
    assert!(eventually(|| async { processes_of(&dir).is_empty() }).await, "{:?}", processes_of(&dir));

    std::fs::remove_file(dir.join("keys/token-public.pem")).unwrap();
    platform.start_again().await;
    assert_eq!(platform.get_account(&id).await.unwrap()["name"], "Survivor");
    assert!(platform.log().contains("is derived from"), "{}", platform.log());
}

#[tokio::test]
async fn half_lost_keys_are_told_by_whoever_needs_them_and_left_as_they_are() {
    let folder = folder();
    let dir = dir_in(&folder);
    done(&crm(&dir, &["keys"]));
    let [private, public] = ["private", "public"].map(|half| dir.join(format!("keys/token-{half}.pem")));
    let before = std::fs::read(&private).unwrap();
    for (contents, code) in [(None, 3), (Some(&b""[..]), 1), (Some(b"garbage"), 1)] {
        std::fs::remove_file(&private).unwrap();
        contents.into_iter().for_each(|text| std::fs::write(&private, text).unwrap());
        for words in [&["keys"][..], &["up", "--ports", "auto"], &["up", "--ports", "auto", "--detach"]] {
            let output = crm(&dir, words);
            let said = String::from_utf8_lossy(&output.stderr);
            assert_eq!(output.status.code(), Some(code), "{words:?}: {said}");
            assert!(said.contains("token-private.pem") && said.contains("put"), "{words:?}: {said}");
        }
        assert_eq!(std::fs::read(&private).ok().as_deref(), contents);
        std::fs::write(&private, &before).unwrap();
    }
    std::fs::remove_file(&public).unwrap();
    done(&crm(&dir, &["keys"]));
    assert_eq!(std::fs::read(&private).unwrap(), before);
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

/// What nobody would accept is not printed.
#[test]
fn a_token_that_is_of_no_use_is_refused_as_wrong_usage() {
    let folder = folder();
    let dir = dir_in(&folder);
    done(&crm(&dir, &["keys"]));
    for wrong in [
        ["--tenant", ""],
        ["--tenant", "00000000-0000-0000-0000-000000000000"],
        ["--user", ""],
        ["--user", "service:sales"],
        ["--role", "service"],
        ["--role", "Admin"],
        ["--ttl", "0s"],
        ["--ttl", "1ms"],
        ["--ttl", "400d"],
    ] {
        let output = crm(&dir, &[&["token"], &wrong[..]].concat());
        assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0), "{wrong:?}: {output:?}");
    }
}

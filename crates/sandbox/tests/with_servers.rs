//! The wrapper around a test run.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::{
    fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    thread,
    time::{Duration, Instant},
};

fn wrapper(words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_with-servers"));
    command.args(words).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn run(words: &[&str]) -> Output {
    wrapper(words).output().unwrap()
}

/// The servers' common folder, taken from one of the URLs: `…?host=/tmp/<folder>/postgres/socket&…`.
fn folder(url: &str) -> PathBuf {
    let socket = url.split_once("host=").unwrap().1.split('&').next().unwrap();
    PathBuf::from(socket).ancestors().nth(2).unwrap().to_owned()
}

fn until_gone(path: &Path) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while path.exists() {
        assert!(Instant::now() < deadline, "{} is still there", path.display());
        thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn command_sees_both_servers_and_its_exit_code_is_passed_on() {
    let output = run(&["--", "sh", "-c", "echo $CRM_TEST_POSTGRES; echo $CRM_TEST_REDIS; exit 7"]);
    assert_eq!(output.status.code(), Some(7), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let (postgres, redis) = text.trim().split_once('\n').unwrap();
    assert!(postgres.starts_with("postgres://postgres@"), "{postgres}");
    assert!(redis.starts_with("redis+unix:///"), "{redis}");
    assert!(!folder(postgres).exists());
}

#[test]
fn wrong_usage_and_missing_command_are_told_apart() {
    assert_eq!(run(&[]).status.code(), Some(2));
    let output = run(&["--", "/no/such/command"]);
    assert_eq!(output.status.code(), Some(3));
    assert!(String::from_utf8_lossy(&output.stderr).contains("/no/such/command"));
}

#[test]
fn missing_server_is_answered_with_what_to_install() {
    let check = |variable: &str, expected: &str| {
        let output =
            wrapper(&["--", "true"]).env(variable, "/no/such/place").env("PATH", "/no/such/path").output().unwrap();
        assert_eq!(output.status.code(), Some(3));
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(error.contains("apt-get install") && error.contains(expected), "{error}");
    };
    check("CRM_POSTGRES_BIN", "postgresql");
}

fn start_and_read_folder(script: &str) -> (Child, PathBuf) {
    let mut child = wrapper(&["--", "sh", "-c", script]).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let path = folder(line.trim());
    assert!(path.exists());
    (child, path)
}

#[test]
fn signal_is_forwarded_and_everything_is_stopped() {
    let script = "trap 'kill $!; exit 9' TERM; sleep 100 & echo $CRM_TEST_POSTGRES; wait";
    let (mut child, path) = start_and_read_folder(script);
    let kill = format!("kill -TERM {}", child.id());
    assert!(Command::new("/bin/sh").args(["-c", &kill]).status().unwrap().success());
    assert_eq!(child.wait().unwrap().code(), Some(9));
    assert!(!path.exists());
}

#[test]
fn killed_wrapper_leaves_no_folder() {
    let (mut child, path) = start_and_read_folder("echo $CRM_TEST_POSTGRES; exec sleep 100");
    child.kill().unwrap();
    child.wait().unwrap();
    until_gone(&path);
    assert!(fs::metadata(path).is_err());
}

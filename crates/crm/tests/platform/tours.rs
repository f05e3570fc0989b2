//! The tours of the live room, played as the lab plays them.

use std::process::Command;

use ::http::Method;
use crm_console::tour::{Find, all};
use crm_sandbox::child::{ChildSignal, Program};
use serde_json::Value;

use crate::http::send;
use crate::load::Load;
use crate::platform::{PATIENCE, Platform, Start, crm, done, eventually};

async fn upstream(platform: &Platform) -> Value {
    let control = platform.address("control");
    let answer = send(&control, Method::GET, "/upstreams/customers", Value::Null).await.unwrap();
    serde_json::from_slice(&answer.body).unwrap()
}

async fn is_as_before(platform: &Platform) -> bool {
    let upstream = upstream(platform).await;
    let mut replicas = upstream["replicas"].as_array().unwrap().iter();
    let well = |replica: &Value| {
        replica["state"] == "ready" && replica["fault"].is_null() && replica["share"].as_f64() > Some(0.2)
    };
    upstream["policy"] == "peak_ewma" && replicas.all(well)
}

/// Plays a tour that ships as the lab does.
async fn it_shows_what_it_promises_and_leaves_nothing_broken(name: &str) {
    let tour = all().iter().find(|tour| tour.name == name).unwrap();
    // Somebody else's work would be a fault that the tour knows nothing of.
    let platform = Platform::start_as(Start { alone: true, ..Start::default() }).await;
    for n in 0..50 {
        platform.create_account(&format!("Tour {n}")).await.unwrap();
    }
    // More patient than the lab's own.
    let load = Load::start(&platform, "40", "20m");
    assert!(eventually(|| is_as_before(&platform)).await, "{}", platform.status());
    let said = done(&crm(&platform.dir, &["lab", "tours", name, "--no-load"]));
    // That all is well again is seen beside what each file expects.
    assert_eq!(said.matches("\n  seen  ").count(), tour.watch.expect.len() + 1, "{said}");
    let read = said.lines().find(|line| line.starts_with("  read")).unwrap();
    assert!(read.contains("/trace/") || tour.read.find == Find::Failed, "{said}");
    assert!(eventually(|| is_as_before(&platform)).await, "{}", platform.status());
    drop(load);
}

/// Each tour is a test of its own, so that none waits for all others.
macro_rules! played {
    ($($test:ident = $name:literal),+ $(,)?) => {
        $(#[tokio::test]
        async fn $test() {
            it_shows_what_it_promises_and_leaves_nothing_broken($name).await;
        })+

        #[test]
        fn every_tour_that_ships_is_played() {
            let (mut played, mut ships) = (vec![$($name),+], all().iter().map(|tour| &*tour.name).collect::<Vec<_>>());
            played.sort_unstable();
            ships.sort_unstable();
            assert_eq!(played, ships);
        }
    };
}

played! {
    slow_replica_shows_what_it_promises = "slow-replica",
    failing_replica_shows_what_it_promises = "failing-replica",
    killed_replica_shows_what_it_promises = "killed-replica",
    policy_change_shows_what_it_promises = "policy-change",
}

#[tokio::test]
async fn a_tour_that_shows_something_else_is_told_and_one_that_is_stopped_is_healed() {
    let platform = Platform::start().await;
    platform.create_account("Tour").await.unwrap();
    done(&crm(&platform.dir, &["policy", "customers", "round_robin"]));
    let file = platform.dir.join("wrong.toml");
    let wrong = include_str!("../../../console/tours/slow-replica.toml").replace("below = 0.001", "above = 0.5");
    std::fs::write(&file, wrong.replace("for_s = 30", "for_s = 6")).unwrap();
    let file = file.to_str().unwrap();
    let output = crm(&platform.dir, &["lab", "tours", file, "--rate", "30"]);
    let said = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(said.contains("UNSEEN  No caller is told"), "{said}");
    assert_eq!(fault_and_policy(&platform).await, (false, "round_robin".to_owned()), "as before");

    std::fs::write(file, wrong.replace("for_s = 30", "for_s = 600")).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_crm"));
    command.args(["lab", "tours", file, "--rate", "30"]).env("CRM_DIR", &platform.dir);
    let tours = Program::new("crm lab tours", command).spawn().unwrap();
    let broken = (true, "peak_ewma".to_owned());
    assert!(eventually(|| async { fault_and_policy(&platform).await == broken }).await, "never broken");
    assert!(tours.signal(ChildSignal::SIGINT));
    assert_eq!(tours.wait_for(PATIENCE).unwrap().code(), Some(1));
    assert_eq!(fault_and_policy(&platform).await, (false, "round_robin".to_owned()), "as before");
}

/// Whether any replica has a fault, and which policy chooses.
async fn fault_and_policy(platform: &Platform) -> (bool, String) {
    let upstream = upstream(platform).await;
    let has_fault = upstream["replicas"].as_array().unwrap().iter().any(|replica| !replica["fault"].is_null());
    (has_fault, upstream["policy"].as_str().unwrap().to_owned())
}

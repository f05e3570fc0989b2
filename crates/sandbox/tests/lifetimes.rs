//! Servers start, stop, survive what may happen to them, and leave nothing behind.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use crm_sandbox::{
    Error, Postgres, PostgresSettings, Redis, RedisSettings, TemporaryFolder,
    child::{Child, ChildSignal, Program},
};
use sqlx::{Connection, PgConnection};
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    thread,
    time::{Duration, Instant},
};

const LONG: Duration = Duration::from_secs(30);

/// Processes whose working folder is, or was, inside of `folder`.
fn processes_in(folder: &Path) -> Vec<PathBuf> {
    let inside = |entry: &PathBuf| fs::read_link(entry.join("cwd")).is_ok_and(|cwd| cwd.starts_with(folder));
    fs::read_dir("/proc").unwrap().flatten().map(|entry| entry.path()).filter(inside).collect()
}

fn until(what: &str, condition: impl Fn() -> bool) {
    let deadline = Instant::now() + LONG;
    while !condition() {
        assert!(Instant::now() < deadline, "not in time: {what}");
        thread::sleep(Duration::from_millis(10));
    }
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

fn sql(server: &Postgres, statement: &'static str) {
    block_on(async {
        let mut connection = PgConnection::connect(&server.url("postgres")).await.unwrap();
        sqlx::raw_sql(statement).execute(&mut connection).await.unwrap();
    });
}

fn count(server: &Postgres) -> i64 {
    block_on(async {
        let mut connection = PgConnection::connect(&server.url("postgres")).await.unwrap();
        sqlx::query_scalar("select count(*) from kept").fetch_one(&mut connection).await.unwrap()
    })
}

#[test]
fn stopped_servers_leave_no_process_and_no_folder() {
    let folder = TemporaryFolder::new("crm-test-lifetimes").unwrap();
    let path = folder.path().to_owned();
    let postgres = Postgres::start(&path.join("postgres"), PostgresSettings::for_tests()).unwrap();
    let redis = Redis::start(&path.join("redis"), RedisSettings::default()).unwrap();
    assert!(processes_in(&path).len() >= 2);
    postgres.stop();
    redis.stop();
    assert_eq!(processes_in(&path), Vec::<PathBuf>::new());
    drop(folder);
    assert!(!path.exists());
}

#[test]
fn acknowledged_rows_survive_a_killed_postmaster_and_a_second_start() {
    let folder = TemporaryFolder::new("crm-test-lifetimes").unwrap();
    let home = folder.path().join("postgres");
    let mut postgres = Postgres::start(&home, PostgresSettings::durable()).unwrap();
    sql(&postgres, "create table kept (n int); insert into kept values (1)");
    postgres.process().signal(ChildSignal::SIGKILL);
    postgres.restart().unwrap();
    assert_eq!(count(&postgres), 1);
    sql(&postgres, "insert into kept values (2)");
    postgres.stop();
    let again = Postgres::start(&home, PostgresSettings::durable()).unwrap();
    assert_eq!(count(&again), 2);
}

#[test]
fn database_is_created_once_whatever_its_name() {
    let folder = TemporaryFolder::new("crm-test-lifetimes").unwrap();
    let postgres = Postgres::start(&folder.path().join("postgres"), PostgresSettings::for_tests()).unwrap();
    for _ in 0..2 {
        block_on(postgres.ensure_database("odd \"name\"")).unwrap();
    }
}

#[test]
fn data_of_another_major_version_are_refused_and_not_touched() {
    let folder = TemporaryFolder::new("crm-test-lifetimes").unwrap();
    let home = folder.path().join("postgres");
    fs::create_dir_all(home.join("data")).unwrap();
    fs::write(home.join("data/PG_VERSION"), "9\n").unwrap();
    let error = Postgres::start(&home, PostgresSettings::durable()).unwrap_err();
    assert!(matches!(&error, Error::OtherVersion { found, .. } if found == "9"), "{error}");
    assert_eq!(fs::read_dir(home.join("data")).unwrap().count(), 1);
}

#[test]
fn interrupted_first_start_is_begun_anew() {
    let folder = TemporaryFolder::new("crm-test-lifetimes").unwrap();
    let home = folder.path().join("postgres");
    fs::create_dir_all(home.join("data.unfinished")).unwrap();
    fs::write(home.join("data.unfinished/PG_VERSION"), "15\n").unwrap();
    Postgres::start(&home, PostgresSettings::for_tests()).unwrap();
}

#[test]
fn wrong_parameter_is_reported_with_the_server_s_own_words() {
    let folder = TemporaryFolder::new("crm-test-lifetimes").unwrap();
    let settings = PostgresSettings::for_tests().set("max_connections", "many");
    let error = Postgres::start(&folder.path().join("postgres"), settings).unwrap_err().to_string();
    assert!(error.contains("max_connections"), "{error}");
}

#[test]
fn redis_on_a_port_wants_its_password_and_restarts_empty() {
    let folder = TemporaryFolder::new("crm-test-lifetimes").unwrap();
    let port = crm_sandbox::ports::reserve().unwrap();
    let settings = RedisSettings::default().port(port.address().port());
    let mut redis = Redis::start(&folder.path().join("redis"), settings).unwrap();
    let url = redis.tcp_url().unwrap();
    assert!(url.starts_with("redis://:") && url.contains(&port.address().to_string()));
    redis.process().kill().unwrap();
    redis.restart().unwrap();
    assert_eq!(redis.tcp_url().unwrap(), url);
}

#[test]
fn child_that_ignores_a_polite_signal_is_killed_with_all_it_started() {
    let folder = TemporaryFolder::new("crm-test-lifetimes").unwrap();
    let child = shell("trap '' TERM; sleep 1000 & wait; sleep 1000", folder.path());
    until("both run", || processes_in(folder.path()).len() >= 2);
    child.stop(ChildSignal::SIGTERM, Duration::from_millis(100)).expect("an end");
    until("nothing is left", || processes_in(folder.path()).is_empty());
}

#[test]
fn log_of_a_talkative_child_stays_bounded() {
    const MAX_BYTES: u64 = 100_000;
    let folder = TemporaryFolder::new("crm-test-lifetimes").unwrap();
    let log = folder.path().join("talk.log");
    let mut command = Command::new("/bin/sh");
    command.args(["-c", "while :; do printf %04000d 0; sleep 0.001; done"]);
    let child = Program::new("talk", command).log(&log, MAX_BYTES).spawn().unwrap();
    until("an older generation", || folder.path().join("talk.log.1").exists());
    until("a fresh start", || fs::metadata(&log).is_ok_and(|now| now.len() < MAX_BYTES));
    child.kill();
}

fn shell(script: &str, folder: &Path) -> Child {
    let mut command = Command::new("/bin/sh");
    command.args(["-c", script]).current_dir(folder);
    Program::new("shell", command).spawn().unwrap()
}

/// What the next test runs in a process of its own, to be killed.
#[test]
#[ignore = "started by killed_starter_leaves_neither_processes_nor_folders"]
fn starter() {
    let Ok(report) = std::env::var("STARTER_REPORT") else { return };
    let folder = TemporaryFolder::new("crm-test-starter").unwrap();
    let _postgres = Postgres::start(&folder.path().join("postgres"), PostgresSettings::for_tests()).unwrap();
    let _redis = Redis::start(&folder.path().join("redis"), RedisSettings::default()).unwrap();
    let _sleeper = shell("exec sleep 1000", &folder.path().join("redis"));
    let unfinished = format!("{report}.unfinished");
    fs::write(&unfinished, folder.path().to_str().unwrap()).unwrap();
    fs::rename(unfinished, report).unwrap();
    thread::sleep(LONG);
}

#[test]
fn killed_starter_leaves_neither_processes_nor_folders() {
    let folder = TemporaryFolder::new("crm-test-lifetimes").unwrap();
    let report = folder.path().join("report");
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "starter", "--ignored"]).env("STARTER_REPORT", &report);
    let starter = Program::new("starter", command).spawn().unwrap();
    until("the starter's servers run", || report.exists());
    let servers = PathBuf::from(fs::read_to_string(&report).unwrap());
    assert!(processes_in(&servers).len() >= 3);
    starter.signal(ChildSignal::SIGKILL);
    until("processes are gone", || processes_in(&servers).is_empty());
    until("the folder is gone", || !servers.exists());
}

//! Callers who give up at once harm nobody who does not.

mod bursts;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use crm_customers::seed::{SeedSize, demo};
use crm_database::{Database, Settings};
use crm_sandbox::child::{Child, Program};
use crm_sandbox::{Postgres, PostgresSettings, TemporaryFolder};
use crm_server::token::tenant_id;
use crm_transcode::{Transcoder, frame};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http2::{SendRequest, handshake};
use hyper_util::rt::{TokioExecutor, TokioIo};
use serde_json::{Value, json};
use sqlx::{Connection, PgConnection};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval, timeout};

use crate::platform::{PATIENCE, Platform, Start, crm, done};

const CALLERS: u64 = 8;
/// Of all hasty callers together.
const HASTY_PER_SECOND: u64 = 500;
const OTHERS_PER_SECOND: u64 = 200;
const SECONDS: u64 = 12;
/// A program that is built for tests bears a tenth of it beside other tests: it is not to be shown that overload hurts.
const OF_A_TEST_BUILD: u64 = 10;
/// Names a program that is built for speed, to be tried at the full rates.
const FAST_PROGRAM: &str = "CRM_TEST_FAST_PROGRAM";
/// Accounts on a page: mostly, and now and then.
const PAGES: [u32; 2] = [20, 1_000];
const LONGEST_PATIENCE_MS: u64 = 10;
/// Most connections that all replicas' pools hold together.
const POOLS: i64 = 20;
/// What the others do: each of these calls must succeed, however long it takes on a loaded machine.
const OTHERS: &str = r#"
name = "others"
rate = 200
duration = "20s"
timeout = "30s"
max_in_flight = 100000
[keys.account]
rpc = "crm.customers.v1.AccountService/ExportAccounts"
field = "id"
take = 500
[[calls]]
name = "get account"
rpc = "crm.customers.v1.AccountService/GetAccount"
weight = 70
request = { id = "${account}" }
[[calls]]
name = "list accounts"
rpc = "crm.customers.v1.AccountService/ListAccounts"
weight = 10
request = { page_size = 10 }
[[calls]]
name = "update account"
rpc = "crm.customers.v1.AccountService/UpdateAccount"
weight = 20
request = { account = { id = "${account}", country = "Land ${n}" }, update_mask = "country" }
"#;

/// Lists whose callers do not wait for them. Most are short, so that not the work but the giving up is what is tried; one of
/// twenty has a thousand accounts and is never waited for.
#[derive(Clone)]
struct Hasty {
    gateway: String,
    token: String,
    bodies: [Bytes; 2],
    sent: Arc<AtomicU64>,
    per_second: u64,
}

impl Hasty {
    fn new(platform: &Platform, per_second: u64) -> Self {
        let transcoder = Transcoder::new(crm_proto::DESCRIPTORS).unwrap();
        let bodies = PAGES.map(|size| {
            let list = json!({ "pageSize": size });
            let message = transcoder.json_to_message("crm.customers.v1.ListAccountsRequest", &list).unwrap();
            frame::encode(&message).unwrap()
        });
        let (gateway, token) = (platform.address("gateway"), platform.token().to_owned());
        Self { gateway, token, bodies, sent: Arc::default(), per_second }
    }

    /// One caller, with a connection of its own: it gives up by itself, or tells a deadline, over gRPC or REST.
    async fn call_on_and_on(self) {
        let mut due = interval(Duration::from_micros(1_000_000 * CALLERS / self.per_second));
        due.set_missed_tick_behavior(MissedTickBehavior::Burst);
        let mut calls = JoinSet::new();
        let mut connection = self.connect().await;
        loop {
            due.tick().await;
            while calls.try_join_next().is_some() {}
            // The edge may cut off who resets too much: that is between the two of them.
            if connection.is_closed() {
                connection = self.connect().await;
            }
            let n = self.sent.fetch_add(1, Ordering::Relaxed);
            calls.spawn(self.clone().call(connection.clone(), n));
        }
    }

    async fn connect(&self) -> SendRequest<Full<Bytes>> {
        let stream = TcpStream::connect(&self.gateway).await.unwrap();
        let (sender, connection) = handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        sender
    }

    async fn call(self, mut connection: SendRequest<Full<Bytes>>, n: u64) {
        let (millis, page) = (1 + n / 4 % LONGEST_PATIENCE_MS, usize::from(n.is_multiple_of(20)));
        let request = ::http::Request::builder().header("authorization", format!("Bearer {}", self.token));
        let base = format!("http://{}", self.gateway);
        let grpc = || format!("{base}/crm.customers.v1.AccountService/ListAccounts");
        let (request, gives_up) = match n % 4 {
            0 | 1 => (request.method("POST").uri(grpc()).header("content-type", "application/grpc"), true),
            2 => {
                let request = request.method("POST").uri(grpc()).header("content-type", "application/grpc");
                (request.header("grpc-timeout", format!("{millis}m")), false)
            }
            _ => {
                let request = request.uri(format!("{base}/v1/accounts?pageSize={}", PAGES[page]));
                (request.header("x-crm-timeout", format!("{millis}ms")), false)
            }
        };
        let body = if n % 4 == 3 { Bytes::new() } else { self.bodies[page].clone() };
        let request = request.header("te", "trailers").body(Full::new(body)).unwrap();
        let answer = async { connection.send_request(request).await.ok()?.into_body().collect().await.ok() };
        let patience = if gives_up { Duration::from_millis(millis) } else { PATIENCE };
        let _ = timeout(patience, answer).await;
    }
}

/// Enough for a long page; the whole of the demo's data takes a program that is built for tests longer than the trial.
async fn seed_little(platform: &Platform) {
    let state: Value = serde_json::from_slice(&std::fs::read(platform.dir.join("state.json")).unwrap()).unwrap();
    let url = state["database_urls"]["customers"].as_str().unwrap();
    let database = Database::connect(&Settings::new(url)).await.unwrap();
    let size = SeedSize { accounts: 2 * PAGES[1], contacts: 100 };
    demo(&database, tenant_id("demo"), size, |_| {}).await.unwrap();
    database.close().await;
}

/// The load beside, and the file that it writes; both in the platform's folder.
fn start_others(platform: &Platform, rate: u64) -> (Child, PathBuf) {
    let [scenario, file, log] = ["others.toml", "others.json", "others.log"].map(|name| platform.dir.join(name));
    std::fs::write(&scenario, OTHERS).unwrap();
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_crm"));
    command.arg("load").arg(scenario).arg("--json").arg(&file).env("CRM_DIR", &platform.dir);
    command.args(["--rate", &rate.to_string(), "--duration", &format!("{SECONDS}s")]);
    (Program::new("crm load", command).log(log, 1 << 20).spawn().unwrap(), file)
}

/// Sessions that clients opened since the server started.
async fn sessions(owner: &mut PgConnection) -> i64 {
    // What a session did is counted when it idles or ends; a snapshot would show what was there at its first look.
    sqlx::raw_sql("select pg_stat_clear_snapshot()").execute(&mut *owner).await.unwrap();
    let count = sqlx::query_as("select coalesce(sum(sessions), 0)::bigint from pg_stat_database");
    let (count,): (i64,) = count.fetch_one(owner).await.unwrap();
    count
}

async fn ejections(platform: &Platform) -> u64 {
    let answer = crate::http::send(&platform.address("control"), ::http::Method::GET, "/upstreams", Value::Null).await;
    let seen: Value = serde_json::from_slice(&answer.unwrap().body).unwrap();
    let replicas = seen["upstreams"][0]["replicas"].as_array().unwrap().iter();
    replicas.map(|replica| replica["ejections"].as_u64().unwrap()).sum()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn callers_who_give_up_at_once_harm_nobody_who_does_not() {
    let home = TemporaryFolder::new("crm-test-haste").unwrap();
    let database = Postgres::start(&home.path().join("postgres"), PostgresSettings::for_tests()).unwrap();
    database.ensure_database("bellwether").await.unwrap();
    let owner_url = database.url("bellwether");
    let environment = [("CRM_DATABASE_URL", owner_url.clone())];
    let fast = std::env::var_os(FAST_PROGRAM).map(PathBuf::from);
    let scale = if fast.is_some() { 1 } else { OF_A_TEST_BUILD };
    let start = Start { environment: &environment, program: fast.as_deref(), alone: true, ..Start::default() };
    let platform = Platform::start_as(start).await;
    match &fast {
        Some(_) => drop(done(&crm(&platform.dir, &["seed"]))),
        None => seed_little(&platform).await,
    }
    let mut owner = PgConnection::connect(&owner_url).await.unwrap();
    // Tables that were just filled are planned by guesses, and a list sorts them whole: another story.
    sqlx::raw_sql("analyze").execute(&mut owner).await.unwrap();
    let (others, file) = start_others(&platform, OTHERS_PER_SECOND / scale);
    let before = sessions(&mut owner).await;

    let (hasty, mut callers) = (Hasty::new(&platform, HASTY_PER_SECOND / scale), JoinSet::new());
    for _ in 0..CALLERS {
        callers.spawn(hasty.clone().call_on_and_on());
    }
    others.wait().await;
    callers.shutdown().await;

    let said = std::fs::read_to_string(file.with_extension("log")).unwrap();
    let result: Value = serde_json::from_slice(&std::fs::read(file).expect(&said)).unwrap();
    let (sent, opened) = (hasty.sent.load(Ordering::Relaxed), sessions(&mut owner).await - before);
    println!("{sent} hasty calls, {opened} database sessions opened, {result}");
    let expected = (OTHERS_PER_SECOND * SECONDS / scale * 3 / 4, HASTY_PER_SECOND * SECONDS / scale * 3 / 4);
    assert!(result["calls"].as_u64().unwrap() > expected.0 && sent > expected.1, "{sent}: {result}");
    assert_eq!(result["failed"], 0, "{result}");
    bursts::harm_no_other_tenant(&platform, &hasty, &mut owner).await;
    assert_eq!(ejections(&platform).await, 0, "{}", platform.log());
    assert!(opened <= 2 * POOLS, "{opened} database sessions opened");
}

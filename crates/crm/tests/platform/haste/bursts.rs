//! One tenant's bursts of calls that hang, are not read or are broken off: other tenants notice nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use serde_json::json;
use sqlx::{Connection, PgConnection, Postgres, Transaction};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::{Hasty, PATIENCE};
use crate::http::exchange;
use crate::platform::{Platform, crm, done};

/// Updates of one row that somebody else holds: twice as many as all replicas have connections to the database.
const HANGING: usize = 40;
/// Few enough for a program that is built for tests.
const UNREAD: usize = 16;
/// As many as a connection may break off at once without being taken for an attack.
const BROKEN_OFF: usize = 20;
const ROUNDS: usize = 10;
const VICTIMS: usize = 4;

/// Calls of another tenant, on and on, each of which must succeed.
struct Victims {
    callers: JoinSet<usize>,
    is_over: Arc<AtomicBool>,
}

impl Victims {
    fn start(platform: &Platform) -> Self {
        let token = done(&crm(&platform.dir, &["token", "--tenant", "victim"])).trim().to_owned();
        let (mut callers, is_over) = (JoinSet::new(), Arc::new(AtomicBool::new(false)));
        for nth in 0..VICTIMS {
            callers.spawn(be_victim(platform.address("gateway"), token.clone(), nth, Arc::clone(&is_over)));
        }
        Self { callers, is_over }
    }

    async fn end(self) -> usize {
        self.is_over.store(true, Ordering::Relaxed);
        self.callers.join_all().await.into_iter().sum()
    }
}

async fn be_victim(gateway: String, token: String, nth: usize, is_over: Arc<AtomicBool>) -> usize {
    let mut calls = 0;
    while !is_over.load(Ordering::Relaxed) {
        let name = json!({ "name": format!("victim {nth} {calls}") }).to_string();
        for (method, path, body) in [("POST", "/v1/accounts", name), ("GET", "/v1/accounts?pageSize=10", String::new())]
        {
            let request = ::http::Request::builder().method(method).uri(path).header("host", &gateway);
            let request = request.header("authorization", format!("Bearer {token}"));
            let request = request.header("content-type", "application/json");
            let request = request.header("idempotency-key", format!("{:08x}-0000-4000-8000-{calls:012x}", nth + 1));
            let answer = timeout(PATIENCE, exchange(&gateway, request.body(Full::from(body)).unwrap())).await;
            let answer = answer.expect("an answer in time").unwrap();
            assert!(answer.status.is_success(), "{method} {path}: {} {}", answer.status, answer.message());
            calls += 1;
        }
    }
    calls
}

/// Asks for all of it at once, reads nothing for a while, and answers how each answer begins.
async fn leave_unread(hasty: &Hasty, account: &str, lock: Transaction<'_, Postgres>) -> Vec<String> {
    let (host, token) = (&hasty.gateway, &hasty.token);
    let manners = format!("HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer {token}\r\n");
    let list = format!("GET /v1/accounts?pageSize=1000 {manners}\r\n");
    let update = format!(
        "PATCH /v1/accounts/{account} {manners}content-type: application/json\r\ncontent-length: 16\r\n\r\n{{\"country\":\"DE\"}}"
    );
    let mut streams = Vec::new();
    for request in std::iter::repeat_n(&update, HANGING).chain(std::iter::repeat_n(&list, UNREAD)) {
        let mut stream = TcpStream::connect(host).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        streams.push(stream);
    }
    sleep(Duration::from_secs(4)).await;
    lock.rollback().await.unwrap();
    let mut heads = Vec::new();
    for stream in streams {
        let mut head = String::new();
        timeout(PATIENCE, BufReader::new(stream).read_line(&mut head)).await.expect("an answer in time").unwrap();
        heads.push(head.trim().to_owned());
    }
    heads
}

/// Long lists over one connection, each broken off as soon as it was asked for.
async fn break_lists_off(hasty: &Hasty) {
    let mut connection = hasty.connect().await;
    for _ in 0..ROUNDS {
        if connection.is_closed() {
            connection = hasty.connect().await;
        }
        let calls: Vec<_> = (0..BROKEN_OFF).map(|_| connection.send_request(hasty.long_list())).collect();
        // Long enough for head and body to leave, and to come as far as the database.
        sleep(Duration::from_millis(100)).await;
        drop(calls);
    }
}

pub(super) async fn harm_no_other_tenant(platform: &Platform, hasty: &Hasty, owner: &mut PgConnection) {
    let account = platform.create_account("Held").await.unwrap();
    let mut lock = owner.begin().await.unwrap();
    let held = sqlx::query("select from customers.accounts where id = $1::uuid for update").bind(&account);
    held.execute(&mut *lock).await.unwrap();
    let victims = Victims::start(platform);
    let heads = leave_unread(hasty, &account, lock).await;
    break_lists_off(hasty).await;
    let calls = victims.end().await;
    println!("{calls} calls of victims beside {heads:?}");
    assert!(calls >= VICTIMS * 2);
    for status in [" 200 ", " 429 "] {
        assert!(heads.iter().any(|head| head.contains(status)), "no{status}in {heads:?}");
    }
    // 503 where the victims' calls hold the rest of a pool at that moment.
    let is_honest = |head: &String| [" 200 ", " 429 ", " 503 "].iter().any(|status| head.contains(status));
    assert!(heads.iter().all(is_honest), "{heads:?}");
}

impl Hasty {
    fn long_list(&self) -> ::http::Request<Full<Bytes>> {
        let request =
            ::http::Request::builder().method("POST").header("authorization", format!("Bearer {}", self.token));
        let request = request.uri(format!("http://{}/crm.customers.v1.AccountService/ListAccounts", self.gateway));
        let request = request.header("content-type", "application/grpc").header("te", "trailers");
        request.body(Full::new(self.bodies[1].clone())).unwrap()
    }
}

//! Postgres away.

use std::time::{Duration, Instant};

use crm_customers::app;
use crm_sandbox::{Postgres, PostgresSettings, TemporaryFolder, testing};
use crm_server::token::Role;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tonic::Code;
use tonic_types::StatusExt;

use crate::support::{Service, account, eventually};

async fn is_ready(service: &Service) -> bool {
    let Ok(mut stream) = TcpStream::connect(service.admin).await else { return false };
    stream.write_all(b"GET /readyz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer.starts_with("HTTP/1.1 200")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_service_waits_for_postgres_and_outlives_it() {
    let folder = TemporaryFolder::new("crm-outage").unwrap();
    let home = folder.path().join("postgres");
    let postgres = Postgres::start(&home, PostgresSettings::for_tests()).unwrap();
    app::migrate(&postgres.url("postgres"), None).await.unwrap();
    let url = postgres.url_as(app::ROLE, "postgres");
    postgres.stop();

    let service = Service::start(&url, &testing::redis().await.unwrap()).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(!is_ready(&service).await, "ready without a database that ever answered");
    let mut postgres = Postgres::start(&home, PostgresSettings::for_tests()).unwrap();
    eventually("readiness", async || is_ready(&service).await).await;
    let agent = service.caller("acme", Role::Agent);
    agent.create_account(account("Before")).await.unwrap();

    postgres.restart().unwrap();
    let back = Instant::now();
    eventually("a write after the restart", async || agent.create_account(account("Between")).await.is_ok()).await;
    assert!(back.elapsed() < Duration::from_secs(1), "recovered only after {:?}", back.elapsed());

    postgres.stop();
    let begin = Instant::now();
    let status = agent.create_account(account("Away")).await.unwrap_err();
    assert_eq!(status.code(), Code::Unavailable, "{status:?}");
    assert!(status.get_error_details().retry_info().is_some());
    assert!(begin.elapsed() < Duration::from_secs(2), "failed only after {:?}", begin.elapsed());
    let postgres = Postgres::start(&home, PostgresSettings::for_tests()).unwrap();
    eventually("a write after the return", async || agent.create_account(account("After")).await.is_ok()).await;
    service.stop().await;
    postgres.stop();
}

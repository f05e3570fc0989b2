//! A service that keeps nothing: neither Postgres nor Redis is there, and it is ready, answers and ends all the same.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

use crm_proto::sales::{GetProductRequest, product_service_client::ProductServiceClient};
use crm_resource::testkit::{Process, eventually};
use crm_resource::{Keeps, RunError, Service, ServiceConfig, Storage};
use crm_server::token::Role;
use sqlx::migrate::Migrator;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tonic::Code;

const NOTHING: Service = Service {
    name: "nothing",
    package: "crm.nothing.v1",
    keeps: Keeps::Nothing(|_peers, services| services),
    asks: &[],
    refusals: &[],
};

static SERVICE: Service = NOTHING;

#[tokio::test]
async fn a_service_that_keeps_nothing_needs_no_servers() {
    assert!(SERVICE.storage().is_none() && SERVICE.resources().is_empty());
    SERVICE.migrate("postgres://nobody@nowhere.invalid/none", None).await.unwrap();
    let process = Process::start_as(&SERVICE, ServiceConfig::default()).await;
    eventually("it is ready", async || {
        let mut stream = TcpStream::connect(process.admin).await.unwrap();
        stream.write_all(b"GET /readyz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer.starts_with("HTTP/1.1 200")
    })
    .await;
    let caller = process.caller("acme", Role::Agent);
    let mut products = ProductServiceClient::with_origin(caller.http.clone(), caller.origin.clone());
    let answer = products.get_product(caller.request(GetProductRequest { id: String::new() })).await;
    assert_eq!(answer.unwrap_err().code(), Code::Unimplemented);
    process.stop().await;
}

#[tokio::test]
async fn a_service_that_keeps_records_does_not_start_without_a_database() {
    static MIGRATOR: Migrator = Migrator::DEFAULT;
    static KEEPER: Service = Service {
        keeps: Keeps::Records(
            Storage {
                schema: "nothing",
                role: "crm_nothing",
                url_setting: "CRM_NOTHING_DATABASE_URL",
                password_file_setting: "CRM_NOTHING_DATABASE_PASSWORD_FILE",
                migrator: &MIGRATOR,
                resources: &[],
                copies: &[],
                follows: &[],
                seed: None,
            },
            |_store, services| services,
        ),
        ..NOTHING
    };
    let process = Process::start_as(&KEEPER, ServiceConfig::default()).await;
    assert!(matches!(process.end().await, Err(RunError::NoStore)));
}

//! Postgres away.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::support::app;
use crm_balance::{Client, ClientSettings, Discovery, Endpoint, HealthCheck, Phase, Policy, Upstream, client};
use crm_proto::customers as pb;
use crm_proto::customers::account_service_client::AccountServiceClient;
use crm_sandbox::child::ChildSignal;
use crm_sandbox::{Postgres, PostgresSettings, TemporaryFolder, testing};
use crm_server::token::Role;
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tonic::Code;
use tonic_types::StatusExt;

use crate::support::{Caller, Service, account, database, eventually};

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
    crm_customers::SERVICE.migrate(&postgres.url("postgres"), None).await.unwrap();
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
    assert!(back.elapsed() < Duration::from_secs(5), "recovered only after {:?}", back.elapsed());

    postgres.stop();
    let begin = Instant::now();
    let status = agent.create_account(account("Away")).await.unwrap_err();
    assert_eq!(status.code(), Code::Unavailable, "{status:?}");
    assert!(status.get_error_details().retry_info().is_some());
    assert!(begin.elapsed() < Duration::from_secs(5), "failed only after {:?}", begin.elapsed());
    let postgres = Postgres::start(&home, PostgresSettings::for_tests()).unwrap();
    eventually("a write after the return", async || agent.create_account(account("After")).await.is_ok()).await;
    service.stop().await;
    postgres.stop();
}

/// A caller as the gateway is one, with the service under two names as its two replicas.
struct Balanced {
    upstream: Upstream,
    accounts: AccountServiceClient<Client>,
    agent: Caller,
}

impl Balanced {
    async fn before(service: &Service) -> Self {
        let names = ["127.0.0.1", "localhost"].map(|host| Endpoint::new(format!("{host}:{}", service.address.port())));
        let upstream = Upstream::builder("customers", Discovery::Static(names.into()))
            .health(HealthCheck::Off)
            .policy(Policy::RoundRobin)
            .build();
        let is_ready = async || upstream.replicas().iter().all(|replica| replica.state == Phase::Ready);
        eventually("connections", is_ready).await;
        let accounts = AccountServiceClient::new(client(upstream.clone(), ClientSettings::default()));
        Self { upstream, accounts, agent: service.caller("acme", Role::Agent) }
    }

    async fn is_refused(&self) {
        let request_id = uuid::Uuid::new_v4().to_string();
        let request = pb::CreateAccountRequest { account: Some(account("Away")), request_id, ..Default::default() };
        let status = self.accounts.clone().create_account(self.agent.request(request)).await.unwrap_err();
        assert_eq!(status.code(), Code::Unavailable, "{status:?}");
        assert!(status.get_error_details().retry_info().is_some());
        assert_eq!(status.metadata().get("grpc-retry-pushback-ms").unwrap(), "-1");
    }

    fn blames_nobody(&self) {
        for replica in self.upstream.replicas() {
            assert_eq!((replica.state, replica.ejections, replica.failures), (Phase::Ready, 0, 0));
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_that_is_away_takes_no_replica_out_of_service() {
    let folder = TemporaryFolder::new("crm-outage").unwrap();
    let home = folder.path().join("postgres");
    let postgres = Postgres::start(&home, PostgresSettings::for_tests()).unwrap();
    crm_customers::SERVICE.migrate(&postgres.url("postgres"), None).await.unwrap();
    let service = Service::start(&postgres.url_as(app::ROLE, "postgres"), &testing::redis().await.unwrap()).await;
    let balanced = Balanced::before(&service).await;
    eventually("a write", async || balanced.agent.create_account(account("Before")).await.is_ok()).await;

    // Stopped in good order it leaves no socket behind; killed, one that refuses.
    postgres.stop();
    for _ in 0..12 {
        balanced.is_refused().await;
    }
    balanced.blames_nobody();
    let postgres = Postgres::start(&home, PostgresSettings::for_tests()).unwrap();
    eventually("a write after the return", async || balanced.agent.create_account(account("Back")).await.is_ok()).await;
    // Its sessions' processes notice a moment later that it is gone.
    let pid = postgres.process().pid();
    let sessions = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap();
    let stat = |session: &str| std::fs::read_to_string(format!("/proc/{session}/stat"));
    let is_over = |session: &str| stat(session).map_or(true, |stat| stat.contains(") Z "));
    postgres.process().signal(ChildSignal::SIGKILL);
    eventually("the end of all sessions", async || sessions.split_whitespace().all(is_over)).await;
    let (balanced, mut refusals) = (Arc::new(balanced), JoinSet::new());
    for _ in 0..12 {
        let balanced = Arc::clone(&balanced);
        refusals.spawn(async move { balanced.is_refused().await });
    }
    refusals.join_all().await;
    balanced.blames_nobody();
    service.stop().await;
}

/// How a service that is starting ends. The database may come up only later: it is asked again until it has spoken.
async fn refusal(url: &str, meanwhile: impl AsyncFnOnce()) -> String {
    let service = Service::start(url, &testing::redis().await.unwrap()).await;
    meanwhile().await;
    service.end().await.unwrap_err().to_string()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_refuses_the_service_ends_its_start_now_and_later() {
    let folder = TemporaryFolder::new("crm-refused").unwrap();
    let home = folder.path().join("postgres");
    let postgres = Postgres::start(&home, PostgresSettings::for_tests()).unwrap();
    crm_customers::SERVICE.migrate(&postgres.url("postgres"), None).await.unwrap();
    let nowhere = postgres.url_as(app::ROLE, "no_such_database");
    let told = refusal(&nowhere, async || {}).await;
    assert!(told.contains("3D000") && told.contains("\"no_such_database\" does not exist"), "{told}");

    postgres.stop();
    let mut again = None;
    let told = refusal(&nowhere, async || {
        again = Some(Postgres::start(&home, PostgresSettings::for_tests()).unwrap());
    })
    .await;
    assert!(told.contains("3D000"), "{told}");
    drop(again);
}

/// As when one service is given another's URL: it would be ready, and fail every call.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_role_that_may_not_use_the_schema_ends_the_start_and_a_schema_that_is_not_there_yet_is_waited_for() {
    let database = database().await;
    let mut owner = PgConnection::connect(database.url()).await.unwrap();
    let stranger = format!("stranger_{}", database.name());
    owner.execute(AssertSqlSafe(format!("create role {stranger} login"))).await.unwrap();
    let told = refusal(&database.url_as(&stranger, ""), async || {}).await;
    assert!(told.contains("42501") && told.contains("permission denied for schema customers"), "{told}");
    owner.execute(AssertSqlSafe(format!("drop role {stranger}"))).await.unwrap();

    owner.execute("alter table customers.idempotency_keys rename to not_yet").await.unwrap();
    let service = Service::start(&database.url_as(app::ROLE, ""), &testing::redis().await.unwrap()).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(!is_ready(&service).await, "ready without its schema");
    owner.execute("alter table customers.not_yet rename to idempotency_keys").await.unwrap();
    eventually("readiness", async || is_ready(&service).await).await;
    service.stop().await;
}

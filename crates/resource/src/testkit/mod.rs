//! For tests of services: a process with everything of its own, callers, and what answers say.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, reason = "for tests alone")]

mod plans;
mod statements;
mod walls;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use crm_database::{Database, Settings};
use crm_sandbox::testing::{self, TestDatabase};
use crm_server::token::{Claims, Role, ServiceSigner, Signer, TokenRequest, Verifier, tenant_id};
use http::Uri;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tonic::body::Body;
use tonic::{Code, Request, Status};
use tonic_types::StatusExt;
use uuid::Uuid;

use crate::{Call, Error, Head, Resource, RunError, Service, ServiceConfig, Storage, StoreConfig};

pub use plans::{Plans, Variant};
pub use statements::check_statements;
pub use walls::check_walls;

pub type Http = Client<HttpConnector, Body>;

/// What the service keeps.
pub const fn storage(service: &Service) -> &Storage {
    service.storage().expect("the service keeps records")
}

/// The message of a record.
pub fn show<R: Resource>(fields: R::Fields, head: &Head) -> Result<R::Message, Error> {
    crate::resource::show::<R>(fields, head)
}

/// An empty, migrated database.
pub async fn database(service: &'static Service) -> TestDatabase {
    let setup = move |url: String| async move { service.migrate(&url, None).await };
    testing::template_database(service.name, setup).await.unwrap().database().await.unwrap()
}

/// The pool that the service would use.
pub async fn pool(service: &Service, database: &TestDatabase) -> Database {
    Database::connect(&Settings::new(database.url_as(storage(service).role, ""))).await.unwrap()
}

/// Private keys, and what knows the public ones.
#[derive(Clone)]
struct Keys {
    users: String,
    services: String,
    verifier: Verifier,
}

impl Keys {
    fn generate() -> Self {
        let ((users, users_public), (services, services_public)) =
            (Signer::generate_pem().unwrap(), Signer::generate_pem().unwrap());
        let verifier = Verifier::from_pem(&users_public).unwrap().and_services(&services_public).unwrap();
        Self { users, services, verifier }
    }
}

/// A running service and who calls it.
pub struct Process {
    pub address: SocketAddr,
    pub admin: SocketAddr,
    keys: Keys,
    shutdown: CancellationToken,
    running: JoinHandle<Result<(), RunError>>,
}

impl Process {
    pub async fn start(service: &'static Service, database_url: &str, redis_url: &str) -> Self {
        let store = StoreConfig::new(database_url.parse().unwrap(), redis_url.parse().unwrap());
        Self::start_as(service, store.into()).await
    }

    pub async fn start_as(service: &'static Service, config: ServiceConfig) -> Self {
        Self::start_with(service, config, Keys::generate()).await
    }

    /// Another one, which believes the same tokens.
    pub async fn beside(&self, service: &'static Service, config: ServiceConfig) -> Self {
        Self::start_with(service, config, self.keys.clone()).await
    }

    async fn start_with(service: &'static Service, mut config: ServiceConfig, keys: Keys) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let admin_listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, admin) = (listener.local_addr().unwrap(), admin_listener.local_addr().unwrap());
        config.server.drain_grace = Duration::from_millis(10);
        let own = || ServiceSigner::from_pem(&keys.services, service.name).unwrap();
        config.signer.get_or_insert_with(own);
        let shutdown = CancellationToken::new();
        let verifier = keys.verifier.clone();
        let running = tokio::spawn(service.serve(config, verifier, listener, admin_listener, shutdown.clone()));
        Self { address, admin, keys, shutdown, running }
    }

    /// Who speaks for `tenant` in `role`.
    pub fn caller(&self, tenant: &str, role: Role) -> Caller {
        self.caller_as("ada", tenant, role)
    }

    /// The same, of somebody else than `ada`.
    pub fn caller_as(&self, subject: &str, tenant: &str, role: Role) -> Caller {
        let (subject, tenant) = (subject.to_owned(), tenant.to_owned());
        let request = TokenRequest { subject, tenant, role, ttl: Duration::from_secs(600) };
        let signer = Signer::from_pem(&self.keys.users).unwrap();
        self.calls_with(format!("Bearer {}", signer.sign(&request).unwrap()))
    }

    /// Another service, which works for `tenant` without a caller.
    pub fn service(&self, name: &str, tenant: &str) -> Caller {
        let signer = ServiceSigner::from_pem(&self.keys.services, name).unwrap();
        let authorization = signer.authorization(tenant_id(tenant)).unwrap();
        self.calls_with(authorization.to_str().unwrap().to_owned())
    }

    fn calls_with(&self, authorization: String) -> Caller {
        let mut connector = HttpConnector::new();
        // Small requests would else wait for acknowledgements of earlier ones.
        connector.set_nodelay(true);
        let http = Client::builder(TokioExecutor::new()).http2_only(true).build(connector);
        Caller { http, origin: format!("http://{}", self.address).parse().unwrap(), authorization }
    }

    pub async fn stop(self) {
        self.shutdown.cancel();
        self.end().await.unwrap();
    }

    /// Ends it in the middle of whatever it does.
    pub fn kill(self) {
        self.running.abort();
    }

    /// Waits until it has ended by itself, at most 30 s.
    pub async fn end(self) -> Result<(), RunError> {
        tokio::time::timeout(Duration::from_secs(30), self.running).await.unwrap().unwrap()
    }
}

/// Somebody with a token, and what the generated clients are made of.
#[derive(Clone)]
pub struct Caller {
    pub http: Http,
    pub origin: Uri,
    pub authorization: String,
}

impl Caller {
    pub fn request<T>(&self, message: T) -> Request<T> {
        let mut request = Request::new(message);
        request.metadata_mut().insert("authorization", self.authorization.parse().unwrap());
        request
    }
}

pub fn field_mask(paths: &[&str]) -> Option<prost_types::FieldMask> {
    let paths: Vec<String> = paths.iter().map(|path| (*path).to_owned()).collect();
    (!paths.is_empty()).then_some(prost_types::FieldMask { paths })
}

/// A call that nobody made: of the agent `ada`, who waits for ever.
pub fn call(tenant: Uuid) -> Call {
    let (subject, tenant_name) = ("ada".to_owned(), tenant.to_string());
    let expires_at = std::time::SystemTime::now() + Duration::from_secs(3_600);
    let caller = Claims { subject, tenant, tenant_name, role: Role::Agent, expires_at };
    Call { tenant, caller: Arc::new(caller), deadline: None }
}

/// The code and the reason of a refusal.
pub fn refusal<T: std::fmt::Debug>(answer: Result<T, Status>) -> (Code, String) {
    let status = answer.unwrap_err();
    let reason = status.get_error_details().error_info().map(|info| info.reason.clone());
    (status.code(), reason.unwrap_or_default())
}

pub fn refused(code: Code, reason: &str) -> (Code, String) {
    (code, reason.to_owned())
}

/// The fields at fault, in their order.
pub fn violations<T: std::fmt::Debug>(answer: Result<T, Status>) -> Vec<String> {
    let status = answer.unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument, "{status:?}");
    let details = status.get_error_details();
    let violations = details.bad_request().map(|bad| bad.field_violations.clone()).unwrap_or_default();
    violations.into_iter().map(|violation| violation.field).collect()
}

/// Waits until `condition` holds, at most 10 s.
pub async fn eventually<F: Future<Output = bool>>(what: &str, mut condition: impl FnMut() -> F) {
    for _ in 0..500 {
        if condition().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("{what} has not happened");
}

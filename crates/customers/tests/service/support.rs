//! A service of its own for each test: database from a template, Redis database, ports, keys.

use std::net::SocketAddr;
use std::time::Duration;

use crm_customers::app;
use crm_customers::config::ServiceConfig;
use crm_database::{Database, Settings};
use crm_proto::customers::account_service_client::AccountServiceClient;
use crm_proto::customers::contact_service_client::ContactServiceClient;
use crm_proto::customers::{self as pb};
use crm_sandbox::testing::{self, TestDatabase};
use crm_server::token::{Role, Signer, TokenRequest, Verifier, tenant_id};
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

pub type Http = Client<HttpConnector, Body>;

/// An empty, migrated database.
pub async fn database() -> TestDatabase {
    let setup = |url: String| async move { app::migrate(&url, None).await };
    testing::template_database("customers", setup).await.unwrap().database().await.unwrap()
}

/// The pool that the service would use.
pub async fn pool(database: &TestDatabase) -> Database {
    Database::connect(&Settings::new(database.url_as(app::ROLE, ""))).await.unwrap()
}

pub fn tenant() -> Uuid {
    tenant_id("acme")
}

/// A running service and who calls it.
pub struct Service {
    pub address: SocketAddr,
    pub admin: SocketAddr,
    signer: Signer,
    shutdown: CancellationToken,
    running: JoinHandle<Result<(), app::RunError>>,
}

impl Service {
    pub async fn start(database_url: &str, redis_url: &str) -> Self {
        Self::start_as(ServiceConfig::new(database_url.parse().unwrap(), redis_url.parse().unwrap())).await
    }

    pub async fn start_as(mut config: ServiceConfig) -> Self {
        let (private, public) = Signer::generate_pem().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let admin_listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, admin) = (listener.local_addr().unwrap(), admin_listener.local_addr().unwrap());
        config.server.drain_grace = Duration::from_millis(10);
        let shutdown = CancellationToken::new();
        let verifier = Verifier::from_pem(&public).unwrap();
        let running = tokio::spawn(app::serve(config, verifier, listener, admin_listener, shutdown.clone()));
        Self { address, admin, signer: Signer::from_pem(&private).unwrap(), shutdown, running }
    }

    /// A client that speaks for `tenant` in `role`.
    pub fn caller(&self, tenant: &str, role: Role) -> Caller {
        let request =
            TokenRequest { subject: "ada".to_owned(), tenant: tenant.to_owned(), role, ttl: Duration::from_secs(600) };
        let authorization = format!("Bearer {}", self.signer.sign(&request).unwrap());
        let mut connector = HttpConnector::new();
        // Small requests would else wait for acknowledgements of earlier ones.
        connector.set_nodelay(true);
        let http = Client::builder(TokioExecutor::new()).http2_only(true).build(connector);
        let origin: http::Uri = format!("http://{}", self.address).parse().unwrap();
        Caller {
            accounts: AccountServiceClient::with_origin(http.clone(), origin.clone()),
            contacts: ContactServiceClient::with_origin(http, origin),
            authorization,
        }
    }

    pub async fn stop(self) {
        self.shutdown.cancel();
        self.end().await.unwrap();
    }

    /// Waits until it has ended by itself, at most 30 s.
    pub async fn end(self) -> Result<(), app::RunError> {
        tokio::time::timeout(Duration::from_secs(30), self.running).await.unwrap().unwrap()
    }
}

/// A service with everything of its own, and an agent of the tenant `acme`.
pub struct World {
    pub database: TestDatabase,
    pub service: Service,
    pub agent: Caller,
}

pub async fn world() -> World {
    let database = database().await;
    let redis_url = testing::redis().await.unwrap();
    let service = Service::start(&database.url_as(app::ROLE, ""), &redis_url).await;
    let agent = service.caller("acme", Role::Agent);
    World { database, service, agent }
}

#[derive(Clone)]
pub struct Caller {
    pub accounts: AccountServiceClient<Http>,
    pub contacts: ContactServiceClient<Http>,
    pub authorization: String,
}

/// Calls one method of a client: `call!(caller, accounts.get_account(message))`.
macro_rules! call {
    ($caller:expr, $service:ident . $method:ident ($message:expr)) => {{
        let caller = &$caller;
        let answer = caller.$service.clone().$method(caller.request($message)).await;
        answer.map(tonic::Response::into_inner)
    }};
}
pub(crate) use call;

impl Caller {
    pub fn request<T>(&self, message: T) -> Request<T> {
        let mut request = Request::new(message);
        request.metadata_mut().insert("authorization", self.authorization.parse().unwrap());
        request
    }

    pub async fn create_account(&self, account: pb::Account) -> Result<pb::Account, Status> {
        let request_id = Uuid::new_v4().to_string();
        call!(self, accounts.create_account(pb::CreateAccountRequest { account: Some(account), request_id }))
    }

    pub async fn create_contact(&self, contact: pb::Contact) -> Result<pb::Contact, Status> {
        let request_id = Uuid::new_v4().to_string();
        call!(self, contacts.create_contact(pb::CreateContactRequest { contact: Some(contact), request_id }))
    }

    pub async fn get_account(&self, id: &str) -> Result<pb::Account, Status> {
        call!(self, accounts.get_account(pb::GetAccountRequest { id: id.to_owned() }))
    }

    pub async fn get_contact(&self, id: &str) -> Result<pb::Contact, Status> {
        call!(self, contacts.get_contact(pb::GetContactRequest { id: id.to_owned() }))
    }

    pub async fn update_account(&self, account: pb::Account, mask: &[&str]) -> Result<pb::Account, Status> {
        let update_mask = field_mask(mask);
        call!(self, accounts.update_account(pb::UpdateAccountRequest { account: Some(account), update_mask }))
    }

    pub async fn update_contact(&self, contact: pb::Contact, mask: &[&str]) -> Result<pb::Contact, Status> {
        let update_mask = field_mask(mask);
        call!(self, contacts.update_contact(pb::UpdateContactRequest { contact: Some(contact), update_mask }))
    }

    pub async fn delete_account(&self, id: &str, etag: &str) -> Result<pb::Account, Status> {
        call!(self, accounts.delete_account(pb::DeleteAccountRequest { id: id.to_owned(), etag: etag.to_owned() }))
    }

    pub async fn undelete_account(&self, id: &str) -> Result<pb::Account, Status> {
        let request = pb::UndeleteAccountRequest { id: id.to_owned(), etag: String::new() };
        call!(self, accounts.undelete_account(request))
    }

    pub async fn delete_contact(&self, id: &str, etag: &str) -> Result<pb::Contact, Status> {
        call!(self, contacts.delete_contact(pb::DeleteContactRequest { id: id.to_owned(), etag: etag.to_owned() }))
    }

    pub async fn undelete_contact(&self, id: &str) -> Result<pb::Contact, Status> {
        let request = pb::UndeleteContactRequest { id: id.to_owned(), etag: String::new() };
        call!(self, contacts.undelete_contact(request))
    }
}

fn field_mask(paths: &[&str]) -> Option<prost_types::FieldMask> {
    let paths: Vec<String> = paths.iter().map(|path| (*path).to_owned()).collect();
    (!paths.is_empty()).then_some(prost_types::FieldMask { paths })
}

pub fn account(name: &str) -> pb::Account {
    pb::Account { name: name.to_owned(), ..Default::default() }
}

pub fn contact(account_id: &str, family_name: &str) -> pb::Contact {
    pb::Contact { account_id: account_id.to_owned(), family_name: family_name.to_owned(), ..Default::default() }
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

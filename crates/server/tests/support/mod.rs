//! A whole server in this process, and clients for it.

use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use crm_proto::activities::{GetTimelineRequest, GetTimelineResponse};
use crm_proto::customers::account_service_client::AccountServiceClient;
use crm_proto::customers::account_service_server::{AccountService, AccountServiceServer};
use crm_proto::customers::*;
use crm_proto::merges::{MergeRequest, UnmergeRequest};
use crm_server::caller::{caller, deadline};
use crm_server::process::{ServerSettings, serve_grpc};
use crm_server::readiness::Readiness;
use crm_server::services::Services;
use crm_server::stack::{self, StackSettings};
use crm_server::token::{Role, ServiceSigner, Signer, TokenRequest, Verifier, tenant_id};
use futures_util::{Stream, StreamExt, stream};
use http::{Request, Response, Uri};
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tonic::body::Body;
use tonic::metadata::MetadataValue;
use tonic::{Status, async_trait};
use tower::Service;
use tower::util::BoxCloneService;

pub(crate) type Channel = BoxCloneService<Request<Body>, Response<Incoming>, hyper::Error>;

/// How long a slow call takes.
pub(crate) const SLOW: Duration = Duration::from_millis(800);

/// A service whose answers are told by what it is asked for.
struct Fake {
    slow_has_begun: Arc<Notify>,
}

type Answer<T> = Result<tonic::Response<T>, Status>;

fn named(name: impl Into<String>) -> Answer<Account> {
    Ok(tonic::Response::new(Account { name: name.into(), ..Account::default() }))
}

#[async_trait]
impl AccountService for Fake {
    type ExportAccountsStream = Pin<Box<dyn Stream<Item = Result<Account, Status>> + Send>>;

    async fn get_account(&self, request: tonic::Request<GetAccountRequest>) -> Answer<Account> {
        match request.get_ref().id.as_str() {
            "hang" => std::future::pending().await,
            "slow" => {
                self.slow_has_begun.notify_one();
                tokio::time::sleep(SLOW).await;
                named("slow")
            }
            "panic" => panic!("on purpose"),
            "deadline" => {
                let left = deadline(&request).map(|deadline| deadline.duration_since(Instant::now()));
                named(left.map_or("none".to_owned(), |left| left.as_millis().to_string()))
            }
            _ => {
                let claims = caller(&request)?;
                named(format!("{} {} {}", claims.subject, claims.tenant_name, claims.role))
            }
        }
    }

    async fn export_accounts(
        &self,
        request: tonic::Request<ExportAccountsRequest>,
    ) -> Answer<Self::ExportAccountsStream> {
        let first = stream::iter([Ok(Account::default())]);
        let rest: Self::ExportAccountsStream = match request.get_ref().filter.as_str() {
            "hang" => Box::pin(stream::pending()),
            // After a pause, in which tonic sends what it has.
            _ => Box::pin(stream::once(async {
                tokio::task::yield_now().await;
                panic!("on purpose")
            })),
        };
        Ok(tonic::Response::new(Box::pin(first.chain(rest))))
    }

    async fn create_account(&self, _: tonic::Request<CreateAccountRequest>) -> Answer<Account> {
        named("created")
    }

    async fn batch_get_accounts(&self, _: tonic::Request<BatchGetAccountsRequest>) -> Answer<BatchGetAccountsResponse> {
        Err(Status::unimplemented(""))
    }

    async fn list_accounts(&self, _: tonic::Request<ListAccountsRequest>) -> Answer<ListAccountsResponse> {
        Err(Status::unimplemented(""))
    }

    async fn update_account(&self, _: tonic::Request<UpdateAccountRequest>) -> Answer<Account> {
        named("updated")
    }

    async fn delete_account(&self, _: tonic::Request<DeleteAccountRequest>) -> Answer<Account> {
        named("deleted")
    }

    async fn undelete_account(&self, _: tonic::Request<UndeleteAccountRequest>) -> Answer<Account> {
        named("undeleted")
    }

    async fn get_account_history(
        &self,
        _: tonic::Request<GetAccountHistoryRequest>,
    ) -> Answer<GetAccountHistoryResponse> {
        Err(Status::unimplemented(""))
    }

    async fn reassign_accounts(
        &self,
        _: tonic::Request<ReassignAccountsRequest>,
    ) -> Answer<crm_proto::operations::Operation> {
        Err(Status::unimplemented(""))
    }

    async fn merge_account(&self, _: tonic::Request<MergeRequest>) -> Answer<crm_proto::operations::Operation> {
        Err(Status::unimplemented(""))
    }

    async fn unmerge_account(&self, _: tonic::Request<UnmergeRequest>) -> Answer<crm_proto::operations::Operation> {
        Err(Status::unimplemented(""))
    }

    async fn get_timeline(&self, _: tonic::Request<GetTimelineRequest>) -> Answer<GetTimelineResponse> {
        Err(Status::unimplemented(""))
    }
}

pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    pub(crate) readiness: Readiness,
    pub(crate) shutdown: CancellationToken,
    pub(crate) done: JoinHandle<std::io::Result<()>>,
    /// Told when the handler of a slow call runs.
    pub(crate) slow_has_begun: Arc<Notify>,
    signer: Signer,
    service: ServiceSigner,
}

impl Server {
    pub(crate) async fn start() -> Self {
        Self::with(StackSettings::default(), ServerSettings::default()).await
    }

    pub(crate) async fn with(layers: StackSettings, settings: ServerSettings) -> Self {
        let (private, public) = Signer::generate_pem().unwrap();
        let slow_has_begun = Arc::new(Notify::new());
        let fake = AccountServiceServer::new(Fake { slow_has_begun: Arc::clone(&slow_has_begun) });
        let services = Services::new(crm_proto::DESCRIPTORS).unwrap().add(fake);
        let (of_services, known) = Signer::generate_pem().unwrap();
        let verifier = Verifier::from_pem(&public).unwrap().and_services(&known).unwrap();
        let (service, readiness) = stack::build(services, &layers, verifier).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let shutdown = CancellationToken::new();
        let (ready, stop) = (readiness.clone(), shutdown.clone());
        let done = tokio::spawn(async move { serve_grpc(&settings, listener, service, ready, stop).await });
        let signer = Signer::from_pem(&private).unwrap();
        let service = ServiceSigner::from_pem(&of_services, "sales").unwrap();
        let server = Self { address, readiness, shutdown, done, slow_has_begun, signer, service };
        within(|| async { server.readiness.is_ready() }).await;
        server
    }

    pub(crate) fn token(&self, role: Role) -> String {
        self.token_of("acme", role)
    }

    fn token_of(&self, tenant: &str, role: Role) -> String {
        if role == Role::Service {
            let value = self.service.authorization(tenant_id(tenant)).unwrap();
            return value.to_str().unwrap().trim_start_matches("Bearer ").to_owned();
        }
        let request =
            TokenRequest { subject: "ada".to_owned(), tenant: tenant.to_owned(), role, ttl: Duration::from_secs(60) };
        self.signer.sign(&request).unwrap()
    }

    /// A request of another tenant's agent.
    pub(crate) fn request_of<T>(&self, tenant: &str, message: T) -> tonic::Request<T> {
        let mut request = tonic::Request::new(message);
        let value: MetadataValue<_> = format!("Bearer {}", self.token_of(tenant, Role::Agent)).parse().unwrap();
        request.metadata_mut().insert("authorization", value);
        request
    }

    pub(crate) fn request<T>(&self, role: Role, message: T) -> tonic::Request<T> {
        let mut request = tonic::Request::new(message);
        let value: MetadataValue<_> = format!("Bearer {}", self.token(role)).parse().unwrap();
        request.metadata_mut().insert("authorization", value);
        request
    }

    pub(crate) fn get(&self, id: &str) -> tonic::Request<GetAccountRequest> {
        self.request(Role::Agent, GetAccountRequest { id: id.to_owned() })
    }

    pub(crate) async fn channel(&self) -> Channel {
        connect(self.address).await.unwrap()
    }

    pub(crate) async fn client(&self) -> AccountServiceClient<Channel> {
        AccountServiceClient::with_origin(self.channel().await, self.origin())
    }

    pub(crate) fn origin(&self) -> Uri {
        format!("http://{}", self.address).parse().unwrap()
    }
}

/// One HTTP/2 connection.
pub(crate) async fn connect(address: SocketAddr) -> std::io::Result<Channel> {
    let io = TokioIo::new(TcpStream::connect(address).await?);
    let (sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), io).await.map_err(std::io::Error::other)?;
    tokio::spawn(connection);
    Ok(BoxCloneService::new(tower::service_fn(move |request: Request<Body>| {
        let mut sender = sender.clone();
        async move { sender.send_request(request).await }
    })))
}

/// A call without any generated code: its status, wherever it stands.
pub(crate) async fn raw(channel: &mut Channel, request: Request<Body>) -> Status {
    use http_body_util::BodyExt;
    let response = channel.call(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let trailers = body.collect().await.unwrap().trailers().cloned().unwrap_or_default();
    Status::from_header_map(&parts.headers).or_else(|| Status::from_header_map(&trailers)).expect("a status")
}

/// Polls until true, for 5 seconds at most.
pub(crate) async fn within<F: Future<Output = bool>>(condition: impl Fn() -> F) {
    for _ in 0..500 {
        if condition().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("the condition did not become true");
}

pub(crate) fn value(series: &str) -> f64 {
    let text = crm_telemetry::metrics_text();
    text.lines().find_map(|line| line.strip_prefix(series)).map_or(0.0, |value| value.trim().parse().unwrap())
}

/// The reason in the status's ErrorInfo.
pub(crate) fn reason(status: &Status) -> String {
    use tonic_types::StatusExt;
    status.get_details_error_info().map(|info| info.reason).unwrap_or_default()
}

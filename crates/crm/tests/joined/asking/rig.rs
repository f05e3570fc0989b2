//! A gateway, two replicas of a service that asks, and two of one that is asked: all on the platform's own stacks, with
//! handlers that do as they are told and count.

use std::marker::PhantomData;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use ::http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use bytes::Bytes;
use crm_balance::Discovery;
use crm_gateway::{Config, Listeners, PublicKeys};
use crm_resource::peers::{Peer, PeerClient, Peers};
use crm_server::process::{ServerSettings, serve_grpc};
use crm_server::services::Services;
use crm_server::stack::{self, StackSettings};
use crm_server::token::{Role, ServiceSigner, Signer, TokenRequest, Verifier};
use futures_util::future::BoxFuture;
use http_body_util::{BodyExt, Full};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tonic::Status;
use tonic::body::Body;
use tonic::codegen::Service;
use tonic::server::NamedService;

use crate::http::{Answer, send_with};
use crate::support::{json, listen};

pub(super) const CUSTOMERS: Peer = Peer { name: "customers", addresses_setting: "CRM_CUSTOMERS_ADDRESSES" };

/// What a replica does with a call.
pub(super) type Handler = Arc<dyn Fn(tonic::Request<Body>) -> BoxFuture<'static, Result<(), Status>> + Send + Sync>;

/// Whose methods a replica answers.
#[derive(Clone)]
struct Asks;
#[derive(Clone)]
struct IsAsked;

impl NamedService for Answers<Asks> {
    const NAME: &'static str = "crm.customers.v1.ContactService";
}

impl NamedService for Answers<IsAsked> {
    const NAME: &'static str = "crm.customers.v1.AccountService";
}

/// Answers each method with an empty message.
#[derive(Clone)]
struct Answers<Of> {
    handler: Handler,
    seen: Arc<Seen>,
    of: PhantomData<Of>,
}

/// What has come in.
#[derive(Default)]
pub(super) struct Seen {
    calls: AtomicUsize,
    pub(super) heads: Mutex<Vec<HeaderMap>>,
}

impl<Of> Service<Request<Body>> for Answers<Of> {
    type Response = Response<Body>;
    type Error = std::convert::Infallible;
    type Future = BoxFuture<'static, Result<Response<Body>, Self::Error>>;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        self.seen.calls.fetch_add(1, Ordering::SeqCst);
        self.seen.heads.lock().unwrap().push(request.headers().clone());
        let handled = (self.handler)(tonic::Request::from_http(request));
        Box::pin(async move { Ok(handled.await.map_or_else(Status::into_http, |()| empty_message())) })
    }
}

fn empty_message() -> Response<Body> {
    let trailers = HeaderMap::from_iter([("grpc-status".parse().unwrap(), HeaderValue::from_static("0"))]);
    let body = Full::new(Bytes::from_static(&[0; 5])).with_trailers(std::future::ready(Some(Ok(trailers))));
    let body = Body::new(body.map_err(|never: std::convert::Infallible| match never {}));
    Response::builder().header("content-type", "application/grpc").body(body).unwrap()
}

pub(super) struct Replica {
    pub(super) address: SocketAddr,
    pub(super) seen: Arc<Seen>,
    stop: CancellationToken,
    done: JoinHandle<()>,
}

impl Replica {
    async fn start<Of: Clone + Send + Sync + 'static>(handler: Handler, verifier: Verifier) -> Self
    where
        Answers<Of>: NamedService,
    {
        let listener = listen().await;
        let (address, seen, stop) =
            (listener.local_addr().unwrap(), Arc::new(Seen::default()), CancellationToken::new());
        let answers = Answers { handler, seen: Arc::clone(&seen), of: PhantomData::<Of> };
        let services = Services::new(crm_proto::DESCRIPTORS).unwrap().add(answers);
        let (service, readiness) = stack::build(services, &StackSettings::default(), verifier).unwrap();
        let settings = ServerSettings { drain_grace: Duration::from_millis(10), ..ServerSettings::default() };
        let until = stop.clone();
        let served = async move { serve_grpc(&settings, listener, service, readiness, until).await.unwrap() };
        Self { address, seen, stop, done: tokio::spawn(served) }
    }

    pub(super) fn calls(&self) -> usize {
        self.seen.calls.load(Ordering::SeqCst)
    }

    /// Nobody listens there any more.
    pub(super) async fn end(&mut self) {
        self.stop.cancel();
        (&mut self.done).await.unwrap();
    }
}

impl Drop for Replica {
    fn drop(&mut self) {
        self.done.abort();
    }
}

/// Gone when dropped.
pub(super) struct Rig {
    public: SocketAddr,
    control: SocketAddr,
    pub(super) asking: Vec<Replica>,
    pub(super) asked: Vec<Replica>,
    /// How each asking replica sees those that it asks.
    pub(super) clients: Vec<PeerClient>,
    pub(super) services: ServiceSigner,
    pub(super) authorization: String,
    gateway: JoinHandle<()>,
}

impl Drop for Rig {
    fn drop(&mut self) {
        self.gateway.abort();
    }
}

impl Rig {
    /// Two that are asked and do `asked`, and two that ask them as `asking` says.
    pub(super) async fn start(
        asked: Handler,
        asking: impl Fn(PeerClient, tonic::Request<Body>) -> BoxFuture<'static, Result<(), Status>>
        + Clone
        + Send
        + Sync
        + 'static,
    ) -> Self {
        let (users, users_public) = Signer::generate_pem().unwrap();
        let (services, services_public) = Signer::generate_pem().unwrap();
        let verifier = || Verifier::from_pem(&users_public).unwrap().and_services(&services_public).unwrap();
        let (mut behind, mut between, mut clients) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..2 {
            behind.push(Replica::start::<IsAsked>(Arc::clone(&asked), verifier()).await);
        }
        for _ in 0..2 {
            let addresses = Discovery::of(behind.iter().map(|replica| replica.address));
            let client = Peers::connect(&[(CUSTOMERS, addresses)]).client(&CUSTOMERS);
            let (asking, own) = (asking.clone(), client.clone());
            let handler: Handler = Arc::new(move |request| asking(own.clone(), request));
            between.push(Replica::start::<Asks>(handler, verifier()).await);
            clients.push(client);
        }
        let (public, control) = (listen().await, listen().await);
        let addresses = [public.local_addr().unwrap(), control.local_addr().unwrap()];
        let gateway = tokio::spawn(serve(config(users_public.clone(), &between), public, control));
        let request = TokenRequest {
            subject: "ada".to_owned(),
            tenant: "acme".to_owned(),
            role: Role::Agent,
            ttl: Duration::from_secs(600),
        };
        let authorization = format!("Bearer {}", Signer::from_pem(&users).unwrap().sign(&request).unwrap());
        let services = ServiceSigner::from_pem(&services, "sales").unwrap();
        let [public, control] = addresses;
        let rig = Self { public, control, asking: between, asked: behind, clients, services, authorization, gateway };
        rig.until_all_are_ready().await;
        rig
    }

    async fn until_all_are_ready(&self) {
        for _ in 0..1000 {
            let between = self.replicas().await;
            let behind: Vec<_> = self.clients.iter().flat_map(|client| client.upstream().replicas()).collect();
            let is_ready = |state: Value| state == "ready";
            let ready = between.iter().filter(|replica| is_ready(replica["state"].clone())).count();
            let behind = behind.into_iter().filter(|one| is_ready(serde_json::to_value(one.state).unwrap())).count();
            if (ready, behind) == (2, 4) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("not all are connected");
    }

    /// Those that ask, as the gateway sees them.
    pub(super) async fn replicas(&self) -> Vec<Value> {
        let answer = send_with(&self.control.to_string(), Method::GET, "/upstreams", Value::Null, &[]).await;
        answer
            .ok()
            .map_or_else(Vec::new, |answer| json(&answer)["upstreams"][0]["replicas"].as_array().unwrap().clone())
    }

    /// A read by a user, of what asks.
    pub(super) async fn call(&self, headers: &[(&str, &str)]) -> Answer {
        let headers = [&[("authorization", self.authorization.as_str())], headers].concat();
        send_with(&self.public.to_string(), Method::GET, "/v1/contacts/7", Value::Null, &headers).await.unwrap()
    }

    /// How often those that ask have been called, and those that are asked.
    pub(super) fn calls(&self) -> (usize, usize) {
        let sum = |replicas: &[Replica]| replicas.iter().map(Replica::calls).sum();
        (sum(&self.asking), sum(&self.asked))
    }

    /// Those that ask are blamed for nothing.
    pub(super) async fn check_nobody_ejected(&self) {
        for replica in self.replicas().await {
            assert_eq!((&replica["ejections"], &replica["state"]), (&0.into(), &"ready".into()), "{replica}");
        }
    }
}

fn config(key: String, between: &[Replica]) -> Config {
    let addresses: Vec<String> = between.iter().map(|replica| replica.address.to_string()).collect();
    let routes = format!("crm.customers.v1.ContactService={}", addresses.join(","));
    Config { routes: routes.parse().unwrap(), token_keys: Some(PublicKeys(key)), ..Config::default() }
}

async fn serve(config: Config, public: TcpListener, control: TcpListener) {
    let listeners = Listeners { control: Some(control), ..Listeners::public_only(public) };
    crm_gateway::serve(config, listeners, CancellationToken::new()).await.unwrap();
}

/// The reason that a user is told.
pub(super) fn reason(answer: &Answer) -> (StatusCode, String) {
    let details = json(answer)["details"].as_array().cloned().unwrap_or_default();
    let info = details.iter().find(|one| one["@type"].as_str().is_some_and(|kind| kind.ends_with("ErrorInfo")));
    (answer.status, info.and_then(|info| info["reason"].as_str()).unwrap_or_default().to_owned())
}

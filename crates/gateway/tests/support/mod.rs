//! A gateway in this process, in front of real servers on the loopback address.
#![allow(dead_code, unreachable_pub, reason = "each test file uses its part")]

pub mod echo;
pub mod fake;
pub mod web;
pub mod wire;

use std::{net::SocketAddr, sync::Arc, time::Duration};

use crm_gateway::{Config, Listeners, PublicKeys, serve};
use crm_proto::customers::{
    account_service_server::AccountServiceServer, contact_service_server::ContactServiceServer,
    operation_service_server::OperationServiceServer, table_service_server::TableServiceServer,
};
use crm_server::{
    process::{ServerSettings, serve_grpc},
    services::Services,
    stack::{self, StackSettings},
    token::{Role, Signer, TokenRequest, Verifier},
};
use fake::{Fake, Seen};
use hyper::server::conn::http2;
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    service::TowerToHyperService,
};
use tokio::{
    net::TcpListener,
    task::{JoinHandle, JoinSet},
};
use tokio_util::sync::CancellationToken;
use tonic::service::Routes;

/// One replica of the fake services; gone, with all its connections, when dropped.
pub struct Replica {
    pub address: SocketAddr,
    pub seen: Arc<Seen>,
    task: JoinHandle<()>,
}

impl Drop for Replica {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Replica {
    pub async fn start() -> Self {
        Self::start_at("127.0.0.1:0".parse().unwrap()).await
    }

    pub async fn start_at(address: SocketAddr) -> Self {
        let listener = TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap();
        let fake = Fake::default();
        let seen = Arc::clone(&fake.seen);
        Self { address, seen, task: tokio::spawn(serve_fake(listener, fake)) }
    }

    /// One that runs the platform's own server stack, and lets itself be broken.
    pub async fn start_breakable(public_key: &str) -> Self {
        let listener = listen().await;
        let address = listener.local_addr().unwrap();
        let fake = Fake::default();
        let seen = Arc::clone(&fake.seen);
        let services = Services::new(crm_proto::DESCRIPTORS).unwrap().add(AccountServiceServer::new(fake));
        let layers = StackSettings { faults: true, ..StackSettings::default() };
        let (service, readiness) = stack::build(services, &layers, Verifier::from_pem(public_key).unwrap()).unwrap();
        let task = tokio::spawn(async move {
            let (settings, endless) = (ServerSettings::default(), CancellationToken::new());
            serve_grpc(&settings, listener, service, readiness, endless).await.unwrap();
        });
        Self { address, seen, task }
    }
}

async fn serve_fake(listener: TcpListener, fake: Fake) {
    let limit = 32 << 20;
    let accounts = AccountServiceServer::new(fake.clone()).max_decoding_message_size(limit);
    let operations = OperationServiceServer::new(fake.clone());
    let tables = TableServiceServer::new(fake.clone());
    let routes = Routes::new(accounts)
        .add_service(operations)
        .add_service(tables)
        .add_service(ContactServiceServer::new(fake))
        .prepare();
    let mut connections = JoinSet::new();
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        stream.set_nodelay(true).unwrap();
        let fakes = TowerToHyperService::new(routes.clone());
        let service = hyper::service::service_fn(move |request: http::Request<hyper::body::Incoming>| {
            let fakes = fakes.clone();
            async move {
                match request.uri().path().starts_with("/peers.v1.Echo/") {
                    true => echo::echo(request).await,
                    false if request.headers().contains_key(echo::ASKED) => Ok(echo::with_metadata()),
                    false => hyper::service::Service::call(&fakes, request).await,
                }
            }
        });
        connections.spawn(http2::Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(stream), service));
    }
}

/// A gateway, its replicas, and the key that its tokens are signed with.
pub struct Rig {
    pub public: SocketAddr,
    pub control: SocketAddr,
    pub admin: SocketAddr,
    pub replicas: Vec<Replica>,
    pub signer: Signer,
    pub shutdown: CancellationToken,
    pub served: JoinHandle<()>,
}

impl Drop for Rig {
    fn drop(&mut self) {
        self.served.abort();
    }
}

impl Rig {
    pub async fn start() -> Self {
        Self::start_with(1, |_| {}).await
    }

    /// With so many replicas, and a configuration that `adjust` has seen.
    pub async fn start_with(replicas: usize, adjust: impl FnOnce(&mut Config)) -> Self {
        let mut started = Vec::new();
        for _ in 0..replicas {
            started.push(Replica::start().await);
        }
        Self::start_before(started, Signer::generate_pem().unwrap(), adjust).await
    }

    /// With replicas that let themselves be broken, by a gateway that may or may not.
    pub async fn start_breakable(replicas: usize, allowed: bool) -> Self {
        let keys = Signer::generate_pem().unwrap();
        let mut started = Vec::new();
        for _ in 0..replicas {
            started.push(Replica::start_breakable(&keys.1).await);
        }
        Self::start_before(started, keys, |config| config.faults = allowed).await
    }

    async fn start_before(
        started: Vec<Replica>,
        (private, public_key): (String, String),
        adjust: impl FnOnce(&mut Config),
    ) -> Self {
        let addresses: Vec<String> = started.iter().map(|replica| replica.address.to_string()).collect();
        let routes = format!("crm.customers.v1={}|health=off", addresses.join(","));
        let mut config =
            Config { routes: routes.parse().unwrap(), token_keys: Some(PublicKeys(public_key)), ..Config::default() };
        adjust(&mut config);
        let signer = Signer::from_pem(&private).unwrap();
        let rig = Self::serve(config, started, signer).await;
        rig.wait_until_ready().await;
        rig
    }

    async fn serve(config: Config, replicas: Vec<Replica>, signer: Signer) -> Self {
        let [public, control, admin] = [listen().await, listen().await, listen().await];
        let shutdown = CancellationToken::new();
        let [public_at, control_at, admin_at] = [&public, &control, &admin].map(|socket| socket.local_addr().unwrap());
        let listeners = Listeners { public, control: Some(control), admin: Some(admin) };
        let stop = shutdown.clone();
        let served = tokio::spawn(async move { serve(config, listeners, stop).await.unwrap() });
        Self { public: public_at, control: control_at, admin: admin_at, replicas, signer, shutdown, served }
    }

    /// Until every replica is connected, so that no test depends on who was first.
    async fn wait_until_ready(&self) {
        let expected = self.replicas.len();
        eventually("all replicas are ready", async || {
            let answer = wire::rest(self.control, http::Method::GET, "/upstreams", &[], "").await;
            let replicas = answer.json()["upstreams"][0]["replicas"].clone();
            let states = replicas.as_array().cloned().unwrap_or_default();
            states.iter().filter(|replica| replica["state"] == "ready").count() >= expected
        })
        .await;
    }

    pub fn seen(&self) -> &Seen {
        &self.replicas[0].seen
    }

    pub fn token(&self) -> String {
        self.token_of(Role::Agent, Duration::from_secs(600))
    }

    pub fn token_of(&self, role: Role, ttl: Duration) -> String {
        token_by(&self.signer, role, ttl)
    }

    /// What an agent of another tenant shows.
    pub fn bearer_of(&self, tenant: &str) -> String {
        let ttl = Duration::from_secs(600);
        let request = TokenRequest { subject: "bob".into(), tenant: tenant.into(), role: Role::Agent, ttl };
        format!("Bearer {}", self.signer.sign(&request).unwrap())
    }

    /// A REST call with a token.
    pub async fn rest(&self, method: http::Method, path: &str, body: &str) -> wire::Answer {
        let bearer = format!("Bearer {}", self.token());
        wire::rest(self.public, method, path, &[("authorization", &bearer)], body.to_owned()).await
    }

    pub async fn get(&self, path: &str) -> wire::Answer {
        self.rest(http::Method::GET, path, "").await
    }
}

pub fn token_by(signer: &Signer, role: Role, ttl: Duration) -> String {
    let request = TokenRequest { subject: "ada".into(), tenant: "acme".into(), role, ttl };
    signer.sign(&request).unwrap()
}

/// A gRPC request with a token.
pub fn with_token<T>(message: T, token: &str) -> tonic::Request<T> {
    let mut request = tonic::Request::new(message);
    request.metadata_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
    request
}

async fn listen() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").await.unwrap()
}

/// Asks until it is so; fails after ten seconds.
pub async fn eventually(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    for _ in 0..1000 {
        if is_so().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("not within ten seconds: {what}");
}

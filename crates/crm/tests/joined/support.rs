//! A gateway, one replica of each service behind it, and who calls them over REST.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::Duration;

use ::http::{Method, StatusCode};
use crm_balance::Discovery;
use crm_gateway::{Config, Listeners, PublicKeys};
use crm_resource::{Service, ServiceConfig, StoreConfig};
use crm_sandbox::testing::{self, TestDatabase};
use crm_server::token::{Role, ServiceSigner, Signer, TokenRequest, Verifier};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::http::{Answer, send_with};
use crate::samples::updates;
use crate::table;

/// Gone when dropped.
pub(crate) struct Joined {
    public: SocketAddr,
    signer: Signer,
    authorization: String,
    _running: JoinSet<()>,
    _databases: Vec<TestDatabase>,
}

impl Joined {
    pub(crate) async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    /// With a gateway whose configuration `adjust` has seen.
    pub(crate) async fn start_with(adjust: impl FnOnce(&mut Config)) -> Self {
        let (private, public_key) = Signer::generate_pem().unwrap();
        let services = Signer::generate_pem().unwrap();
        let mut running = JoinSet::new();
        let (mut databases, mut routes, mut known) = (Vec::new(), Vec::new(), HashMap::new());
        for service in table::ALL {
            let (database, replica) = serve(service, (&public_key, &services), &known, &mut running).await;
            databases.push(database);
            known.insert(service.name, replica);
            routes.push(format!("{}={replica}", service.package));
        }
        let listener = listen().await;
        let public = listener.local_addr().unwrap();
        let token_keys = Some(PublicKeys(public_key));
        let mut config = Config { routes: routes.join(";").parse().unwrap(), token_keys, ..Config::default() };
        adjust(&mut config);
        let served = crm_gateway::serve(config, Listeners::public_only(listener), CancellationToken::new());
        running.spawn(async move { served.await.unwrap() });
        let signer = Signer::from_pem(&private).unwrap();
        let joined = Self {
            public,
            authorization: authorization(&signer, "acme", Role::Admin),
            signer,
            _running: running,
            _databases: databases,
        };
        joined.wait_until_it_answers().await;
        joined.define_attributes("acme").await;
        joined
    }

    /// Each service is ready when it is, so a list of each is waited for.
    async fn wait_until_it_answers(&self) {
        for (collection, _) in updates() {
            self.wait_until_it_lists(&collection).await;
        }
    }

    async fn wait_until_it_lists(&self, collection: &str) {
        for _ in 0..1000 {
            if self.call(Method::GET, collection, &[], Value::Null).await.status == StatusCode::OK {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("{collection} is not answered");
    }

    /// Attributes that the samples of all resources have.
    pub(crate) async fn define_attributes(&self, tenant: &str) {
        for (service, resource) in
            [("customers", "accounts"), ("customers", "contacts"), ("sales", "products"), ("sales", "opportunities")]
        {
            for (key, kind) in [("note", "TYPE_TEXT"), ("size", "TYPE_NUMBER"), ("since", "TYPE_DATE")] {
                let body = json!({"resource": resource, "key": key, "type": kind, "displayName": key});
                let path = format!("/v1/attributeDefinitions/{service}?requestId={}", Uuid::new_v4());
                let answer = self.call_as(tenant, Role::Admin, Method::POST, &path, body).await;
                assert_eq!(answer.status, StatusCode::OK, "{}", text(&answer));
            }
        }
    }

    /// Where REST's callers find it.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.public)
    }

    /// The administrator's token.
    pub(crate) fn token(&self) -> String {
        self.authorization.trim_start_matches("Bearer ").to_owned()
    }

    /// A call as an administrator of `acme`.
    pub(crate) async fn call(&self, method: Method, path: &str, headers: &[(&str, &str)], body: Value) -> Answer {
        let headers = [&[("authorization", self.authorization.as_str())], headers].concat();
        send_with(&self.public.to_string(), method, path, body, &headers).await.unwrap()
    }

    /// A call as somebody else.
    pub(crate) async fn call_as(&self, tenant: &str, role: Role, method: Method, path: &str, body: Value) -> Answer {
        let authorization = authorization(&self.signer, tenant, role);
        let headers = [("authorization", authorization.as_str())];
        send_with(&self.public.to_string(), method, path, body, &headers).await.unwrap()
    }

    /// The JSON of a call that must go well.
    pub(crate) async fn json(&self, method: Method, path: &str, body: Value) -> Value {
        let answer = self.call(method.clone(), path, &[], body).await;
        assert_eq!(answer.status, StatusCode::OK, "{method} {path}: {}", text(&answer));
        json(&answer)
    }
}

pub(crate) fn text(answer: &Answer) -> String {
    String::from_utf8_lossy(&answer.body).into_owned()
}

pub(crate) fn json(answer: &Answer) -> Value {
    serde_json::from_slice(&answer.body).unwrap()
}

fn authorization(signer: &Signer, tenant: &str, role: Role) -> String {
    let (subject, tenant) = ("ada".to_owned(), tenant.to_owned());
    format!("Bearer {}", signer.sign(&TokenRequest { subject, tenant, role, ttl: Duration::from_secs(600) }).unwrap())
}

/// Asks those that are known.
async fn serve(
    service: &'static Service,
    (public_key, (own, services)): (&str, &(String, String)),
    known: &HashMap<&str, SocketAddr>,
    running: &mut JoinSet<()>,
) -> (TestDatabase, SocketAddr) {
    let setup = |url: String| async move { service.migrate(&url, None).await };
    let database = testing::template_database(service.name, setup).await.unwrap().database().await.unwrap();
    let redis_url = testing::redis().await.unwrap();
    let database_url = database.url_as(service.storage().unwrap().role, "");
    let config: ServiceConfig = StoreConfig::new(database_url.parse().unwrap(), redis_url.parse().unwrap()).into();
    let peers = service.asks.iter().map(|peer| (*peer, Discovery::Static(vec![known[peer.name].into()]))).collect();
    let signer = Some(ServiceSigner::from_pem(own, service.name).unwrap());
    let config = ServiceConfig { peers, signer, ..config };
    let (listener, admin) = (listen().await, listen().await);
    let address = listener.local_addr().unwrap();
    let verifier = Verifier::from_pem(public_key).unwrap().and_services(services).unwrap();
    let served = service.serve(config, verifier, listener, admin, CancellationToken::new());
    running.spawn(async move { served.await.unwrap() });
    (database, address)
}

pub(crate) async fn listen() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").await.unwrap()
}

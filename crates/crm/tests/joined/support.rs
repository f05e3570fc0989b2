//! A gateway, one replica of the customers service behind it, and who calls them over REST.

use std::net::SocketAddr;
use std::time::Duration;

use ::http::{Method, StatusCode};
use crm_customers::SERVICE;
use crm_gateway::{Config, Listeners, PublicKeys};
use crm_resource::ServiceConfig;
use crm_sandbox::testing::{self, TestDatabase};
use crm_server::token::{Role, Signer, TokenRequest, Verifier};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::http::{Answer, send_with};

/// Gone when dropped.
pub(crate) struct Joined {
    public: SocketAddr,
    authorization: String,
    _running: JoinSet<()>,
    _database: TestDatabase,
}

impl Joined {
    pub(crate) async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    /// With a gateway whose configuration `adjust` has seen.
    pub(crate) async fn start_with(adjust: impl FnOnce(&mut Config)) -> Self {
        let (private, public_key) = Signer::generate_pem().unwrap();
        let mut running = JoinSet::new();
        let (database, replica) = serve_customers(&public_key, &mut running).await;
        let listener = listen().await;
        let public = listener.local_addr().unwrap();
        let routes = format!("crm.customers.v1={replica}");
        let token_keys = Some(PublicKeys(public_key));
        let mut config = Config { routes: routes.parse().unwrap(), token_keys, ..Config::default() };
        adjust(&mut config);
        let served = crm_gateway::serve(config, Listeners::public_only(listener), CancellationToken::new());
        running.spawn(async move { served.await.unwrap() });
        let request = TokenRequest {
            subject: "ada".to_owned(),
            tenant: "acme".to_owned(),
            role: Role::Agent,
            ttl: Duration::from_secs(600),
        };
        let authorization = format!("Bearer {}", Signer::from_pem(&private).unwrap().sign(&request).unwrap());
        let joined = Self { public, authorization, _running: running, _database: database };
        joined.wait_until_it_answers().await;
        joined
    }

    async fn wait_until_it_answers(&self) {
        for _ in 0..1000 {
            if self.call(Method::GET, "/v1/accounts", &[], Value::Null).await.status == StatusCode::OK {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("the service does not answer");
    }

    /// Where REST's callers find it.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.public)
    }

    /// The agent's token.
    pub(crate) fn token(&self) -> String {
        self.authorization.trim_start_matches("Bearer ").to_owned()
    }

    /// A call as an agent.
    pub(crate) async fn call(&self, method: Method, path: &str, headers: &[(&str, &str)], body: Value) -> Answer {
        let headers = [&[("authorization", self.authorization.as_str())], headers].concat();
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

async fn serve_customers(public_key: &str, running: &mut JoinSet<()>) -> (TestDatabase, SocketAddr) {
    let setup = |url: String| async move { SERVICE.migrate(&url, None).await };
    let database = testing::template_database("customers", setup).await.unwrap().database().await.unwrap();
    let redis_url = testing::redis().await.unwrap();
    let database_url = database.url_as(SERVICE.stored.role, "");
    let config = ServiceConfig::new(database_url.parse().unwrap(), redis_url.parse().unwrap());
    let (listener, admin) = (listen().await, listen().await);
    let address = listener.local_addr().unwrap();
    let verifier = Verifier::from_pem(public_key).unwrap();
    let served = SERVICE.serve(config, verifier, listener, admin, CancellationToken::new());
    running.spawn(async move { served.await.unwrap() });
    (database, address)
}

async fn listen() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").await.unwrap()
}

//! Private servers, and one replica of customers: this program.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, bail};
use crm_customers::SERVICE;
use crm_proto::customers::account_service_client::AccountServiceClient;
use crm_proto::customers::change_service_client::ChangeServiceClient;
use crm_sandbox::child::{Child, Program};
use crm_sandbox::ports::{self, Reserved};
use crm_sandbox::{Postgres, PostgresSettings, Redis, RedisSettings};
use crm_server::token::{Role, Signer, TokenRequest};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tokio::net::TcpStream;
use tokio::time::sleep;
use tonic::Request;
use tonic::body::Body;

use crate::failure::Failure;
use crate::program;

const DATABASE: &str = "crm";

type Http = Client<HttpConnector, Body>;

/// Gone when dropped.
pub(super) struct Platform {
    child: Child,
    reserved: [Reserved; 2],
    authorization: String,
    _servers: (Postgres, Redis),
}

/// A connection, and who speaks over it.
#[derive(Clone)]
pub(super) struct Caller {
    pub(super) accounts: AccountServiceClient<Http>,
    pub(super) changes: ChangeServiceClient<Http>,
    authorization: String,
}

impl Caller {
    pub(super) fn request<T>(&self, message: T) -> Request<T> {
        let mut request = Request::new(message);
        if let Ok(value) = self.authorization.parse() {
            request.metadata_mut().insert("authorization", value);
        }
        request
    }
}

impl Platform {
    pub(super) async fn start(folder: &Path) -> Result<Self, Failure> {
        std::fs::create_dir_all(folder).context("cannot make a folder")?;
        let (postgres, redis) = servers(folder).await?;
        postgres.ensure_database(DATABASE).await.map_err(anyhow::Error::from)?;
        SERVICE.migrate(&postgres.url(DATABASE), None).await.map_err(anyhow::Error::from)?;
        let (private, public) = Signer::generate_pem().map_err(|error| anyhow::anyhow!("no key: {error}"))?;
        let key = folder.join("token-public.pem");
        std::fs::write(&key, public).context("cannot write a key")?;
        let signer = Signer::from_pem(&private).map_err(|error| anyhow::anyhow!("no key: {error}"))?;
        let (tenant, subject, ttl) = ("acme".to_owned(), "lab".to_owned(), Duration::from_secs(3_600));
        let token = signer.sign(&TokenRequest { tenant, subject, role: Role::Agent, ttl });
        let authorization = format!("Bearer {}", token.map_err(|error| anyhow::anyhow!("no token: {error}"))?);

        let reserve = || ports::reserve().context("no free port");
        let reserved = [reserve()?, reserve()?];
        let storage = SERVICE.storage().context("the service keeps no records")?;
        let mut command = program::this();
        command.args(["serve", SERVICE.name]).env_clear();
        command.env("CRM_LISTEN", reserved[0].address().to_string());
        command.env("CRM_ADMIN_LISTEN", reserved[1].address().to_string());
        command.env("CRM_TOKEN_PUBLIC_KEY_FILE", &key).env("RUST_LOG", "warn");
        command.env(storage.url_setting, postgres.url_as(storage.role, DATABASE)).env("CRM_REDIS_URL", redis.url());
        let child = Program::new(SERVICE.name, command).log(folder.join("customers.log"), 4 << 20).spawn();
        let child = child.map_err(anyhow::Error::from)?;
        let platform = Self { child, reserved, authorization, _servers: (postgres, redis) };
        platform.wait_until_it_answers().await?;
        Ok(platform)
    }

    /// A connection of its own.
    pub(super) fn caller(&self) -> Result<Caller, Failure> {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        let http = Client::builder(TokioExecutor::new()).http2_only(true).build(connector);
        let origin: http::Uri = format!("http://{}", self.address()).parse().context("no address")?;
        let accounts = AccountServiceClient::with_origin(http.clone(), origin.clone());
        let changes = ChangeServiceClient::with_origin(http, origin);
        Ok(Caller { accounts, changes, authorization: self.authorization.clone() })
    }

    /// What the process has in memory.
    pub(super) fn rss_kb(&self) -> Result<f64, Failure> {
        let status =
            std::fs::read_to_string(format!("/proc/{}/status", self.child.pid())).context("no memory figure")?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no memory figure")?;
        Ok(line.trim().trim_end_matches(" kB").parse().context("no memory figure")?)
    }

    fn address(&self) -> SocketAddr {
        self.reserved[0].address()
    }

    async fn wait_until_it_answers(&self) -> anyhow::Result<()> {
        for _ in 0..1_000 {
            if TcpStream::connect(self.reserved[1].address()).await.is_ok() {
                // Ready is a moment later, and the first call is tried until it is answered.
                return Ok(());
            }
            sleep(Duration::from_millis(20)).await;
        }
        bail!("customers did not become ready")
    }
}

async fn servers(folder: &Path) -> Result<(Postgres, Redis), Failure> {
    let (postgres, redis) = (folder.join("postgres"), folder.join("redis"));
    let start = move || {
        Ok((Postgres::start(&postgres, PostgresSettings::durable())?, Redis::start(&redis, RedisSettings::default())?))
    };
    let started: Result<_, crm_sandbox::Error> =
        tokio::task::spawn_blocking(start).await.map_err(|error| Failure::Other(error.into()))?;
    started.map_err(|error| match error {
        crm_sandbox::Error::Missing { .. } => Failure::Missing(error.to_string()),
        error => Failure::Other(error.into()),
    })
}

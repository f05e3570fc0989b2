//! The scratch platform: private servers, the schema, and a replica of customers while one is needed.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crm_sandbox::child::{Child, Program};
use crm_sandbox::ports::{self, Reserved};
use crm_sandbox::{Postgres, PostgresSettings, Redis, RedisSettings};
use crm_server::token::{Role, Signer, TokenRequest};
use sqlx::{Connection, PgConnection};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep};

use super::error::LabError;
use super::plan::Plan;

const DATABASE: &str = "crm";
const MAX_LOG_BYTES: u64 = 4 << 20;
const TOKEN_LIFETIME: Duration = Duration::from_secs(3 * 3600);

/// How to start the platform's own processes: the binary knows.
#[derive(Debug, Clone, Copy)]
pub struct Programs {
    /// Ends when the schemas are there.
    pub migrate: fn() -> Command,
    /// A replica of customers, configured by the environment.
    pub customers: fn() -> Command,
    /// The role that it has in the database.
    pub role: &'static str,
    /// The variable that tells it where the database is.
    pub url_setting: &'static str,
}

/// Where the private servers are.
#[derive(Debug, Clone)]
pub struct Servers {
    /// The database, as its owner.
    pub owner_url: String,
    /// The database, as the service.
    pub service_url: String,
    /// Redis.
    pub redis_url: String,
}

/// What all parts have in common.
pub(super) struct Stage<'a> {
    pub(super) plan: &'a Plan,
    pub(super) seed: u64,
    pub(super) servers: Servers,
    programs: Programs,
    folder: &'a Path,
    key: PathBuf,
    signer: Signer,
    _redis: Redis,
    _postgres: Postgres,
}

/// A process that serves the customers; gone when dropped.
pub(super) struct Replica {
    child: Child,
    reserved: [Reserved; 2],
}

impl<'a> Stage<'a> {
    /// Starts the servers; the schema is there then, and empty.
    pub(super) async fn start(
        plan: &'a Plan,
        programs: Programs,
        folder: &'a Path,
        seed: u64,
    ) -> Result<Self, LabError> {
        let (postgres, redis) = servers(folder).await?;
        postgres.ensure_database(DATABASE).await?;
        let servers = Servers {
            owner_url: postgres.url(DATABASE),
            service_url: postgres.url_as(programs.role, DATABASE),
            redis_url: redis.url(),
        };
        migrate(programs, &servers)?;
        let (signer, key) = key(folder)?;
        Ok(Self { plan, seed, servers, programs, folder, key, signer, _redis: redis, _postgres: postgres })
    }

    /// The database, as its owner.
    pub(super) async fn owner(&self) -> Result<PgConnection, LabError> {
        Ok(PgConnection::connect(&self.servers.owner_url).await?)
    }

    /// A replica, ready for calls. While there is one, it reads when it likes: what is counted is counted without.
    pub(super) async fn replica(&self) -> Result<Replica, LabError> {
        Replica::start(self.programs, &self.servers, &self.key, self.folder).await
    }

    /// A token for a tenant.
    pub(super) fn token(&self, tenant: &str, role: Role) -> Result<String, LabError> {
        let (tenant, subject) = (tenant.to_owned(), "lab".to_owned());
        let token = self.signer.sign(&TokenRequest { tenant, subject, role, ttl: TOKEN_LIFETIME });
        token.map_err(|error| LabError::Start(format!("cannot sign a token: {error}")))
    }
}

async fn servers(folder: &Path) -> Result<(Postgres, Redis), LabError> {
    // Durable, as the platform's own. What is loaded in bulk need not go through the log, which nobody replays.
    let settings = PostgresSettings::durable()
        .set("wal_level", "minimal")
        .set("max_wal_senders", "0")
        .set("max_wal_size", "4GB")
        .set("max_parallel_maintenance_workers", "2");
    let (postgres, redis) = (folder.join("postgres"), folder.join("redis"));
    let starting = tokio::task::spawn_blocking(move || {
        Ok((Postgres::start(&postgres, settings)?, Redis::start(&redis, RedisSettings::default())?))
    });
    starting.await.map_err(|error| LabError::Start(error.to_string()))?
}

fn migrate(programs: Programs, servers: &Servers) -> Result<(), LabError> {
    let output = clean((programs.migrate)()).env("CRM_DATABASE_URL", &servers.owner_url).output();
    let output = output.map_err(|error| LabError::Start(format!("cannot migrate: {error}")))?;
    let said = String::from_utf8_lossy(&output.stderr);
    if output.status.success() { Ok(()) } else { Err(LabError::Start(format!("cannot migrate: {said}"))) }
}

fn key(folder: &Path) -> Result<(Signer, PathBuf), LabError> {
    let failed = |error: &dyn std::fmt::Display| LabError::Start(format!("cannot make a key: {error}"));
    let (private, public) = Signer::generate_pem().map_err(|error| failed(&error))?;
    let file = folder.join("token-public.pem");
    std::fs::write(&file, public).map_err(|error| failed(&error))?;
    Ok((Signer::from_pem(&private).map_err(|error| failed(&error))?, file))
}

impl Replica {
    async fn start(programs: Programs, servers: &Servers, key: &Path, folder: &Path) -> Result<Self, LabError> {
        let reserve = || ports::reserve().map_err(|error| LabError::Start(format!("no free port: {error}")));
        let reserved = [reserve()?, reserve()?];
        let [listen, admin] = reserved.each_ref().map(Reserved::address);
        let mut command = clean((programs.customers)());
        command
            .env("CRM_LISTEN", listen.to_string())
            .env("CRM_ADMIN_LISTEN", admin.to_string())
            .env("CRM_TOKEN_PUBLIC_KEY_FILE", key)
            .env(programs.url_setting, &servers.service_url)
            .env("CRM_REDIS_URL", &servers.redis_url)
            .env("RUST_LOG", "warn");
        let log = folder.join("customers.log");
        let child = Program::new("customers", command).log(&log, MAX_LOG_BYTES).spawn()?;
        let replica = Self { child, reserved };
        replica.wait_until_ready(&log).await?;
        Ok(replica)
    }

    /// Where it takes calls.
    pub(super) fn address(&self) -> SocketAddr {
        self.reserved[0].address()
    }

    async fn wait_until_ready(&self, log: &Path) -> Result<(), LabError> {
        const PATIENCE: Duration = Duration::from_secs(30);
        const LOOK_EVERY: Duration = Duration::from_millis(20);
        let deadline = Instant::now() + PATIENCE;
        while !is_ready(self.reserved[1].address()).await {
            if self.child.exit_status().is_some() || Instant::now() > deadline {
                let said = std::fs::read_to_string(log).unwrap_or_default();
                return Err(LabError::Start(format!("customers did not become ready: {said}")));
            }
            sleep(LOOK_EVERY).await;
        }
        Ok(())
    }
}

/// What its admin port says.
async fn is_ready(admin: SocketAddr) -> bool {
    let ask = async {
        let mut stream = TcpStream::connect(admin).await?;
        stream.write_all(b"GET /readyz HTTP/1.1\r\nhost: lab\r\nconnection: close\r\n\r\n").await?;
        let mut answer = Vec::new();
        stream.take(1 << 10).read_to_end(&mut answer).await?;
        Ok::<_, std::io::Error>(answer.starts_with(b"HTTP/1.1 200"))
    };
    ask.await.unwrap_or(false)
}

/// What configures the lab's own surroundings is none of its processes' business.
fn clean(mut command: Command) -> Command {
    for (name, _) in std::env::vars_os() {
        if name.to_str().is_some_and(|name| name.starts_with("CRM_") || name.starts_with("OTEL_")) {
            command.env_remove(name);
        }
    }
    command
}

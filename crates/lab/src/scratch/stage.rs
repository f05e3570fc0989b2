//! The scratch platform: private servers, databases with the schema, and replicas of customers while they are needed.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crm_sandbox::child::{Child, ChildSignal, Program};
use crm_sandbox::ports::{self, Reserved};
use crm_sandbox::{Postgres, PostgresSettings, Redis, RedisSettings};
use crm_server::token::{Role, Signer, TokenRequest};
use sqlx::{Connection, PgConnection};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep};

use super::error::LabError;

/// The first database; others have names of their own.
const DATABASE: &str = "crm";
/// Of each statement, in the form of Prometheus.
const STATEMENTS: &str = "db_client_operation_duration_seconds_count{";
const MAX_LOG_BYTES: u64 = 4 << 20;
const TOKEN_LIFETIME: Duration = Duration::from_secs(3 * 3600);

/// How to start the platform's own processes: the binary knows.
#[derive(Debug, Clone, Copy)]
pub struct Programs {
    /// Ends when the schemas are there.
    pub migrate: fn() -> Command,
    /// A replica of customers, configured by the environment.
    pub customers: fn() -> Command,
    /// Loads a large set, of so many contacts and for a tenant of this name and others, into the service's database.
    pub seed: fn(u32, &str) -> Command,
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
pub(crate) struct Stage {
    pub(crate) servers: Servers,
    pub(crate) programs: Programs,
    folder: PathBuf,
    key: PathBuf,
    signer: Signer,
    redis: Redis,
    postgres: Postgres,
}

/// A process that serves the customers; gone when dropped.
pub(crate) struct Replica {
    child: Child,
    reserved: [Reserved; 2],
}

impl Stage {
    /// Starts the servers; the schema is there then, and empty.
    pub(crate) async fn start(programs: Programs, folder: &Path) -> Result<Self, LabError> {
        let (postgres, redis) = servers(folder).await?;
        let servers = database(&postgres, &redis, programs, DATABASE).await?;
        let (signer, key) = key(folder)?;
        Ok(Self { servers, programs, folder: folder.to_owned(), key, signer, redis, postgres })
    }

    /// One more database beside the first, with the schema, and empty.
    pub(crate) async fn another(&self, name: &str) -> Result<Servers, LabError> {
        database(&self.postgres, &self.redis, self.programs, name).await
    }

    /// The database, as its owner.
    pub(crate) async fn owner(&self) -> Result<PgConnection, LabError> {
        Ok(PgConnection::connect(&self.servers.owner_url).await?)
    }

    /// A replica, ready for calls. While there is one, it reads when it likes: what is counted is counted without.
    pub(crate) async fn replica(&self) -> Result<Replica, LabError> {
        self.replica_of(&self.servers).await
    }

    /// The same, before another database.
    pub(crate) async fn replica_of(&self, servers: &Servers) -> Result<Replica, LabError> {
        Replica::start(self.programs, servers, &self.key, &self.folder).await
    }

    /// A token for a tenant.
    pub(crate) fn token(&self, tenant: &str, role: Role) -> Result<String, LabError> {
        let (tenant, subject) = (tenant.to_owned(), "lab".to_owned());
        let token = self.signer.sign(&TokenRequest { tenant, subject, role, ttl: TOKEN_LIFETIME });
        token.map_err(|error| LabError::Start(format!("cannot sign a token: {error}")))
    }
}

async fn database(postgres: &Postgres, redis: &Redis, programs: Programs, name: &str) -> Result<Servers, LabError> {
    postgres.ensure_database(name).await?;
    let (owner_url, service_url) = (postgres.url(name), postgres.url_as(programs.role, name));
    let servers = Servers { owner_url, service_url, redis_url: redis.url() };
    migrate(programs, &servers)?;
    Ok(servers)
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

    /// What it has in memory.
    pub(crate) fn rss_kb(&self) -> Result<f64, LabError> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.pid())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let figure = line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok());
        figure.ok_or_else(|| LabError::Start("no memory figure".to_owned()))
    }

    /// How many times it has run each statement, by its name.
    pub(crate) async fn statements(&self) -> HashMap<String, f64> {
        let metrics = ask(self.reserved[1].address(), "/metrics").await.unwrap_or_default();
        let counts = metrics.lines().filter_map(|line| line.strip_prefix(STATEMENTS)?.split_once("} "));
        let named = counts.filter_map(|(labels, count)| {
            let (_, name) = labels.split_once("operation=\"")?;
            Some((name.split('"').next()?.to_owned(), count.parse().ok()?))
        });
        named.collect()
    }

    /// Ends it as a failing machine does.
    pub(crate) fn kill(&self) {
        self.child.signal(ChildSignal::SIGKILL);
    }

    /// Where it takes calls.
    pub(crate) fn address(&self) -> SocketAddr {
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
    ask(admin, "/readyz").await.is_ok_and(|answer| answer.starts_with("HTTP/1.1 200"))
}

/// The whole answer, head and all.
async fn ask(admin: SocketAddr, path: &str) -> std::io::Result<String> {
    const MOST_BYTES: u64 = 4 << 20;
    let mut stream = TcpStream::connect(admin).await?;
    let request = format!("GET {path} HTTP/1.1\r\nhost: lab\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    stream.take(MOST_BYTES).read_to_end(&mut answer).await?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

/// What configures the lab's own surroundings is none of its processes' business.
pub(crate) fn clean(mut command: Command) -> Command {
    for (name, _) in std::env::vars_os() {
        if name.to_str().is_some_and(|name| name.starts_with("CRM_") || name.starts_with("OTEL_")) {
            command.env_remove(name);
        }
    }
    command
}

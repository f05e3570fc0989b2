//! Composition root: the only file that names all concrete types.

use std::io;
use std::time::Duration;

use crm_cache::Redis;
use crm_database::idempotency::Idempotency;
use crm_database::migrate::{self, MigrateError, Role};
use crm_database::{Database, Settings};
use crm_proto::customers::account_service_server::AccountServiceServer;
use crm_proto::customers::contact_service_server::ContactServiceServer;
use crm_server::config::{ConfigError, Env};
use crm_server::process::{serve_grpc, shutdown_signal};
use crm_server::services::{MAX_MESSAGE_BYTES, Services};
use crm_server::token::{KeyError, Verifier};
use crm_server::{admin, stack};
use crm_telemetry::Telemetry;
use tokio::net::TcpListener;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::cached_store::CachedStore;
use crate::config::{Config, ServiceConfig};
use crate::customers::Customers;
use crate::grpc::Grpc;
use crate::store;

/// The role that the service connects with.
pub const ROLE: &str = "crm_customers";
/// The schema that holds everything of the service.
pub const SCHEMA: &str = "customers";

static MIGRATOR: sqlx::migrate::Migrator = sqlx::migrate!();

/// Why the process could not start or go on.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// Settings are missing or wrong.
    #[error("settings: {0}")]
    Config(#[from] ConfigError),
    /// The file with the public keys cannot be read.
    #[error("the file that CRM_TOKEN_PUBLIC_KEY_FILE names cannot be read: {0}")]
    KeyFile(io::Error),
    /// The file holds no public key.
    #[error("the file that CRM_TOKEN_PUBLIC_KEY_FILE names: {0}")]
    Key(#[from] KeyError),
    /// The database's settings cannot work, or it refuses this service.
    #[error("database: {0}")]
    Database(#[from] crm_database::Error),
    /// Redis' settings cannot work.
    #[error("CRM_REDIS_URL: {0}")]
    Redis(#[from] crm_cache::UrlError),
    /// The descriptors that this was built with are damaged.
    #[error("descriptors: {0}")]
    Descriptors(#[from] crm_server::methods::DescriptorError),
    /// A port failed.
    #[error("port: {0}")]
    Port(#[from] io::Error),
}

/// Brings the schema, the role and the stored keys up to date, as the database's owner.
///
/// # Errors
/// Whatever kept the schema from being right afterwards.
pub async fn migrate(owner_url: &str, role_password: Option<&str>) -> Result<(), MigrateError> {
    let password = role_password.map(str::to_owned);
    let role = Role { name: ROLE.to_owned(), schema: SCHEMA.to_owned(), password };
    let mut owner = migrate::migrate_and_hold(owner_url, &MIGRATOR, &role).await?;
    migrate::check_request_ids(&mut owner, SCHEMA).await?;
    let made = store::keys::make(&mut owner).await?;
    if made > 0 {
        tracing::info!(rows = made, "search keys made anew");
    }
    migrate::release(owner).await
}

/// Runs a service process as its environment says, until SIGTERM or SIGINT.
///
/// # Errors
/// It could not start. A database or a Redis that is away is no reason: the process waits for them. A database that
/// refuses it is one.
pub async fn run(telemetry: Telemetry) -> Result<(), RunError> {
    let result = run_until(shutdown_signal()).await;
    telemetry.shutdown().await;
    result
}

async fn run_until(shutdown: CancellationToken) -> Result<(), RunError> {
    let config = Config::from_env(Env::from_process())?;
    let keys = tokio::fs::read_to_string(&config.token_public_key_file).await.map_err(RunError::KeyFile)?;
    let verifier = Verifier::from_pem(&keys)?;
    let listener = TcpListener::bind(config.listen).await?;
    let admin_listener = TcpListener::bind(config.admin_listen).await?;
    serve(config.service, verifier, listener, admin_listener, shutdown).await
}

/// Serves gRPC and the admin port until `shutdown`, then drains. Calls are taken once the database has answered.
///
/// # Errors
/// Settings that can never work, a database that refuses the service, or a failing port.
pub async fn serve(
    config: ServiceConfig,
    verifier: Verifier,
    listener: TcpListener,
    admin_listener: TcpListener,
    shutdown: CancellationToken,
) -> Result<(), RunError> {
    let database = connect(&config).await?;
    let redis = Redis::connect(SCHEMA, config.redis_url.expose())?;
    let store = CachedStore::new(database.clone(), &redis, config.first_tier_ttl);
    let idempotency = Idempotency::new(SCHEMA)?;
    let grpc = Grpc::new(Customers::new(store, idempotency.clone(), config.database_connections));
    let (service, readiness) = stack::build(services(&grpc)?, &config.stack, verifier)?;

    // Ends after everything else: what drains still wants to be watched.
    let admin_end = CancellationToken::new();
    let admin = tokio::spawn(admin::serve_admin(admin_listener, readiness.clone(), admin_end.clone()));
    let sweeper = tokio::spawn(sweep_for_ever(database.clone(), idempotency));
    let served = tokio::select! {
        // Ready is who could answer; a replica that never could would fail calls that others can answer.
        answered = answered(&database) => match answered {
            Ok(()) => serve_grpc(&config.server, listener, service, readiness, shutdown).await.map_err(RunError::from),
            Err(refused) => Err(RunError::Database(refused)),
        },
        () = shutdown.cancelled() => Ok(()),
    };
    sweeper.abort();
    admin_end.cancel();
    let _ = admin.await;
    database.close().await;
    served
}

async fn connect(config: &ServiceConfig) -> Result<Database, crm_database::Error> {
    let mut settings = Settings::new(config.database_url.expose());
    settings.max_connections = config.database_connections;
    // Longer than a restart of a healthy server; without one, callers learn soon enough to go elsewhere.
    settings.acquire_timeout = Duration::from_secs(1);
    settings.application_name = "crm customers".to_owned();
    Database::connect(&settings).await
}

fn services(grpc: &Grpc) -> Result<Services, RunError> {
    let accounts = AccountServiceServer::new(grpc.clone()).max_decoding_message_size(MAX_MESSAGE_BYTES);
    let contacts = ContactServiceServer::new(grpc.clone()).max_decoding_message_size(MAX_MESSAGE_BYTES);
    Ok(Services::new(crm_proto::DESCRIPTORS)?.add(accounts).add(contacts))
}

/// Returns when the database has answered once, or has said what will not pass by itself.
async fn answered(database: &Database) -> Result<(), crm_database::Error> {
    const BETWEEN_TRIES: Duration = Duration::from_millis(200);
    loop {
        match database.check().await {
            Err(error) if !error.is_lasting() => sleep(BETWEEN_TRIES).await,
            result => return result,
        }
    }
}

/// Forgets request ids that have outlived their promise, every quarter of an hour; replicas share the work.
async fn sweep_for_ever(database: Database, idempotency: Idempotency) {
    const EVERY: Duration = Duration::from_secs(15 * 60);
    loop {
        sleep(EVERY).await;
        match sweep(&database, &idempotency).await {
            Ok(0) => {}
            Ok(swept) => tracing::info!(swept, "old request ids forgotten"),
            Err(error) => tracing::warn!(%error, "old request ids could not be forgotten; trying again later"),
        }
    }
}

/// Sweeps until nothing is left. It crosses tenants by itself, so it needs none.
async fn sweep(database: &Database, idempotency: &Idempotency) -> Result<u64, crm_database::Error> {
    let mut all = 0;
    loop {
        let mut transaction = database.begin(Uuid::nil(), None).await?;
        let swept = idempotency.sweep(&mut transaction).await?;
        transaction.commit().await?;
        all += swept;
        if swept == 0 {
            return Ok(all);
        }
    }
}

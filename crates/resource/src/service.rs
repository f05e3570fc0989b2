//! A service: what it is, and how its process starts, serves and ends.

use std::io;
use std::time::Duration;

use crm_cache::Redis;
use crm_database::idempotency;
use crm_database::migrate::{self, Copied, MigrateError, Role};
use crm_database::{Database, Settings};
use crm_server::config::ConfigError;
use crm_server::process::{serve_grpc, shutdown_signal};
use crm_server::services::Services;
use crm_server::token::{ServiceSigner, Verifier};
use crm_server::{admin, stack};
use crm_telemetry::Telemetry;
use crm_telemetry::tasks::lasting;
use sqlx::migrate::Migrator;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::follow::Follower;
use crate::keys::SERVICE_PRIVATE_KEY_FILE;
use crate::peers::{Peer, Peers};
use crate::seed::Seed;
use crate::{
    AnyResource, Config, KeysError, Refusal, ServiceConfig, Store, StoreConfig, erasure, facets, follow, journal,
    merge, operations, rekey, search,
};

/// A service, one constant each.
#[derive(Debug)]
pub struct Service {
    /// Its name, a plain word such as `customers`: of its keys in Redis and its connections.
    pub name: &'static str,
    /// The package of its API: what the gateway sends it.
    pub package: &'static str,
    /// What it keeps and serves.
    pub keeps: Keeps,
    /// Whom it may ask.
    pub asks: &'static [Peer],
    /// What rules of its own refuse; those that a [`Kind`](crate::Kind) has come on top.
    pub refusals: &'static [&'static Refusal],
}

/// Whether a service keeps anything, and how it adds what it serves.
#[derive(Debug)]
pub enum Keeps {
    /// Records, in Postgres and in caches.
    Records(Storage, fn(&Store, Services) -> Services),
    /// Nothing: what it answers is others'. It is ready at once.
    Nothing(fn(&Peers, Services) -> Services),
}

/// What a service keeps, and where.
#[derive(Debug)]
pub struct Storage {
    /// The schema that holds everything of the service.
    pub schema: &'static str,
    /// The role that the service connects with.
    pub role: &'static str,
    /// The setting that holds the database's URL.
    pub url_setting: &'static str,
    /// The setting that names the file with its password, if it has one.
    pub password_file_setting: &'static str,
    /// Its migrations.
    pub migrator: &'static Migrator,
    /// Its resources.
    pub resources: &'static [AnyResource],
    /// Tables that it has a copy of beside those that every service has and those of its resources.
    pub copies: &'static [&'static Copied],
    /// Whom it follows, and what it makes of that.
    pub follows: &'static [Follower],
    /// Fills a tenant.
    pub seed: Option<Seed>,
}

/// Why the process could not start or go on.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// Settings are missing or wrong.
    #[error("settings: {0}")]
    Config(#[from] ConfigError),
    /// The service keeps records and was not told where.
    #[error("settings: the service keeps records and was told of no database")]
    NoStore,
    /// The service follows others and was not given the key by which it asks them.
    #[error("settings: the service follows others and {SERVICE_PRIVATE_KEY_FILE} names no key")]
    NoKey,
    /// Keys of tokens cannot be used.
    #[error(transparent)]
    Keys(#[from] KeysError),
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

impl Service {
    /// Everything that the service's own rules refuse.
    pub fn refusals(&self) -> impl Iterator<Item = &'static Refusal> {
        self.resources().iter().flat_map(AnyResource::refusals).chain(self.refusals.iter().copied())
    }

    /// What it keeps, if it keeps anything.
    pub const fn storage(&self) -> Option<&Storage> {
        match &self.keeps {
            Keeps::Records(storage, _) => Some(storage),
            Keeps::Nothing(_) => None,
        }
    }

    /// Its resources.
    pub const fn resources(&self) -> &'static [AnyResource] {
        match &self.keeps {
            Keeps::Records(storage, _) => storage.resources,
            Keeps::Nothing(_) => &[],
        }
    }

    const fn follows(&self) -> &'static [Follower] {
        match &self.keeps {
            Keeps::Records(storage, _) => storage.follows,
            Keeps::Nothing(_) => &[],
        }
    }

    /// Brings the schema, the role and the stored keys up to date, as the database's owner.
    ///
    /// # Errors
    /// Whatever kept the schema from being right afterwards.
    pub async fn migrate(&self, owner_url: &str, role_password: Option<&str>) -> Result<(), MigrateError> {
        let Some(Storage { schema, role, migrator, resources, copies, follows, .. }) = self.storage() else {
            return Ok(());
        };
        let password = role_password.map(str::to_owned);
        let role = Role { name: (*role).to_owned(), schema: (*schema).to_owned(), password };
        let mut owner = migrate::migrate_and_hold(owner_url, migrator, &role).await?;
        let following = (!follows.is_empty()).then_some(&follow::TABLE);
        let of_resources = resources.iter().filter_map(|resource| resource.kind.copy_of);
        let all = [&idempotency::TABLE, &journal::TABLE, &operations::TABLE];
        for table in all.into_iter().chain(following).chain(of_resources).chain(copies.iter().copied()) {
            migrate::check_copy(&mut owner, schema, table).await?;
        }
        if resources.iter().any(|resource| !resource.kind.terms.is_empty()) {
            migrate::check_copy(&mut owner, schema, &search::TABLE).await?;
        }
        if resources.iter().any(|resource| resource.kind.person) {
            migrate::check_copy(&mut owner, schema, &erasure::TABLE).await?;
        }
        if resources.iter().any(|resource| resource.kind.facets) {
            migrate::check_copy(&mut owner, schema, &facets::TABLE).await?;
        }
        if resources.iter().any(|resource| resource.kind.merged) {
            migrate::check_copy(&mut owner, schema, &merge::TABLE).await?;
        }
        let made = rekey::make(&mut owner, schema, resources).await?;
        if made > 0 {
            tracing::info!(rows = made, "search keys made anew");
        }
        migrate::release(owner).await
    }

    /// Runs a process as its environment says, until SIGTERM or SIGINT.
    ///
    /// # Errors
    /// It could not start. A database or a Redis that is away is no reason: the process waits for them. A database that
    /// refuses it is one.
    pub async fn run(&self, telemetry: Telemetry) -> Result<(), RunError> {
        let result = self.run_until(shutdown_signal()).await;
        telemetry.shutdown().await;
        result
    }

    async fn run_until(&self, shutdown: CancellationToken) -> Result<(), RunError> {
        let names = self.storage().map(|storage| (storage.url_setting, storage.password_file_setting));
        let mut config = Config::from_process(self.name, names, self.asks)?;
        config.service.signer = config.service_signer(self.name).await?;
        let verifier = config.verifier().await?;
        let listener = TcpListener::bind(config.listen).await?;
        let admin_listener = TcpListener::bind(config.admin_listen).await?;
        self.serve(config.service, verifier, listener, admin_listener, shutdown).await
    }

    /// Serves gRPC and the admin port until `shutdown`, then drains. Calls are taken once the database has answered.
    ///
    /// # Errors
    /// Settings that can never work, a database that refuses the service, or a failing port.
    pub async fn serve(
        &self,
        config: ServiceConfig,
        verifier: Verifier,
        listener: TcpListener,
        admin_listener: TcpListener,
        shutdown: CancellationToken,
    ) -> Result<(), RunError> {
        if config.signer.is_none() && !self.follows().is_empty() {
            return Err(RunError::NoKey);
        }
        let services = Services::new(crm_proto::DESCRIPTORS)?;
        let peers = Peers::connect(&config.peers);
        let (services, store) = match &self.keeps {
            Keeps::Records(storage, routes) => {
                let store = self.open(storage, config.store.ok_or(RunError::NoStore)?, peers).await?;
                let store = store.ending(shutdown.clone());
                (routes(&store, services), Some(store))
            }
            Keeps::Nothing(routes) => (routes(&peers, services), None),
        };
        let (service, readiness) = stack::build(services, &config.stack, verifier)?;

        // Ends after everything else: what drains still wants to be watched.
        let admin_end = CancellationToken::new();
        let admin = admin::serve_admin(admin_listener, readiness.clone(), admin_end.clone());
        let admin = tokio::spawn(async move {
            if let Err(error) = admin.await {
                tracing::warn!(%error, "the admin port ended");
            }
        });
        let mut at_work = JoinSet::new();
        if let Some(store) = &store {
            let (sweeping, merges) = (store.clone(), self.resources().iter().any(|resource| resource.kind.merged));
            at_work.spawn(lasting("sweep", move || sweep_for_ever(sweeping.clone(), merges)));
            self.follow(store, config.signer, &mut at_work);
        }
        let operations_end = shutdown.child_token();
        let operations = store.clone().zip(Some(operations_end.clone()));
        let operations = operations.map(|(store, end)| {
            tokio::spawn(lasting("operations", move || {
                let (store, end) = (store.clone(), end.clone());
                async move { store.run_operations(end).await }
            }))
        });
        let served = tokio::select! {
            // Ready is who could answer; a replica that never could would fail calls that others can answer.
            answered = answered(store.as_ref()) => match answered {
                Ok(()) => serve_grpc(&config.server, listener, service, readiness, shutdown).await.map_err(RunError::from),
                Err(refused) => Err(RunError::Database(refused)),
            },
            () = shutdown.cancelled() => Ok(()),
        };
        admin_end.cancel();
        let _ = admin.await;
        operations_end.cancel();
        if let Some(operations) = operations {
            let _ = operations.await;
        }
        at_work.abort_all();
        if let Some(store) = store {
            store.database.close().await;
        }
        served
    }

    /// Work that no caller waits for.
    fn follow(&self, store: &Store, signer: Option<ServiceSigner>, at_work: &mut JoinSet<()>) {
        let Some(signer) = signer else { return };
        for follower in self.follows() {
            let (store, signer) = (store.clone(), signer.clone());
            at_work.spawn(lasting("follow", move || follow::follow(store.clone(), signer.clone(), follower)));
        }
    }

    async fn open(&self, storage: &Storage, config: StoreConfig, peers: Peers) -> Result<Store, RunError> {
        let mut settings = Settings::new(config.database_url.expose());
        settings.max_connections = config.database_connections;
        // Longer than a restart of a healthy server; without one, callers learn soon enough to go elsewhere.
        settings.acquire_timeout = Duration::from_secs(1);
        settings.application_name = format!("crm {}", self.name);
        let database = Database::connect(&settings).await?;
        let redis = Redis::connect(self.name, config.redis_url.expose())?;
        Ok(Store::new(database, redis, storage.schema, &config)?.asking(peers))
    }
}

/// Returns when the database, if there is one, has shown the service's schema once, or has said what will not pass by
/// itself: a role that may not use the schema would fail every call. A schema that is not there yet is waited for.
async fn answered(store: Option<&Store>) -> Result<(), crm_database::Error> {
    const BETWEEN_TRIES: Duration = Duration::from_millis(200);
    let Some(store) = store else { return Ok(()) };
    let mut is_told = false;
    loop {
        match store.check().await {
            Err(error) if error.is_missing_table() => {
                if !std::mem::replace(&mut is_told, true) {
                    tracing::warn!(%error, "the schema is not there yet; waiting for its migration");
                }
            }
            Err(error) if !error.is_lasting() => {}
            result => return result,
        }
        sleep(BETWEEN_TRIES).await;
    }
}

/// Forgets what has outlived its promise, every quarter of an hour; replicas share the work.
async fn sweep_for_ever(store: Store, merges: bool) {
    const EVERY: Duration = Duration::from_secs(15 * 60);
    loop {
        sleep(EVERY).await;
        let merged = if merges { store.sweep_merges().await } else { Ok(0) };
        for (what, swept) in [
            ("request ids", store.sweep().await),
            ("changes", store.sweep_journal().await),
            ("operations", store.sweep_operations().await),
            ("imports", store.sweep_imports().await),
            ("merges", merged),
        ] {
            match swept {
                Ok(0) => {}
                Ok(swept) => tracing::info!(what, swept, "old rows forgotten"),
                Err(error) => tracing::warn!(what, %error, "old rows could not be forgotten; trying again later"),
            }
        }
    }
}

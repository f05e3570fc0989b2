//! Settings of the process, from its environment.

use std::fmt::Display;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use crm_balance::Discovery;
use crm_cache::Redis;
use crm_database::Settings;
use crm_server::config::{ConfigError, Env, Secret, Slot};
use crm_server::process::ServerSettings;
use crm_server::stack::StackSettings;
use crm_server::token::ServiceSigner;

use crate::entry::FIRST_TIER_TTL;
use crate::keys::{self, PUBLIC_KEY_FILE, SERVICE_PRIVATE_KEY_FILE, SERVICE_PUBLIC_KEY_FILE};
use crate::peers::Peer;

/// What the process needs to know.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where gRPC is served (`CRM_LISTEN`).
    pub listen: SocketAddr,
    /// Where health and metrics are served (`CRM_ADMIN_LISTEN`).
    pub admin_listen: SocketAddr,
    /// What [`Service::serve`](crate::Service::serve) needs.
    pub service: ServiceConfig,
    /// File with the public keys that tokens are verified with (`CRM_TOKEN_PUBLIC_KEY_FILE`).
    pub token_public_key_file: PathBuf,
    /// File with the public keys that services' tokens are verified with (`CRM_SERVICE_TOKEN_PUBLIC_KEY_FILE`).
    pub service_public_key_file: Option<PathBuf>,
    /// File with the key that signs the service's own (`CRM_SERVICE_TOKEN_PRIVATE_KEY_FILE`).
    pub service_private_key_file: Option<PathBuf>,
}

/// What the service needs to know once its ports and keys are there.
#[derive(Clone, Debug, Default)]
pub struct ServiceConfig {
    /// Where it keeps its records, if it keeps any.
    pub store: Option<StoreConfig>,
    /// Whom the service may ask, and where they are (`CRM_<SERVICE>_ADDRESSES`).
    pub peers: Vec<(Peer, Discovery)>,
    /// What signs its own tokens, if it works without a caller.
    pub signer: Option<ServiceSigner>,
    /// The listening port.
    pub server: ServerSettings,
    /// The layers before the handlers.
    pub stack: StackSettings,
}

/// What a service needs to know of Postgres and Redis.
#[derive(Clone, Debug)]
pub struct StoreConfig {
    /// URL of the database, as the service's role (`CRM_<SERVICE>_DATABASE_URL`; its password may stand in the file
    /// that `CRM_<SERVICE>_DATABASE_PASSWORD_FILE` names).
    pub database_url: Secret,
    /// URL of Redis (`CRM_REDIS_URL`).
    pub redis_url: Secret,
    /// How long a row stays in a replica's own memory: the longest that a lost invalidation shows an old state.
    pub first_tier_ttl: Duration,
    /// Most connections to the database (`CRM_DATABASE_CONNECTIONS`, 10).
    pub database_connections: u32,
    /// How many days a change stays in the journal (`CRM_JOURNAL_DAYS`, 400).
    pub journal_days: i32,
    /// Most watches of changes at a time, and as many who wait for operations (`CRM_MAX_WATCHES`, 1000).
    pub watches: usize,
}

impl StoreConfig {
    /// Defaults for everything but the two servers.
    pub fn new(database_url: Secret, redis_url: Secret) -> Self {
        Self {
            database_url,
            redis_url,
            first_tier_ttl: FIRST_TIER_TTL,
            database_connections: CONNECTIONS,
            journal_days: JOURNAL_DAYS,
            watches: WATCHES,
        }
    }
}

impl From<StoreConfig> for ServiceConfig {
    fn from(store: StoreConfig) -> Self {
        Self { store: Some(store), ..Self::default() }
    }
}

const REDIS_URL: &str = "CRM_REDIS_URL";
/// A replica keeps two cores busy with fewer; Postgres of `crm up` and of the containers has two hundred for all
/// processes together.
const CONNECTIONS: u32 = 10;
/// Half of them are for exports, which may hold one for minutes: one place at least, and two for everybody else.
const LEAST_CONNECTIONS: u32 = 3;
/// A year, and the month in which one looks back at it.
const JOURNAL_DAYS: i32 = 400;
/// Readers that were away come back within this; the database sweeps nothing that is younger.
const LEAST_JOURNAL_DAYS: i32 = 30;

/// Each takes some 30 kB.
const WATCHES: usize = 1000;

impl Config {
    /// Reads the settings of this process, and the files of keys that they name.
    ///
    /// # Errors
    /// As [`from_env`](Self::from_env).
    pub fn from_process(
        service: &'static str,
        database: Option<(&'static str, &'static str)>,
        peers: &[Peer],
    ) -> Result<Self, ConfigError> {
        let mut env = Env::from_process();
        keys::check(&mut env, service);
        Self::from_env(env, database, peers)
    }

    /// Reads the settings. Those of the database, if there is one, bear the service's name: its URL, and the file with its
    /// password.
    ///
    /// # Errors
    /// All that is missing or wrong, without the values of any.
    pub fn from_env(
        mut env: Env,
        database: Option<(&'static str, &'static str)>,
        peers: &[Peer],
    ) -> Result<Self, ConfigError> {
        let listen = env.required("CRM_LISTEN");
        let admin_listen = env.required("CRM_ADMIN_LISTEN");
        let token_public_key_file = env.required(PUBLIC_KEY_FILE);
        let service_public_key_file = env.optional(SERVICE_PUBLIC_KEY_FILE);
        let service_private_key_file = env.optional(SERVICE_PRIVATE_KEY_FILE);
        let store = database.map(|names| store_settings(&mut env, names));
        let (server, stack) = (ServerSettings::from_env(&mut env), StackSettings::from_env(&mut env));
        let peers: Vec<_> = peers.iter().map(|peer| (*peer, peer.addresses(&mut env))).collect();
        env.finish()?;
        let store = store.map(|([database_url, redis_url], bounds)| {
            let store = StoreConfig::new(database_url.get()?, redis_url.get()?);
            let Bounds { database_connections, journal_days, watches } = bounds;
            Ok::<_, ConfigError>(StoreConfig { database_connections, journal_days, watches, ..store })
        });
        let peers = peers.into_iter().map(|(peer, addresses)| Ok((peer, addresses.get()?)));
        let peers = peers.collect::<Result<_, ConfigError>>()?;
        let service = ServiceConfig { store: store.transpose()?, peers, signer: None, server, stack };
        let (listen, admin_listen) = (listen.get()?, admin_listen.get()?);
        let token_public_key_file = token_public_key_file.get()?;
        Ok(Self {
            listen,
            admin_listen,
            service,
            token_public_key_file,
            service_public_key_file,
            service_private_key_file,
        })
    }
}

/// Numbers of a [`StoreConfig`].
struct Bounds {
    database_connections: u32,
    journal_days: i32,
    watches: usize,
}

fn store_settings(env: &mut Env, (url, password_file): (&'static str, &'static str)) -> ([Slot<Secret>; 2], Bounds) {
    let database_url = env.required_url(url, password_file);
    check(env, url, &database_url, Settings::check_url);
    let redis_url = env.required(REDIS_URL);
    check(env, REDIS_URL, &redis_url, Redis::check_url);
    let database_connections = env.within("CRM_DATABASE_CONNECTIONS", CONNECTIONS, LEAST_CONNECTIONS..=1_000);
    let journal_days = env.within("CRM_JOURNAL_DAYS", JOURNAL_DAYS, LEAST_JOURNAL_DAYS..=36_500);
    let watches = env.within("CRM_MAX_WATCHES", WATCHES, 1..=1_000_000);
    ([database_url, redis_url], Bounds { database_connections, journal_days, watches })
}

/// What a server's URL is refused for when it is used is told with everything else that is wrong.
fn check<E: Display>(env: &mut Env, name: &'static str, url: &Slot<Secret>, check: fn(&str) -> Result<(), E>) {
    if let Some(Err(error)) = url.peek().map(|url| check(url.expose())) {
        env.fault(name, format!("cannot be used: {error}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DATABASE: Option<(&str, &str)> = Some(("CRM_CUSTOMERS_DATABASE_URL", "CRM_CUSTOMERS_DATABASE_PASSWORD_FILE"));
    const COMPLETE: [(&str, &str); 5] = [
        ("CRM_LISTEN", "127.0.0.1:0"),
        ("CRM_ADMIN_LISTEN", "127.0.0.1:0"),
        ("CRM_CUSTOMERS_DATABASE_URL", "postgres://crm_customers:secret@db/crm"),
        ("CRM_REDIS_URL", "redis://cache/0"),
        ("CRM_TOKEN_PUBLIC_KEY_FILE", "/keys/token-public.pem"),
    ];

    #[test]
    fn complete_settings_are_read() {
        let config = Config::from_env(Env::from_pairs(COMPLETE), DATABASE, &[]).unwrap();
        let store = config.service.store.as_ref().unwrap();
        assert_eq!((store.database_connections, store.journal_days, store.watches), (10, 400, 1000));
        assert!(!format!("{config:?}").contains("secret"));
        assert_eq!((config.service_public_key_file, config.service_private_key_file), (None, None));
    }

    #[test]
    fn a_service_is_told_where_those_are_whom_it_asks() {
        const PEER: Peer = Peer { name: "support", addresses_setting: "CRM_SUPPORT_ADDRESSES" };
        let read = |addresses| {
            let pairs = COMPLETE.into_iter().chain([(PEER.addresses_setting, addresses)]);
            Config::from_env(Env::from_pairs(pairs), DATABASE, &[PEER])
        };
        let peers = read("127.0.0.1:1,127.0.0.1:2").unwrap().service.peers;
        assert!(matches!(&peers[..], [(PEER, Discovery::Static(endpoints))] if endpoints.len() == 2), "{peers:?}");
        for wrong in ["", "support"] {
            assert_eq!(read(wrong).unwrap_err().faults()[0].name, PEER.addresses_setting);
        }
    }

    #[test]
    fn all_faults_are_told_at_once() {
        let numbers = [("CRM_DATABASE_CONNECTIONS", "2"), ("CRM_JOURNAL_DAYS", "29"), ("CRM_MAX_WATCHES", "0")];
        let pairs = numbers.into_iter().chain([("CRM_LISTEN", "nowhere")]);
        let error = Config::from_env(Env::from_pairs(pairs), DATABASE, &[]).unwrap_err().to_string();
        for name in COMPLETE.into_iter().chain(numbers).map(|(name, _)| name) {
            assert!(error.contains(name), "{name} is missing in: {error}");
        }
    }

    #[test]
    fn servers_that_are_none_are_told_with_the_rest_and_without_their_passwords() {
        let wrong = [
            ("CRM_LISTEN", "nowhere"),
            ("CRM_CUSTOMERS_DATABASE_URL", "http://crm:hunter2@db/crm"),
            ("CRM_REDIS_URL", "cache:6379/hunter2"),
        ];
        let pairs = COMPLETE.into_iter().chain(wrong);
        let error = Config::from_env(Env::from_pairs(pairs), DATABASE, &[]).unwrap_err();
        let names: Vec<_> = error.faults().iter().map(|fault| fault.name).collect();
        assert_eq!(names, wrong.map(|(name, _)| name));
        assert!(error.to_string().contains("scheme") && !error.to_string().contains("hunter2"), "{error}");
    }

    #[test]
    fn a_service_that_keeps_nothing_needs_no_servers() {
        let pairs = COMPLETE.into_iter().filter(|(name, _)| !name.contains("DATABASE") && !name.contains("REDIS"));
        assert!(Config::from_env(Env::from_pairs(pairs.clone()), None, &[]).unwrap().service.store.is_none());
        assert!(Config::from_env(Env::from_pairs(pairs), DATABASE, &[]).is_err());
    }
}

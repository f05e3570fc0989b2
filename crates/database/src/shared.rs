//! What all handles of a pool, its connections and its gauges have in common.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, PgPool};

use crate::elders::Elders;
use crate::places::Places;
use crate::{Error, Settings};

#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) pool: PgPool,
    /// As many as the pool has connections.
    pub(crate) places: Places,
    pub(crate) elders: Arc<Elders>,
    /// Connections that somebody has, or that are being brought to rest after that.
    pub(crate) in_use: Arc<AtomicU32>,
    pooled: AtomicBool,
    pub(crate) settings: Settings,
}

/// How full a pool is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PoolState {
    /// Open connections.
    pub open: u32,
    /// Those of them that nobody uses.
    pub idle: u32,
    /// The limit.
    pub max: u32,
}

impl PoolState {
    /// Connections that somebody uses.
    pub fn used(&self) -> u32 {
        self.open.saturating_sub(self.idle)
    }
}

impl Shared {
    pub(crate) fn new(pool: PgPool, elders: Arc<Elders>, settings: &Settings) -> Arc<Self> {
        let places = Places::new(usize::try_from(settings.max_connections).unwrap_or(usize::MAX));
        let (in_use, pooled, settings) = (Arc::default(), AtomicBool::new(false), settings.clone());
        Arc::new(Self { pool, places, elders, in_use, pooled, settings })
    }

    pub(crate) fn state(&self) -> PoolState {
        let idle = u32::try_from(self.pool.num_idle()).unwrap_or(u32::MAX);
        PoolState { open: self.pool.size(), idle, max: self.settings.max_connections }
    }

    /// Whether a pooler stands between us and the server.
    pub(crate) fn is_pooled(&self) -> bool {
        self.pooled.load(Ordering::Relaxed)
    }

    /// From now on a pooler is reckoned with. False if it was before, or if the settings do not allow it.
    pub(crate) fn use_pooler(&self) -> bool {
        let Ok(options) = connect_options(&self.settings) else { return false };
        if self.pooled.swap(true, Ordering::Relaxed) {
            return false;
        }
        tracing::info!("a pooler stands before the database: statements are not kept prepared");
        self.pool.set_connect_options(options);
        true
    }
}

/// The driver takes whatever has the form of a URL, and looks for a server of Postgres there.
pub(crate) fn read_url(url: &str) -> Result<PgConnectOptions, Error> {
    let scheme = url.split_once("://").map(|(scheme, _)| scheme);
    if !scheme.is_some_and(|scheme| matches!(scheme, "postgres" | "postgresql")) {
        return Err(Error::Settings("the URL's scheme is neither postgres nor postgresql".to_owned()));
    }
    Ok(url.parse()?)
}

/// What every server and every pooler takes. `search_path` stays untouched: every statement names its schema.
pub(crate) fn connect_options(settings: &Settings) -> Result<PgConnectOptions, Error> {
    let options = read_url(&settings.url)?;
    let options = options
        .application_name(&settings.application_name)
        // Numbers come in their binary form.
        .extra_float_digits(None)
        // Statements have spans of their own.
        .disable_statement_logging();
    Ok(options)
}

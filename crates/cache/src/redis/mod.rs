//! The second tier: Redis, which all replicas share, and which may be away at any time.
//!
//! Two connections. One is multiplexed and carries all commands, none of which blocks; the other listens for what other
//! replicas forget. Each command is bounded by a short limit. The first that fails opens the circuit: the connection is
//! dropped and commands are no longer tried, until a task in the background has an answer again.

mod cause;
mod commands;
mod keeper;
mod link;
mod listener;
mod message;
mod pending;
mod told;
mod url;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crm_telemetry::tasks::lasting;
use redis::Client;
use tokio::task::AbortHandle;

pub(crate) use commands::Fill;
pub use link::Overhear;
pub(crate) use link::{Link, Listener};
pub(crate) use pending::Forgotten;
pub use url::UrlError;

/// Longest that one command may take: some hundred times what it does take.
const LIMIT: Duration = Duration::from_millis(100);

/// Handle of a Redis server; cheap to clone. Being away makes lookups slower and fails none.
#[derive(Clone)]
pub struct Redis {
    link: Option<Arc<Link>>,
    _tasks: Arc<Tasks>,
}

/// Ended with the last handle.
#[derive(Debug)]
struct Tasks(Vec<AbortHandle>);

impl Drop for Tasks {
    fn drop(&mut self) {
        self.0.iter().for_each(AbortHandle::abort);
    }
}

impl Redis {
    /// Connects in the background; a server that is away is waited for. Must be called inside a tokio runtime.
    ///
    /// What `service` keeps there, and what its replicas tell each other, bears its name, a plain word: services share a
    /// server without seeing each other's.
    ///
    /// # Errors
    /// A URL that cannot be understood. It is not shown, since it may hold a password.
    pub fn connect(service: &'static str, url: &str) -> Result<Self, UrlError> {
        Self::connect_with(service, url, LIMIT)
    }

    /// Whether this is the URL of a Redis server, as far as that can be told without asking there.
    ///
    /// # Errors
    /// What is wrong with it, without the URL.
    pub fn check_url(url: &str) -> Result<(), UrlError> {
        url::parse(url).map(drop)
    }

    /// As [`connect`](Self::connect), with another limit for one command than 100 ms.
    ///
    /// # Errors
    /// As [`connect`](Self::connect).
    pub fn connect_with(service: &'static str, url: &str, limit: Duration) -> Result<Self, UrlError> {
        let info = url::parse(url)?;
        // Off by default, which would hold small commands back until the last one is acknowledged.
        let tcp = info.tcp_settings().clone().set_nodelay(true);
        let client = Client::open(info.set_tcp_settings(tcp)).map_err(|_| UrlError::Malformed)?;
        let link = Arc::new(Link::new(service, client, limit));
        let (kept, heard) = (Arc::clone(&link), Arc::clone(&link));
        let keeper = tokio::spawn(lasting("redis.keep", move || keeper::keep(Arc::clone(&kept))));
        let listener = tokio::spawn(lasting("redis.listen", move || listener::listen(Arc::clone(&heard))));
        let tasks = Tasks(vec![keeper.abort_handle(), listener.abort_handle()]);
        Ok(Self { link: Some(link), _tasks: Arc::new(tasks) })
    }

    /// No second tier: for a process that is alone, and for tests.
    pub fn none() -> Self {
        Self { link: None, _tasks: Arc::new(Tasks(Vec::new())) }
    }

    /// Whether Redis is used now: it answered last time, and invalidations of others arrive.
    pub fn is_up(&self) -> bool {
        self.link.as_ref().is_some_and(|link| link.is_up() && link.is_listening())
    }

    /// Tells somebody, too, what other processes write, as long as this handle or a clone lives. Messages may be lost, and
    /// without Redis there are none.
    pub fn overhear(&self, other: Arc<dyn Overhear>) {
        if let Some(link) = self.link() {
            link.add_overhearing(other);
        }
    }

    /// Whether the first tier hears of the writes of others; always, where there can be no others.
    pub(crate) fn hears_others(&self) -> bool {
        self.link.as_ref().is_none_or(|link| link.is_listening())
    }

    pub(crate) fn link(&self) -> Option<&Arc<Link>> {
        self.link.as_ref()
    }
}

impl fmt::Debug for Redis {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Redis").field("is_up", &self.is_up()).finish_non_exhaustive()
    }
}

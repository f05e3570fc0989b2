//! The multiplexed connection, and the circuit that spares callers a Redis that does not answer.

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{LazyLock, Weak};
use std::time::{Duration, Instant};

use arc_swap::ArcSwapOption;
use crm_telemetry::metrics::Owners;
use crm_telemetry::{metrics, names};
use opentelemetry::KeyValue;
use opentelemetry::metrics::{Counter, Histogram};
use parking_lot::Mutex;
use redis::aio::MultiplexedConnection;
use redis::{Client, RedisError, RedisResult};
use tokio::sync::Notify;
use tokio::time::timeout;

use super::cause::cause;
use super::pending::{Forgotten, Pending};
use super::told::Told;

struct Instruments {
    duration: Histogram<f64>,
    errors: Counter<u64>,
}

static INSTRUMENTS: LazyLock<Instruments> = LazyLock::new(|| Instruments {
    duration: metrics::histogram(&names::REDIS_DURATION),
    errors: metrics::counter(&names::REDIS_ERRORS),
});

/// The cause of what has no other.
pub(super) const TIMEOUT: &str = "timeout";

/// Why there is no answer.
#[derive(Debug)]
pub(super) enum Failed {
    /// The circuit is open now.
    Away,
    /// Redis has answered, for this cause not with what was asked for.
    Refused(Cow<'static, str>),
}

/// Somebody who holds values that others may write.
pub(crate) trait Listener: Send + Sync + 'static {
    /// The key was written and has this version now.
    fn forget(&self, key: &str, version: u64);
    /// Anything may have been written.
    fn forget_all(&self);
}

/// Somebody who wants to know that something was written, whatever holds it.
pub trait Overhear: Send + Sync + 'static {
    /// Another process has written what stands at this key, in whichever cache.
    fn key(&self, key: &str);
    /// Another process may have written anything: for a while nothing was heard.
    fn anything(&self);
}

pub(crate) struct Link {
    pub(super) client: Client,
    pub(super) limit: Duration,
    service: &'static str,
    pub(super) channel: String,
    /// Marks our own messages.
    pub(super) sender: u64,
    pub(super) pending: Pending,
    pub(super) told: Told,
    pub(super) broken: Notify,
    listening: AtomicBool,
    connection: ArcSwapOption<MultiplexedConnection>,
    listeners: Mutex<Vec<(&'static str, Weak<dyn Listener>)>>,
    overhearing: Mutex<Vec<Arc<dyn Overhear>>>,
}

impl Link {
    pub(super) fn new(service: &'static str, client: Client, limit: Duration) -> Self {
        // Channels, unlike keys, are shared by all numbered databases of a server.
        let channel = format!("crm:cache:{service}:{}:forget", client.get_connection_info().redis_settings().db());
        Self {
            client,
            limit,
            service,
            channel,
            sender: rand::random(),
            pending: Pending::default(),
            told: Told::default(),
            broken: Notify::new(),
            listening: AtomicBool::new(false),
            connection: ArcSwapOption::empty(),
            listeners: Mutex::default(),
            overhearing: Mutex::default(),
        }
    }

    /// The service first: caches of two services may have one name.
    pub(super) fn key(&self, cache: &str, key: &str) -> String {
        format!("crm:cache:{}:{cache}:{key}", self.service)
    }

    pub(super) fn is_up(&self) -> bool {
        self.connection.load().is_some()
    }

    pub(super) fn is_listening(&self) -> bool {
        self.listening.load(Ordering::Acquire)
    }

    /// What happens between the two is not heard: everybody starts afresh when listening ends, and when it begins.
    pub(super) fn set_listening(&self, listening: bool) {
        self.listening.store(listening, Ordering::Release);
        self.each_listener(|_, listener| listener.forget_all());
        self.overhear(|other| other.anything());
    }

    pub(super) fn add_overhearing(&self, other: Arc<dyn Overhear>) {
        self.overhearing.lock().push(other);
    }

    /// After the caches: who reads what he was woken for finds no old state there.
    pub(super) fn overhear(&self, tell: impl Fn(&dyn Overhear)) {
        let all = self.overhearing.lock().clone();
        all.iter().for_each(|other| tell(other.as_ref()));
    }

    pub(crate) fn register(&self, name: &'static str, listener: Weak<dyn Listener>) {
        let mut listeners = self.listeners.lock();
        listeners.retain(|(_, listener)| listener.strong_count() > 0);
        listeners.push((name, listener));
    }

    pub(super) fn each_listener(&self, tell: impl Fn(&'static str, &dyn Listener)) {
        // Copied, so that nobody is told anything under the lock.
        let listeners = self.listeners.lock().clone();
        for (name, listener) in listeners {
            if let Some(listener) = listener.upgrade() {
                tell(name, listener.as_ref());
            }
        }
    }

    /// Has all caches of this name in this process forget: it may have several, and is told nothing that it has said itself.
    pub(crate) fn forget_beside(&self, forgotten: &Forgotten) {
        self.each_listener(|name, listener| {
            if name == forgotten.cache {
                listener.forget(&forgotten.key, forgotten.version);
            }
        });
    }

    /// Closes the circuit.
    pub(super) fn put(&self, connection: MultiplexedConnection) {
        self.told.back();
        self.connection.store(Some(Arc::new(connection)));
    }

    /// As [`run`](Self::run), for what may be refused: that is told, and one goes on without the answer.
    pub(super) async fn ask<T, F>(
        &self,
        operation: &'static str,
        commands: impl FnOnce(MultiplexedConnection) -> F,
    ) -> Option<T>
    where
        F: Future<Output = RedisResult<T>>,
    {
        match self.run(operation, commands).await {
            Ok(answer) => {
                self.told.done(operation);
                Some(answer)
            }
            Err(Failed::Refused(cause)) => {
                self.told.refused(operation, &cause);
                None
            }
            Err(Failed::Away) => None,
        }
    }

    /// Runs commands within the limit. A lost or late answer opens the circuit.
    pub(super) async fn run<T, F>(
        &self,
        operation: &'static str,
        commands: impl FnOnce(MultiplexedConnection) -> F,
    ) -> Result<T, Failed>
    where
        F: Future<Output = RedisResult<T>>,
    {
        let Some(connection) = self.connection.load_full() else {
            count_error(operation, "circuit_open");
            return Err(Failed::Away);
        };
        let started = Instant::now();
        let result = timeout(self.limit, commands(connection.as_ref().clone())).await;
        let labels = [metrics::label(names::label::OPERATION, operation)];
        INSTRUMENTS.duration.record(started.elapsed().as_secs_f64(), &labels);
        match result {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) => Err(self.note(operation, &connection, &error)),
            Err(_) => {
                count_error(operation, "timeout");
                self.open_circuit(&connection, TIMEOUT);
                Err(Failed::Away)
            }
        }
    }

    fn note(&self, operation: &'static str, connection: &Arc<MultiplexedConnection>, error: &RedisError) -> Failed {
        if error.is_unrecoverable_error() || error.is_io_error() {
            count_error(operation, "connection");
            self.open_circuit(connection, &cause(error));
            return Failed::Away;
        }
        count_error(operation, "other");
        Failed::Refused(cause(error))
    }

    /// Opens the circuit until the backlog is told.
    pub(super) fn give_up(&self, cause: &str) {
        if let Some(connection) = self.connection.load_full() {
            self.open_circuit(&connection, cause);
        }
    }

    /// Only if the connection is still the one that failed: a later one may be fine.
    fn open_circuit(&self, failed: &Arc<MultiplexedConnection>, cause: &str) {
        let before = self.connection.compare_and_swap(failed, None);
        if before.as_ref().is_some_and(|before| Arc::ptr_eq(before, failed)) {
            self.told.away(cause);
            self.broken.notify_one();
        }
    }
}

fn count_error(operation: &'static str, reason: &'static str) {
    let labels = [metrics::label(names::label::OPERATION, operation), KeyValue::new(names::label::REASON, reason)];
    INSTRUMENTS.errors.add(1, &labels);
}

static LINKS: Owners<Link> = Owners::new(|| {
    metrics::observe_gauge(&names::REDIS_UP, |gauge| {
        let links = LINKS.living();
        if !links.is_empty() {
            gauge.observe(if links.iter().all(|link| link.is_up()) { 1.0 } else { 0.0 }, &[]);
        }
    });
});

/// Lets each scrape ask whether Redis is used, as long as the link lives; of several links, whether all are.
pub(super) fn observe(link: &Arc<Link>) {
    LINKS.add(Arc::downgrade(link));
}

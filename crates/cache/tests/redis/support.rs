//! Notes, a store of them that counts its loads, and replicas that share a Redis.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crm_cache::{Cache, Entry, Policy, Redis};
use parking_lot::Mutex;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Note {
    pub(crate) version: u64,
    pub(crate) text: String,
}

impl Entry for Note {
    fn version(&self) -> u64 {
        self.version
    }

    fn encode(&self) -> Vec<u8> {
        [&self.version.to_be_bytes(), self.text.as_bytes()].concat()
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let (version, text) = bytes.split_first_chunk::<8>()?;
        Some(Self { version: u64::from_be_bytes(*version), text: String::from_utf8(text.to_vec()).ok()? })
    }

    fn weight(&self) -> u32 {
        u32::try_from(self.text.len()).unwrap()
    }
}

pub(crate) fn note(version: u64) -> Note {
    Note { version, text: format!("version {version}") }
}

/// What Postgres is elsewhere.
#[derive(Debug, Clone, Default)]
pub(crate) struct Store {
    rows: Arc<Mutex<HashMap<String, Note>>>,
    loads: Arc<AtomicUsize>,
}

impl Store {
    pub(crate) fn write(&self, key: &str, version: u64) {
        self.rows.lock().insert(key.to_owned(), note(version));
    }

    pub(crate) fn row(&self, key: &str) -> Option<Note> {
        self.loads.fetch_add(1, Ordering::SeqCst);
        self.rows.lock().get(key).cloned()
    }

    pub(crate) fn loads(&self) -> usize {
        self.loads.load(Ordering::SeqCst)
    }

    /// Reads through the cache; the version, or 0 if there is no such note.
    pub(crate) async fn version(&self, cache: &Cache<Note>, key: &str) -> u64 {
        let found = cache.get(key, || async { Ok::<_, Infallible>(self.row(key)) }).await.unwrap();
        found.map_or(0, |note| note.version)
    }
}

/// Long lives, so that nothing in a test expires unless the test says so.
pub(crate) fn policy() -> Policy {
    Policy {
        ttl: Duration::from_secs(600),
        negative_ttl: Duration::from_secs(600),
        l1_ttl: Duration::from_secs(600),
        jitter: 0.0,
        ..Policy::new("notes")
    }
}

/// The service that has the notes.
pub(crate) const SERVICE: &str = "library";

/// Where Redis holds a note.
pub(crate) fn redis_key(key: &str) -> String {
    format!("crm:cache:library:notes:{key}")
}

/// A command may take long on a busy machine; tests of outages set a limit of their own.
pub(crate) const PATIENT: Duration = Duration::from_secs(5);

/// A replica of the service: a connection and a first tier of its own.
pub(crate) async fn replica(url: &str) -> Cache<Note> {
    let redis = connected(url, PATIENT).await;
    Cache::new(redis, policy())
}

pub(crate) async fn connected(url: &str, limit: Duration) -> Redis {
    connected_as(SERVICE, url, limit).await
}

pub(crate) async fn connected_as(service: &'static str, url: &str, limit: Duration) -> Redis {
    let redis = Redis::connect_with(service, url, limit).unwrap();
    until("connected", async || redis.is_up()).await;
    redis
}

/// A database of the shared Redis that no other test uses.
pub(crate) async fn url() -> String {
    crm_sandbox::testing::redis().await.unwrap()
}

/// A plain connection, to look at Redis past the cache.
pub(crate) async fn plain(url: &str) -> redis::aio::MultiplexedConnection {
    redis::Client::open(url).unwrap().get_multiplexed_async_connection().await.unwrap()
}

/// Waits until the key is held in Redis with this first byte: `v` value, `n` absence, `t` tombstone.
pub(crate) async fn until_stored(url: &str, key: &str, kind: u8) {
    let mut plain = plain(url).await;
    let key = redis_key(key);
    until("stored", async || {
        // What is of another type is not stored yet.
        let record: Option<Vec<u8>> = redis::Cmd::get(&key).query_async(&mut plain).await.unwrap_or_default();
        record.is_some_and(|record| record.first() == Some(&kind))
    })
    .await;
}

/// Waits until the condition holds, 15 s at most.
pub(crate) async fn until(what: &str, mut condition: impl AsyncFnMut() -> bool) {
    let limit = std::time::Instant::now() + Duration::from_secs(15);
    while !condition().await {
        assert!(std::time::Instant::now() < limit, "{what}: not in time");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

//! Redis killed, and Redis that hangs.

use std::time::{Duration, Instant};

use crm_cache::{Cache, Redis};
use crm_sandbox::child::ChildSignal;
use crm_sandbox::{RedisSettings, TemporaryFolder};

use crate::support::{Note, SERVICE, Store, connected, plain, policy, until, until_stored};

/// Short enough to be seen, long enough for a busy machine.
const LIMIT: Duration = Duration::from_millis(500);

/// A server that a test may do anything to.
pub(crate) struct OwnRedis {
    server: crm_sandbox::Redis,
    _folder: TemporaryFolder,
}

impl OwnRedis {
    pub(crate) fn start() -> Self {
        let folder = TemporaryFolder::new("crm-cache-test").unwrap();
        let server = crm_sandbox::Redis::start(&folder.path().join("redis"), RedisSettings::default()).unwrap();
        Self { server, _folder: folder }
    }

    pub(crate) fn url(&self) -> String {
        self.server.url()
    }

    fn signal(&self, signal: ChildSignal) {
        self.server.process().signal(signal);
    }
}

async fn cache(server: &OwnRedis) -> (Redis, Cache<Note>) {
    let redis = connected(&server.url(), LIMIT).await;
    (redis.clone(), Cache::new(redis, policy()))
}

/// Reads of keys that no first tier has; how long the slowest took.
async fn slowest_of_reads(cache: &Cache<Note>, store: &Store, reads: std::ops::Range<u64>) -> Duration {
    let mut slowest = Duration::ZERO;
    for number in reads {
        let key = format!("key {number}");
        store.write(&key, 7);
        let started = Instant::now();
        assert_eq!(store.version(cache, &key).await, 7);
        slowest = slowest.max(started.elapsed());
    }
    slowest
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_redis_fails_no_read_and_is_used_again_when_back() {
    let mut server = OwnRedis::start();
    let store = Store::default();
    let (redis, cache) = cache(&server).await;
    slowest_of_reads(&cache, &store, 0..10).await;
    server.signal(ChildSignal::SIGKILL);
    slowest_of_reads(&cache, &store, 10..200).await;
    until("noticed", async || !redis.is_up()).await;
    store.write("key 1", 8);
    cache.invalidate("key 1", 8).await;
    assert_eq!(store.version(&cache, "key 1").await, 8);
    server.server.restart().unwrap();
    until("back", async || redis.is_up()).await;
    slowest_of_reads(&cache, &store, 200..210).await;
    until_stored(&server.url(), "key 209", b'v').await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hanging_redis_costs_one_time_out() {
    let server = OwnRedis::start();
    let store = Store::default();
    let (redis, cache) = cache(&server).await;
    slowest_of_reads(&cache, &store, 0..10).await;
    server.signal(ChildSignal::SIGSTOP);
    let started = Instant::now();
    slowest_of_reads(&cache, &store, 10..300).await;
    let all = started.elapsed();
    // 290 reads that each waited would have taken minutes.
    assert!(all < LIMIT * 6, "{all:?}");
    assert!(!redis.is_up());
    server.signal(ChildSignal::SIGCONT);
    until("back", async || redis.is_up()).await;
    slowest_of_reads(&cache, &store, 300..310).await;
    until_stored(&server.url(), "key 309", b'v').await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn write_while_redis_hangs_is_told_when_it_is_back() {
    let server = OwnRedis::start();
    let store = Store::default();
    let (redis, writer) = cache(&server).await;
    store.write("a", 1);
    assert_eq!(store.version(&writer, "a").await, 1);
    until_stored(&server.url(), "a", b'v').await;
    server.signal(ChildSignal::SIGSTOP);
    store.write("a", 2);
    let started = Instant::now();
    writer.invalidate("a", 2).await;
    assert!(started.elapsed() < LIMIT * 4, "{:?}", started.elapsed());
    assert_eq!(store.version(&writer, "a").await, 2);
    server.signal(ChildSignal::SIGCONT);
    until("back", async || redis.is_up()).await;
    // The old record was still there when Redis came back.
    let (_, other) = cache(&server).await;
    assert_eq!(store.version(&other, "a").await, 2);
    assert_eq!(store.version(&writer, "a").await, 2);
}

/// A server that answers, and refuses every write from `refuse` to `allow`.
async fn check_refusal(refuse: &[&str], allow: &[&str]) {
    let server = OwnRedis::start();
    let store = Store::default();
    let (redis, writer) = cache(&server).await;
    store.write("a", 1);
    assert_eq!(store.version(&writer, "a").await, 1);
    until_stored(&server.url(), "a", b'v').await;
    command(&server, refuse).await;
    store.write("a", 2);
    writer.invalidate("a", 2).await;
    assert_eq!(store.version(&writer, "a").await, 2, "{refuse:?}: Redis still has the old value");
    assert!(!redis.is_up());
    command(&server, allow).await;
    until("back", async || redis.is_up()).await;
    let (_, other) = cache(&server).await;
    assert_eq!(store.version(&other, "a").await, 2, "{refuse:?}: the write was not told");
}

pub(crate) async fn command(server: &OwnRedis, words: &[&str]) {
    let mut command = redis::cmd(words[0]);
    command.arg(&words[1..]);
    let () = command.query_async(&mut plain(&server.url()).await).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn write_that_redis_refuses_is_not_undone_by_what_is_read_there() {
    check_refusal(&["REPLICAOF", "127.0.0.1", "1"], &["REPLICAOF", "NO", "ONE"]).await;
    check_refusal(&["CONFIG", "SET", "maxmemory", "1"], &["CONFIG", "SET", "maxmemory", "0"]).await;
}

#[tokio::test]
async fn redis_that_was_never_there_fails_no_read() {
    let folder = TemporaryFolder::new("crm-cache-test").unwrap();
    let url = format!("redis+unix://{}/nobody.sock", folder.path().display());
    let cache = Cache::new(Redis::connect(SERVICE, &url).unwrap(), policy());
    let store = Store::default();
    slowest_of_reads(&cache, &store, 0..50).await;
    store.write("key 1", 8);
    cache.invalidate("key 1", 8).await;
    assert_eq!(store.version(&cache, "key 1").await, 8);
}

//! Fills that a write passes on their way.

use std::convert::Infallible;
use std::sync::Arc;

use crm_cache::{Cache, Redis};
use tokio::sync::{Notify, oneshot};

use crate::support::{Note, Store, note, plain, policy, redis_key, replica, until, until_stored, url};

/// A get whose load has read `loaded` and answers when it is told to.
struct SlowGet {
    go_on: oneshot::Sender<()>,
    task: tokio::task::JoinHandle<u64>,
}

async fn slow_get(cache: &Cache<Note>, key: &'static str, loaded: Option<Note>) -> SlowGet {
    let (go_on, wait) = oneshot::channel();
    let has_read = Arc::new(Notify::new());
    let (cache, reading) = (cache.clone(), Arc::clone(&has_read));
    let task = tokio::spawn(async move {
        let load = || async move {
            reading.notify_one();
            wait.await.unwrap();
            Ok::<_, Infallible>(loaded)
        };
        cache.get(key, load).await.unwrap().map_or(0, |note| note.version)
    });
    has_read.notified().await;
    SlowGet { go_on, task }
}

impl SlowGet {
    async fn finish(self) -> u64 {
        self.go_on.send(()).unwrap();
        self.task.await.unwrap()
    }
}

#[tokio::test]
async fn fill_that_a_write_has_passed_is_stored_in_neither_tier() {
    let (url, store) = (url().await, Store::default());
    let (cache, other) = (replica(&url).await, replica(&url).await);
    let old = slow_get(&cache, "a", Some(note(1))).await;
    store.write("a", 2);
    cache.invalidate("a", 2).await;
    assert_eq!(old.finish().await, 1, "who asked before the write may see what was before it");
    assert_eq!(store.version(&cache, "a").await, 2);
    assert_eq!(store.version(&other, "a").await, 2);
}

#[tokio::test]
async fn fill_that_another_replicas_write_has_passed_is_stored_in_neither_tier() {
    let (url, store) = (url().await, Store::default());
    let (cache, writer) = (replica(&url).await, replica(&url).await);
    let old = slow_get(&cache, "a", Some(note(1))).await;
    store.write("a", 2);
    writer.invalidate("a", 2).await;
    old.finish().await;
    until("the write is seen", async || store.version(&cache, "a").await == 2).await;
    // Nothing that comes late brings the old version back.
    for _ in 0..20 {
        assert_eq!(store.version(&cache, "a").await, 2);
        assert_eq!(store.version(&writer, "a").await, 2);
    }
}

#[tokio::test]
async fn absence_that_a_creation_has_passed_is_not_remembered() {
    let (url, store) = (url().await, Store::default());
    let (cache, other) = (replica(&url).await, replica(&url).await);
    let absent = slow_get(&cache, "a", None).await;
    store.write("a", 1);
    cache.invalidate("a", 1).await;
    assert_eq!(absent.finish().await, 0);
    assert_eq!(store.version(&cache, "a").await, 1);
    assert_eq!(store.version(&other, "a").await, 1);
}

#[tokio::test]
async fn nobody_joins_a_load_that_began_before_a_write() {
    let (cache, store) = (Cache::new(Redis::none(), policy()), Store::default());
    let old = slow_get(&cache, "a", Some(note(1))).await;
    store.write("a", 2);
    cache.invalidate("a", 2).await;
    let new = tokio::time::timeout(crate::support::PATIENT, store.version(&cache, "a")).await;
    assert_eq!(new.unwrap(), 2, "a write is seen by who made it, while the old load still runs");
    old.finish().await;
    assert_eq!(store.version(&cache, "a").await, 2);
    assert_eq!(store.loads(), 1);
}

#[tokio::test]
async fn old_version_never_replaces_a_newer_one_in_redis() {
    // Beyond 2^53 Lua's numbers are no longer exact.
    const HIGH: u64 = (1 << 60) + 1;
    let (url, store) = (url().await, Store::default());
    let check = async |key: &'static str, held: u64, late: u64, expected: u64| {
        let (first, second, third) = (replica(&url).await, replica(&url).await, replica(&url).await);
        let late_get = slow_get(&second, key, Some(note(late))).await;
        store.write(key, held);
        assert_eq!(store.version(&first, key).await, held);
        until_stored(&url, key, b'v').await;
        late_get.finish().await;
        // A command of the same connection: the fill before it has been carried out.
        second.get("other", || async { Ok::<_, Infallible>(None) }).await.unwrap();
        until("the late fill has come", async || {
            store.version(&third, key).await;
            third.invalidate("nothing", 1).await;
            true
        })
        .await;
        let mut plain = plain(&url).await;
        let record: Vec<u8> = redis::Cmd::get(redis_key(key)).query_async(&mut plain).await.unwrap();
        assert_eq!(record[1..9], expected.to_be_bytes(), "{key}");
    };
    check("plain", 5, 4, 5).await;
    check("exact", HIGH, HIGH - 1, HIGH).await;
    check("high word", 1 << 32, u64::from(u32::MAX), 1 << 32).await;
}

#[tokio::test]
async fn late_invalidation_of_an_older_version_leaves_the_newer_value() {
    let (url, store) = (url().await, Store::default());
    store.write("a", 5);
    let cache = replica(&url).await;
    assert_eq!(store.version(&cache, "a").await, 5);
    until_stored(&url, "a", b'v').await;
    cache.invalidate("a", 4).await;
    cache.invalidate("a", 5).await;
    assert_eq!(store.version(&cache, "a").await, 5);
    assert_eq!(store.version(&replica(&url).await, "a").await, 5);
    assert_eq!(store.loads(), 1);
    cache.invalidate("a", 6).await;
    store.write("a", 6);
    assert_eq!(store.version(&cache, "a").await, 6);
}

#[tokio::test]
async fn invalidation_is_carried_out_although_its_caller_is_cancelled() {
    let (url, store) = (url().await, Store::default());
    store.write("a", 1);
    let (cache, other) = (replica(&url).await, replica(&url).await);
    assert_eq!(store.version(&other, "a").await, 1);
    until_stored(&url, "a", b'v').await;
    store.write("a", 2);
    {
        let mut invalidation = std::pin::pin!(cache.invalidate("a", 2));
        let _ = futures_util::poll!(&mut invalidation);
    }
    until("told", async || store.version(&other, "a").await == 2).await;
}

//! Several replicas that tell each other what they write.

use crm_cache::Cache;

use crate::support::{Note, PATIENT, Store, connected_as, plain, policy, redis_key, replica, until, until_stored, url};

#[tokio::test]
async fn write_of_one_replica_is_seen_by_the_others() {
    let (url, store) = (url().await, Store::default());
    store.write("a", 1);
    let (first, second) = (replica(&url).await, replica(&url).await);
    assert_eq!(store.version(&first, "a").await, 1);
    until_stored(&url, "a", b'v').await;
    assert_eq!(store.version(&second, "a").await, 1);
    for version in 2..20 {
        store.write("a", version);
        first.invalidate("a", version).await;
        assert_eq!(store.version(&first, "a").await, version, "at once where it was written");
        until("told", async || store.version(&second, "a").await == version).await;
    }
}

/// Who works beside the handlers of a process may have a cache of their own.
#[tokio::test]
async fn caches_of_one_name_in_a_process_forget_together() {
    let (url, store) = (url().await, Store::default());
    let redis = connected_as("library", &url, PATIENT).await;
    let (first, second) = (Cache::<Note>::new(redis.clone(), policy()), Cache::<Note>::new(redis, policy()));
    for version in 1..5 {
        store.write("a", version);
        first.invalidate("a", version).await;
        assert_eq!(store.version(&second, "a").await, version, "at once");
    }
}

#[tokio::test]
async fn lost_connection_of_the_listener_drops_the_first_tier() {
    let server = crate::outage::OwnRedis::start();
    let (url, store) = (server.url(), Store::default());
    store.write("a", 1);
    let cache = replica(&url).await;
    assert_eq!(store.version(&cache, "a").await, 1);
    until_stored(&url, "a", b'v').await;
    // Written by somebody whose message is lost with the connection: tombstone and message by hand.
    store.write("a", 2);
    let mut plain = plain(&url).await;
    let () = redis::cmd("DEL").arg(redis_key("a")).query_async(&mut plain).await.unwrap();
    assert_eq!(store.version(&cache, "a").await, 1, "not told, and within its life");
    let () = redis::cmd("CLIENT").arg("KILL").arg("TYPE").arg("pubsub").query_async(&mut plain).await.unwrap();
    until("dropped", async || store.version(&cache, "a").await == 2).await;
}

#[tokio::test]
async fn messages_that_nobody_of_us_wrote_are_ignored() {
    let (url, store) = (url().await, Store::default());
    store.write("a", 1);
    let cache = replica(&url).await;
    assert_eq!(store.version(&cache, "a").await, 1);
    let database = url.rsplit_once("db=").map_or("0", |(_, number)| number);
    let mut plain = plain(&url).await;
    for message in [&b""[..], b"short", &[0xff; 17], &[0xff; 40]] {
        let channel = format!("crm:cache:library:{database}:forget");
        let heard: u32 = redis::cmd("PUBLISH").arg(channel).arg(message).query_async(&mut plain).await.unwrap();
        assert_eq!(heard, 1, "the channel is the listener's");
    }
    let other = replica(&url).await;
    store.write("a", 2);
    other.invalidate("a", 2).await;
    until("still listening", async || store.version(&cache, "a").await == 2).await;
}

/// Two services may have a cache of one name, and a row of one id in each.
#[tokio::test]
async fn services_with_a_cache_of_one_name_see_nothing_of_each_other() {
    let url = url().await;
    let (books, letters) = (Store::default(), Store::default());
    books.write("a", 1);
    letters.write("a", 2);
    let cache = async |service| -> Cache<Note> { Cache::new(connected_as(service, &url, PATIENT).await, policy()) };
    let (library, post) = (cache("library").await, cache("post").await);
    assert_eq!(books.version(&library, "a").await, 1);
    until_stored(&url, "a", b'v').await;
    assert_eq!(letters.version(&post, "a").await, 2, "a record of another service");
    assert_eq!((books.loads(), letters.loads()), (1, 1));

    // A write of one, of a version far ahead of the other's, and heard by its own replicas alone.
    letters.write("a", 9);
    let other = cache("post").await;
    other.invalidate("a", 9).await;
    until("told", async || letters.version(&post, "a").await == 9).await;
    assert_eq!(books.version(&library, "a").await, 1);
    assert_eq!(books.loads(), 1, "forgotten at the word of another service");
    let fresh = cache("library").await;
    assert_eq!(books.version(&fresh, "a").await, 1);
    assert_eq!(books.loads(), 1, "its record in Redis is gone");
}

//! Several replicas that tell each other what they write.

use crate::support::{Store, plain, replica, until, until_stored, url};

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
    let () = redis::cmd("DEL").arg("crm:cache:notes:a").query_async(&mut plain).await.unwrap();
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
        let channel = format!("crm:cache:{database}:forget");
        let heard: u32 = redis::cmd("PUBLISH").arg(channel).arg(message).query_async(&mut plain).await.unwrap();
        assert_eq!(heard, 1, "the channel is the listener's");
    }
    let other = replica(&url).await;
    store.write("a", 2);
    other.invalidate("a", 2).await;
    until("still listening", async || store.version(&cache, "a").await == 2).await;
}

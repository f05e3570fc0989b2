//! A Redis that answers and refuses: what is told of it, and how often.
//!
//! Each test has one thread, as what others log is not caught.

use std::time::Duration;

use crm_cache::{Cache, Redis};
use crm_telemetry::testing::{Recorder, record};

use crate::outage::{OwnRedis, command};
use crate::support::{Note, SERVICE, Store, connected, plain, policy, redis_key, until, until_stored};

const LIMIT: Duration = Duration::from_secs(2);

/// Warnings so far, as `operation cause`, or `away cause` and `deaf cause`.
fn told(recorder: &Recorder) -> Vec<String> {
    let lines = recorder.log().into_iter().filter(|line| line["level"] == "WARN");
    lines
        .map(|line| {
            let text = |key: &str| line[key].as_str().unwrap_or_default().to_owned();
            let state = match text("message") {
                message if message.contains("is away") => "away".to_owned(),
                message if message.contains("listen") => "deaf".to_owned(),
                _ => text("operation"),
            };
            format!("{state} {}", text("cause"))
        })
        .collect()
}

async fn until_told(recorder: &Recorder, line: &str) {
    until(line, async || told(recorder).iter().any(|told| told == line)).await;
}

fn cache(redis: &Redis) -> Cache<Note> {
    Cache::new(redis.clone(), policy())
}

/// Reads that no tier has, each of which is then offered to Redis.
async fn read_many(cache: &Cache<Note>, store: &Store, prefix: &str) {
    for number in 0..20 {
        let key = format!("{prefix} {number}");
        store.write(&key, 3);
        assert_eq!(store.version(cache, &key).await, 3);
    }
}

async fn add_user(server: &OwnRedis, rules: &[&str]) -> String {
    command(server, &[&["ACL", "SETUSER", "limited", "on", ">secret", "~*", "&*", "+@all"], rules].concat()).await;
    format!("{}?user=limited&pass=secret", server.url())
}

#[tokio::test]
async fn user_without_channels_is_told_once_and_reads_all_the_same() {
    let server = OwnRedis::start();
    let url = add_user(&server, &["resetchannels"]).await;
    let (recorder, _guard) = record();
    let (redis, store) = (Redis::connect_with(SERVICE, &url, LIMIT).unwrap(), Store::default());
    until_told(&recorder, "deaf NOPERM").await;
    assert!(!redis.is_up());
    let cache = cache(&redis);
    read_many(&cache, &store, "a").await;
    until_stored(&server.url(), "a 19", b'v').await;
    store.write("a 1", 4);
    cache.invalidate("a 1", 4).await;
    assert_eq!(store.version(&cache, "a 1").await, 4);
    until_told(&recorder, "away NOPERM").await;

    command(&server, &["ACL", "SETUSER", "limited", "allchannels"]).await;
    until("up", async || redis.is_up()).await;
    assert_eq!(told(&recorder), ["deaf NOPERM", "away NOPERM"]);
    let log = recorder.log();
    for end in ["redis is back", "redis lets listen again"] {
        assert_eq!(log.iter().filter(|line| line["message"] == end).count(), 1, "{end}: {log:?}");
    }
}

#[tokio::test]
async fn user_without_scripts_is_told_once_a_state() {
    let server = OwnRedis::start();
    let url = add_user(&server, &["-@scripting"]).await;
    let (recorder, _guard) = record();
    let (redis, store) = (connected(&url, LIMIT).await, Store::default());
    let cache = cache(&redis);
    read_many(&cache, &store, "a").await;
    until_told(&recorder, "fill NOPERM").await;
    for version in 4..8 {
        store.write("a 1", version);
        cache.invalidate("a 1", version).await;
        assert_eq!(store.version(&cache, "a 1").await, version);
    }
    read_many(&cache, &store, "b").await;
    assert!(!redis.is_up());
    assert_eq!(told(&recorder), ["fill NOPERM", "away NOPERM"]);
}

/// The rights that the README asks for, and no others.
#[tokio::test]
async fn user_with_what_is_needed_is_refused_nothing() {
    let server = OwnRedis::start();
    let rights = "-@all +@read +@write +@scripting +@pubsub +@connection resetkeys ~crm:cache:library:* \
                  resetchannels &crm:cache:library:*";
    let url = add_user(&server, &rights.split(' ').collect::<Vec<_>>()).await;
    let (recorder, _guard) = record();
    let (redis, store) = (connected(&url, LIMIT).await, Store::default());
    let (cache, other) = (cache(&redis), cache(&connected(&url, LIMIT).await));
    read_many(&cache, &store, "a").await;
    read_many(&other, &store, "a").await;
    store.write("a 1", 4);
    cache.invalidate("a 1", 4).await;
    until("heard", async || store.version(&other, "a 1").await == 4).await;
    assert!(redis.is_up() && told(&recorder).is_empty(), "{:?}", told(&recorder));
}

/// `refuse` makes the server refuse writes with this word, `allow` ends that.
async fn check_word(word: &str, refuse: &[&str], allow: &[&str]) {
    let server = OwnRedis::start();
    let (recorder, _guard) = record();
    let (redis, store) = (connected(&server.url(), LIMIT).await, Store::default());
    let cache = cache(&redis);
    command(&server, refuse).await;
    read_many(&cache, &store, "a").await;
    until_told(&recorder, &format!("fill {word}")).await;
    store.write("a 1", 4);
    cache.invalidate("a 1", 4).await;
    assert_eq!(store.version(&cache, "a 1").await, 4);
    assert_eq!(told(&recorder), [format!("fill {word}"), format!("away {word}")]);
    command(&server, allow).await;
    until("back", async || redis.is_up()).await;
    assert_eq!(told(&recorder).len(), 2);
}

#[tokio::test]
async fn full_or_read_only_redis_is_told_in_its_own_word() {
    check_word("OOM", &["CONFIG", "SET", "maxmemory", "1"], &["CONFIG", "SET", "maxmemory", "0"]).await;
    check_word("READONLY", &["REPLICAOF", "127.0.0.1", "1"], &["REPLICAOF", "NO", "ONE"]).await;
}

#[tokio::test]
async fn redis_that_takes_nobody_in_is_told_in_its_own_word() {
    let server = OwnRedis::start();
    command(&server, &["CONFIG", "SET", "replica-serve-stale-data", "no"]).await;
    command(&server, &["ACL", "SETUSER", "known", "on", ">secret", "~*", "&*", "+@all"]).await;
    let check = async |question: &str, word: &str| {
        let (recorder, _guard) = record();
        let url = format!("{}{question}", server.url());
        let redis = Redis::connect_with(SERVICE, &url, LIMIT).unwrap();
        until_told(&recorder, &format!("away {word}")).await;
        assert_eq!(told(&recorder), [format!("away {word}")]);
        assert!(!redis.is_up() && !format!("{:?}", recorder.log()).contains("hunter2"));
    };
    check("?pass=hunter2", "ERR (a password is given and none is configured)").await;
    check("?user=known&pass=hunter2", "WRONGPASS").await;
    check("?user=unknown&pass=hunter2", "WRONGPASS").await;
    check("?db=99999999", "ERR DB index is out of range").await;
    command(&server, &["REPLICAOF", "127.0.0.1", "1"]).await;
    check("", "MASTERDOWN").await;
    command(&server, &["REPLICAOF", "NO", "ONE"]).await;
    command(&server, &["CONFIG", "SET", "requirepass", "right"]).await;
    check("", "NOAUTH").await;
    check("?db=3", "NOAUTH").await;
    check("?pass=hunter2", "WRONGPASS").await;
}

/// Else this one key would keep the replica from Redis for good.
#[tokio::test]
async fn key_of_a_foreign_type_is_taken_over() {
    let server = OwnRedis::start();
    let (recorder, _guard) = record();
    let (redis, store) = (connected(&server.url(), LIMIT).await, Store::default());
    let cache = cache(&redis);
    let spoil = async |key: &str| command(&server, &["HSET", &redis_key(key), "field", "1"]).await;
    spoil("written").await;
    store.write("written", 2);
    cache.invalidate("written", 2).await;
    until_stored(&server.url(), "written", b't').await;
    assert!(redis.is_up());

    spoil("read").await;
    store.write("read", 1);
    assert_eq!(store.version(&cache, "read").await, 1);
    until_stored(&server.url(), "read", b'v').await;
    assert_eq!(told(&recorder), ["get WRONGTYPE"]);
    let exists: bool =
        redis::Cmd::exists(redis_key("read")).query_async(&mut plain(&server.url()).await).await.unwrap();
    assert!(exists);
}

//! One replica: tiers, one load at a time, absence, switches.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crm_cache::{Cache, Policy, Redis, Switch};
use tokio::task::JoinSet;

use crate::support::{Note, SERVICE, Store, note, plain, policy, redis_key, replica, until, until_stored, url};

fn alone() -> Cache<Note> {
    Cache::new(Redis::none(), policy())
}

/// A get whose load, if it is the one that loads, takes a while.
async fn slow_version(cache: &Cache<Note>, loads: &AtomicUsize) -> u64 {
    let load = || async {
        loads.fetch_add(1, Ordering::SeqCst);
        tokio::time::sleep(Duration::from_millis(50)).await;
        Ok::<_, Infallible>(Some(note(1)))
    };
    cache.get("a", load).await.unwrap().unwrap().version
}

#[tokio::test(start_paused = true)]
async fn hundred_concurrent_gets_load_once() {
    let (cache, loads) = (alone(), Arc::new(AtomicUsize::new(0)));
    let mut gets = JoinSet::new();
    for _ in 0..100 {
        let (cache, loads) = (cache.clone(), Arc::clone(&loads));
        gets.spawn(async move { slow_version(&cache, &loads).await });
    }
    assert_eq!(gets.join_all().await, vec![1; 100]);
    assert_eq!(loads.load(Ordering::SeqCst), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn hundred_concurrent_gets_load_once_through_redis() {
    let (url, store) = (url().await, Store::default());
    store.write("a", 1);
    let cache = replica(&url).await;
    let mut gets = JoinSet::new();
    for _ in 0..100 {
        let (cache, store) = (cache.clone(), store.clone());
        gets.spawn(async move { store.version(&cache, "a").await });
    }
    assert_eq!(gets.join_all().await, vec![1; 100]);
    assert_eq!(store.loads(), 1);
}

#[tokio::test(start_paused = true)]
async fn cancelled_leader_strands_nobody() {
    let cache = alone();
    let leader = tokio::spawn({
        let cache = cache.clone();
        async move { cache.get("a", std::future::pending::<Result<Option<Note>, Infallible>>).await }
    });
    tokio::task::yield_now().await;
    let mut followers = JoinSet::new();
    let loads = Arc::new(AtomicUsize::new(0));
    for _ in 0..10 {
        let (cache, loads) = (cache.clone(), Arc::clone(&loads));
        followers.spawn(async move { slow_version(&cache, &loads).await });
    }
    tokio::time::sleep(Duration::from_millis(10)).await;
    assert_eq!(loads.load(Ordering::SeqCst), 0);
    leader.abort();
    assert_eq!(followers.join_all().await, vec![1; 10]);
    assert_eq!(loads.load(Ordering::SeqCst), 1, "one follower takes over for all");
}

#[tokio::test(start_paused = true)]
async fn failed_load_is_its_callers_alone_and_is_not_kept() {
    let cache = alone();
    let failing = cache.get("a", || async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        Err("too late")
    });
    let following = cache.get("a", || async { Ok::<_, &str>(Some(note(1))) });
    let (failed, followed) = tokio::join!(failing, following);
    assert_eq!(failed.unwrap_err(), "too late");
    assert_eq!(followed.unwrap().unwrap().version, 1);
}

#[tokio::test(start_paused = true)]
async fn failed_load_lets_one_follower_try_again_for_all() {
    let (cache, loads) = (alone(), Arc::new(AtomicUsize::new(0)));
    let mut gets = JoinSet::new();
    for _ in 0..100 {
        let (cache, loads) = (cache.clone(), Arc::clone(&loads));
        gets.spawn(async move {
            let load = || async {
                let is_first = loads.fetch_add(1, Ordering::SeqCst) == 0;
                tokio::time::sleep(Duration::from_millis(50)).await;
                if is_first { Err("too late") } else { Ok(Some(note(1))) }
            };
            cache.get("a", load).await.is_err()
        });
    }
    assert_eq!(gets.join_all().await.into_iter().filter(|failed| *failed).count(), 1);
    assert_eq!(loads.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn second_get_is_answered_here_and_another_process_by_redis() {
    let (url, store) = (url().await, Store::default());
    store.write("a", 1);
    let (first, second) = (replica(&url).await, replica(&url).await);
    assert_eq!([store.version(&first, "a").await, store.version(&first, "a").await], [1, 1]);
    until_stored(&url, "a", b'v').await;
    assert_eq!(store.version(&second, "a").await, 1);
    assert_eq!(store.loads(), 1);
}

#[tokio::test]
async fn absence_is_remembered_until_a_creation_is_told() {
    let (url, store) = (url().await, Store::default());
    let (first, second) = (replica(&url).await, replica(&url).await);
    assert_eq!([store.version(&first, "a").await, store.version(&first, "a").await], [0, 0]);
    until_stored(&url, "a", b'n').await;
    assert_eq!(store.version(&second, "a").await, 0);
    assert_eq!(store.loads(), 1);
    store.write("a", 1);
    first.invalidate("a", 1).await;
    assert_eq!(store.version(&first, "a").await, 1);
    until("told", async || store.version(&second, "a").await == 1).await;
}

#[tokio::test]
async fn value_that_cannot_be_decoded_is_a_miss_and_is_replaced() {
    let (url, store) = (url().await, Store::default());
    store.write("a", 3);
    let check = async |garbage: &[u8]| {
        let cache = replica(&url).await;
        let mut plain = plain(&url).await;
        let () = redis::cmd("SET").arg(redis_key("a")).arg(garbage).query_async(&mut plain).await.unwrap();
        let loads = store.loads();
        assert_eq!(store.version(&cache, "a").await, 3);
        assert_eq!(store.loads(), loads + 1, "{garbage:?}");
        until_stored(&url, "a", b'v').await;
    };
    check(b"").await;
    check(b"v").await;
    check(b"v\0\0\0\0\0\0\0\x01short").await;
    check(b"v\0\0\0\0\0\0\0\x03\0\0\0\0\0\0\0\x03\xff\xfe").await;
    check(b"?\0\0\0\0\0\0\0\x02whatever").await;
}

#[tokio::test]
async fn key_of_another_type_costs_a_load_and_breaks_nothing() {
    let (url, store) = (url().await, Store::default());
    store.write("a", 1);
    let cache = replica(&url).await;
    let mut plain = plain(&url).await;
    let () = redis::cmd("LPUSH").arg(redis_key("a")).arg("x").query_async(&mut plain).await.unwrap();
    assert_eq!(store.version(&cache, "a").await, 1);
    cache.invalidate("a", 2).await;
    store.write("a", 2);
    assert_eq!(store.version(&cache, "a").await, 2);
}

#[tokio::test]
async fn switches_act_at_once() {
    let (url, store) = (url().await, Store::default());
    store.write("a", 1);
    let cache = replica(&url).await;
    let mut expected = 0;
    let mut check = async |switches: &[Switch], key: &str, more_loads: usize| {
        for switch in Switch::ALL {
            cache.switches().set(switch, switches.contains(&switch));
        }
        store.version(&cache, key).await;
        expected += more_loads;
        assert_eq!(store.loads(), expected, "{switches:?} {key}");
    };
    check(&[], "a", 1).await;
    check(&[], "a", 1).await;
    check(&[Switch::L1], "a", 1).await;
    check(&[Switch::L1], "a", 0).await;
    check(&[Switch::L2], "a", 1).await;
    until_stored(&url, "a", b'v').await;
    check(&[Switch::L2], "a", 0).await;
    check(&[Switch::L1, Switch::L2], "absent", 1).await;
    check(&[Switch::L1, Switch::L2], "absent", 1).await;
    check(&[Switch::L1, Switch::Negative], "absent", 1).await;
    check(&[Switch::L1, Switch::Negative], "absent", 0).await;
    check(&[Switch::L1], "absent", 1).await;
}

#[tokio::test]
async fn values_expire_in_both_tiers() {
    let (url, store) = (url().await, Store::default());
    store.write("a", 1);
    let short = Duration::from_millis(50);
    let redis = crate::support::connected(&url, crate::support::PATIENT).await;
    let cache = Cache::new(redis, Policy { ttl: short, l1_ttl: short, jitter: 0.5, ..policy() });
    assert_eq!(store.version(&cache, "a").await, 1);
    until("expired", async || {
        store.version(&cache, "a").await;
        store.loads() >= 3
    })
    .await;
}

#[test]
fn url_that_names_no_redis_is_refused_without_showing_it() {
    let error = Redis::connect(SERVICE, "http://:secret@nowhere").unwrap_err();
    assert!(!format!("{error} {error:?}").contains("secret"));
}

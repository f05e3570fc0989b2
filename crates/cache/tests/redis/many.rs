//! Batches.

use std::collections::HashMap;
use std::convert::Infallible;

use crm_cache::Cache;

use crate::outage::OwnRedis;
use crate::support::{Note, Store, plain, replica, until, until_stored, url};

/// Versions in the order of the keys, and which keys were loaded.
async fn versions(cache: &Cache<Note>, store: &Store, keys: &[&str]) -> (Vec<u64>, Vec<String>) {
    let keys: Vec<String> = keys.iter().map(|key| (*key).to_owned()).collect();
    let mut loaded = Vec::new();
    let load = |missing: Vec<String>| {
        loaded.clone_from(&missing);
        async move {
            let rows = missing.into_iter().filter_map(|key| store.row(&key).map(|note| (key, note)));
            Ok::<HashMap<_, _>, Infallible>(rows.collect())
        }
    };
    let found = cache.get_many(&keys, load).await.unwrap();
    let versions = found.iter().map(|note| note.as_ref().map_or(0, |note| note.version)).collect();
    (versions, loaded)
}

#[tokio::test]
async fn each_key_comes_from_the_nearest_tier_and_the_order_is_kept() {
    let (url, store) = (url().await, Store::default());
    for (key, version) in [("a", 1), ("b", 2), ("c", 3)] {
        store.write(key, version);
    }
    let (first, second) = (replica(&url).await, replica(&url).await);
    assert_eq!(store.version(&first, "a").await, 1);
    assert_eq!(store.version(&second, "b").await, 2);
    until_stored(&url, "b", b'v').await;
    let (found, loaded) = versions(&first, &store, &["c", "none", "b", "a", "c"]).await;
    assert_eq!(found, [3, 0, 2, 1, 3]);
    assert_eq!(loaded, ["c", "none"], "once each, and only what no tier has");
    let (found, loaded) = versions(&first, &store, &["a", "b", "c", "none"]).await;
    assert_eq!((found, loaded), (vec![1, 2, 3, 0], vec![]));
    assert_eq!(versions(&first, &store, &[]).await, (vec![], vec![]));
}

#[tokio::test]
async fn hundred_keys_take_one_round_trip() {
    let server = OwnRedis::start();
    let store = Store::default();
    let keys: Vec<String> = (0..100).map(|number| format!("key {number}")).collect();
    keys.iter().for_each(|key| store.write(key, 1));
    let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
    let cache = replica(&server.url()).await;
    assert_eq!(versions(&cache, &store, &keys).await.1.len(), 100);
    until_stored(&server.url(), "key 99", b'v').await;
    let other = replica(&server.url()).await;
    assert_eq!(versions(&other, &store, &keys).await, (vec![1; 100], vec![]));
    let mut plain = plain(&server.url()).await;
    let statistics: String = redis::cmd("INFO").arg("commandstats").query_async(&mut plain).await.unwrap();
    let calls = |command: &str| {
        let line = statistics.lines().find(|line| line.starts_with(&format!("cmdstat_{command}:"))).unwrap_or("");
        line.split(['=', ',']).nth(1).unwrap_or("0").to_owned()
    };
    assert_eq!(calls("mget"), "2", "one for each batch");
}

#[tokio::test]
async fn batch_that_a_write_has_passed_is_not_kept() {
    let (url, store) = (url().await, Store::default());
    store.write("a", 1);
    let cache = replica(&url).await;
    let keys = ["a".to_owned()];
    let load = |_| async {
        let old = store.row("a");
        store.write("a", 2);
        cache.invalidate("a", 2).await;
        Ok::<_, Infallible>(old.map(|note| ("a".to_owned(), note)).into_iter().collect())
    };
    let found = cache.get_many(&keys, load).await.unwrap();
    assert_eq!(found[0].as_ref().unwrap().version, 1);
    assert_eq!(store.version(&cache, "a").await, 2);
    until("in redis", async || store.version(&replica(&url).await, "a").await == 2).await;
}

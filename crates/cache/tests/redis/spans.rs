//! One span a lookup, that says who answered.

use std::convert::Infallible;

use crm_cache::{Cache, Policy, Redis};
use crm_telemetry::testing::{attribute, record};

use crate::support::{Note, Store, note, replica, until, until_stored, url};

#[tokio::test]
async fn span_names_tier_and_outcome_and_no_key() {
    let (url, store) = (url().await, Store::default());
    store.write("secret key", 1);
    let (first, second) = (replica(&url).await, replica(&url).await);
    let (recorder, _guard) = record();
    store.version(&first, "secret key").await;
    store.version(&first, "secret key").await;
    until_stored(&url, "secret key", b'v').await;
    store.version(&second, "secret key").await;
    store.version(&first, "absent").await;
    store.version(&first, "absent").await;
    let _ = first.get("failing", || async { Err::<Option<_>, _>("no") }).await;
    let found: Vec<_> = recorder
        .spans_named("cache.get")
        .iter()
        .map(|span| {
            let of = |key| attribute(span, key).unwrap();
            assert!(!format!("{span:?}").contains("secret key"));
            format!("{} {} {}", of("crm.cache.name"), of("crm.cache.tier"), of("crm.cache.outcome"))
        })
        .collect();
    let expected = ["none miss", "l1 hit", "l2 hit", "none miss", "l1 negative", "none miss"];
    assert_eq!(found, expected.map(|outcome| format!("notes {outcome}")));
}

#[tokio::test]
async fn load_runs_inside_the_span_and_metrics_count_it() {
    let url = url().await;
    let cache = replica(&url).await;
    let (recorder, _guard) = record();
    let load = || async {
        let _entered = tracing::info_span!("statement").entered();
        Ok::<_, Infallible>(Some(note(1)))
    };
    cache.get("a", load).await.unwrap();
    let parent = recorder.spans_named("cache.get")[0].span_context.span_id();
    assert_eq!(recorder.spans_named("statement")[0].parent_span_id, parent);
    let text = crm_telemetry::metrics_text();
    for name in ["crm_cache_lookups_total", "crm_cache_loads_total", "crm_cache_entries", "crm_redis_up"] {
        assert!(text.contains(name), "{name} is missing:\n{text}");
    }
}

#[tokio::test]
async fn caches_of_one_name_add_up_as_long_as_they_live() {
    let cache = || Cache::<Note>::new(Redis::none(), Policy::new("sized"));
    let caches = [cache(), cache()];
    for (cache, keys) in caches.iter().zip([1, 2]) {
        for key in 0..keys {
            cache.get(&format!("key {key}"), || async { Ok::<_, Infallible>(Some(note(1))) }).await.unwrap();
        }
    }
    let entries = || {
        let text = crm_telemetry::metrics_text();
        let of_both = |line: &&str| line.starts_with("crm_cache_entries") && line.contains("\"sized\"");
        text.lines().find(of_both).and_then(|line| line.rsplit(' ').next()?.parse::<u64>().ok())
    };
    until("the sum of both", async || {
        // Lookups let the housekeeping catch up, which counts.
        for cache in &caches {
            cache.get("key 0", || async { Ok::<_, Infallible>(None) }).await.unwrap();
        }
        entries() == Some(3)
    })
    .await;
    drop(caches);
    assert_eq!(entries(), None);
}

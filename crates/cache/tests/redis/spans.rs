//! One span a lookup, that says who answered.

use std::convert::Infallible;

use crm_telemetry::testing::{attribute, record};

use crate::support::{Store, note, replica, until_stored, url};

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

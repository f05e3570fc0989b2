//! What a call leaves in the traces: spans are a budget.

use crm_telemetry::testing::{attribute, record};

use crate::support::{account, world};

#[tokio::test]
async fn a_cached_read_costs_two_spans_and_an_uncached_one_its_statement_more() {
    let (recorder, _guard) = record();
    let world = world().await;
    let created = world.agent.create_account(account("Secret Name")).await.unwrap();
    let mut before = recorder.spans().len();
    for _ in 0..3 {
        world.agent.get_account(&created.id).await.unwrap();
        let names: Vec<String> = recorder.spans()[before..].iter().map(|span| span.name.to_string()).collect();
        println!("{names:?}");
        before += names.len();
    }
    let spans = recorder.spans();
    let last: Vec<_> = spans[before - 2..].iter().map(|span| span.name.to_string()).collect();
    assert_eq!(last.iter().filter(|name| name.contains("AccountService/GetAccount")).count(), 1, "{last:?}");
    assert_eq!(last.iter().filter(|name| name.contains("cache")).count(), 1, "{last:?}");
    let statement = &recorder.spans_named("find_accounts")[0];
    let text = attribute(statement, "db.query.text").unwrap();
    assert!(text.contains("tenant_id = $1") && !text.contains(&created.id), "{text}");
    assert!(!format!("{:?}", recorder.spans()).contains("Secret Name"), "a value of a row is in a span");
}

//! What is read can be sent back, whole or a field at a time, by clients that name no mask.

use ::http::{Method, StatusCode};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::samples::{Given, sample, tagged, updates};
use crate::support::{Joined, text};

async fn create(joined: &Joined, collection: &str, body: Value) -> Value {
    joined.json(Method::POST, &format!("{collection}?requestId={}", Uuid::new_v4()), body).await
}

/// What a change that changes nothing leaves alone, the time and the tag included.
#[tokio::test]
async fn what_was_read_can_be_sent_back_whole_and_by_the_field() {
    let joined = Joined::start().await;
    let given = Given::make(&joined, "acme").await;
    let updates = updates();
    assert!(
        updates.len() >= 10,
        "accounts, contacts, activities, products, saved views, tags and definitions of each: {updates:?}"
    );
    for (collection, fields) in updates {
        let sample = tagged(&joined, "acme", &collection, sample(&collection, &given)).await;
        for name in fields.keys().filter(|name| *name != "etag") {
            assert!(sample.get(name).is_some(), "the sample of {collection} lacks {name}");
        }
        let created = create(&joined, &collection, sample.clone()).await;
        for name in fields.keys().filter(|name| *name != "etag") {
            assert_eq!(created[name], sample[name], "{collection}: {name} is kept and shown");
        }
        let path = format!("{collection}/{}", created["id"].as_str().unwrap());
        let read = joined.json(Method::GET, &path, Value::Null).await;
        assert_eq!(read, created);
        assert_eq!(joined.json(Method::PATCH, &path, read.clone()).await, read, "{path}: sent back whole");
        for name in fields.keys() {
            let body = json!({name: read[name]});
            assert_eq!(joined.json(Method::PATCH, &path, body).await, read, "{path}: {name} sent back");
        }
        assert_eq!(joined.json(Method::PATCH, &path, json!({})).await, read, "{path}: nothing sent");
        assert_eq!(joined.json(Method::PATCH, &path, Value::Null).await, read, "{path}: no body");
        assert_eq!(joined.json(Method::PATCH, &format!("{path}?updateMask="), read.clone()).await, read, "{path}");
    }
}

#[tokio::test]
async fn a_message_is_changed_as_a_whole_and_cleared_by_null() {
    let joined = Joined::start().await;
    let revenue = json!({"currencyCode": "EUR", "units": "12", "nanos": 500_000_000});
    let created = create(&joined, "/v1/accounts", json!({"name": "Acme", "annualRevenue": revenue})).await;
    let path = format!("/v1/accounts/{}", created["id"].as_str().unwrap());
    let changed =
        joined.json(Method::PATCH, &path, json!({"annualRevenue": {"currencyCode": "EUR", "units": "13"}})).await;
    assert_eq!(changed["annualRevenue"], json!({"currencyCode": "EUR", "units": "13", "nanos": 0}));
    assert_eq!(changed["name"], "Acme");
    assert_ne!(changed["etag"], created["etag"]);
    let part = joined.call(Method::PATCH, &path, &[], json!({"annualRevenue": {"units": "14"}})).await;
    assert_eq!(part.status, StatusCode::BAD_REQUEST);
    assert!(text(&part).contains("\"field\":\"annualRevenue\""), "{}", text(&part));
    let cleared = joined.json(Method::PATCH, &path, json!({"annualRevenue": null, "owner": ""})).await;
    assert!(cleared.get("annualRevenue").is_none(), "{cleared}");
}

#[tokio::test]
async fn a_history_has_values_as_the_record_had_them() {
    let joined = Joined::start().await;
    let revenue = json!({"currencyCode": "EUR", "units": "12", "nanos": 500_000_000});
    let created = create(&joined, "/v1/accounts", json!({"name": "Acme", "annualRevenue": revenue})).await;
    let path = format!("/v1/accounts/{}", created["id"].as_str().unwrap());
    let changed = joined.json(Method::PATCH, &path, json!({"annualRevenue": null, "employees": 7})).await;
    let history = joined.json(Method::GET, &format!("{path}:history"), Value::Null).await;
    let newest = &history["changes"][0];
    let before = json!({"currencyCode": "EUR", "units": "12", "nanos": 500_000_000});
    let fields = json!([
        {"field": "annual_revenue", "from": before, "to": null},
        {"field": "employees", "from": null, "to": 7},
    ]);
    assert_eq!(newest["fields"], fields);
    assert_eq!(
        (&newest["kind"], &newest["version"], &newest["etag"]),
        (&json!("KIND_UPDATED"), &json!("2"), &changed["etag"])
    );
    assert_eq!((&history["complete"], &history["beginTime"]), (&json!(true), &created["createTime"]));
    assert_eq!(history["changes"][1]["kind"], "KIND_CREATED");
}

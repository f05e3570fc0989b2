//! Search and duplicates as programs that speak REST see them.

use ::http::{Method, StatusCode};
use crm_server::token::Role;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::http::Answer;
use crate::support::{Joined, json, text};

async fn create(joined: &Joined, collection: &str, query: &str, body: &Value) -> Answer {
    let path = format!("/v1/{collection}?requestId={}{query}", Uuid::new_v4());
    joined.call(Method::POST, &path, &[], body.clone()).await
}

async fn filled(joined: &Joined) -> Value {
    let acme = create(joined, "accounts", "", &json!({"name": "Acmé & Co.", "domain": "acme.example"})).await;
    let acme = json(&acme)["id"].clone();
    let ada = json!({
        "accountId": acme, "givenName": "Ada", "familyName": "Lovelace", "emails": ["ada@acme.example"],
        "phones": ["+44 20 7946 0018"],
    });
    assert_eq!(create(joined, "contacts", "", &ada).await.status, StatusCode::OK);
    ada
}

#[tokio::test]
async fn who_types_finds_accounts_and_contacts() {
    let joined = Joined::start().await;
    filled(&joined).await;
    let found = joined.json(Method::GET, "/v1/customers:search?query=ac", Value::Null).await;
    let hits = found["hits"].as_array().unwrap();
    let account = joined.json(Method::GET, "/v1/accounts", Value::Null).await["accounts"][0]["id"].clone();
    let expected = json!({
        "resource": "accounts", "id": account, "title": "Acmé & Co.", "subtitle": "acme.example",
        "match": "MATCH_PREFIX", "field": "name", "text": "Acmé & Co.",
    });
    assert_eq!(*hits, [expected]);
    for (query, titles) in [
        ("query=%2B44%2020%2079", json!(["Ada Lovelace"])),
        ("query=lvoe", json!(["Ada Lovelace"])),
        ("query=a&resources=contacts", json!(["Ada Lovelace"])),
        ("query=a&limit=1", json!(["Acmé & Co."])),
        ("query=nobody", json!([])),
    ] {
        let found = joined.json(Method::GET, &format!("/v1/customers:search?{query}"), Value::Null).await;
        let found: Vec<_> = found["hits"].as_array().unwrap().iter().map(|hit| hit["title"].clone()).collect();
        assert_eq!(Value::from(found), titles, "{query}");
    }
    let none = joined.call_as("other", Role::Admin, Method::GET, "/v1/customers:search?query=ac", Value::Null).await;
    assert_eq!(json(&none), json!({"hits": []}));
    let long = format!("/v1/customers:search?query={}", "a".repeat(10_000));
    for path in ["/v1/customers:search", "/v1/customers:search?query=%20", &long] {
        let refused = joined.call(Method::GET, path, &[], Value::Null).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{path:.40}");
        assert!(text(&refused).contains("FIELDS_INVALID"), "{}", text(&refused));
    }
}

#[tokio::test]
async fn a_creation_is_warned_of_duplicates_and_told_which() {
    let joined = Joined::start().await;
    let ada = filled(&joined).await;
    let found = joined.json(Method::POST, "/v1/contacts:findDuplicates", json!({"contact": ada})).await;
    let [duplicate] = found["duplicates"].as_array().unwrap().as_slice() else { panic!("{found}") };
    assert_eq!((&duplicate["resource"], &duplicate["title"]), (&json!("contacts"), &json!("Ada Lovelace")));
    assert_eq!(
        (&duplicate["score"], &duplicate["reasons"][0]),
        (&json!(99), &json!({"reason": "SAME_EMAIL", "weight": 90}))
    );
    let itself = joined.json(Method::POST, "/v1/contacts:findDuplicates", json!({"id": duplicate["id"]})).await;
    assert_eq!(itself, json!({"duplicates": []}));

    let warned = create(&joined, "contacts", "&refuseDuplicates=true", &ada).await;
    assert_eq!(warned.status, StatusCode::CONFLICT, "{}", text(&warned));
    let details = json(&warned)["details"].clone();
    assert_eq!(details[0]["reason"], "POSSIBLE_DUPLICATE");
    assert_eq!(details[1]["@type"], "type.googleapis.com/crm.search.v1.PossibleDuplicates");
    assert_eq!(details[1]["duplicates"][0], *duplicate);
    // Overridden by leaving the word out.
    assert_eq!(create(&joined, "contacts", "", &ada).await.status, StatusCode::OK);
    let account = json!({"name": "ACME Ltd"});
    assert_eq!(create(&joined, "accounts", "&refuseDuplicates=true", &account).await.status, StatusCode::CONFLICT);
    assert_eq!(create(&joined, "accounts", "&refuseDuplicates=false", &account).await.status, StatusCode::OK);
}

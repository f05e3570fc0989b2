//! Work that goes on when its caller is gone, from begin to end over REST.

use ::http::{Method, StatusCode};
use crm_server::token::Role;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{Joined, json, text};

const ALL: &str = "/v1/operations/customers";

async fn create(joined: &Joined, owner: &str) -> String {
    let path = format!("/v1/accounts?requestId={}", Uuid::new_v4());
    let created = joined.json(Method::POST, &path, json!({"name": "Acme", "owner": owner})).await;
    created["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn accounts_are_reassigned_and_the_operation_tells_how_many() {
    let joined = Joined::start().await;
    let (first, second) = (create(&joined, "ada").await, create(&joined, "ada").await);
    let other = create(&joined, "bob").await;

    let key = Uuid::new_v4().to_string();
    let asked = json!({"filter": "owner = \"ada\"", "owner": "eve"});
    let headers = [("idempotency-key", key.as_str())];
    let begun = joined.call(Method::POST, "/v1/accounts:reassign", &headers, asked.clone()).await;
    assert_eq!(begun.status, StatusCode::OK, "{}", text(&begun));
    let again = joined.call(Method::POST, "/v1/accounts:reassign", &headers, asked).await;
    let begun = json(&begun);
    assert_eq!(json(&again), begun);
    let state = (&begun["kind"], &begun["state"], &begun["done"], &begun["subject"], &begun["role"]);
    let expected = (&json!("ReassignAccounts"), &json!("STATE_WAITING"), &json!(false), &json!("ada"), &json!("admin"));
    assert_eq!(state, expected);
    let metadata = json!({
        "@type": "type.googleapis.com/crm.customers.v1.ReassignAccountsRequest",
        "filter": "owner = \"ada\"", "owner": "eve", "requestId": "",
    });
    assert_eq!(begun["metadata"], metadata);

    let one = format!("{ALL}/{}", begun["id"].as_str().unwrap());
    let mut ended = Value::Null;
    while ended["done"] != true {
        ended = joined.json(Method::GET, &format!("{one}:wait?timeout=3s"), Value::Null).await;
    }
    assert_eq!(ended["state"], "STATE_SUCCEEDED", "{ended}");
    let response = json!({
        "@type": "type.googleapis.com/crm.customers.v1.ReassignAccountsResponse",
        "changedCount": 2, "unchangedCount": 0,
    });
    assert_eq!(ended["response"], response);
    assert_eq!(ended["progress"], json!({"done": "2", "total": "2", "unit": "accounts"}));
    for (id, owner) in [(first, "eve"), (second, "eve"), (other, "bob")] {
        assert_eq!(joined.json(Method::GET, &format!("/v1/accounts/{id}"), Value::Null).await["owner"], owner);
    }

    assert_eq!(joined.json(Method::GET, &one, Value::Null).await, ended);
    assert_eq!(joined.json(Method::POST, &format!("{one}:cancel"), json!({})).await, ended);
    let list = joined.json(Method::GET, ALL, Value::Null).await;
    assert_eq!(list, json!({"operations": [ended], "nextPageToken": ""}));
    for (method, path, body) in [
        (Method::GET, one.clone(), Value::Null),
        (Method::GET, format!("{one}:wait"), Value::Null),
        (Method::POST, format!("{one}:cancel"), json!({})),
    ] {
        let theirs = joined.call_as("other", Role::Admin, method, &path, body).await;
        assert_eq!(theirs.status, StatusCode::NOT_FOUND, "{path}: {}", text(&theirs));
    }
    let theirs = joined.call_as("other", Role::Admin, Method::GET, ALL, Value::Null).await;
    assert_eq!(json(&theirs)["operations"], json!([]));
}

#[tokio::test]
async fn what_ends_badly_says_why_and_who_may_not_begin_one_is_told() {
    let joined = Joined::start().await;
    let asked = json!({"filter": "", "owner": "", "requestId": "none"});
    let refused = joined.call(Method::POST, "/v1/accounts:reassign", &[], asked.clone()).await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST);
    let details = json(&refused)["details"].clone();
    let violations = details.as_array().unwrap().iter().find_map(|detail| detail["fieldViolations"].as_array());
    let fields: Vec<_> = violations.unwrap().iter().map(|violation| violation["field"].clone()).collect();
    assert_eq!(fields, ["requestId", "filter", "owner"]);
    let agent = joined.call_as("acme", Role::Agent, Method::POST, "/v1/accounts:reassign", asked).await;
    assert_eq!(agent.status, StatusCode::FORBIDDEN);
    let unknown = joined.call(Method::GET, &format!("{ALL}/{}", Uuid::new_v4()), &[], Value::Null).await;
    assert_eq!(unknown.status, StatusCode::NOT_FOUND);
    assert!(text(&unknown).contains("OPERATION_NOT_FOUND"), "{}", text(&unknown));
}

//! Attributes that a tenant defines, over REST: natural JSON in and out.

use ::http::{Method, StatusCode};
use crm_server::token::Role;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{Joined, json, text};

fn new(path: &str) -> String {
    format!("{path}?requestId={}", Uuid::new_v4())
}

#[tokio::test]
async fn an_account_has_what_its_tenant_defined_and_lists_are_filtered_by_it() {
    let joined = Joined::start().await;
    let definition = json!({
        "resource": "accounts", "key": "tier", "type": "TYPE_CHOICE", "displayName": "Tier", "filterable": true,
        "choices": [{"value": "gold", "displayName": "Gold"}, {"value": "lead"}],
    });
    let path = new("/v1/attributeDefinitions/customers");
    let agent = joined.call_as("acme", Role::Manager, Method::POST, &path, definition.clone()).await;
    assert_eq!(agent.status, StatusCode::FORBIDDEN, "an administrator alone: {}", text(&agent));
    let tier = joined.json(Method::POST, &path, definition).await;
    assert_eq!((&tier["filterReady"], &tier["choices"][1]["archived"]), (&json!(true), &json!(false)));
    let attributes = json!({"tier": "gold", "size": 12, "since": "2026-11-27"});
    let account = json!({"name": "Acme", "attributes": attributes});
    let created = joined.json(Method::POST, &new("/v1/accounts"), account).await;
    assert_eq!(created["attributes"], attributes);
    let one = format!("/v1/accounts/{}", created["id"].as_str().unwrap());

    // Without a mask the values that are given are meant.
    let changed = joined.json(Method::PATCH, &one, json!({"attributes": {"size": 0.1, "since": null}})).await;
    assert_eq!(changed["attributes"], json!({"tier": "gold", "size": 0.1}));
    let masked = format!("{one}?updateMask=attributes.size,attributes.tier");
    let changed = joined.json(Method::PATCH, &masked, json!({"attributes": {"size": 7.0}})).await;
    assert_eq!(changed["attributes"], json!({"size": 7}));
    assert!(text(&joined.call(Method::GET, &one, &[], Value::Null).await).contains(r#""attributes":{"size":7}"#));
    let whole = format!("{one}?updateMask=attributes");
    let changed = joined.json(Method::PATCH, &whole, json!({"attributes": {"tier": "gold"}})).await;
    assert_eq!(changed["attributes"], json!({"tier": "gold"}));

    let found = async |filter: &str| {
        let filter: String = filter.bytes().map(|byte| format!("%{byte:02x}")).collect();
        let page = joined.json(Method::GET, &format!("/v1/accounts?filter={filter}"), Value::Null).await;
        page["accounts"].as_array().unwrap().len()
    };
    assert_eq!((found(r#"attributes.tier = "gold""#).await, found("attributes.tier = lead").await), (1, 0));
    let history = joined.json(Method::GET, &format!("{one}:history"), Value::Null).await;
    let fields = json!([
        {"field": "attributes.size", "from": 7, "to": null}, {"field": "attributes.tier", "from": null, "to": "gold"},
    ]);
    assert_eq!(history["changes"][0]["fields"], fields);
}

#[tokio::test]
async fn a_value_that_breaks_a_rule_is_named_by_its_key_and_no_number_is_rounded() {
    let joined = Joined::start().await;
    let refused = async |attributes: Value, told: &[(&str, &str)]| {
        let body = json!({"name": "Acme", "attributes": attributes});
        let answer = joined.call(Method::POST, &new("/v1/accounts"), &[], body).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{attributes}: {}", text(&answer));
        let details = json(&answer)["details"].clone();
        let found = details.as_array().unwrap().iter().find_map(|detail| detail["fieldViolations"].as_array());
        let found: Vec<_> =
            found.unwrap().iter().map(|it| (it["field"].as_str().unwrap(), it["reason"].as_str().unwrap())).collect();
        assert_eq!(found, told, "{attributes}");
    };
    refused(json!({"size": 9_007_199_254_740_993_i64}), &[("attributes.size", "INVALID_VALUE")]).await;
    refused(json!({"size": 9_007_199_254_740_992_i64}), &[("attributes.size", "OUT_OF_RANGE")]).await;
    refused(json!({"size": "12"}), &[("attributes.size", "MALFORMED")]).await;
    refused(
        json!({"nobody": 1, "since": "2026-02-30"}),
        &[("attributes.nobody", "UNKNOWN_FIELD"), ("attributes.since", "MALFORMED")],
    )
    .await;
    let of_any = [("attributes.note", "MALFORMED"), ("attributes.size", "MALFORMED")];
    refused(json!({"note": ["x"], "size": true}), &of_any).await;
    refused(json!([]), &[("attributes", "INVALID_VALUE")]).await;
}

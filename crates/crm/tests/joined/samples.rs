//! A resource of each kind, for tests of what all have in common.

use std::sync::atomic::{AtomicU32, Ordering};

use ::http::{Method, StatusCode};
use crm_server::token::Role;
use crm_transcode::Transcoder;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::support::{Joined, json, text};

/// What a collection holds, by its path: `/v1/products` holds `products`, and `/v1/activities/customers` `activities`.
pub(crate) fn plural(path: &str) -> &str {
    path.trim_start_matches("/v1/").split('/').next().unwrap()
}

/// What samples refer to.
#[derive(Default)]
pub(crate) struct Given {
    pub(crate) account: String,
    pub(crate) pipeline: String,
    pub(crate) stage: String,
    pub(crate) opportunity: String,
}

impl Given {
    pub(crate) async fn make(joined: &Joined, tenant: &str) -> Self {
        let create = async |path: &str, body: Value| {
            let path = format!("{path}?requestId={}", Uuid::new_v4());
            let answer = joined.call_as(tenant, Role::Manager, Method::POST, &path, body).await;
            assert_eq!(answer.status, StatusCode::OK, "{}", text(&answer));
            json(&answer)
        };
        let id = |it: &Value| it["id"].as_str().unwrap().to_owned();
        let account = id(&create("/v1/accounts", json!({"name": "Parent"})).await);
        let stages = json!([{"name": "New", "kind": "KIND_OPEN"}, {"name": "Won", "kind": "KIND_WON"},
            {"name": "Lost", "kind": "KIND_LOST"}]);
        let made = create("/v1/pipelines", json!({"name": "Given", "stages": stages})).await;
        let (pipeline, stage) = (id(&made), id(&made["stages"][0]));
        let opportunity = json!({"name": "Given", "accountId": account, "pipelineId": pipeline});
        let opportunity = id(&create("/v1/opportunities", opportunity).await);
        Self { account, pipeline, stage, opportunity }
    }
}

/// A resource with every field filled that a caller can fill, but for its tags, by its collection's path.
pub(crate) fn sample(path: &str, given: &Given) -> Value {
    let Given { account, pipeline, stage: stage_id, opportunity } = given;
    match plural(path) {
        "accounts" => json!({
            "name": "Acme", "domain": "acme.example", "industry": "retail", "country": "France",
            "territory": "emea-north", "owner": "ada", "employees": 12, "foundedYear": 1999, "parentId": account,
            "annualRevenue": {"currencyCode": "EUR", "units": "12", "nanos": 500_000_000},
            "attributes": {"note": "x", "size": 12, "since": "2026-11-27"},
        }),
        "contacts" => json!({
            "accountId": account, "givenName": "Ada", "familyName": "Love", "title": "Head", "owner": "ada",
            "emails": ["ada@acme.example"], "phones": ["+14155550123"],
            "attributes": {"note": "x", "size": 0.1},
        }),
        // A task has what the other kinds have, and more.
        "activities" => json!({
            "kind": "KIND_TASK", "parentResource": if path.ends_with("/sales") { "opportunities" } else { "accounts" },
            "parentId": if path.ends_with("/sales") { opportunity } else { account }, "subject": "Call", "body": "a\nb",
            "owner": "ada", "dueTime": "2027-01-31T09:30:00Z", "done": true, "startTime": "2027-01-31T09:00:00.000001Z",
            "durationSeconds": 1800,
        }),
        // One that any service takes.
        "savedViews" => json!({
            "resource": "saved_views", "name": "Mine", "filter": "name = \"A*\"", "orderBy": "update_time desc",
            "columns": ["name", "owner"], "visibility": "VISIBILITY_SHARED",
        }),
        "products" => json!({
            "name": "Gearbox", "sku": "GTX-1", "unit": "piece", "active": false,
            "price": {"currencyCode": "EUR", "units": "550", "nanos": 0}, "attributes": {"size": -7},
        }),
        // A text has a longest length, and nothing to choose from.
        "attributeDefinitions" => json!({
            "resource": if path.ends_with("/sales") { "products" } else { "accounts" }, "key": "sample_key",
            "type": "TYPE_TEXT", "displayName": "Sample", "description": "a\nb", "choices": [], "required": false,
            "maxLength": 40, "filterable": true,
        }),
        "salesTeams" => json!({
            "name": "Central", "members": ["ada", "bob"], "manager": "grace", "office": "Panama",
        }),
        "pipelines" => json!({
            "name": "New business",
            "stages": [stage(1, "New", "KIND_OPEN", 10), stage(2, "Won", "KIND_WON", 100), stage(3, "Lost", "KIND_LOST", 0)],
        }),
        "exchangeRates" => json!({
            "baseCurrency": "USD", "quoteCurrency": "EUR", "startDate": "2026-01-01", "rate": "0.8534",
        }),
        "targets" => json!({
            "owner": "ada", "salesTeamId": "", "month": "2026-05",
            "amount": {"currencyCode": "EUR", "units": "550", "nanos": 0},
        }),
        "tags" => json!({"name": "Key account", "colour": "#1f6feb", "description": "Visited every quarter"}),
        "opportunities" => json!({
            "name": "Gearboxes", "accountId": account, "contacts": [], "pipelineId": pipeline, "stageId": stage_id,
            "amount": {"currencyCode": "EUR", "units": "550", "nanos": 0}, "probability": 30, "owner": "ada",
            "closeDate": "2027-01-31", "nextStep": "Send the offer", "nextStepDate": "2027-01-15", "lostReason": "",
            "lines": [{
                "productId": "", "name": "Gearbox", "quantity": "1.5", "discountPercent": "50",
                "unitPrice": {"currencyCode": "EUR", "units": "3", "nanos": 0},
                "total": {"currencyCode": "EUR", "units": "2", "nanos": 250_000_000},
            }],
            "attributes": {"note": "x"},
        }),
        other => panic!("a new kind of resource, {other}, needs a sample here"),
    }
}

fn stage(number: u128, name: &str, kind: &str, probability: i32) -> Value {
    let id = Uuid::from_u128(number).to_string();
    json!({"id": id, "name": name, "kind": kind, "probability": probability, "mergingIntoId": ""})
}

/// The same with a tag that is there, if it can have one.
pub(crate) async fn tagged(joined: &Joined, tenant: &str, path: &str, mut body: Value) -> Value {
    let service = match plural(path) {
        "accounts" | "contacts" => "customers",
        "products" | "opportunities" => "sales",
        _ => return body,
    };
    let path = format!("/v1/tags/{service}");
    let (tag, create) = (another(&sample(&path, &Given::default())), format!("{path}?requestId={}", Uuid::new_v4()));
    let tag = joined.call_as(tenant, Role::Manager, Method::POST, &create, tag).await;
    body["tagIds"] = json!([json(&tag)["id"]]);
    body
}

/// Another of the same kind: nothing of it that has to be unique is the same, of this one or of another other.
pub(crate) fn another(body: &Value) -> Value {
    static MADE: AtomicU32 = AtomicU32::new(0);
    let mut other = body.clone();
    let number = MADE.fetch_add(1, Ordering::Relaxed);
    let (name, date) = (format!("Another {number}"), format!("{}-02-03", 1000 + number % 1000));
    let changes = [
        ("startDate", date.as_str()),
        ("month", &date[..7]),
        ("domain", ""),
        ("sku", ""),
        ("name", &name),
        ("familyName", &name),
        ("subject", &name),
    ];
    for (field, value) in changes {
        if let Some(place) = other.get_mut(field) {
            *place = Value::from(value);
        }
    }
    if let Some(place) = other.get_mut("key") {
        *place = Value::from(format!("k{}", &Uuid::new_v4().simple().to_string()[..30]));
        other["filterable"] = Value::from(false);
    }
    other
}

/// A field that lists of the collection at this path can be filtered by, as a text.
pub(crate) fn filtered_by(path: &str) -> &'static str {
    let known = [
        ("/v1/products", "sku"),
        ("/v1/salesTeams", "manager"),
        ("/v1/pipelines", "name"),
        ("/v1/exchangeRates", "base_currency"),
        ("/v1/tags/", "name"),
        ("/v1/attributeDefinitions/", "resource"),
    ];
    known.iter().find(|(collection, _)| path.starts_with(collection)).map_or("owner", |(_, field)| field)
}

/// Every PATCH of the API: its collection, and the JSON schema of its body.
pub(crate) fn updates() -> Vec<(String, Map<String, Value>)> {
    let document = Transcoder::new(crm_proto::DESCRIPTORS).unwrap().openapi("", "");
    let paths = document["paths"].as_object().unwrap().iter();
    let patches = paths.filter(|(_, operations)| operations["patch"].is_object());
    // An import is no resource: what is changed of it is how it is read. Settings are no collection.
    let patches = patches.filter(|(path, _)| !path.starts_with("/v1/imports/") && *path != "/v1/salesSettings");
    let found = patches.map(|(path, operations)| {
        let (collection, _) = path.rsplit_once('/').unwrap();
        (collection.to_owned(), fields(&document, &operations["patch"]))
    });
    found.collect()
}

/// What a caller can set by this operation of the document.
pub(crate) fn fields(document: &Value, operation: &Value) -> Map<String, Value> {
    let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
    let schema = document.pointer(schema["$ref"].as_str().unwrap().trim_start_matches('#')).unwrap();
    let fields = schema["properties"].as_object().unwrap().clone();
    fields.into_iter().filter(|(_, field)| field["readOnly"] != true).collect()
}

//! The OpenAPI document: structure, and that it says what is served.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod things;

use std::collections::HashSet;

use crm_transcode::Transcoder;
use http::Method;
use serde_json::{Value, json};

fn ours() -> (Transcoder, Value) {
    let transcoder = Transcoder::new(crm_proto::DESCRIPTORS).unwrap();
    let document = transcoder.openapi("Bellwether", "1.0.0");
    (transcoder, document)
}

fn operations(document: &Value) -> Vec<(String, String, Value)> {
    let paths = document["paths"].as_object().unwrap();
    let flatten = |(path, item): (&String, &Value)| {
        let item = item.as_object().unwrap().clone();
        item.into_iter().map(|(method, operation)| (path.clone(), method.to_uppercase(), operation)).collect::<Vec<_>>()
    };
    paths.iter().flat_map(flatten).collect()
}

fn resolve<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    match value.get("$ref").and_then(Value::as_str) {
        Some(pointer) => {
            document.pointer(pointer.strip_prefix('#').unwrap()).unwrap_or_else(|| panic!("{pointer} leads nowhere"))
        }
        None => value,
    }
}

fn walk(value: &Value, visit: &mut dyn FnMut(&Value)) {
    visit(value);
    match value {
        Value::Object(entries) => entries.values().for_each(|value| walk(value, visit)),
        Value::Array(items) => items.iter().for_each(|value| walk(value, visit)),
        _ => {}
    }
}

/// What the OpenAPI 3.1 specification demands beyond the JSON schema of documents.
fn check_structure(document: &Value) {
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1."));
    assert!(document["info"]["title"].is_string() && document["info"]["version"].is_string());
    walk(document, &mut |value| {
        resolve(document, value);
    });
    let tags: Vec<_> = document["tags"].as_array().unwrap().iter().map(|tag| tag["name"].clone()).collect();
    let (mut ids, mut shapes) = (HashSet::new(), HashSet::new());
    for path in document["paths"].as_object().unwrap().keys() {
        assert!(shapes.insert(shape(path)), "{path} is there under other names");
    }
    for (path, method, operation) in operations(document) {
        assert!(ids.insert(operation["operationId"].as_str().unwrap().to_owned()), "{path} {method}");
        assert!(operation["tags"].as_array().unwrap().iter().all(|tag| tags.contains(tag)));
        assert!(operation["responses"]["200"]["description"].is_string());
        check_parameters(document, &path, &operation);
    }
}

fn check_parameters(document: &Value, path: &str, operation: &Value) {
    let mut seen = HashSet::new();
    let mut in_path = HashSet::new();
    for parameter in operation["parameters"].as_array().unwrap() {
        let parameter = resolve(document, parameter);
        let (name, place) = (parameter["name"].as_str().unwrap(), parameter["in"].as_str().unwrap());
        assert!(seen.insert((name, place)), "{path}: {name} is there twice");
        assert!(parameter["schema"].is_object(), "{path}: {name}");
        if place == "path" {
            assert_eq!(parameter["required"], json!(true));
            in_path.insert(format!("{{{name}}}"));
        }
    }
    let expected: HashSet<_> = path.split(['/', ':']).filter(|part| part.starts_with('{')).map(str::to_owned).collect();
    assert_eq!(in_path, expected, "{path}");
}

fn shape(path: &str) -> String {
    path.split('/')
        .map(|part| if part.starts_with('{') { part.rsplit_once('}').map_or("{}", |(_, verb)| verb) } else { part })
        .collect::<Vec<_>>()
        .join("/")
}

#[test]
fn documents_are_well_formed() {
    check_structure(&ours().1);
    check_structure(&things::transcoder().openapi("Things", "1"));
}

#[test]
fn every_operation_is_served_and_every_rpc_described() {
    for (transcoder, document) in [ours(), (things::transcoder(), things::transcoder().openapi("Things", "1"))] {
        let mut described = HashSet::new();
        for (path, method, operation) in operations(&document) {
            let filled: Vec<_> = path
                .split('/')
                .map(|part| part.split_once('}').map_or(part.to_owned(), |(_, verb)| format!("7{verb}")))
                .collect();
            let filled = filled.join("/");
            let found = transcoder.route(&method.parse::<Method>().unwrap(), &filled).unwrap();
            let id = operation["operationId"].as_str().unwrap();
            let (service, name) = (found.rpc.service.rsplit('.').next().unwrap(), &found.rpc.method);
            assert!(id.starts_with(&format!("{service}_{name}")), "{method} {path} is {id}");
            described.insert(found.rpc.path.clone());
        }
        // What breaks a replica on purpose is for gateways, and whose changes there are for services: no caller has a route.
        let public = |path: &str| !path.starts_with("/crm.server.v1.") && !path.ends_with("/WatchTenants");
        let rpcs = transcoder.methods().filter(|rpc| !rpc.client_streaming && public(&rpc.path));
        let unary: HashSet<_> = rpcs.map(|rpc| rpc.path.clone()).collect();
        assert_eq!(described, unary);
    }
}

#[test]
fn accounts_are_described() {
    let (_, document) = ours();
    let check = |pointer: &str, expected: Value| {
        assert_eq!(document.pointer(pointer).unwrap_or(&Value::Null), &expected, "{pointer}");
    };
    let account = "/components/schemas/Account";
    let shown = ["id", "name", "domain", "industry", "country", "territory", "owner", "parentId", "etag"];
    let shown: Vec<_> = shown.iter().chain(&["tagIds", "attributes"]).collect();
    check(&format!("{account}/required"), json!(shown));
    check(&format!("{account}/additionalProperties"), Value::Null);
    check(&format!("{account}.Input/required"), json!(["name"]));
    for body in ["Account.Input", "Account.Patch", "Money.Input"] {
        check(&format!("/components/schemas/{body}/additionalProperties"), json!(false));
    }
    let input = format!("{account}.Input/properties");
    check(&format!("{input}/name/maxLength"), json!(200));
    check(&format!("{input}/name/type"), json!("string"));
    check(&format!("{input}/owner/type"), json!(["string", "null"]));
    check(&format!("{input}/employees/maximum"), json!(10_000_000));
    check("/components/schemas/Contact.Input/properties/emails/maxItems", json!(10));
    check("/components/schemas/Contact.Input/properties/emails/items/maxLength", json!(254));
    let post = "/paths/~1v1~1accounts/post";
    check(&format!("{post}/requestBody/content/application~1json/example/name"), json!("Acme Ltd"));
    check(&format!("{post}/parameters/0/required"), json!(true));
    check("/paths/~1v1~1accounts~1{id}/patch/parameters/0/schema", json!({"type": "string", "format": "uuid"}));
    check(&format!("{account}/properties/id/readOnly"), json!(true));
    check(&format!("{account}/properties/id/format"), json!("uuid"));
    check(&format!("{account}/properties/createTime/format"), json!("date-time"));
    check(&format!("{account}/properties/industry/examples"), json!(["retail"]));
    check(&format!("{account}/properties/annualRevenue/$ref"), json!("#/components/schemas/Money"));
    assert!(document["components"]["schemas"]["Account.Patch"].get("required").is_none());
    assert!(document["components"]["schemas"]["Account"]["properties"]["name"].get("maxLength").is_none());
    check(
        "/components/schemas/Money/properties/units",
        json!({
            "type": "string", "format": "int64", "description": "Whole units of the amount; up to 99,999,999,999,999 in every currency, and more in those with few decimals.", "examples": ["1200000"],
        }),
    );
    let list = "/paths/~1v1~1accounts/get";
    check(&format!("{list}/operationId"), json!("AccountService_ListAccounts"));
    check(&format!("{list}/tags"), json!(["AccountService"]));
    check(&format!("{list}/responses/4XX/$ref"), json!("#/components/responses/Error"));
    check(&format!("{list}/parameters/0/name"), json!("pageSize"));
    check(
        "/paths/~1v1~1accounts~1{id}/patch/requestBody/content/application~1json/schema/$ref",
        json!("#/components/schemas/Account.Patch"),
    );
    check("/security", json!([{"bearer": []}]));
    assert!(document.pointer("/paths/~1v1~1accounts:export/get/responses/200/content/application~1x-ndjson").is_some());
}

#[test]
fn conditions_are_described_where_they_are_understood() {
    let (_, document) = ours();
    let check = |path: &str, method: &str, headers: &[&str], statuses: &[&str]| {
        let operation = &document["paths"][path][method];
        let parameters = operation["parameters"].as_array().unwrap();
        let found: Vec<_> =
            parameters.iter().map(|one| resolve(&document, one)).filter(|one| one["in"] == "header").collect();
        let found: Vec<_> = found.iter().map(|one| one["name"].as_str().unwrap()).collect();
        assert_eq!(found, headers, "{method} {path}");
        let found: Vec<_> = operation["responses"].as_object().unwrap().keys().collect();
        assert_eq!(found, statuses, "{method} {path}");
        operation["responses"]["200"]["headers"]["ETag"].is_object()
    };
    assert!(check("/v1/accounts/{id}", "get", &["If-Match", "If-None-Match"], &["200", "304", "412", "4XX", "5XX"]));
    assert!(check("/v1/accounts/{id}", "patch", &["If-Match"], &["200", "412", "4XX", "5XX"]));
    assert!(check("/v1/accounts/{id}", "delete", &["If-Match"], &["200", "412", "4XX", "5XX"]));
    assert!(check("/v1/contacts/{id}:undelete", "post", &["If-Match"], &["200", "412", "4XX", "5XX"]));
    assert!(check("/v1/contacts", "post", &["Idempotency-Key"], &["200", "4XX", "5XX"]));
    assert!(!check("/v1/contacts", "get", &[], &["200", "4XX", "5XX"]));
    assert!(!check("/v1/contacts:export", "get", &[], &["200", "4XX", "5XX"]));
}

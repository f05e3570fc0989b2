//! A page of any list takes a few statements, however many rows it has, and none is run once a row.
//!
//! Lists are found in the descriptors, so those of a resource to come are looked at, too.

use std::collections::HashMap;

use ::http::{Method, StatusCode};
use crm_telemetry::names::attribute::DB_QUERY_SUMMARY;
use crm_telemetry::testing::{Recorder, attribute, record};
use crm_transcode::Transcoder;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::samples::{Given, another, sample, updates};
use crate::support::{Joined, json, text};

const MOST: usize = 4;
const PAGE: usize = 2;
/// Lists that cannot be filled here in a few lines: their services count their statements.
const COUNTED_ELSEWHERE: [&str; 1] = ["/v1/imports/customers/{id}:errors"];
/// A page and more.
const ROWS: usize = 4;

/// What is wrong with these statements for one page.
fn fault(statements: &[String]) -> Option<&'static str> {
    let repeated = (1..statements.len()).any(|at| statements[..at].contains(&statements[at]));
    match statements.len() {
        0 => Some("none was seen"),
        _ if repeated => Some("one is repeated"),
        count if count > MOST => Some("too many"),
        _ => None,
    }
}

/// Every path that answers in pages.
fn lists() -> Vec<String> {
    let document = Transcoder::new(crm_proto::DESCRIPTORS).unwrap().openapi("", "");
    let is_paged = |operation: &Value| {
        let parameters = operation["parameters"].as_array();
        parameters.is_some_and(|all| all.iter().any(|parameter| parameter["name"] == "pageSize"))
    };
    let paths = document["paths"].as_object().unwrap().iter();
    paths.filter(|(_, operations)| is_paged(&operations["get"])).map(|(path, _)| path.clone()).collect()
}

async fn post(joined: &Joined, path: &str, body: &Value) -> String {
    let path = format!("{path}?requestId={}", Uuid::new_v4());
    joined.json(Method::POST, &path, body.clone()).await["id"].as_str().unwrap_or_default().to_owned()
}

/// Some records of every resource, each with a history; answers one of each, by its collection.
async fn fill(joined: &Joined) -> HashMap<String, String> {
    let given = Given::make(joined, "acme").await;
    let mut filled = HashMap::new();
    for (collection, _) in updates() {
        for _ in 0..ROWS {
            let body = another(&sample(&collection, &given));
            let id = post(joined, &collection, &body).await;
            joined.json(Method::DELETE, &format!("{collection}/{id}"), Value::Null).await;
            joined.json(Method::POST, &format!("{collection}/{id}:undelete"), json!({})).await;
            filled.insert(collection.clone(), id);
        }
    }
    let task = |resource: &str, id: &str| json!({"kind": "KIND_TASK", "parentResource": resource, "parentId": id, "subject": "Call", "owner": "ada"});
    for _ in 0..ROWS {
        post(joined, "/v1/activities/customers", &task("accounts", &given.account)).await;
        post(joined, "/v1/activities/sales", &task("opportunities", &given.opportunity)).await;
        let late = json!({
            "name": "Late", "accountId": given.account, "pipelineId": given.pipeline, "nextStepDate": "2000-01-31",
        });
        post(joined, "/v1/opportunities", &late).await;
        let nothing = json!({"filter": "owner = \"nobody\"", "owner": "eve", "requestId": Uuid::new_v4()});
        joined.json(Method::POST, "/v1/accounts:reassign", nothing).await;
        let import = json!({"resource": "contacts", "fileName": "mine.csv", "requestId": Uuid::new_v4()});
        joined.json(Method::POST, "/v1/imports/customers", import).await;
        let definition = format!("/v1/attributeDefinitions/sales/{}", filled["/v1/attributeDefinitions/sales"]);
        joined.json(Method::POST, &format!("{definition}:makeFilterable"), json!({"requestId": Uuid::new_v4()})).await;
    }
    filled
}

/// The answer, and the statements of its trace.
async fn asked(joined: &Joined, recorder: &Recorder, path: &str) -> (Value, Vec<String>) {
    let trace = Uuid::new_v4().simple().to_string();
    let parent = format!("00-{trace}-00f067aa0ba902b7-01");
    let answer = joined.call(Method::GET, path, &[("traceparent", &parent)], Value::Null).await;
    assert_eq!(answer.status, StatusCode::OK, "{path}: {}", text(&answer));
    let spans = recorder.spans().into_iter().filter(|span| span.span_context.trace_id().to_string() == trace);
    (json(&answer), spans.filter_map(|span| attribute(&span, DB_QUERY_SUMMARY)).collect())
}

#[tokio::test]
async fn a_page_of_any_list_takes_a_few_statements_and_none_of_them_twice() {
    let (recorder, _guard) = record();
    let joined = Joined::start().await;
    let filled = fill(&joined).await;
    let lists = lists();
    assert!(lists.len() >= 14, "{lists:?}");
    for list in lists.into_iter().filter(|list| !COUNTED_ELSEWHERE.contains(&list.as_str())) {
        let path = match list.split_once("/{id}") {
            Some((collection, rest)) => format!("{collection}/{}{rest}?pageSize={PAGE}", filled[collection]),
            None => format!("{list}?pageSize={PAGE}"),
        };
        let mut token = String::new();
        // The first page, and one that goes on.
        for _ in 0..2 {
            let (page, statements) = asked(&joined, &recorder, &format!("{path}{token}")).await;
            println!("{path}{token}: {statements:?}");
            let rows = page.as_object().unwrap().values().filter_map(Value::as_array).map(Vec::len).max();
            assert!(rows == Some(PAGE) || !token.is_empty(), "{list} has too few rows to show anything: {page}");
            assert_eq!(fault(&statements), None, "{list}: {statements:?}");
            let next = [("pageToken", "nextPageToken"), ("cursor", "cursor")];
            let next = next.into_iter().find_map(|(ask, told)| Some((ask, page[told].as_str()?)));
            token = next.map(|(ask, told)| format!("&{ask}={told}")).unwrap_or_default();
        }
    }
}

#[test]
fn statements_that_are_repeated_or_many_are_a_fault() {
    for (statements, expected) in [
        ("list", None),
        ("a b c d", None),
        ("", Some("none was seen")),
        ("list find list", Some("one is repeated")),
        ("list find find find find find", Some("one is repeated")),
        ("a b c d e", Some("too many")),
    ] {
        let statements: Vec<String> = statements.split_whitespace().map(str::to_owned).collect();
        assert_eq!(fault(&statements), expected, "{statements:?}");
    }
}

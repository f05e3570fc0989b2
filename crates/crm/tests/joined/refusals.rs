//! What is refused says why in the words of its caller.

use ::http::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::http::Answer;
use crate::support::{Joined, json, text};

/// The reason of the whole, the message, and field and reason of each violation.
fn refusal(answer: &Answer) -> (String, String, Vec<(String, String)>) {
    assert_eq!(answer.status, 400, "{}", text(answer));
    let body = json(answer);
    let detail = |name: &str| {
        let details = body["details"].as_array().unwrap();
        let found = details.iter().find(|one| one["@type"].as_str().unwrap().ends_with(name));
        found.cloned().unwrap_or_else(|| panic!("{body} lacks {name}"))
    };
    let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let violations = detail("BadRequest");
    let violations = violations["fieldViolations"].as_array().unwrap().iter();
    let violations = violations.map(|one| (word(&one["field"]), word(&one["reason"]))).collect();
    (word(&detail("ErrorInfo")["reason"]), word(&body["message"]), violations)
}

#[tokio::test]
async fn a_page_that_cannot_be_had_says_which_of_its_parts_is_wrong_and_how() {
    let joined = Joined::start().await;
    let check = async |query: &str, whole: &str, expected: &[(&str, &str)]| {
        for collection in ["accounts", "contacts"] {
            let answer = joined.call(Method::GET, &format!("/v1/{collection}?{query}"), &[], Value::Null).await;
            let (reason, message, violations) = refusal(&answer);
            let found: Vec<_> = violations.iter().map(|(field, reason)| (field.as_str(), reason.as_str())).collect();
            assert_eq!((reason.as_str(), found.as_slice()), (whole, expected), "{query}");
            let named: Vec<_> = expected.iter().map(|(field, _)| *field).collect();
            assert_eq!(message, format!("invalid: {}", named.join(", ")));
        }
    };
    check("pageSize=-1", "PAGE_SIZE_INVALID", &[("pageSize", "PAGE_SIZE_INVALID")]).await;
    check("pageToken=AAAA", "PAGE_TOKEN_INVALID", &[("pageToken", "PAGE_TOKEN_INVALID")]).await;
    check("filter=x", "FILTER_INVALID", &[("filter", "FILTER_INVALID")]).await;
    check("order_by=x", "ORDER_BY_INVALID", &[("orderBy", "ORDER_BY_INVALID")]).await;
    let all = [("pageSize", "PAGE_SIZE_INVALID"), ("filter", "FILTER_INVALID"), ("orderBy", "ORDER_BY_INVALID")];
    check("pageSize=-1&filter=x&orderBy=x&pageToken=AAAA", "FIELDS_INVALID", &all).await;
    let export = joined.call(Method::GET, "/v1/accounts:export?filter=x", &[], Value::Null).await;
    assert_eq!(refusal(&export).0, "FILTER_INVALID");
    // A filter's own fields keep the names that filters know.
    assert!(text(&export).contains("parent_id"), "{}", text(&export));
}

#[tokio::test]
async fn fields_have_the_names_that_their_caller_wrote() {
    let joined = Joined::start().await;
    let check = async |method: Method, path: &str, headers: &[(&str, &str)], body: Value, expected: &[(&str, &str)]| {
        let answer = joined.call(method, path, headers, body).await;
        let (_, message, violations) = refusal(&answer);
        let found: Vec<_> = violations.iter().map(|(field, reason)| (field.as_str(), reason.as_str())).collect();
        assert_eq!(found, expected, "{path}");
        assert!(!text(&answer).contains("account.") && !text(&answer).contains("given_name"), "{}", text(&answer));
        assert!(expected.iter().all(|(field, _)| message.contains(field)), "{message}");
    };
    let money = json!({"currencyCode": "nope"});
    check(
        Method::POST,
        "/v1/accounts?requestId=7",
        &[],
        json!({"annualRevenue": money, "parentId": "7", "foundedYear": 1}),
        &[
            ("requestId", "MALFORMED"),
            ("name", "FIELD_REQUIRED"),
            ("annualRevenue", "MALFORMED"),
            ("foundedYear", "OUT_OF_RANGE"),
            ("parentId", "MALFORMED"),
        ],
    )
    .await;
    let key = [("idempotency-key", "seven")];
    check(Method::POST, "/v1/accounts", &key, json!({"name": "A"}), &[("Idempotency-Key", "MALFORMED")]).await;
    check(
        Method::POST,
        "/v1/accounts",
        &[],
        Value::Null,
        &[("requestId", "FIELD_REQUIRED"), ("body", "FIELD_REQUIRED")],
    )
    .await;
    let unknown = Uuid::now_v7();
    let path = format!("/v1/contacts?requestId={unknown}");
    let body = json!({"accountId": unknown, "emails": ["ada@acme.example", "x"]});
    check(Method::POST, &path, &[], body, &[("emails[1]", "MALFORMED"), ("familyName", "FIELD_REQUIRED")]).await;
    check(Method::PATCH, "/v1/contacts/7", &[], json!({"title": "x"}), &[("id", "MALFORMED")]).await;
    let path = format!("/v1/contacts/{unknown}?updateMask=nope");
    check(Method::PATCH, &path, &[], json!({"title": "x"}), &[("updateMask", "UNKNOWN_FIELD")]).await;
    check(Method::GET, "/v1/accounts:batchGet?ids=7", &[], Value::Null, &[("ids[0]", "MALFORMED")]).await;
}

//! What every resource of every service has in common: whoever has the routes of one has these promises, too.

use ::http::{Method, StatusCode};
use crm_server::token::Role;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::http::Answer;
use crate::samples::{Given, another, plural, sample, tagged, updates};
use crate::support::{Joined, json, text};

/// The path of each collection, and a body for its creations.
async fn collections(joined: &Joined) -> Vec<(String, Value)> {
    collections_of(joined, "acme").await
}

/// The same for another tenant, whose records refer to its own.
async fn collections_of(joined: &Joined, tenant: &str) -> Vec<(String, Value)> {
    if tenant != "acme" {
        joined.define_attributes(tenant).await;
    }
    let given = Given::make(joined, tenant).await;
    let mut collections = Vec::new();
    for (path, _) in updates() {
        let body = tagged(joined, tenant, &path, sample(&path, &given)).await;
        collections.push((path, body));
    }
    collections
}

async fn create(joined: &Joined, path: &str, request: Uuid, body: &Value) -> Answer {
    create_as(joined, "acme", path, request, body).await
}

async fn create_as(joined: &Joined, tenant: &str, path: &str, request: Uuid, body: &Value) -> Answer {
    let path = format!("{path}?requestId={request}");
    joined.call_as(tenant, Role::Admin, Method::POST, &path, body.clone()).await
}

async fn created(joined: &Joined, path: &str, body: &Value) -> Value {
    let answer = create(joined, path, Uuid::new_v4(), body).await;
    assert_eq!(answer.status, StatusCode::OK, "{path}: {}", text(&answer));
    json(&answer)
}

/// What a list of the collection at this path holds.
fn items<'a>(path: &str, page: &'a Value) -> &'a Vec<Value> {
    page[plural(path)].as_array().unwrap()
}

fn reason(answer: &Answer) -> (StatusCode, String) {
    let details = json(answer)["details"].clone();
    let reason = details.as_array().and_then(|details| details.iter().find_map(|detail| detail["reason"].as_str()));
    (answer.status, reason.unwrap_or_default().to_owned())
}

#[tokio::test]
async fn a_creation_that_is_repeated_is_answered_as_before_and_its_id_serves_no_other() {
    let joined = Joined::start().await;
    let theirs = collections_of(&joined, "other").await;
    for ((path, body), (_, their_body)) in collections(&joined).await.into_iter().zip(theirs) {
        let request = Uuid::new_v4();
        let first = json(&create(&joined, &path, request, &body).await);
        for _ in 0..2 {
            assert_eq!(json(&create(&joined, &path, request, &body).await), first, "{path}");
        }
        let reused = create(&joined, &path, request, &another(&body)).await;
        assert_eq!(reason(&reused), (StatusCode::BAD_REQUEST, "REQUEST_ID_REUSED".to_owned()), "{path}");
        // Another tenant's request of the same id is another request.
        let theirs = create_as(&joined, "other", &path, request, &their_body).await;
        assert_eq!(theirs.status, StatusCode::OK, "{path}: {}", text(&theirs));
        assert_ne!(json(&theirs)["id"], first["id"], "{path}");
    }
}

#[tokio::test]
async fn another_tenant_finds_nothing_lists_nothing_and_changes_nothing() {
    let joined = Joined::start().await;
    for (path, body) in collections(&joined).await {
        let own = created(&joined, &path, &body).await;
        let one = format!("{path}/{}", own["id"].as_str().unwrap());
        let theirs = async |method: Method, path: String, body: Value| {
            joined.call_as("other", Role::Admin, method, &path, body).await
        };
        let ids = format!("{path}:batchGet?ids={}", own["id"].as_str().unwrap());
        for (method, asked, body) in [
            (Method::GET, one.clone(), Value::Null),
            (Method::GET, ids, Value::Null),
            (Method::PATCH, one.clone(), another(&body)),
            (Method::DELETE, one.clone(), Value::Null),
            (Method::POST, format!("{one}:undelete"), json!({})),
        ] {
            let answer = theirs(method.clone(), asked.clone(), body).await;
            assert_eq!(answer.status, StatusCode::NOT_FOUND, "{method} {asked}: {}", text(&answer));
        }
        let list = json(&theirs(Method::GET, path.clone(), Value::Null).await);
        assert!(items(&path, &list).is_empty(), "{list}");
        assert_eq!(text(&theirs(Method::GET, format!("{path}:export"), Value::Null).await), "", "{path}");
        assert_eq!(joined.json(Method::GET, &one, Value::Null).await, own, "{path}");
    }
}

#[tokio::test]
async fn pages_follow_each_other_and_their_tokens_are_good_for_their_own_list_alone() {
    let joined = Joined::start().await;
    let foreign = StatusCode::BAD_REQUEST;
    for (path, body) in collections(&joined).await {
        let mut ids = Vec::new();
        for _ in 0..5 {
            ids.push(created(&joined, &path, &another(&body)).await["id"].clone());
        }
        let all = items(&path, &joined.json(Method::GET, &format!("{path}?pageSize=1000"), Value::Null).await).len();
        let (mut seen, mut token, mut tokens) = (Vec::new(), String::new(), Vec::new());
        loop {
            let page = joined.json(Method::GET, &format!("{path}?pageSize=2&pageToken={token}"), Value::Null).await;
            seen.extend(items(&path, &page).iter().map(|item| item["id"].clone()));
            token = page["nextPageToken"].as_str().unwrap().to_owned();
            if token.is_empty() {
                break;
            }
            tokens.push(token.clone());
        }
        assert_eq!(seen.len(), all, "{path}");
        assert!(ids.iter().all(|id| seen.iter().filter(|other| *other == id).count() == 1), "{path}");
        let with_token = |more: &str| format!("{path}?pageSize=2&pageToken={}{more}", tokens[0]);
        for more in ["&orderBy=update_time", "&filter=update_time%20%3E%3D%20%222020-01-01T00:00:00Z%22"] {
            let answer = joined.call(Method::GET, &with_token(more), &[], Value::Null).await;
            assert_eq!(reason(&answer), (foreign, "PAGE_TOKEN_INVALID".to_owned()), "{path}{more}");
        }
        let answer = joined.call_as("other", Role::Viewer, Method::GET, &with_token(""), Value::Null).await;
        assert_eq!(reason(&answer), (foreign, "PAGE_TOKEN_INVALID".to_owned()), "{path}");
    }
}

#[tokio::test]
async fn what_is_deleted_is_gone_until_it_is_brought_back_and_a_stale_etag_changes_nothing() {
    let joined = Joined::start().await;
    for (path, body) in collections(&joined).await {
        let own = created(&joined, &path, &body).await;
        let one = format!("{path}/{}", own["id"].as_str().unwrap());
        let stale = joined.call(Method::DELETE, &format!("{one}?etag=W%2F%22nonsense%22"), &[], Value::Null).await;
        assert_eq!(reason(&stale), (StatusCode::CONFLICT, "ETAG_MISMATCH".to_owned()), "{path}");
        let deleted = joined.json(Method::DELETE, &one, Value::Null).await;
        assert!(deleted["deleteTime"].is_string(), "{deleted}");
        assert_eq!(joined.call(Method::GET, &one, &[], Value::Null).await.status, StatusCode::NOT_FOUND);
        let listed = async |query: &str| {
            let list = joined.json(Method::GET, &format!("{path}?pageSize=1000{query}"), Value::Null).await;
            items(&path, &list).iter().any(|item| item["id"] == own["id"])
        };
        assert!(!listed("").await && listed("&showDeleted=true").await, "{path}");
        let back = joined.json(Method::POST, &format!("{one}:undelete"), json!({})).await;
        assert!(back.get("deleteTime").is_none_or(Value::is_null), "{back}");
        assert_eq!(joined.json(Method::GET, &one, Value::Null).await, back);
        let again = joined.call(Method::POST, &format!("{one}:undelete"), &[], json!({})).await;
        assert_eq!(again.status, StatusCode::CONFLICT, "{path}: {}", text(&again));
    }
}

#[tokio::test]
async fn who_only_reads_changes_nothing_and_who_may_nothing_reads_nothing() {
    let joined = Joined::start().await;
    for (path, body) in collections(&joined).await {
        let own = created(&joined, &path, &body).await;
        let one = format!("{path}/{}", own["id"].as_str().unwrap());
        let writes = [
            (Method::POST, format!("{path}?requestId={}", Uuid::new_v4()), another(&body)),
            (Method::PATCH, one.clone(), json!({})),
            (Method::DELETE, one.clone(), Value::Null),
            (Method::POST, format!("{one}:undelete"), json!({})),
        ];
        let reads = [path.clone(), one.clone(), format!("{path}:export")];
        for (method, asked, body) in writes {
            let answer = joined.call_as("acme", Role::Viewer, method.clone(), &asked, body).await;
            let refused = (StatusCode::FORBIDDEN, "ROLE_READ_ONLY".to_owned());
            assert_eq!(reason(&answer), refused, "{method} {asked}");
        }
        for asked in reads {
            let viewer = joined.call_as("acme", Role::Viewer, Method::GET, &asked, Value::Null).await;
            assert_eq!(viewer.status, StatusCode::OK, "{asked}: {}", text(&viewer));
            let requester = joined.call_as("acme", Role::Requester, Method::GET, &asked, Value::Null).await;
            assert_eq!(requester.status, StatusCode::FORBIDDEN, "{asked}: {}", text(&requester));
        }
    }
}

//! Nothing is overwritten that the caller has not seen.

use ::http::{Method, StatusCode};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::http::Answer;
use crate::support::{Joined, json, text};

fn tag(answer: &Answer) -> String {
    answer.headers["etag"].to_str().unwrap().to_owned()
}

async fn create(joined: &Joined) -> (String, String) {
    let path = format!("/v1/accounts?requestId={}", Uuid::new_v4());
    let created = joined.call(Method::POST, &path, &[], json!({"name": "Acme"})).await;
    let path = format!("/v1/accounts/{}", json(&created)["id"].as_str().unwrap());
    (path, tag(&created))
}

#[tokio::test]
async fn a_tag_travels_from_answer_to_condition_through_a_resources_life() {
    let joined = Joined::start().await;
    let (path, created) = create(&joined).await;
    let call = async |method: Method, rest: &str, tags: &str, body: Value, expected: StatusCode| {
        let path = format!("{path}{rest}");
        let answer = joined.call(method.clone(), &path, &[("if-match", tags)], body).await;
        assert_eq!(answer.status, expected, "{method} {path} {tags}: {}", text(&answer));
        answer
    };
    let (ok, failed) = (StatusCode::OK, StatusCode::PRECONDITION_FAILED);
    let owner = |name: &str| json!({"owner": name});
    let first = tag(&call(Method::PATCH, "", &created, owner("ada"), ok).await);
    assert_ne!(first, created);
    let stale = call(Method::PATCH, "", &created, owner("bob"), failed).await;
    assert!(text(&stale).contains("ETAG_MISMATCH"), "{}", text(&stale));
    call(Method::DELETE, "", &created, Value::Null, failed).await;
    let read = joined.call(Method::GET, &path, &[("if-none-match", &created)], Value::Null).await;
    assert_eq!((json(&read)["owner"].as_str(), tag(&read)), (Some("ada"), first.clone()));
    let known = joined.call(Method::GET, &path, &[("if-none-match", &first)], Value::Null).await;
    assert_eq!((known.status, known.body.len(), tag(&known)), (StatusCode::NOT_MODIFIED, 0, first.clone()));
    let second = tag(&call(Method::PATCH, "", &format!("{created}, {first}"), owner("cem"), ok).await);
    let third = tag(&call(Method::PATCH, "", "*", owner("dan"), ok).await);
    call(Method::DELETE, "", &second, Value::Null, failed).await;
    let deleted = tag(&call(Method::DELETE, "", &third, Value::Null, ok).await);
    call(Method::PATCH, "", "*", owner("eva"), StatusCode::NOT_FOUND).await;
    call(Method::POST, ":undelete", &third, json!({}), failed).await;
    call(Method::POST, ":undelete", &deleted, json!({}), ok).await;
}

#[tokio::test]
async fn of_writers_who_saw_the_same_state_one_gets_through() {
    let joined = Joined::start().await;
    let (path, seen) = create(&joined).await;
    let write = |name: String| {
        let (joined, path, seen) = (&joined, &path, &seen);
        let tags = format!("\"v0\", {seen}");
        async move { joined.call(Method::PATCH, path, &[("if-match", &tags)], json!({"owner": name})).await.status }
    };
    let statuses = futures_util::future::join_all((0..8).map(|number| write(format!("writer {number}")))).await;
    let count = |status| statuses.iter().filter(|one| **one == status).count();
    assert_eq!((count(StatusCode::OK), count(StatusCode::PRECONDITION_FAILED)), (1, 7), "{statuses:?}");
}

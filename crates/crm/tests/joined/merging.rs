//! An account that was merged into another, over REST.

use ::http::{Method, StatusCode};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{Joined, json, text};

async fn create(joined: &Joined, name: &str) -> String {
    let path = format!("/v1/accounts?requestId={}", Uuid::new_v4());
    let created = joined.json(Method::POST, &path, json!({"name": name})).await;
    created["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn the_id_of_a_merged_account_answers_the_winner_and_no_tag_is_taken_for_its_own() {
    let joined = Joined::start().await;
    let (winner, loser) = (create(&joined, "Acme").await, create(&joined, "Acme, too").await);
    // Changed as often as the other will have been: their tags are the same.
    let read = async |id: &str, headers: &[(&str, &str)]| {
        joined.call(Method::GET, &format!("/v1/accounts/{id}"), headers, Value::Null).await
    };
    let tag = read(&loser, &[]).await.headers["etag"].to_str().unwrap().to_owned();
    assert_eq!(read(&winner, &[]).await.headers["etag"].to_str().unwrap(), tag);

    let asked = json!({"duplicateId": loser, "take": "owner", "requestId": Uuid::new_v4().to_string()});
    let begun = joined.json(Method::POST, &format!("/v1/accounts/{winner}:merge"), asked).await;
    let one = format!("/v1/operations/customers/{}", begun["id"].as_str().unwrap());
    let mut ended = Value::Null;
    while ended["done"] != true {
        ended = joined.json(Method::GET, &format!("{one}:wait?timeout=3s"), Value::Null).await;
    }
    assert_eq!((ended["state"].as_str(), ended["response"]["name"].as_str()), (Some("STATE_SUCCEEDED"), Some("Acme")));

    for condition in ["if-none-match", "x-nothing"] {
        let followed = read(&loser, &[(condition, tag.as_str())]).await;
        assert_eq!(followed.status, StatusCode::OK, "{condition}: {}", text(&followed));
        assert_eq!(followed.headers["x-crm-redirected-from"].to_str().unwrap(), loser);
        assert!(!followed.headers.contains_key("etag"));
        assert_eq!(json(&followed)["id"], winner);
    }
    let theirs = read(&loser, &[("if-match", tag.as_str())]).await;
    assert_eq!(theirs.status, StatusCode::PRECONDITION_FAILED);
    let own = read(&winner, &[("if-none-match", tag.as_str())]).await;
    assert_eq!(own.status, StatusCode::NOT_MODIFIED);
    assert!(!own.headers.contains_key("x-crm-redirected-from"));
    let both = joined.json(Method::GET, &format!("/v1/accounts:batchGet?ids={loser}&ids={winner}"), Value::Null).await;
    assert_eq!(both["redirects"], json!([{"id": loser, "winnerId": winner}]));

    let refused = joined.call(Method::PATCH, &format!("/v1/accounts/{loser}"), &[], json!({"name": "New"})).await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST);
    let info = json(&refused)["details"][0].clone();
    let told = (&info["reason"], &info["metadata"]["id"], &info["metadata"]["merged_into"]);
    assert_eq!(told, (&json!("MERGED_INTO"), &json!(loser), &json!(winner)));
}

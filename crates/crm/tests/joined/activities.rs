//! A day with activities, over REST.

use ::http::{Method, StatusCode};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{Joined, text};

async fn create(joined: &Joined, collection: &str, body: Value) -> Value {
    joined.json(Method::POST, &format!("{collection}?requestId={}", Uuid::new_v4()), body).await
}

#[tokio::test]
async fn a_task_is_due_is_done_and_stands_in_the_timeline_of_what_it_is_about() {
    let joined = Joined::start().await;
    let account = create(&joined, "/v1/accounts", json!({"name": "Acme"})).await;
    let person = create(&joined, "/v1/contacts", json!({"accountId": account["id"], "familyName": "Love"})).await;
    let activity = async |kind: &str, resource: &str, parent: &Value, more: Value| {
        let mut body = json!({"kind": kind, "parentResource": resource, "parentId": parent["id"], "owner": "ada"});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        create(&joined, "/v1/activities/customers", body).await
    };
    activity("KIND_NOTE", "accounts", &account, json!({"body": "wants ten"})).await;
    let due = json!({"subject": "offer", "dueTime": "2020-01-31T09:30:00Z"});
    let task = activity("KIND_TASK", "accounts", &account, due).await;
    activity("KIND_TASK", "contacts", &person, json!({"subject": "some day"})).await;
    assert_eq!((&task["done"], &task["creator"]), (&json!(false), &json!("ada")));

    let subjects = async || {
        let page = joined.json(Method::GET, "/v1/activities/customers:openTasks", Value::Null).await;
        page["activities"].as_array().unwrap().iter().map(|task| task["subject"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(subjects().await, ["offer", "some day"]);
    let path = format!("/v1/activities/customers/{}", task["id"].as_str().unwrap());
    let done = joined.json(Method::PATCH, &path, json!({"done": true})).await;
    assert!(done["doneTime"].is_string(), "{done}");
    assert_eq!(subjects().await, ["some day"]);

    let path = format!("/v1/accounts/{}:timeline", account["id"].as_str().unwrap());
    let timeline = joined.json(Method::GET, &path, Value::Null).await;
    let items = timeline["items"].as_array().unwrap();
    assert_eq!((items.len(), &timeline["nextPageToken"]), (3, &json!("")));
    assert_eq!((&items[0]["activity"], &items[0]["time"]), (&done, &task["createTime"]));
    assert_eq!((&items[1]["activity"]["kind"], &items[1]["subject"]), (&json!("KIND_NOTE"), &json!("ada")));
    assert_eq!((&items[2]["change"]["kind"], &items[2]["time"]), (&json!("KIND_CREATED"), &account["createTime"]));
    assert!(items[2].get("activity").is_none());

    let note = json!({"kind": "KIND_NOTE", "parentResource": "accounts", "parentId": account["id"], "dueTime": "2020-01-31T09:30:00Z"});
    let path = format!("/v1/activities/customers?requestId={}", Uuid::new_v4());
    let refused = joined.call(Method::POST, &path, &[], note).await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST);
    for told in ["\"field\":\"body\"", "is required of a note", "\"field\":\"dueTime\"", "only a task is due"] {
        assert!(text(&refused).contains(told), "{told}: {}", text(&refused));
    }
}

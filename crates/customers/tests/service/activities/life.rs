//! What is kept of activities, and what lists find.

use crm_proto::activities::activity::Kind;
use crm_proto::activities::{self as pb, Activity};
use tonic::Code;

use super::{at, delete, get, list, of, parents, task, undelete, update};
use crate::support::{call, refusal, refused, violations, world};

#[tokio::test]
async fn an_activity_is_answered_as_it_was_given_with_who_made_it() {
    let world = world().await;
    let (account, contact) = parents(&world.agent).await;
    for (kind, resource, parent) in [
        (Kind::Note, "accounts", &account),
        (Kind::Call, "contacts", &contact),
        (Kind::Meeting, "accounts", &account),
        (Kind::Task, "contacts", &contact),
    ] {
        let mut given = of(kind, resource, parent);
        given.body = "one\r\n\ttwo".to_owned();
        if kind != Kind::Note {
            (given.start_time, given.duration_seconds) = (at(1_800_000_000), Some(0));
        }
        let created = world.agent.create_activity(given.clone()).await.unwrap();
        assert_eq!(created.creator, "ada");
        given.done = (kind == Kind::Task).then_some(false);
        let heads = Activity {
            id: created.id.clone(),
            etag: created.etag.clone(),
            creator: created.creator.clone(),
            create_time: created.create_time,
            update_time: created.update_time,
            ..given
        };
        assert_eq!(created, heads);
        assert_eq!(get(&world.agent, &created.id).await.unwrap(), created);
        assert_eq!(update(&world.agent, created.clone(), &["*"]).await.unwrap(), created, "nothing has changed");
    }
    let finer = prost_types::Timestamp { seconds: 1_800_000_000, nanos: 123_456_789 };
    let created =
        world.agent.create_activity(Activity { due_time: Some(finer), ..task(&account, "Finer") }).await.unwrap();
    assert_eq!(created.due_time.unwrap().nanos, 123_456_000);
    let again = Activity { due_time: Some(finer), ..created.clone() };
    assert_eq!(update(&world.agent, again, &["due_time"]).await.unwrap(), created);
}

#[tokio::test]
async fn a_task_is_done_since_it_was_first_said_so() {
    let world = world().await;
    let (account, _) = parents(&world.agent).await;
    let created = world.agent.create_activity(task(&account, "To do")).await.unwrap();
    assert_eq!((created.done, created.done_time), (Some(false), None));
    let change = async |done: Option<bool>, subject: &str| {
        let changed = Activity { id: created.id.clone(), done, ..task(&account, subject) };
        update(&world.agent, changed, &["done", "subject"]).await.unwrap()
    };
    let done = change(Some(true), "To do").await;
    assert!(done.done_time.is_some() && done.done == Some(true));
    let renamed = change(Some(true), "Was to do").await;
    assert_eq!(renamed.done_time, done.done_time);
    let open = change(None, "Was to do").await;
    assert_eq!((open.done, open.done_time), (Some(false), None));
    let again = change(Some(true), "Was to do").await;
    let moment = |it: &Activity| it.done_time.map(|time| (time.seconds, time.nanos));
    assert!(moment(&again) > moment(&done));
    let born = world.agent.create_activity(Activity { done: Some(true), ..task(&account, "Is done") }).await.unwrap();
    assert!(born.done_time.is_some());
    // Nobody sets it.
    let forged = Activity { done_time: at(1), creator: "bob".to_owned(), ..born.clone() };
    assert_eq!(update(&world.agent, forged, &["*"]).await.unwrap(), born);
    let request = pb::GetActivityHistoryRequest { id: created.id.clone(), ..Default::default() };
    let history = call!(world.agent, activities.get_activity_history(request)).unwrap();
    assert_eq!((history.changes.len(), history.complete), (5, true));
}

#[tokio::test]
async fn lists_are_filtered_by_kind_parent_owner_and_when_a_task_is_due() {
    let world = world().await;
    let (account, contact) = parents(&world.agent).await;
    for (subject, due, done, owner) in [
        ("early", at(1_000_000_000), false, "ada"),
        ("late", at(2_000_000_000), true, "bob"),
        ("never", None, false, "ada"),
    ] {
        let it = Activity { due_time: due, done: Some(done), owner: owner.to_owned(), ..task(&account, subject) };
        world.agent.create_activity(it).await.unwrap();
    }
    world
        .agent
        .create_activity(Activity { subject: "call".to_owned(), ..of(Kind::Call, "contacts", &contact) })
        .await
        .unwrap();
    for (filter, expected) in [
        ("", vec!["early", "late", "never", "call"]),
        ("kind = KIND_TASK", vec!["early", "late", "never"]),
        ("kind = \"KIND_CALL\"", vec!["call"]),
        (&format!("parent_id = \"{contact}\""), vec!["call"]),
        ("owner = \"ada\"", vec!["early", "never"]),
        ("done = true", vec!["late"]),
        ("done = false", vec!["early", "never"]),
        ("due_time < \"2033-05-18T03:33:20Z\"", vec!["early"]),
        ("due_time >= \"2001-09-09T01:46:41Z\"", vec!["late"]),
        ("due_time >= \"2001-09-09T01:46:40Z\" AND due_time < \"2033-05-18T03:33:21Z\" AND owner = bob", vec!["late"]),
    ] {
        assert_eq!(list(&world.agent, filter, false).await, expected, "{filter}");
    }
    for filter in [
        "kind = note",
        "kind = KIND_UNSPECIFIED",
        "kind != KIND_NOTE",
        "due_time = \"2033-05-18T03:33:20Z\"",
        "body = x",
    ] {
        let request = pb::ListActivitiesRequest { filter: filter.to_owned(), ..Default::default() };
        assert_eq!(violations(call!(world.agent, activities.list_activities(request))), ["filter"], "{filter}");
    }
}

#[tokio::test]
async fn what_is_deleted_comes_back_as_it_was() {
    let world = world().await;
    let (account, _) = parents(&world.agent).await;
    let created = world.agent.create_activity(task(&account, "To do")).await.unwrap();
    delete(&world.agent, &created.id).await.unwrap();
    let missing = refused(Code::NotFound, "ACTIVITY_NOT_FOUND");
    assert_eq!(refusal(get(&world.agent, &created.id).await), missing);
    assert_eq!(refusal(update(&world.agent, created.clone(), &["subject"]).await), missing);
    assert_eq!(refusal(delete(&world.agent, &created.id).await), missing);
    let back = undelete(&world.agent, &created.id).await.unwrap();
    assert_eq!((back.subject, back.delete_time), (created.subject, None));
    assert_eq!(
        refusal(undelete(&world.agent, &created.id).await),
        refused(Code::AlreadyExists, "ACTIVITY_NOT_DELETED")
    );
}

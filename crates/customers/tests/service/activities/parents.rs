//! An activity is there as long as its parent is.

use crm_proto::activities::activity::Kind;
use crm_proto::activities::{self as pb, Activity};
use crm_server::token::Role;
use tokio_stream::StreamExt as _;
use tonic::Code;
use uuid::Uuid;

use super::{delete, get, list, of, open_tasks, parents, task, timeline_of, undelete, update};
use crate::support::{Caller, call, refusal, refused, world};

#[tokio::test]
async fn there_is_no_activity_on_what_is_not_there() {
    let world = world().await;
    let (account, contact) = parents(&world.agent).await;
    let stranger = world.service.caller("globex", Role::Agent);
    let (foreign, _) = parents(&stranger).await;
    let missing = refused(Code::FailedPrecondition, "ACTIVITY_PARENT_NOT_FOUND");
    let unknown = Uuid::now_v7().to_string();
    for (resource, id) in
        [("accounts", &contact), ("contacts", &account), ("accounts", &foreign), ("contacts", &unknown)]
    {
        assert_eq!(
            refusal(world.agent.create_activity(of(Kind::Note, resource, id)).await),
            missing,
            "{resource} {id}"
        );
    }
    let own = world.agent.create_activity(of(Kind::Note, "contacts", &contact)).await.unwrap();
    delete(&world.agent, &own.id).await.unwrap();
    world.agent.delete_contact(&contact, "").await.unwrap();
    assert_eq!(refusal(world.agent.create_activity(of(Kind::Note, "contacts", &contact)).await), missing);
    assert_eq!(refusal(undelete(&world.agent, &own.id).await), missing);
    world.agent.undelete_contact(&contact).await.unwrap();
    undelete(&world.agent, &own.id).await.unwrap();
}

async fn exported(caller: &Caller) -> usize {
    let answer = call!(caller, activities.export_activities(pb::ExportActivitiesRequest::default())).unwrap();
    answer.map(Result::unwrap).collect::<Vec<_>>().await.len()
}

#[tokio::test]
async fn what_is_about_a_deleted_record_is_hidden_everywhere_and_comes_back_with_it_unchanged() {
    let world = world().await;
    let (account, contact) = parents(&world.agent).await;
    let kept = world.agent.create_activity(task(&account, "kept")).await.unwrap();
    let hidden =
        Activity { subject: "hidden".to_owned(), owner: "ada".to_owned(), ..of(Kind::Task, "contacts", &contact) };
    let hidden = world.agent.create_activity(hidden).await.unwrap();
    let both = || pb::BatchGetActivitiesRequest { ids: vec![kept.id.clone(), hidden.id.clone()] };
    for _ in 0..2 {
        assert_eq!(get(&world.agent, &hidden.id).await.unwrap(), hidden);
        assert_eq!(call!(world.agent, activities.batch_get_activities(both())).unwrap().activities.len(), 2);
        assert_eq!(list(&world.agent, "", false).await, ["kept", "hidden"]);
        assert_eq!(open_tasks(&world.agent, 0).await.concat().len(), 2);
        assert_eq!(exported(&world.agent).await, 2);

        world.agent.delete_contact(&contact, "").await.unwrap();
        let missing = refused(Code::NotFound, "ACTIVITY_NOT_FOUND");
        assert_eq!(refusal(get(&world.agent, &hidden.id).await), missing);
        assert_eq!(refusal(call!(world.agent, activities.batch_get_activities(both()))), missing);
        assert_eq!(refusal(update(&world.agent, hidden.clone(), &["subject"]).await), missing);
        assert_eq!(refusal(delete(&world.agent, &hidden.id).await), missing);
        assert_eq!(list(&world.agent, "", false).await, ["kept"]);
        assert_eq!(list(&world.agent, "", true).await, ["kept", "hidden"]);
        assert_eq!(open_tasks(&world.agent, 0).await.concat(), ["kept"]);
        assert_eq!(exported(&world.agent).await, 1);
        let timeline = call!(world.agent, contacts.get_timeline(timeline_of(&contact, 0, "")));
        assert_eq!(refusal(timeline), refused(Code::NotFound, "CONTACT_NOT_FOUND"));
        world.agent.undelete_contact(&contact).await.unwrap();
    }
}

#[tokio::test]
async fn an_activity_waits_for_whoever_is_deleting_its_parent() {
    let world = world().await;
    let (account, contact) = parents(&world.agent).await;
    for round in 0..10 {
        let (created, deleted) = tokio::join!(
            world.agent.create_activity(of(Kind::Note, "contacts", &contact)),
            world.agent.delete_contact(&contact, ""),
        );
        deleted.unwrap();
        // Before or after: never on a record that was deleted already.
        if let Err(status) = &created {
            assert_eq!(status.code(), Code::FailedPrecondition, "round {round}: {status:?}");
        }
        world.agent.undelete_contact(&contact).await.unwrap();
        let found = list(&world.agent, &format!("parent_id = \"{contact}\""), false).await.len();
        let expected = usize::from(created.is_ok());
        assert_eq!(found, expected, "round {round}");
        if let Ok(created) = created {
            delete(&world.agent, &created.id).await.unwrap();
        }
    }
    // The account cannot go before its contacts; its activities are no reason.
    world.agent.create_activity(task(&account, "To do")).await.unwrap();
    world.agent.delete_contact(&contact, "").await.unwrap();
    world.agent.delete_account(&account, "").await.unwrap();
}

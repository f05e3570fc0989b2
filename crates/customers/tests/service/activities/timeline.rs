//! The timeline of a record.

use crm_proto::activities::activity::Kind;
use crm_proto::activities::timeline_item::Item;
use crm_proto::activities::{self as pb, Activity};
use crm_proto::customers::Contact;
use crm_proto::journal::change;
use crm_server::token::Role;
use crm_telemetry::testing::{attribute, record};
use tonic::Code;
use uuid::Uuid;

use super::{at, delete, of, parents, task, timeline_of, update};
use crate::support::{Caller, call, refusal, refused, violations, world};

/// What an item is, in a word.
fn word(item: &pb::TimelineItem) -> String {
    match item.item.as_ref().unwrap() {
        Item::Activity(activity) => activity.subject.clone(),
        Item::Change(change) => format!("{} {}", change.version, change.kind().as_str_name()),
    }
}

/// All items, page by page.
async fn pages(caller: &Caller, contact: &str, page_size: i32) -> Vec<Vec<pb::TimelineItem>> {
    let (mut pages, mut token) = (Vec::new(), String::new());
    loop {
        let page = call!(caller, contacts.get_timeline(timeline_of(contact, page_size, &token))).unwrap();
        pages.push(page.items);
        token = page.next_page_token;
        if token.is_empty() {
            return pages;
        }
    }
}

#[tokio::test]
async fn activities_and_changes_stand_in_one_order_the_newest_first() {
    let world = world().await;
    let (account, contact) = parents(&world.agent).await;
    let on = |kind, subject: &str| Activity { subject: subject.to_owned(), ..of(kind, "contacts", &contact) };
    let note = world.agent.create_activity(on(Kind::Note, "note")).await.unwrap();
    let renamed = Contact { id: contact.clone(), given_name: "Ada".to_owned(), ..Default::default() };
    world.agent.update_contact(renamed, &["given_name"]).await.unwrap();
    // Planned, and logged afterwards: they stand where they take place.
    let coming = Activity { start_time: at(4_000_000_000), ..on(Kind::Meeting, "coming") };
    world.agent.create_activity(coming).await.unwrap();
    let past = Activity { start_time: at(1_000_000_000), ..on(Kind::Call, "past") };
    world.agent.create_activity(past).await.unwrap();
    let edited = Activity { body: "edited".to_owned(), ..note.clone() };
    let edited = update(&world.agent, edited, &["body"]).await.unwrap();
    delete(&world.agent, &world.agent.create_activity(on(Kind::Note, "deleted")).await.unwrap().id).await.unwrap();
    world.agent.create_activity(task(&account, "of the account")).await.unwrap();
    world.agent.delete_contact(&contact, "").await.unwrap();
    world.agent.undelete_contact(&contact).await.unwrap();

    let expected = ["coming", "4 KIND_UNDELETED", "3 KIND_DELETED", "2 KIND_UPDATED", "note", "1 KIND_CREATED", "past"];
    let viewer = world.service.caller("acme", Role::Viewer);
    let whole = pages(&viewer, &contact, 0).await.concat();
    assert_eq!(whole.iter().map(word).collect::<Vec<_>>(), expected);
    assert!(whole.is_sorted_by(
        |one, next| one.time.map(|it| (it.seconds, it.nanos)) >= next.time.map(|it| (it.seconds, it.nanos))
    ));
    for size in 1..=7 {
        let pages = pages(&viewer, &contact, size).await;
        assert_eq!(pages.concat(), whole, "pages of {size}");
        assert_eq!(pages.len(), expected.len().div_ceil(usize::try_from(size).unwrap()), "pages of {size}");
    }
    assert_eq!(
        (whole[4].item.clone(), whole[4].time, whole[4].subject.as_str()),
        (Some(Item::Activity(edited)), note.create_time, "ada")
    );
    let Some(Item::Change(change)) = &whole[3].item else { panic!("{:?}", whole[3]) };
    assert_eq!(
        (change.kind(), change.resource.as_str(), change.subject.as_str()),
        (change::Kind::Updated, "contacts", "ada")
    );
    assert_eq!((whole[3].time, whole[3].subject.as_str()), (change.change_time, "ada"));
    let of_account = call!(viewer, accounts.get_timeline(timeline_of(&account, 0, ""))).unwrap();
    assert_eq!(of_account.items.iter().map(word).collect::<Vec<_>>(), ["of the account", "1 KIND_CREATED"]);
}

#[tokio::test]
async fn a_timeline_is_its_record_s_and_its_tenant_s() {
    let world = world().await;
    let (account, contact) = parents(&world.agent).await;
    world.agent.create_activity(of(Kind::Note, "contacts", &contact)).await.unwrap();
    let stranger = world.service.caller("globex", Role::Admin);
    let missing = refused(Code::NotFound, "CONTACT_NOT_FOUND");
    assert_eq!(refusal(call!(stranger, contacts.get_timeline(timeline_of(&contact, 0, "")))), missing);
    assert_eq!(refusal(call!(world.agent, contacts.get_timeline(timeline_of(&account, 0, "")))), missing);
    let unknown = timeline_of(&Uuid::now_v7().to_string(), 0, "");
    assert_eq!(
        refusal(call!(world.agent, accounts.get_timeline(unknown))),
        refused(Code::NotFound, "ACCOUNT_NOT_FOUND")
    );
    let token = call!(world.agent, contacts.get_timeline(timeline_of(&contact, 1, ""))).unwrap().next_page_token;
    assert!(!token.is_empty());
    assert_eq!(violations(call!(world.agent, accounts.get_timeline(timeline_of(&account, 1, &token)))), ["page_token"]);
    assert_eq!(
        violations(call!(world.agent, contacts.get_timeline(timeline_of("x", -1, "y")))),
        ["id", "page_size", "page_token"]
    );
}

#[tokio::test]
async fn a_page_costs_as_many_statements_whatever_it_holds() {
    let (recorder, _guard) = record();
    let world = world().await;
    let (account, contact) = parents(&world.agent).await;
    for number in 0..30 {
        world.agent.create_activity(task(&account, &format!("task {number}"))).await.unwrap();
        world.agent.create_activity(of(Kind::Note, "contacts", &contact)).await.unwrap();
    }
    let statements = |from: usize| {
        let spans = recorder.spans()[from..].to_vec();
        spans.iter().filter(|span| attribute(span, "db.query.text").is_some()).count()
    };
    for size in [1, 25] {
        let from = recorder.spans().len();
        call!(world.agent, contacts.get_timeline(timeline_of(&contact, size, ""))).unwrap();
        assert!((2..=4).contains(&statements(from)), "{} for a timeline", statements(from));
        let from = recorder.spans().len();
        let request = pb::ListOpenTasksRequest { page_size: size, ..Default::default() };
        assert_eq!(call!(world.agent, activities.list_open_tasks(request)).unwrap().activities.len(), size as usize);
        assert_eq!(statements(from), 1, "for open tasks");
        let from = recorder.spans().len();
        let request = pb::ListActivitiesRequest { page_size: size, ..Default::default() };
        call!(world.agent, activities.list_activities(request)).unwrap();
        assert_eq!(statements(from), 1, "for a list");
    }
}

//! Everything that can keep a person is made to, and then the person is erased.

use change::Kind::{Created, Deleted, Erased, Updated};
use crm_proto::activities::activity::Kind;
use crm_proto::activities::{self as act, Activity};
use crm_proto::customers::{self as pb, Contact, ReassignAccountsRequest};
use crm_proto::imports;
use crm_proto::journal::{Change, ListChangesRequest, change};
use crm_proto::operations::{GetOperationRequest, Operation, operation};
use crm_proto::views::saved_view::Visibility;
use crm_proto::views::{self, SavedView};
use crm_server::token::Role;
use prost::Message as _;
use tokio_stream::StreamExt as _;
use tonic::Code;
use uuid::Uuid;

use super::{EMAIL, MARKS, OLD_EMAIL, Two, ended, erase, erase_once, person};
use crate::support::{Caller, account, call, refusal, refused};

/// What was made of the person.
struct Kept {
    account: String,
    contact: Contact,
    creation: pb::CreateContactRequest,
    activities: Vec<Activity>,
    reassignment: Operation,
    views: Vec<SavedView>,
}

async fn note(caller: &Caller, contact: &str, body: &str) -> Activity {
    let (resource, body) = ("contacts".to_owned(), body.to_owned());
    let subject = "Gloaminghelm".to_owned();
    let activity = Activity {
        kind: Kind::Note.into(),
        parent_resource: resource,
        parent_id: contact.to_owned(),
        subject,
        body,
        ..Default::default()
    };
    caller.create_activity(activity).await.unwrap()
}

async fn view(caller: &Caller, visibility: Visibility, filter: &str) -> SavedView {
    let view = SavedView {
        resource: "contacts".to_owned(),
        name: "Some".to_owned(),
        filter: filter.to_owned(),
        visibility: visibility.into(),
        ..Default::default()
    };
    let request_id = Uuid::new_v4().to_string();
    let request = views::CreateSavedViewRequest { saved_view: Some(view), request_id };
    call!(caller, saved_views.create_saved_view(request)).unwrap()
}

/// A file that nobody has read into records yet, and whose parts divide an address.
async fn send_file(caller: &Caller) -> String {
    let (resource, file_name, request_id) = ("contacts".to_owned(), "mine.csv".to_owned(), Uuid::new_v4().to_string());
    let request = imports::CreateImportRequest { resource, file_name, request_id };
    let id = call!(caller, imports.create_import(request)).unwrap().id;
    let file = format!("family_name,email\nQuoxberry,{OLD_EMAIL}\n");
    let mut offset = 0;
    for part in file.as_bytes().chunks(35) {
        let request = imports::UploadImportRequest { id: id.clone(), offset, content: part.to_vec().into() };
        offset = call!(caller, imports.upload_import(request)).unwrap().size_bytes;
    }
    id
}

impl Two {
    /// Both replicas have read everything: it is in both tiers of their caches.
    async fn read(&self, contact: &str, activities: &[Activity]) {
        for caller in [&self.admin, &self.other, &self.admin] {
            caller.get_contact(contact).await.unwrap();
            for activity in activities {
                let request = act::GetActivityRequest { id: activity.id.clone() };
                call!(caller, activities.get_activity(request)).unwrap();
            }
        }
    }

    async fn keep(&self) -> Kept {
        let (admin, other) = (&self.admin, &self.other);
        let account = admin.create_account(account("Acme")).await.unwrap().id;
        let creation = pb::CreateContactRequest {
            contact: Some(person(&account)),
            request_id: Uuid::new_v4().to_string(),
            ..Default::default()
        };
        let created = call!(admin, contacts.create_contact(creation.clone())).unwrap();
        assert_eq!(call!(other, contacts.create_contact(creation.clone())).unwrap(), created);
        let changed = Contact { id: created.id.clone(), emails: vec![EMAIL.to_owned()], ..Default::default() };
        let contact = other.update_contact(changed, &["emails"]).await.unwrap();
        let mut activities =
            vec![note(admin, &contact.id, "Whisperedfjord").await, note(other, &contact.id, "x").await];
        let rewritten = Activity { body: "brindlemark".to_owned(), ..activities[1].clone() };
        let request = act::UpdateActivityRequest { activity: Some(rewritten), update_mask: None };
        activities[1] = call!(other, activities.update_activity(request)).unwrap();
        self.read(&contact.id, &activities).await;
        let gone = note(admin, &contact.id, "deleted Whisperedfjord").await;
        let request = act::DeleteActivityRequest { id: gone.id.clone(), ..Default::default() };
        call!(admin, activities.delete_activity(request)).unwrap();
        activities.push(gone);
        assert_eq!(crate::search::search(other, "quoxb").await.unwrap().len(), 1);
        let exported = call!(other, contacts.export_contacts(pb::ExportContactsRequest::default())).unwrap();
        assert_eq!(exported.collect::<Vec<_>>().await.len(), 1);

        let request = ReassignAccountsRequest {
            filter: format!("name = \"{}\"", EMAIL.to_uppercase()),
            owner: "eve".to_owned(),
            request_id: Uuid::new_v4().to_string(),
        };
        let reassignment = call!(admin, accounts.reassign_accounts(request)).unwrap();
        let reassignment = ended(admin, reassignment).await;

        let filter = |email: &str| format!("email = \"{email}\"");
        let mut saved = vec![
            view(other, Visibility::Private, &filter(OLD_EMAIL)).await,
            view(other, Visibility::Shared, &filter(EMAIL)).await,
            view(other, Visibility::Shared, &filter(EMAIL)).await,
        ];
        let cleared = SavedView { filter: "owner = \"eve\"".to_owned(), ..saved[2].clone() };
        let request = views::UpdateSavedViewRequest { saved_view: Some(cleared), update_mask: None };
        saved[2] = call!(other, saved_views.update_saved_view(request)).unwrap();
        send_file(admin).await;
        Kept { account, contact, creation, activities, reassignment, views: saved }
    }
}

fn has_mark(text: &str) -> bool {
    let text = text.to_lowercase();
    MARKS.iter().any(|mark| text.contains(mark))
}

async fn changes(caller: &Caller) -> Vec<Change> {
    let request = ListChangesRequest { page_size: 1_000, ..Default::default() };
    call!(caller, changes.list_changes(request)).unwrap().changes
}

#[tokio::test]
async fn nothing_of_a_person_is_left_in_any_table_or_cache_and_what_is_left_says_so() {
    let two = Two::start().await;
    let kept = two.keep().await;
    let id = &kept.contact.id;
    // What does not find the person before would find nothing afterwards, whatever is left.
    let before = two.tables_with_marks().await;
    for table in [
        "contacts",
        "contact_emails",
        "search_terms",
        "activities",
        "journal",
        "idempotency_keys",
        "operations",
        "saved_views",
        "import_parts",
    ] {
        assert!(before.iter().any(|found| found.starts_with(&format!("customers.{table}:"))), "{table}: {before:?}");
    }
    for mark in MARKS {
        assert!(before.iter().any(|found| found.ends_with(mark)), "{mark}: {before:?}");
    }
    assert!(two.keys_with_marks().await.0.len() >= 3);
    let mut watch = {
        let request = crm_proto::journal::WatchChangesRequest { cursor: "now".to_owned(), ..Default::default() };
        call!(two.other, changes.watch_changes(request)).unwrap()
    };

    let request = Uuid::new_v4();
    let begun = erase_once(&two.admin, id, &kept.contact.etag, request).await.unwrap();
    let done = ended(&two.other, begun.clone()).await;
    assert_eq!(done.state(), operation::State::Succeeded, "{done:?}");
    let Some(operation::Result::Response(response)) = done.result else { panic!("no response") };
    let response = pb::EraseContactResponse::decode(response.value.as_slice()).unwrap();
    assert_eq!(response.contact_ids, [id.as_str()]);
    assert_eq!((response.activity_count, response.operation_count, response.saved_view_count), (3, 1, 2));
    assert_eq!(response.import_count, 1);
    // The contact's, three of activities, three of views, one of the operation.
    assert_eq!(response.answer_count, 8);

    assert_eq!(two.tables_with_marks().await, [""; 0]);
    let (keys, all) = two.keys_with_marks().await;
    assert!(keys.is_empty() && all > 0, "{keys:?} of {all}");
    check_answers(&two, &kept).await;
    check_traces(&two, &kept).await;

    // Everybody who follows hears of it.
    let mut heard = Vec::new();
    while !heard.iter().any(|change: &Change| change.id == *id && change.kind() == Erased) {
        heard.extend(watch.message().await.unwrap().unwrap().changes);
    }
    let erased =
        |resource: &str| heard.iter().filter(|change| change.kind() == Erased && change.resource == resource).count();
    assert_eq!((erased("contacts"), erased("activities")), (1, 3));

    // Once more, by the same request and by another one.
    assert_eq!(erase_once(&two.admin, id, &kept.contact.etag, request).await.unwrap(), begun);
    let again = erase(&two.admin, id, "W/\"1\"").await;
    assert_eq!(again.state(), operation::State::Succeeded, "{again:?}");
}

/// Whoever asks for the contact, from whichever replica, is told what became of it.
async fn check_answers(two: &Two, kept: &Kept) {
    let (id, missing) = (kept.contact.id.clone(), refused(Code::NotFound, "CONTACT_ERASED"));
    for caller in [&two.admin, &two.other] {
        assert_eq!(refusal(caller.get_contact(&id).await), missing);
        let ids = vec![id.clone()];
        let batch = call!(caller, contacts.batch_get_contacts(pb::BatchGetContactsRequest { ids }));
        assert_eq!(refusal(batch), missing);
        let renamed = Contact { id: id.clone(), title: "x".to_owned(), ..Default::default() };
        assert_eq!(refusal(caller.update_contact(renamed, &["title"]).await), missing);
        assert_eq!(refusal(caller.delete_contact(&id, "").await), missing);
        assert_eq!(refusal(caller.undelete_contact(&id).await), missing);
        let timeline = act::GetTimelineRequest { id: id.clone(), ..Default::default() };
        assert_eq!(refusal(call!(caller, contacts.get_timeline(timeline))), missing);
        let list = pb::ListContactsRequest { show_deleted: true, ..Default::default() };
        assert!(call!(caller, contacts.list_contacts(list)).unwrap().contacts.is_empty());
        for activity in &kept.activities {
            let request = act::GetActivityRequest { id: activity.id.clone() };
            let found = call!(caller, activities.get_activity(request));
            assert_eq!(refusal(found), refused(Code::NotFound, "ACTIVITY_NOT_FOUND"));
        }
        assert!(crate::search::search(caller, "quoxb").await.unwrap().is_empty());
        // The creation that is sent once more creates nobody.
        let again = call!(caller, contacts.create_contact(kept.creation.clone()));
        assert_eq!(refusal(again), refused(Code::NotFound, "ANSWER_ERASED"));
    }
    let named = Activity {
        kind: Kind::Note.into(),
        parent_resource: "contacts".to_owned(),
        parent_id: id.clone(),
        body: "x".to_owned(),
        ..Default::default()
    };
    let created = two.admin.create_activity(named).await;
    assert_eq!(refusal(created), refused(Code::FailedPrecondition, "ACTIVITY_PARENT_NOT_FOUND"));
    // The account is no person, and free again.
    two.admin.delete_account(&kept.account, "").await.unwrap();
}

/// What is left says that it was erased, and by whom.
async fn check_traces(two: &Two, kept: &Kept) {
    let history = pb::GetContactHistoryRequest { id: kept.contact.id.clone(), ..Default::default() };
    let history = call!(two.other, contacts.get_contact_history(history)).unwrap().changes;
    let kinds: Vec<_> = history.iter().map(|change| change.kind()).collect();
    assert_eq!(kinds, [Erased, Deleted, Updated, Created]);
    assert!(history[1..].iter().all(|change| change.erased && change.fields.is_empty()));
    assert_eq!((history[0].subject.as_str(), history[0].role.as_str()), ("ada", "admin"));
    let all = changes(&two.admin).await.into_iter().chain(changes(&two.other).await);
    let told: Vec<Change> = all.filter(|change| has_mark(&format!("{change:?}"))).collect();
    assert!(told.is_empty(), "{told:?}");

    let id = kept.reassignment.id.clone();
    let reassignment = call!(two.other, operations.get_operation(GetOperationRequest { id })).unwrap();
    assert!(reassignment.erased && !kept.reassignment.erased);
    let metadata = reassignment.metadata.unwrap();
    assert!(metadata.value.is_empty() && metadata.type_url.ends_with("ReassignAccountsRequest"));
    assert_eq!(reassignment.state, kept.reassignment.state);
    for (view, is_left) in kept.views.iter().zip([false, false, true]) {
        let found = call!(two.other, saved_views.get_saved_view(views::GetSavedViewRequest { id: view.id.clone() }));
        assert_eq!(found.is_ok(), is_left, "{found:?}");
    }
}

#[tokio::test]
async fn the_same_person_in_another_tenant_and_a_namesake_are_left_alone() {
    let two = Two::start().await;
    let kept = two.keep().await;
    let stranger = two.services[0].caller("globex", Role::Admin);
    let their_account = stranger.create_account(account("Acme")).await.unwrap().id;
    let theirs = stranger.create_contact(person(&their_account)).await.unwrap();
    let their_note = note(&stranger, &theirs.id, "Whisperedfjord").await;
    let namesake = Contact { emails: Vec::new(), phones: Vec::new(), ..person(&kept.account) };
    let namesake = two.admin.create_contact(namesake).await.unwrap();
    let foreign = erase_once(&stranger, &kept.contact.id, &kept.contact.etag, Uuid::new_v4()).await;
    assert_eq!(refusal(foreign), refused(Code::NotFound, "CONTACT_NOT_FOUND"));

    let done = erase(&two.admin, &kept.contact.id, &kept.contact.etag).await;
    assert_eq!(done.state(), operation::State::Succeeded, "{done:?}");
    assert_eq!(two.other.get_contact(&namesake.id).await.unwrap(), namesake);
    assert_eq!(stranger.get_contact(&theirs.id).await.unwrap(), theirs);
    let request = act::GetActivityRequest { id: their_note.id.clone() };
    assert_eq!(call!(stranger, activities.get_activity(request)).unwrap(), their_note);
    let history = pb::GetContactHistoryRequest { id: theirs.id.clone(), ..Default::default() };
    let history = call!(stranger, contacts.get_contact_history(history)).unwrap().changes;
    assert!(history.iter().all(|change| !change.erased && !change.fields.is_empty()));
}

//! A private view is its owner's alone, whichever way somebody looks for it.

use crm_proto::journal;
use crm_proto::views::saved_view::Visibility::{Private, Shared};
use crm_proto::views::{ListSavedViewsRequest, SavedView};
use crm_server::token::Role;
use tonic::Code;
use uuid::Uuid;

use super::{batch_get, create, create_once, delete, export, get, history, list, names, undelete, update, view};
use crate::support::{Caller, World, call, refusal, refused, world};

/// Everybody else of the tenant who may read anything.
fn others(world: &World) -> [Caller; 4] {
    let of = |subject: &str, role| world.service.caller_as(subject, "acme", role);
    [of("eve", Role::Agent), of("bob", Role::Viewer), of("mia", Role::Manager), of("amy", Role::Admin)]
}

fn missing() -> (Code, String) {
    refused(Code::NotFound, "SAVED_VIEW_NOT_FOUND")
}

#[tokio::test]
async fn nobody_else_gets_lists_exports_or_reads_the_history_of_a_private_view() {
    let world = world().await;
    let own = create(&world.agent, view(Private, "Mine")).await.unwrap();
    let shared = create(&world.agent, view(Shared, "Ours")).await.unwrap();
    assert_eq!((own.owner.as_str(), own.visibility()), ("ada", Private));
    // Read by its owner before and in between: it is in both tiers of the cache.
    for caller in others(&world) {
        assert_eq!(get(&world.agent, &own.id).await.unwrap(), own);
        assert_eq!(refusal(get(&caller, &own.id).await), missing());
        assert_eq!(refusal(batch_get(&caller, &[&shared.id, &own.id]).await), missing());
        assert_eq!(refusal(history(&caller, &own.id).await), missing());
        for filter in ["", "owner = \"ada\"", "visibility = VISIBILITY_PRIVATE", "name = \"M*\"", "resource = accounts"]
        {
            assert!(list(&caller, filter).await.iter().all(|view| view.id != own.id), "{filter}");
        }
        assert_eq!(names(&export(&caller).await), ["Ours"]);
        assert_eq!(get(&caller, &shared.id).await.unwrap(), shared);
        assert_eq!(names(&list(&caller, "owner = \"ada\"").await), ["Ours"]);
        assert_eq!(history(&caller, &shared.id).await.unwrap(), 1);
    }
    assert_eq!(names(&list(&world.agent, "").await), ["Mine", "Ours"]);
    assert_eq!(export(&world.agent).await.len(), 2);
    assert_eq!(batch_get(&world.agent, &[&own.id, &shared.id]).await.unwrap(), [own.clone(), shared]);
    assert_eq!(history(&world.agent, &own.id).await.unwrap(), 1);
    // The same name in another tenant is somebody else.
    let stranger = world.service.caller("other", Role::Admin);
    assert_eq!(refusal(get(&stranger, &own.id).await), missing());
    assert!(list(&stranger, "").await.is_empty());
}

#[tokio::test]
async fn nobody_else_changes_deletes_or_brings_back_a_private_view_whatever_their_role() {
    let world = world().await;
    let own = create(&world.agent, view(Private, "Mine")).await.unwrap();
    for caller in [&others(&world)[0], &others(&world)[2], &others(&world)[3]] {
        assert_eq!(refusal(update(caller, own.clone(), &["name"]).await), missing());
        // Not even that the etag is stale is told.
        let stale = SavedView { etag: "W/\"9\"".to_owned(), ..own.clone() };
        assert_eq!(refusal(update(caller, stale, &["name"]).await), missing());
        assert_eq!(refusal(delete(caller, &own.id).await), missing());
        assert_eq!(refusal(undelete(caller, &own.id).await), missing());
        delete(&world.agent, &own.id).await.unwrap();
        assert_eq!(refusal(undelete(caller, &own.id).await), missing());
        assert!(list(caller, "").await.is_empty() && export(caller).await.is_empty());
        undelete(&world.agent, &own.id).await.unwrap();
    }
    assert_eq!(history(&world.agent, &own.id).await.unwrap(), 7);
}

#[tokio::test]
async fn a_shared_view_is_changed_by_its_owner_a_manager_or_an_admin() {
    let world = world().await;
    let [eve, _, mia, amy] = others(&world);
    let shared = create(&world.agent, view(Shared, "Ours")).await.unwrap();
    let renamed = |name: &str| SavedView { name: name.to_owned(), etag: String::new(), ..shared.clone() };
    let not_hers = refused(Code::PermissionDenied, "SAVED_VIEW_NOT_YOURS");
    assert_eq!(refusal(update(&eve, renamed("Eve's"), &["name"]).await), not_hers);
    assert_eq!(refusal(delete(&eve, &shared.id).await), not_hers);
    for (caller, name) in [(&world.agent, "Ada"), (&mia, "Mia"), (&amy, "Amy")] {
        let changed = update(caller, renamed(name), &["name"]).await.unwrap();
        assert_eq!((changed.name.as_str(), changed.owner.as_str()), (name, "ada"));
        delete(caller, &shared.id).await.unwrap();
        assert_eq!(refusal(undelete(&eve, &shared.id).await), not_hers);
        undelete(caller, &shared.id).await.unwrap();
    }
}

#[tokio::test]
async fn what_was_answered_to_one_caller_is_not_answered_to_another() {
    let world = world().await;
    let [eve, ..] = others(&world);
    let request = Uuid::new_v4();
    let own = create_once(&world.agent, view(Private, "Mine"), request).await.unwrap();
    assert_eq!(create_once(&world.agent, view(Private, "Mine"), request).await.unwrap(), own);
    let theirs = create_once(&eve, view(Private, "Mine"), request).await;
    assert_eq!(refusal(theirs), refused(Code::InvalidArgument, "REQUEST_ID_REUSED"));

    // A page that one caller was given goes on for nobody else.
    create(&world.agent, view(Private, "Mine, too")).await.unwrap();
    let page = |page_token: &str| ListSavedViewsRequest {
        page_size: 1,
        page_token: page_token.to_owned(),
        ..Default::default()
    };
    let first = call!(world.agent, saved_views.list_saved_views(page(""))).unwrap();
    let next = call!(world.agent, saved_views.list_saved_views(page(&first.next_page_token))).unwrap();
    assert_eq!(names(&next.saved_views), ["Mine, too"]);
    let theirs = call!(eve, saved_views.list_saved_views(page(&first.next_page_token)));
    assert_eq!(refusal(theirs), refused(Code::InvalidArgument, "PAGE_TOKEN_INVALID"));
}

async fn changes(caller: &Caller) -> Vec<(String, String)> {
    let answer = call!(caller, changes.list_changes(journal::ListChangesRequest::default())).unwrap();
    answer.changes.into_iter().map(|change| (change.id, change.reader)).collect()
}

async fn watch(caller: &Caller) -> tonic::Streaming<journal::WatchChangesResponse> {
    let request = journal::WatchChangesRequest { cursor: "now".to_owned(), ..Default::default() };
    let mut stream = call!(caller, changes.watch_changes(request)).unwrap();
    // Since when it watches.
    stream.message().await.unwrap().unwrap();
    stream
}

/// Ids of what comes until `last` has come.
async fn told_until(stream: &mut tonic::Streaming<journal::WatchChangesResponse>, last: &str) -> Vec<String> {
    let mut ids: Vec<String> = Vec::new();
    let all = async {
        while ids.last().is_none_or(|id| id != last) {
            let message = stream.message().await.unwrap().unwrap();
            ids.extend(message.changes.into_iter().map(|change| change.id));
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(20), all).await.unwrap();
    ids
}

#[tokio::test]
async fn nobody_else_is_told_of_changes_of_a_private_view() {
    let world = world().await;
    let service = world.service.service("sales", "acme");
    let mut watchers = Vec::new();
    for caller in others(&world).into_iter().chain([service.clone()]) {
        watchers.push(watch(&caller).await);
    }
    let mut own_watch = watch(&world.agent).await;
    let own = create(&world.agent, view(Private, "Mine")).await.unwrap();
    update(&world.agent, SavedView { name: "Hers".to_owned(), ..own.clone() }, &["name"]).await.unwrap();
    delete(&world.agent, &own.id).await.unwrap();
    let shared = create(&world.agent, view(Shared, "Ours")).await.unwrap();

    for stream in &mut watchers {
        assert_eq!(told_until(stream, &shared.id).await, [shared.id.as_str()]);
    }
    let all = [own.id.as_str(), &own.id, &own.id, &shared.id];
    assert_eq!(told_until(&mut own_watch, &shared.id).await, all);
    for caller in others(&world).iter().chain([&service]) {
        assert_eq!(changes(caller).await, [(shared.id.clone(), String::new())]);
    }
    let theirs = changes(&world.agent).await;
    assert_eq!(theirs[..3], [(); 3].map(|()| (own.id.clone(), "ada".to_owned())));
    assert_eq!(theirs[3..], [(shared.id, String::new())]);
}

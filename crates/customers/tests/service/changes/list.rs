//! Changes on request.

use crm_proto::activities::{Activity, activity::Kind};
use crm_server::token::Role;
use tonic::Code;

use super::{list, list_of, told};
use crate::support::{account, as_owner, contact, refusal, refused, violations, world};

#[tokio::test]
async fn changes_are_read_on_from_a_cursor_a_page_at_a_time() {
    let world = world().await;
    let acme = world.agent.create_account(account("Acme")).await.unwrap();
    let changed = crm_proto::customers::Account { name: "Acme 2".to_owned(), ..acme.clone() };
    world.agent.update_account(changed, &["name"]).await.unwrap();
    let globex = world.agent.create_account(account("Globex")).await.unwrap();

    let first = list(&world.agent, "", 2).await.unwrap();
    assert_eq!(told(&first.changes), [(acme.id.clone(), 1), (acme.id.clone(), 2)]);
    assert!(!first.last);
    let second = list(&world.agent, &first.cursor, 2).await.unwrap();
    assert_eq!(told(&second.changes), [(globex.id.clone(), 1)]);
    let mut after = list(&world.agent, &second.cursor, 2).await.unwrap();
    assert!(after.changes.is_empty() && after.last);
    world.agent.delete_account(&globex.id, "").await.unwrap();
    after = list(&world.agent, &after.cursor, 2).await.unwrap();
    assert_eq!(told(&after.changes), [(globex.id, 2)]);
    assert!(after.last);
    let whole = list(&world.agent, "", 0).await.unwrap();
    assert_eq!((whole.changes.len(), whole.last), (4, true));
}

#[tokio::test]
async fn now_leaves_out_what_has_been() {
    let world = world().await;
    world.agent.create_account(account("Before")).await.unwrap();
    let now = list(&world.agent, "now", 0).await.unwrap();
    assert!(now.changes.is_empty() && now.last);
    let after = world.agent.create_account(account("After")).await.unwrap();
    let next = list(&world.agent, &now.cursor, 0).await.unwrap();
    assert_eq!(told(&next.changes), [(after.id, 1)]);
}

#[tokio::test]
async fn who_names_resources_gets_no_others_and_goes_on_behind_all() {
    let world = world().await;
    let acme = world.agent.create_account(account("Acme")).await.unwrap();
    let ada = world.agent.create_contact(contact(&acme.id, "Lovelace")).await.unwrap();
    let contacts = list_of(&world.agent, &["contacts"], "", 0).await.unwrap();
    assert_eq!(told(&contacts.changes), [(ada.id.clone(), 1)]);
    let first = list_of(&world.agent, &["contacts"], "", 1).await.unwrap();
    assert!(first.changes.is_empty() && !first.last);
    // A cursor is behind what was read, whatever was named.
    assert_eq!(told(&list(&world.agent, &first.cursor, 0).await.unwrap().changes), [(ada.id.clone(), 1)]);
    let (kind, parent_resource, parent_id) = (Kind::Note.into(), "accounts".to_owned(), acme.id.clone());
    let note = Activity { kind, parent_resource, parent_id, body: "wants ten".to_owned(), ..Default::default() };
    let note = world.agent.create_activity(note).await.unwrap();
    let both = list_of(&world.agent, &["contacts", "accounts"], "", 0).await.unwrap();
    assert_eq!(told(&both.changes), [(acme.id, 1), (ada.id, 1)]);
    let activities = list_of(&world.agent, &["activities"], "", 0).await.unwrap();
    assert_eq!(told(&activities.changes), [(note.id, 1)]);
}

#[tokio::test]
async fn what_is_asked_wrongly_is_told_all_at_once() {
    let world = world().await;
    let answer = list_of(&world.agent, &["accounts", "leads"], "nonsense", -1).await;
    let message = format!("{:?}", answer.as_ref().unwrap_err());
    assert!(message.contains("must be one of accounts, contacts, activities"), "{message}");
    assert_eq!(violations(answer), ["page_size", "resources[1]", "cursor"]);
    let other = world.service.caller("other", Role::Agent);
    let theirs = list(&other, "now", 0).await.unwrap();
    assert_eq!(violations(list(&world.agent, &theirs.cursor, 0).await), ["cursor"]);
}

#[tokio::test]
async fn nobody_reads_another_tenants_changes_and_a_requester_none() {
    let world = world().await;
    world.agent.create_account(account("Acme")).await.unwrap();
    let other = world.service.caller("other", Role::Admin);
    assert!(list(&other, "", 0).await.unwrap().changes.is_empty());
    let requester = world.service.caller("acme", Role::Requester);
    assert_eq!(refusal(list(&requester, "", 0).await), refused(Code::PermissionDenied, "ROLE_NOT_ALLOWED"));
    let own = [world.service.caller("acme", Role::Viewer), world.service.service("sales", "acme")];
    for caller in own {
        assert_eq!(list(&caller, "", 0).await.unwrap().changes.len(), 1);
    }
}

#[tokio::test]
async fn a_cursor_from_before_what_is_kept_has_expired_and_none_at_all_has_not() {
    let world = world().await;
    let old = list(&world.agent, "now", 0).await.unwrap();
    world.agent.create_account(account("Acme")).await.unwrap();
    let age = "update customers.journal set change_time = now() - interval '40 days'; \
               select customers.sweep_journal(30, 100)";
    as_owner(&world.database, age).await;
    assert_eq!(refusal(list(&world.agent, &old.cursor, 0).await), refused(Code::FailedPrecondition, "CURSOR_EXPIRED"));
    assert!(list(&world.agent, "", 0).await.unwrap().last);
}

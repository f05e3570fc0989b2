//! Subsidiaries, and what keeps an account from being deleted.

use crm_proto::customers as pb;
use tonic::Code;
use uuid::Uuid;

use crate::support::{Caller, account, contact, refusal, refused, world};

async fn child_of(agent: &Caller, parent_id: &str) -> pb::Account {
    agent.create_account(pb::Account { parent_id: parent_id.to_owned(), ..account("Child") }).await.unwrap()
}

async fn put_under(agent: &Caller, child: &str, parent: &str) -> Result<pb::Account, tonic::Status> {
    let change = pb::Account { id: child.to_owned(), parent_id: parent.to_owned(), ..Default::default() };
    agent.update_account(change, &["parent_id"]).await
}

#[tokio::test]
async fn no_account_becomes_its_own_ancestor() {
    let world = world().await;
    let agent = &world.agent;
    let cycle = refused(Code::FailedPrecondition, "ACCOUNT_PARENT_CYCLE");
    let top = agent.create_account(account("Top")).await.unwrap();
    let middle = child_of(agent, &top.id).await;
    let bottom = child_of(agent, &middle.id).await;
    for place in [&top, &middle, &bottom] {
        assert_eq!(refusal(put_under(agent, &top.id, &place.id).await), cycle);
    }
    assert_eq!(put_under(agent, &bottom.id, &top.id).await.unwrap().parent_id, top.id);
    assert_eq!(put_under(agent, &bottom.id, "").await.unwrap().parent_id, "");
    let nobody = Uuid::now_v7().to_string();
    let missing = refused(Code::FailedPrecondition, "ACCOUNT_PARENT_NOT_FOUND");
    assert_eq!(refusal(put_under(agent, &top.id, &nobody).await), missing);
    let stranger = world.service.caller("globex", crm_server::token::Role::Agent);
    let foreign = pb::Account { parent_id: top.id, ..account("Spy") };
    assert_eq!(refusal(stranger.create_account(foreign).await), missing);
}

#[tokio::test]
async fn hierarchies_have_a_deepest_level() {
    let world = world().await;
    let mut parent = world.agent.create_account(account("Top")).await.unwrap();
    for _ in 0..32 {
        parent = child_of(&world.agent, &parent.id).await;
    }
    let deeper = pb::Account { parent_id: parent.id, ..account("Too deep") };
    let answer = world.agent.create_account(deeper).await;
    assert_eq!(refusal(answer), refused(Code::FailedPrecondition, "ACCOUNT_PARENT_TOO_DEEP"));
}

/// An account with so many levels below it: the top and the bottom.
async fn chain(agent: &Caller, levels: usize) -> (pb::Account, pb::Account) {
    let top = agent.create_account(account("Top")).await.unwrap();
    let mut bottom = top.clone();
    for _ in 0..levels {
        bottom = child_of(agent, &bottom.id).await;
    }
    (top, bottom)
}

#[tokio::test]
async fn a_group_is_moved_only_where_its_lowest_level_is_not_too_deep() {
    let world = world().await;
    let (_, place) = chain(&world.agent, 29).await;
    let (group, lowest) = chain(&world.agent, 2).await;
    // 30 above the group, and 32 above its lowest level.
    put_under(&world.agent, &group.id, &place.id).await.unwrap();
    put_under(&world.agent, &group.id, "").await.unwrap();
    let deleted = child_of(&world.agent, &lowest.id).await;
    let too_deep = refused(Code::FailedPrecondition, "ACCOUNT_PARENT_TOO_DEEP");
    assert_eq!(refusal(put_under(&world.agent, &group.id, &place.id).await), too_deep);
    // What is deleted does not count, until it comes back.
    world.agent.delete_account(&deleted.id, "").await.unwrap();
    put_under(&world.agent, &group.id, &place.id).await.unwrap();
    assert_eq!(refusal(world.agent.undelete_account(&deleted.id).await), too_deep);
}

#[tokio::test]
async fn a_move_and_a_new_subsidiary_at_once_are_not_too_deep_together() {
    let world = world().await;
    let (_, place) = chain(&world.agent, 30).await;
    for _ in 0..10 {
        let (group, lowest) = chain(&world.agent, 1).await;
        let leaf = pb::Account { parent_id: lowest.id.clone(), ..account("Leaf") };
        let (moved, created) =
            tokio::join!(put_under(&world.agent, &group.id, &place.id), world.agent.create_account(leaf));
        assert_eq!(u8::from(moved.is_ok()) + u8::from(created.is_ok()), 1, "{moved:?} {created:?}");
    }
}

#[tokio::test]
async fn two_moves_at_once_make_no_loop() {
    let world = world().await;
    for _ in 0..10 {
        let one = world.agent.create_account(account("One")).await.unwrap();
        let two = world.agent.create_account(account("Two")).await.unwrap();
        let (there, back) =
            tokio::join!(put_under(&world.agent, &one.id, &two.id), put_under(&world.agent, &two.id, &one.id));
        assert_eq!(u8::from(there.is_ok()) + u8::from(back.is_ok()), 1, "{there:?} {back:?}");
    }
}

#[tokio::test]
async fn an_account_in_use_is_not_deleted() {
    let world = world().await;
    let agent = &world.agent;
    let top = agent.create_account(account("Top")).await.unwrap();
    let child = child_of(agent, &top.id).await;
    let person = agent.create_contact(contact(&child.id, "Love")).await.unwrap();
    let (subsidiaries, contacts) = ("ACCOUNT_HAS_SUBSIDIARIES", "ACCOUNT_HAS_CONTACTS");
    assert_eq!(refusal(agent.delete_account(&top.id, "").await), refused(Code::FailedPrecondition, subsidiaries));
    assert_eq!(refusal(agent.delete_account(&child.id, "").await), refused(Code::FailedPrecondition, contacts));
    agent.delete_contact(&person.id, "").await.unwrap();
    agent.delete_account(&child.id, "").await.unwrap();
    agent.delete_account(&top.id, "").await.unwrap();
    // Back from the top down only.
    let (no_account, no_parent) = ("CONTACT_ACCOUNT_NOT_FOUND", "ACCOUNT_PARENT_NOT_FOUND");
    assert_eq!(refusal(agent.undelete_contact(&person.id).await).1, no_account);
    assert_eq!(refusal(agent.undelete_account(&child.id).await).1, no_parent);
    agent.undelete_account(&top.id).await.unwrap();
    agent.undelete_account(&child.id).await.unwrap();
    agent.undelete_contact(&person.id).await.unwrap();
}

#[tokio::test]
async fn a_contact_never_lands_at_an_account_that_is_being_deleted() {
    let world = world().await;
    for _ in 0..10 {
        let company = world.agent.create_account(account("Acme")).await.unwrap();
        let (created, deleted) = tokio::join!(
            world.agent.create_contact(contact(&company.id, "Love")),
            world.agent.delete_account(&company.id, "")
        );
        assert_ne!(created.is_ok(), deleted.is_ok(), "{created:?} {deleted:?}");
    }
}

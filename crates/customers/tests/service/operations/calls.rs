//! What callers are answered.

use crm_proto::customers as pb;
use crm_proto::operations::{self as ops, operation::State};
use crm_server::token::Role;
use tonic::Code;
use uuid::Uuid;

use crate::support::{Caller, World, call, refusal, refused, violations, world};

fn reassign(filter: &str, owner: &str) -> pb::ReassignAccountsRequest {
    let request_id = Uuid::new_v4().to_string();
    pb::ReassignAccountsRequest { filter: filter.to_owned(), owner: owner.to_owned(), request_id }
}

async fn begin(manager: &Caller) -> ops::Operation {
    call!(manager, accounts.reassign_accounts(reassign("owner = \"nobody\"", "eve"))).unwrap()
}

fn manager(world: &World) -> Caller {
    world.service.caller("acme", Role::Manager)
}

fn get(id: &str) -> ops::GetOperationRequest {
    ops::GetOperationRequest { id: id.to_owned() }
}

fn wait(id: &str, timeout: Option<prost_types::Duration>) -> ops::WaitOperationRequest {
    ops::WaitOperationRequest { id: id.to_owned(), timeout }
}

fn list(page_size: i32, page_token: &str) -> ops::ListOperationsRequest {
    ops::ListOperationsRequest { page_size, page_token: page_token.to_owned() }
}

#[tokio::test]
async fn the_same_request_begins_one_operation() {
    let world = world().await;
    let manager = manager(&world);
    let request = reassign("owner = \"ada\"", "eve");
    let first = call!(manager, accounts.reassign_accounts(request.clone())).unwrap();
    assert_eq!(
        (first.state(), first.kind.as_str(), first.subject.as_str()),
        (State::Waiting, "ReassignAccounts", "ada")
    );
    let metadata: pb::ReassignAccountsRequest = first.metadata.as_ref().unwrap().to_msg().unwrap();
    assert_eq!((metadata.filter.as_str(), metadata.owner.as_str()), ("owner = \"ada\"", "eve"));
    call!(manager, operations.wait_operation(wait(&first.id, None))).unwrap();
    assert_eq!(call!(manager, accounts.reassign_accounts(request.clone())).unwrap(), first);
    let other = pb::ReassignAccountsRequest { owner: "bob".to_owned(), ..request };
    let other = call!(manager, accounts.reassign_accounts(other));
    assert_eq!(refusal(other), refused(Code::InvalidArgument, "REQUEST_ID_REUSED"));
    assert_eq!(call!(manager, operations.list_operations(list(0, ""))).unwrap().operations.len(), 1);
}

#[tokio::test]
async fn pages_are_the_tenants_own_newest_first() {
    let world = world().await;
    let manager = manager(&world);
    let mut begun = Vec::new();
    for _ in 0..5 {
        begun.insert(0, begin(&manager).await.id);
    }
    let (mut listed, mut token) = (Vec::new(), String::new());
    loop {
        let page = call!(manager, operations.list_operations(list(2, &token))).unwrap();
        assert!(page.operations.len() <= 2);
        listed.extend(page.operations.into_iter().map(|operation| operation.id));
        token = page.next_page_token;
        if token.is_empty() {
            break;
        }
        let stranger = world.service.caller("globex", Role::Admin);
        let theirs = call!(stranger, operations.list_operations(list(2, &token)));
        assert_eq!(refusal(theirs), refused(Code::InvalidArgument, "PAGE_TOKEN_INVALID"));
    }
    assert_eq!(listed, begun);
}

#[tokio::test]
async fn another_tenant_finds_nothing_and_cancels_nothing() {
    let world = world().await;
    let own = begin(&manager(&world)).await;
    let stranger = world.service.caller("globex", Role::Admin);
    let not_found = || refused(Code::NotFound, "OPERATION_NOT_FOUND");
    assert_eq!(refusal(call!(stranger, operations.get_operation(get(&own.id)))), not_found());
    assert_eq!(refusal(call!(stranger, operations.wait_operation(wait(&own.id, None)))), not_found());
    let cancel = ops::CancelOperationRequest { id: own.id.clone() };
    assert_eq!(refusal(call!(stranger, operations.cancel_operation(cancel.clone()))), not_found());
    assert_eq!(call!(stranger, operations.list_operations(list(0, ""))).unwrap().operations, []);
    let ended = call!(manager(&world), operations.wait_operation(wait(&own.id, None))).unwrap();
    assert_eq!((ended.state(), ended.cancel_time), (State::Succeeded, None));

    for role in [Role::Agent, Role::Viewer, Role::Requester] {
        let caller = world.service.caller("acme", role);
        let begun = call!(caller, accounts.reassign_accounts(reassign("owner = \"ada\"", "eve")));
        assert_eq!(refusal(begun).0, Code::PermissionDenied);
        assert_eq!(refusal(call!(caller, operations.cancel_operation(cancel.clone()))).0, Code::PermissionDenied);
        assert_eq!(call!(caller, operations.get_operation(get(&own.id))).is_ok(), role != Role::Requester);
    }
}

#[tokio::test]
async fn who_waits_is_told_of_the_end_or_that_it_has_not_come() {
    let world = world().await;
    let manager = manager(&world);
    let own = begin(&manager).await;
    let ended = call!(manager, operations.wait_operation(wait(&own.id, None))).unwrap();
    assert_eq!((ended.state(), ended.done), (State::Succeeded, true));
    // Under a lease of somebody who never comes.
    let leased = format!(
        "update customers.operations set state = 'running', due_time = now() + interval '1 hour', end_time = null, \
         response = null where id = '{}'",
        own.id
    );
    crate::support::as_owner(&world.database, &leased).await;
    let at_once = Some(prost_types::Duration { seconds: 0, nanos: 0 });
    assert!(!call!(manager, operations.wait_operation(wait(&own.id, at_once))).unwrap().done);
    // Well within its own time, however long it wants to wait.
    let mut request = manager.request(wait(&own.id, Some(prost_types::Duration { seconds: 1_000_000, nanos: 0 })));
    request.set_timeout(std::time::Duration::from_secs(2));
    assert!(!manager.operations.clone().wait_operation(request).await.unwrap().into_inner().done);
    let negative = wait(&own.id, Some(prost_types::Duration { seconds: -1, nanos: 0 }));
    assert_eq!(violations(call!(manager, operations.wait_operation(negative))), ["timeout"]);
}

#[tokio::test]
async fn what_cannot_be_understood_is_refused_before_anything_begins() {
    let world = world().await;
    let manager = manager(&world);
    for (filter, owner, fields) in [
        ("", "", vec!["filter", "owner"]),
        ("  ", "eve", vec!["filter"]),
        ("owner = ", "eve", vec!["filter"]),
        ("secret = \"x\"", "eve", vec!["filter"]),
        ("owner = \"a\"; drop table customers.accounts", "eve", vec!["filter"]),
        ("owner = \"a\0\"", "eve", vec!["filter"]),
        ("name = \"*\"", "eve", vec!["filter"]),
        ("owner = \"a\"", "e\u{202e}ve", vec!["owner"]),
        ("owner = \"a\"", "a\0", vec!["owner"]),
    ] {
        let answer = call!(manager, accounts.reassign_accounts(reassign(filter, owner)));
        assert_eq!(violations(answer), fields, "{filter:?} {owner:?}");
    }
    let long = reassign(&"x".repeat(10_000), &"y".repeat(101));
    assert_eq!(violations(call!(manager, accounts.reassign_accounts(long))), ["filter", "owner"]);
    let nameless = pb::ReassignAccountsRequest { request_id: String::new(), ..reassign("owner = \"a\"", "eve") };
    assert_eq!(violations(call!(manager, accounts.reassign_accounts(nameless))), ["request_id"]);
    for id in ["", "1", "x'; --", "../../accounts", "\0"] {
        assert_eq!(violations(call!(manager, operations.get_operation(get(id)))), ["id"], "{id}");
        let cancel = ops::CancelOperationRequest { id: id.to_owned() };
        assert_eq!(violations(call!(manager, operations.cancel_operation(cancel))), ["id"], "{id}");
        assert_eq!(violations(call!(manager, operations.wait_operation(wait(id, None)))), ["id"], "{id}");
    }
    for (size, token, field) in [(-1, "", "page_size"), (0, "x", "page_token"), (0, "AAAA", "page_token")] {
        assert_eq!(violations(call!(manager, operations.list_operations(list(size, token)))), [field]);
    }
    assert_eq!(call!(manager, operations.list_operations(list(0, ""))).unwrap().operations, []);
}

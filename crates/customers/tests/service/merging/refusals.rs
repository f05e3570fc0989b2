//! Merges that are not begun, or end with a refusal and leave all as it was.

use crm_proto::customers as pb;
use crm_proto::merges::MergeRequest;
use crm_server::token::Role;
use tonic::Code;
use uuid::Uuid;

use super::{manager, merge_accounts, of, reason, response};
use crate::operations::{error, number};
use crate::support::{account, call, refusal, refused, violations, world};

#[tokio::test]
async fn what_makes_no_sense_is_refused_at_once() {
    let world = world().await;
    let manager = manager(&world);
    let (one, two) = (Uuid::now_v7().to_string(), Uuid::now_v7().to_string());
    let fault = async |request: MergeRequest| violations(call!(manager, accounts.merge_account(request)));
    assert_eq!(fault(of(&one, &one, &[])).await, ["duplicate_id"]);
    assert_eq!(fault(of(&one, &one.to_uppercase(), &[])).await, ["duplicate_id"]);
    assert_eq!(fault(of("x", "", &[])).await, ["id", "duplicate_id"]);
    assert_eq!(fault(of(&one, &two, &["name", "etag", "nmae"])).await, ["take.paths[1]", "take.paths[2]"]);
    assert_eq!(fault(of(&one, &two, &["*", "name"])).await, ["take.paths[0]"]);
    assert_eq!(fault(MergeRequest { request_id: String::new(), ..of(&one, &two, &[]) }).await, ["request_id"]);
    let fixed = call!(manager, contacts.merge_contact(of(&one, &two, &["account_id"])));
    assert_eq!(violations(fixed), ["take.paths[0]"]);
    for (role, reason) in [(Role::Agent, "ROLE_NOT_ALLOWED"), (Role::Viewer, "ROLE_READ_ONLY")] {
        let caller = world.service.caller("acme", role);
        let not_allowed = refused(Code::PermissionDenied, reason);
        assert_eq!(refusal(call!(caller, accounts.merge_account(of(&one, &two, &[])))), not_allowed);
        assert_eq!(refusal(call!(caller, contacts.merge_contact(of(&one, &two, &[])))), not_allowed);
    }
    assert_eq!(number(&world.database, "select count(*) from customers.operations").await, 0);
}

#[tokio::test]
async fn a_merge_that_is_refused_leaves_all_as_it_was() {
    let world = world().await;
    let (agent, manager) = (&world.agent, manager(&world));
    let mut ids = Vec::new();
    for name in ["A", "B", "C"] {
        ids.push(agent.create_account(account(name)).await.unwrap());
    }
    let [a, b, c] = ids.try_into().unwrap();
    let nobody = Uuid::now_v7().to_string();
    for request in [of(&a.id, &nobody, &[]), of(&nobody, &a.id, &[])] {
        assert_eq!(reason(&merge_accounts(&manager, request).await), "ACCOUNT_NOT_FOUND");
    }
    let deleted = agent.create_account(account("Gone")).await.unwrap();
    agent.delete_account(&deleted.id, "").await.unwrap();
    for request in [of(&a.id, &deleted.id, &[]), of(&deleted.id, &a.id, &[])] {
        assert_eq!(reason(&merge_accounts(&manager, request).await), "ACCOUNT_NOT_FOUND");
    }
    let stale = |etag: &str, duplicate_etag: &str| {
        let (etag, duplicate_etag) = (etag.to_owned(), duplicate_etag.to_owned());
        MergeRequest { etag, duplicate_etag, ..of(&a.id, &b.id, &[]) }
    };
    for request in [stale("\"7\"", ""), stale(&a.etag, "\"7\"")] {
        assert_eq!(reason(&merge_accounts(&manager, request).await), "ETAG_MISMATCH");
    }
    assert_eq!(agent.get_account(&b.id).await.unwrap(), b);
    response::<pb::Account>(&merge_accounts(&manager, stale(&a.etag, &b.etag)).await);

    // A loser is nobody's duplicate any more, and nobody's winner: told which one stands for it.
    for request in [of(&c.id, &b.id, &[]), of(&b.id, &c.id, &[]), of(&a.id, &b.id, &[])] {
        let ended = merge_accounts(&manager, request).await;
        assert_eq!(reason(&ended), "MERGED_INTO", "{ended:?}");
        assert_eq!(error(&ended).0, Code::FailedPrecondition);
    }
    assert_eq!(agent.get_account(&c.id).await.unwrap(), c);
}

#[tokio::test]
async fn the_same_request_is_one_merge() {
    let world = world().await;
    let (agent, manager) = (&world.agent, manager(&world));
    let winner = agent.create_account(account("A")).await.unwrap().id;
    let loser = agent.create_account(account("B")).await.unwrap().id;
    let request = of(&winner, &loser, &[]);
    let begun = call!(manager, accounts.merge_account(request.clone())).unwrap();
    let shouted = MergeRequest { id: winner.to_uppercase(), ..request.clone() };
    assert_eq!(call!(manager, accounts.merge_account(shouted)).unwrap(), begun);
    let other = MergeRequest { duplicate_id: Uuid::now_v7().to_string(), ..request };
    let reused = refused(Code::InvalidArgument, "REQUEST_ID_REUSED");
    assert_eq!(refusal(call!(manager, accounts.merge_account(other))), reused);
}

//! Merging accounts that stand above and below each other.

use crm_proto::customers as pb;
use tonic::Code;

use super::{manager, merge_accounts, of, reason, response};
use crate::support::{Caller, account, refusal, refused, world};

async fn below(caller: &Caller, parent: &str, name: &str) -> pb::Account {
    caller.create_account(pb::Account { parent_id: parent.to_owned(), ..account(name) }).await.unwrap()
}

/// So many accounts, each below the one before.
async fn chain(caller: &Caller, length: usize) -> Vec<String> {
    let mut ids = vec![caller.create_account(account("Top")).await.unwrap().id];
    while ids.len() < length {
        ids.push(below(caller, ids.last().unwrap(), "Below").await.id);
    }
    ids
}

#[tokio::test]
async fn a_subsidiary_goes_into_its_parent_and_no_parent_into_its_subsidiary() {
    let world = world().await;
    let (agent, manager) = (&world.agent, manager(&world));
    let ids = chain(agent, 4).await;
    for (winner, loser) in [(1, 0), (2, 0), (3, 1)] {
        let refused = merge_accounts(&manager, of(&ids[winner], &ids[loser], &[])).await;
        assert_eq!(reason(&refused), "ACCOUNT_PARENT_CYCLE", "{winner} and {loser}");
    }
    response::<pb::Account>(&merge_accounts(&manager, of(&ids[0], &ids[2], &[])).await);
    assert_eq!(agent.get_account(&ids[3]).await.unwrap().parent_id, ids[0]);
    assert_eq!(agent.get_account(&ids[1]).await.unwrap().parent_id, ids[0]);
    // The winner would be its own parent.
    let other = below(agent, &ids[0], "Other").await;
    let refused = merge_accounts(&manager, of(&ids[0], &other.id, &["parent_id"])).await;
    assert_eq!(reason(&refused), "ACCOUNT_PARENT_CYCLE");
    assert_eq!(agent.get_account(&other.id).await.unwrap(), other);
    // One takes the place of another.
    let elsewhere = agent.create_account(account("Elsewhere")).await.unwrap();
    let merged: pb::Account = response(&merge_accounts(&manager, of(&elsewhere.id, &ids[3], &["parent_id"])).await);
    assert_eq!(merged.parent_id, ids[0]);
}

#[tokio::test]
async fn nobody_gets_too_deep_by_a_merge() {
    let world = world().await;
    let (agent, manager) = (&world.agent, manager(&world));
    let long = chain(agent, 32).await;
    let short = chain(agent, 3).await;
    // Two levels below one that has 31 above it.
    let refused_as = merge_accounts(&manager, of(&long[31], &short[0], &[])).await;
    assert_eq!(reason(&refused_as), "ACCOUNT_PARENT_TOO_DEEP");
    response::<pb::Account>(&merge_accounts(&manager, of(&long[30], &short[0], &[])).await);
    let deepest = pb::Account { parent_id: short[2].clone(), ..account("Deeper") };
    let too_deep = refused(Code::FailedPrecondition, "ACCOUNT_PARENT_TOO_DEEP");
    assert_eq!(refusal(agent.create_account(deepest).await), too_deep);
}

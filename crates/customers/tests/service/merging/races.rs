//! Merges that cross, and what is written to their records in the same moment.

use crm_proto::customers as pb;
use crm_proto::operations::operation::State;

use super::{manager, merge_accounts, merge_contacts, named, of, reason, response};
use crate::operations::number;
use crate::support::{account, contact, world};

#[tokio::test]
async fn of_two_merges_that_cross_one_is_made_and_the_other_told() {
    let world = world().await;
    let (agent, manager) = (&world.agent, manager(&world));
    let home = agent.create_account(account("Home")).await.unwrap().id;
    for round in 0..4 {
        let one = agent.create_account(account("One")).await.unwrap().id;
        let two = agent.create_account(account("Two")).await.unwrap().id;
        let (left, right) =
            tokio::join!(merge_accounts(&manager, of(&one, &two, &[])), merge_accounts(&manager, of(&two, &one, &[])));
        let (made, told) = if left.state() == State::Succeeded { (left, right) } else { (right, left) };
        let winner: pb::Account = response(&made);
        assert_eq!(reason(&told), "MERGED_INTO", "round {round}");
        for id in [&one, &two] {
            assert_eq!(agent.get_account(id).await.unwrap().id, winner.id);
        }
        let one = agent.create_contact(contact(&home, "One")).await.unwrap().id;
        let two = agent.create_contact(contact(&home, "Two")).await.unwrap().id;
        let (left, right) =
            tokio::join!(merge_contacts(&manager, of(&one, &two, &[])), merge_contacts(&manager, of(&two, &one, &[])));
        assert_ne!(left.state(), right.state(), "round {round}");
    }
}

#[tokio::test]
async fn a_chain_that_is_made_at_once_leaves_nothing_between() {
    let world = world().await;
    let (agent, manager) = (&world.agent, manager(&world));
    for round in 0..4 {
        let mut ids = Vec::new();
        for name in ["A", "B", "C"] {
            let id = agent.create_account(account(name)).await.unwrap().id;
            agent.create_contact(contact(&id, name)).await.unwrap();
            ids.push(id);
        }
        let [a, b, c] = ids.try_into().unwrap();
        let (first, second) =
            tokio::join!(merge_accounts(&manager, of(&b, &a, &[])), merge_accounts(&manager, of(&c, &b, &[])));
        let is_told = |operation: &crm_proto::operations::Operation| match operation.state() {
            State::Succeeded => false,
            _ => ["MERGED_INTO", "MERGE_UNDER_WAY"].contains(&reason(operation).as_str()) || panic!("{operation:?}"),
        };
        // Whoever is told to wait has it made afterwards.
        let (first, second) = (is_told(&first), is_told(&second));
        assert!(!(first && second), "round {round}");
        if first {
            response::<pb::Account>(&merge_accounts(&manager, of(&c, &a, &[])).await);
        }
        if second {
            response::<pb::Account>(&merge_accounts(&manager, of(&c, &b, &[])).await);
        }
        for id in [&a, &b] {
            assert_eq!(agent.get_account(id).await.unwrap().id, c, "round {round}");
        }
        let of_c = format!("select count(*) from customers.contacts where account_id = '{c}'");
        assert_eq!(number(&world.database, &of_c).await, 3, "round {round}");
    }
}

#[tokio::test]
async fn what_is_written_under_the_duplicate_in_the_same_moment_moves_or_is_refused() {
    let world = world().await;
    let (agent, manager) = (&world.agent, manager(&world));
    let winner = agent.create_account(account("Winner")).await.unwrap().id;
    let loser = agent.create_account(account("Loser")).await.unwrap().id;
    let first = agent.create_contact(contact(&loser, "First")).await.unwrap();
    let creating = async {
        let mut created = 0;
        loop {
            match agent.create_contact(contact(&loser, "New")).await {
                Ok(_) => created += 1,
                Err(status) => {
                    assert_eq!(named(&status), ("MERGED_INTO".to_owned(), winner.clone()));
                    return created;
                }
            }
        }
    };
    let updating = async {
        for nth in 0..30 {
            let title = format!("Title {nth}");
            let update = pb::Contact { id: first.id.clone(), title, ..Default::default() };
            agent.update_contact(update, &["title"]).await.unwrap();
        }
    };
    let renaming = async {
        let mut renamed = 0;
        loop {
            let name = format!("Loser {renamed}");
            match agent.update_account(pb::Account { id: loser.clone(), ..account(&name) }, &["name"]).await {
                Ok(_) => renamed += 1,
                Err(status) => return assert_eq!(named(&status).0, "MERGED_INTO"),
            }
        }
    };
    let merging = async {
        crate::support::eventually("a few contacts", async || {
            number(&world.database, "select count(*) from customers.contacts").await > 3
        })
        .await;
        merge_accounts(&manager, of(&winner, &loser, &[])).await
    };
    let (operation, created, (), ()) = tokio::join!(merging, creating, updating, renaming);
    response::<pb::Account>(&operation);
    let under = |id: &str| format!("select count(*) from customers.contacts where account_id = '{id}'");
    assert_eq!(number(&world.database, &under(&loser)).await, 0);
    assert_eq!(number(&world.database, &under(&winner)).await, created + 1);
    let moved = agent.get_contact(&first.id).await.unwrap();
    assert_eq!((moved.account_id.as_str(), moved.title.as_str()), (winner.as_str(), "Title 29"));
}

//! An export and a watch from its cursor make a copy that equals the source, whatever ends in between.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crm_proto::customers as pb;
use crm_proto::journal as changes;
use crm_proto::journal::change::Kind;
use tonic::Status;

use super::{Replicas, watch};
use crate::support::{Caller, account};

/// By id, the etag of each record that is not deleted.
type Copy = BTreeMap<String, String>;

#[tokio::test]
async fn an_export_and_a_watch_from_its_cursor_copy_all_though_the_watched_replica_ends_twice() {
    let mut replicas = Replicas::start().await;
    for number in 0..20 {
        replicas.agent(1).create_account(account(&format!("Old {number}"))).await.unwrap();
    }
    let is_over = Arc::new(AtomicBool::new(false));
    let writing: Vec<_> =
        (0..4).map(|lane| tokio::spawn(write(replicas.agent(1), lane, Arc::clone(&is_over)))).collect();

    let (mut copy, mut cursor) = export(&replicas.agent(0)).await;
    for _ in 0..2 {
        let mut stream = watch(&replicas.agent(0), &cursor).await.unwrap();
        for _ in 0..3 {
            cursor = apply(&mut copy, stream.next().await);
        }
        // What is under way then is lost, and given again.
        replicas.replace_first().await;
    }
    is_over.store(true, Ordering::Relaxed);
    for writer in writing {
        writer.await.unwrap();
    }
    // The last change of all: who has been given it has been given everything before.
    let last = replicas.agent(1).create_account(account("Last")).await.unwrap();
    let mut stream = watch(&replicas.agent(0), &cursor).await.unwrap();
    while !copy.contains_key(&last.id) {
        apply(&mut copy, stream.next().await);
    }
    assert_eq!(copy, export(&replicas.agent(1)).await.0);
    assert!(copy.len() > 21);
}

async fn write(agent: Caller, lane: usize, is_over: Arc<AtomicBool>) {
    let mut round = 0;
    while !is_over.load(Ordering::Relaxed) {
        round += 1;
        let made = agent.create_account(account(&format!("Lane {lane} {round}"))).await.unwrap();
        let renamed = pb::Account { name: format!("Lane {lane} {round} later"), ..made };
        let renamed = agent.update_account(renamed, &["name"]).await.unwrap();
        if round % 2 == 0 {
            agent.delete_account(&renamed.id, "").await.unwrap();
        }
        if round % 4 == 0 {
            agent.undelete_account(&renamed.id).await.unwrap();
        }
    }
}

async fn export(agent: &Caller) -> (Copy, String) {
    let request = agent.request(pb::ExportAccountsRequest::default());
    let answer = agent.accounts.clone().export_accounts(request).await.unwrap();
    let cursor = answer.metadata().get("x-crm-cursor").unwrap().to_str().unwrap().to_owned();
    let mut stream = answer.into_inner();
    let mut copy = Copy::new();
    while let Some(account) = stream.message().await.unwrap() {
        copy.insert(account.id, account.etag);
    }
    (copy, cursor)
}

fn apply(copy: &mut Copy, message: changes::WatchChangesResponse) -> String {
    for change in message.changes {
        match change.kind() {
            Kind::Deleted => drop(copy.remove(&change.id)),
            _ => drop(copy.insert(change.id, change.etag)),
        }
    }
    message.cursor
}

#[tokio::test]
async fn each_of_many_watchers_is_given_each_change_once_in_the_order_of_its_versions() -> Result<(), Status> {
    const WATCHERS: usize = 200;
    const CHANGES: usize = 60;
    let replicas = Replicas::start().await;
    // Some from the beginning, some from now on; some of them come while changes are made.
    let watching: Vec<_> = (0..WATCHERS)
        .map(|number| {
            let agent = replicas.agent(number % 2);
            tokio::spawn(async move {
                let mut stream = watch(&agent, "").await.unwrap();
                let mut seen = BTreeMap::<String, Vec<i64>>::new();
                while seen.values().map(Vec::len).sum::<usize>() < CHANGES {
                    for change in stream.next().await.changes {
                        seen.entry(change.id).or_default().push(change.version);
                    }
                }
                seen
            })
        })
        .collect();
    let record = replicas.agent(0).create_account(account("Often")).await?;
    for number in 1..CHANGES / 2 {
        let often = pb::Account { id: record.id.clone(), name: format!("Often {number}"), ..Default::default() };
        let (one, other) = (replicas.agent(number % 2), replicas.agent(1 - number % 2));
        let other = other.create_account(account("Another"));
        tokio::try_join!(one.update_account(often, &["name"]), other)?;
    }
    replicas.agent(1).create_account(account("Last")).await?;
    for watcher in watching {
        let seen = watcher.await.unwrap();
        assert_eq!(seen[&record.id], (1..=CHANGES as i64 / 2).collect::<Vec<_>>());
        assert!(seen.iter().all(|(id, versions)| *id == record.id || versions == &[1]));
    }
    Ok(())
}

//! Times of change, as those who poll by them need them.

use crm_proto::customers as pb;
use prost_types::Timestamp;
use sqlx::Connection;
use tokio::task::JoinSet;
use tonic::Status;

use crate::support::{account, contact, world};

const WRITERS: usize = 32;
const CHANGES_EACH: usize = 6;

/// What a change was answered: the version that the etag names, and the time.
type Change = (u64, Timestamp);

fn change(etag: &str, time: Option<Timestamp>) -> Change {
    (u64::from_str_radix(etag.trim_start_matches('v'), 16).unwrap(), time.unwrap())
}

/// Comes again while a loaded machine has no connection left for so many: nothing was done then.
async fn insist<T, F>(mut write: impl FnMut() -> F) -> T
where
    F: Future<Output = Result<T, Status>>,
{
    for _ in 0..100 {
        match write().await {
            Err(status) if status.message().contains("no database connection came free") => {}
            answer => return answer.unwrap(),
        }
    }
    panic!("no connection came free in a hundred tries");
}

fn nanos(time: Timestamp) -> i128 {
    i128::from(time.seconds) * 1_000_000_000 + i128::from(time.nanos)
}

/// Runs all writers at once; answers their changes in the order of the versions.
async fn race<F>(mut write: impl FnMut(String) -> F) -> Vec<Change>
where
    F: Future<Output = Change> + Send + 'static,
{
    let mut writers = JoinSet::new();
    for writer in 0..WRITERS {
        let writes: Vec<F> = (0..CHANGES_EACH).map(|nth| write(format!("{writer} {nth}"))).collect();
        writers.spawn(async move {
            let mut changes = Vec::new();
            for write in writes {
                changes.push(write.await);
            }
            changes
        });
    }
    let mut changes: Vec<Change> = writers.join_all().await.into_iter().flatten().collect();
    changes.sort_unstable_by_key(|(version, _)| *version);
    changes
}

fn check(changes: &[Change]) {
    assert_eq!(changes.len(), WRITERS * CHANGES_EACH);
    let versions: Vec<u64> = changes.iter().map(|(version, _)| *version).collect();
    let expected: Vec<u64> = (2..).take(changes.len()).collect();
    assert_eq!(versions, expected);
    let backwards = changes.windows(2).filter(|pair| nanos(pair[0].1) >= nanos(pair[1].1)).count();
    assert_eq!(backwards, 0, "of {} changes", changes.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn update_time_grows_with_the_version_however_many_write_at_once() {
    let world = world().await;
    let created = world.agent.create_account(account("Acme")).await.unwrap();
    let accounts = race(|name| {
        let (agent, changed) = (world.agent.clone(), pb::Account { id: created.id.clone(), ..account(&name) });
        async move {
            let updated = insist(|| agent.update_account(changed.clone(), &["name"])).await;
            change(&updated.etag, updated.update_time)
        }
    });
    check(&accounts.await);
    let person = world.agent.create_contact(contact(&created.id, "Lovelace")).await.unwrap();
    let contacts = race(|name| {
        let changed = pb::Contact { id: person.id.clone(), ..contact(&created.id, &name) };
        let agent = world.agent.clone();
        async move {
            let updated = insist(|| agent.update_contact(changed.clone(), &["family_name"])).await;
            change(&updated.etag, updated.update_time)
        }
    });
    check(&contacts.await);
}

#[tokio::test]
async fn deleting_and_undeleting_are_changes_with_a_time_of_their_own() {
    let world = world().await;
    let created = world.agent.create_account(account("Acme")).await.unwrap();
    assert_eq!(created.create_time, created.update_time);
    let deleted = world.agent.delete_account(&created.id, "").await.unwrap();
    assert_eq!(deleted.delete_time, deleted.update_time);
    let back = world.agent.undelete_account(&created.id).await.unwrap();
    let person = world.agent.create_contact(contact(&created.id, "Lovelace")).await.unwrap();
    assert_eq!(person.create_time, person.update_time);
    let gone = world.agent.delete_contact(&person.id, "").await.unwrap();
    assert_eq!(gone.delete_time, gone.update_time);
    let again = world.agent.undelete_contact(&person.id).await.unwrap();
    for times in [
        [created.update_time, deleted.update_time, back.update_time],
        [person.update_time, gone.update_time, again.update_time],
    ] {
        assert!(times.windows(2).all(|pair| pair[0].map(nanos) < pair[1].map(nanos)), "{times:?}");
    }
}

/// A clock that was set back, as far as the row can tell.
#[tokio::test]
async fn a_clock_that_was_set_back_does_not_turn_time_around() {
    let world = world().await;
    let created = world.agent.create_account(account("Acme")).await.unwrap();
    let mut owner = sqlx::PgConnection::connect(world.database.url()).await.unwrap();
    let ahead = "update customers.accounts set update_time = now() + interval '1 hour', version = version + 1";
    sqlx::query(ahead).execute(&mut owner).await.unwrap();
    let changed = |name: &str| pb::Account { id: created.id.clone(), ..account(name) };
    let first = world.agent.update_account(changed("Two"), &["name"]).await.unwrap().update_time.unwrap();
    let second = world.agent.update_account(changed("Three"), &["name"]).await.unwrap().update_time.unwrap();
    assert!(first.seconds > created.update_time.unwrap().seconds + 3_000, "{first:?}");
    assert_eq!(nanos(second), nanos(first) + 1_000);
}

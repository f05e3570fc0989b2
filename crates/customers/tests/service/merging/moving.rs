//! What stands under a record moves with it: whole and once, whoever dies meanwhile, and readers see all of it throughout.

use std::sync::atomic::{AtomicBool, Ordering};

use crm_customers::accounts::UnmergeAccount;
use crm_proto::customers as pb;
use crm_proto::merges::{UnmergeRequest, UnmergeResponse};
use crm_proto::operations::{self as ops, operation::State};
use tokio::sync::Notify;
use uuid::Uuid;

use super::of;
use super::site::{Family, Site, Sleeping, check_all, fallen};
use crate::operations::{by, error, let_time_pass, number};
use crate::support::{as_owner, database, tenant};

#[tokio::test]
async fn a_merge_that_is_killed_three_times_is_whole_and_readers_see_everything_all_the_while() {
    let database = database().await;
    let family = Family::fill(&database).await;
    let reader = Site::of(&database).await;
    let id = reader.begin(of(&family.winner, &family.loser, &[])).await;
    let (is_merged, is_over) = (Notify::new(), AtomicBool::new(false));
    let killing = async {
        // The first one dies before anything has moved, but for the redirect; then in the middle of contacts, and of activities.
        for steps in [1, 1, 2] {
            let site = Site::of(&database).await;
            let (sleeping, asleep) = Sleeping::after(steps, site.merging());
            let worker = site.work(sleeping);
            fallen(&asleep).await;
            is_merged.notify_waiters();
            worker.abort();
            assert!(worker.await.unwrap_err().is_cancelled());
            let_time_pass(&database).await;
        }
        let site = Site::of(&database).await;
        let worker = site.work(site.merging());
        let operation = site.ended(id).await;
        is_over.store(true, Ordering::Relaxed);
        worker.abort();
        operation
    };
    let reading = async |nth: usize| {
        let mut round = nth;
        is_merged.notified().await;
        while !is_over.load(Ordering::Relaxed) {
            reader.check(&family, round).await;
            round += 1;
        }
        round - nth
    };
    let (operation, one, two) = tokio::join!(killing, reading(0), reading(1));
    assert_eq!(operation.state(), State::Succeeded, "{operation:?}");
    assert!(one > 1 && two > 1, "nobody has read anything: {one}, {two}");

    let progress = operation.progress.unwrap();
    assert_eq!((Some(progress.done), progress.unit.as_str()), (progress.total, "records"));

    // All stands under the winner; each has moved once, and its journal says so.
    for round in 0..2 {
        reader.check(&family, round).await;
    }
    let under =
        |table: &str, field: &str, id: &str| format!("select count(*) from customers.{table} where {field} = '{id}'");
    let mut moved = 0;
    for (table, field) in [("contacts", "account_id"), ("accounts", "parent_id"), ("activities", "parent_id")] {
        assert_eq!(number(&database, &under(table, field, &family.loser)).await, 0, "{table}");
        let once = format!(
            "select count(*) from customers.{table} child join customers.journal entry on entry.record_id = child.id \
             and entry.resource = '{table}' and entry.version = 2 and entry.kind = 'updated' \
             and entry.changes = '{{\"{field}\": [\"{}\", \"{}\"]}}' where child.version = 2",
            family.loser, family.winner
        );
        let own = format!("select count(*) from customers.{table} where version > 1 and {field} is not null");
        let once = number(&database, &once).await;
        assert_eq!(once, number(&database, &own).await, "{table}");
        moved += once;
    }
    assert_eq!(moved, progress.done);
    // And one of the merge.
    assert_eq!(number(&database, "select count(*) from customers.journal").await, moved + 1);
    assert_eq!(number(&database, "select count(*) from customers.merge_moves").await, moved);
    assert_eq!(number(&database, "select count(*) from customers.merges where state = 'moved'").await, 1);
}

#[tokio::test]
async fn readers_see_what_stands_under_the_winner_before_or_after_and_nothing_between() {
    let database = database().await;
    let family = Family::fill(&database).await;
    let site = Site::of(&database).await;
    let own = site.contacts_of(&family.winner, 1_000).await.len();
    let id = site.begin(of(&family.winner, &family.loser, &[])).await;
    let worker = site.work(site.merging());
    let mut is_merged = false;
    while !site.operation(id).await.done {
        let found = site.contacts_of(&family.winner, 1_000);
        let found = found.await.len();
        // With more than a page the two may be from before and after.
        if family.contacts.len() < 1_000 {
            assert!(found == family.contacts.len() || (found == own && !is_merged), "{found}");
        }
        is_merged |= found == family.contacts.len();
    }
    worker.abort();
    check_all("contacts", site.contacts_of(&family.winner, 1_000).await, &family.contacts);
    let loser = family.loser.clone();
    let answer = site.accounts.get_or_follow(by(tenant(), pb::GetAccountRequest { id: loser })).await.unwrap();
    assert_eq!(answer.into_inner().id, family.winner);
}

#[tokio::test]
async fn once_begun_a_merge_goes_through_and_one_that_failed_is_gone_on_with() {
    let database = database().await;
    let family = Family::fill(&database).await;
    let site = Site::of(&database).await;
    site.store.offer(site.merging());
    let cancel = async |id: Uuid| {
        site.store.cancel_operation(by(tenant(), ops::CancelOperationRequest { id: id.to_string() })).await
    };
    // Before its first step it is cancelled as any other.
    let waiting = site.begin(of(&family.winner, &family.loser, &[])).await;
    assert_eq!(cancel(waiting).await.unwrap().state(), State::Cancelled);

    let id = site.begin(of(&family.winner, &family.loser, &[])).await;
    let dying = Site::of(&database).await;
    let (sleeping, asleep) = Sleeping::after(2, dying.merging());
    let worker = dying.work(sleeping);
    fallen(&asleep).await;
    let told = crate::support::refusal(cancel(id).await.map_err(tonic::Status::from));
    assert_eq!(told.1, "OPERATION_GOES_THROUGH");
    // Neither of the two can be deleted, nor the winner go on.
    let delete = async |id: &str| {
        let request = pb::DeleteAccountRequest { id: id.to_owned(), etag: String::new() };
        site.accounts.delete(by(tenant(), request)).await.map_err(tonic::Status::from)
    };
    assert_eq!(super::named(&delete(&family.loser).await.unwrap_err()).0, "MERGED_INTO");
    assert_eq!(super::named(&delete(&family.winner).await.unwrap_err()).0, "MERGE_UNDER_WAY");
    worker.abort();

    // It ends for whatever reason; the redirect is there, and half of the children have moved.
    as_owner(
        &database,
        "update customers.operations set state = 'failed', due_time = null, end_time = now() where due_time is not null",
    )
    .await;
    site.check(&family, 0).await;
    let worker = site.work(site.merging());
    let other = number(&database, "select count(*) from customers.accounts where name = 'Other'").await;
    assert_eq!(other, 1);
    let other: String = {
        let filter = "name = \"Other\"".to_owned();
        let request = pb::ListAccountsRequest { filter, ..Default::default() };
        site.accounts.list(by(tenant(), request)).await.unwrap().accounts.remove(0).id
    };
    let on = site.begin(of(&other, &family.winner, &[])).await;
    assert_eq!(error(&site.ended(on).await).1, "MERGE_UNDER_WAY");
    let again = site.begin(of(&family.winner, &family.loser, &[])).await;
    assert_eq!(site.ended(again).await.state(), State::Succeeded);
    site.check(&family, 1).await;
    // Now it can go on.
    let on = site.begin(of(&other, &family.winner, &[])).await;
    assert_eq!(site.ended(on).await.state(), State::Succeeded);
    assert_eq!(site.subsidiaries_of(&family.loser).await.len(), family.subsidiaries.len());
    worker.abort();
}

#[tokio::test]
async fn an_undoing_that_is_killed_goes_on_and_all_changes_sides_in_one_moment() {
    let database = database().await;
    let family = Family::fill(&database).await;
    let reader = Site::of(&database).await;
    let own = reader.contacts_of(&family.winner, 500).await.len();
    let id = reader.begin(of(&family.winner, &family.loser, &[])).await;
    let worker = reader.work(reader.merging());
    assert_eq!(reader.ended(id).await.state(), State::Succeeded);
    worker.abort();

    let back = UnmergeRequest { id: family.loser.clone(), request_id: Uuid::new_v4().to_string() };
    let begun = reader.store.begin_operation::<UnmergeAccount>(by(tenant(), back)).await.unwrap();
    // In the middle of contacts, of subsidiaries, and in the last step of all.
    for (round, steps) in [2, 1, 4].into_iter().enumerate() {
        let site = Site::of(&database).await;
        let (sleeping, asleep) = Sleeping::after(steps, site.undoing());
        let worker = site.work(sleeping);
        fallen(&asleep).await;
        reader.check(&family, round).await;
        worker.abort();
        assert!(worker.await.unwrap_err().is_cancelled());
        let_time_pass(&database).await;
        reader.check(&family, round + 1).await;
    }
    let site = Site::of(&database).await;
    let worker = site.work(site.undoing());
    let undone: UnmergeResponse = super::response(&site.ended(begun.id.parse().unwrap()).await);
    worker.abort();
    assert_eq!(undone.unmoved_count, 0);
    let contacts = reader.contacts_of(&family.winner, 500).await;
    assert_eq!(contacts.len(), own);
    let of_both: Vec<_> = [contacts, reader.contacts_of(&family.loser, 500).await].concat();
    check_all("contacts of both", of_both, &family.contacts);
    // Each has been there and back, once.
    let versions = "select count(*) from customers.journal where resource <> 'accounts' and version = 3";
    let moved = "select count(*) from customers.journal where resource <> 'accounts' and version = 2";
    assert_eq!(number(&database, versions).await, number(&database, moved).await);
    assert_eq!(number(&database, "select count(*) from customers.journal where version > 3").await, 0);
}

//! An import that was a mistake: what nobody has touched since goes, the rest stays and is listed.

use crm_proto::activities::{Activity, activity};
use crm_proto::customers as api;
use crm_proto::imports::{self as pb, import, run_import_request::Duplicates};
use crm_proto::merges::MergeRequest;
use crm_proto::operations::operation::State;
use crm_resource::imports::record_id;
use uuid::Uuid;

use super::{Desk, counts, desk, request_id};
use crate::operations::{error, number};
use crate::support::{account, as_owner, call, contact, tenant};

async fn live(desk: &Desk, table: &str) -> i64 {
    number(&desk.world.database, &format!("select count(*) from customers.{table} where delete_time is null")).await
}

#[tokio::test]
async fn what_was_changed_since_or_is_used_stays_and_the_rest_is_as_before() {
    let desk = desk().await;
    let acme = desk.manager.create_account(account("Acme")).await.unwrap();
    let terms = "select count(*) from customers.search_terms";
    let before = number(&desk.world.database, terms).await;
    let rows: String = (0..600).map(|n| format!("Company {n},d{n}.example\n")).collect();
    let id = desk.with_file("accounts", format!("name,domain\n{rows}").as_bytes()).await;
    desk.run(&id, Duplicates::Skip, false).await;
    let import: Uuid = id.parse().unwrap();
    let of_row = |row: i64| record_id(import, row, false).to_string();

    let changed = api::Account { id: of_row(2), owner: "eve".to_owned(), ..Default::default() };
    desk.manager.update_account(changed, &["owner"]).await.unwrap();
    desk.manager.create_contact(contact(&of_row(3), "Love")).await.unwrap();
    desk.manager.create_account(api::Account { parent_id: of_row(4), ..account("Child") }).await.unwrap();
    let (parent_resource, parent_id, body) = ("accounts".to_owned(), of_row(5), "Called".to_owned());
    let note = Activity { kind: activity::Kind::Note.into(), parent_resource, parent_id, body, ..Default::default() };
    let note = desk.manager.create_activity(note).await.unwrap();
    desk.manager.delete_account(&of_row(6), "").await.unwrap();
    desk.manager.get_account(&of_row(601)).await.unwrap();

    let undo = desk.undo(&id).await;
    assert_eq!(undo, pb::UndoTally { removed: 595, kept: 4, done: true });
    let kept: Vec<_> = desk.errors(&id).await.into_iter().map(|it| (it.row, it.reason, it.record_id)).collect();
    let stays = |row, reason: &str| (row, reason.to_owned(), of_row(row));
    assert_eq!(
        kept,
        [stays(2, "CHANGED_SINCE"), stays(3, "HAS_OTHERS"), stays(4, "HAS_OTHERS"), stays(5, "HAS_OTHERS")]
    );
    // Acme, the child and those four; no cache has the others, and their domains are free.
    assert_eq!(live(&desk, "accounts").await, 6);
    assert!(desk.manager.get_account(&of_row(601)).await.is_err());
    let free = api::Account { domain: "d599.example".to_owned(), ..account("Again") };
    desk.manager.create_account(free).await.unwrap();
    let search = api::SearchCustomersRequest { query: "company 598".to_owned(), ..Default::default() };
    assert!(call!(desk.manager, search.search_customers(search)).unwrap().hits.is_empty());
    let deleted = "select count(*) from customers.journal where kind = 'deleted' and subject = 'ada'";
    assert_eq!(number(&desk.world.database, deleted).await, 596);
    assert_eq!(desk.get(&id).await.state(), import::State::Undone);

    // What held it up is gone: it may be asked for again.
    let delete = crm_proto::activities::DeleteActivityRequest { id: note.id, etag: String::new() };
    call!(desk.manager, activities.delete_activity(delete)).unwrap();
    assert_eq!(desk.undo(&id).await, pb::UndoTally { removed: 1, kept: 3, done: true });
    assert!(number(&desk.world.database, terms).await > before);
    desk.manager.get_account(&acme.id).await.unwrap();
}

#[tokio::test]
async fn accounts_that_were_made_along_go_after_their_contacts() {
    let desk = desk().await;
    let rows: String = (0..520).map(|n| format!("F{n},Company {}\n", n % 4)).collect();
    let id = desk.with_file("contacts", format!("family_name,company\n{rows}").as_bytes()).await;
    let run = desk.run(&id, Duplicates::Skip, true).await;
    assert_eq!((counts(&run), run.created_accounts), ((520, 520, 0, 0), 4));
    // One person was changed since, so that one account stays, too.
    let changed = api::Contact {
        id: record_id(id.parse().unwrap(), 3, false).to_string(),
        title: "Head".to_owned(),
        ..Default::default()
    };
    desk.manager.update_contact(changed, &["title"]).await.unwrap();
    assert_eq!(desk.undo(&id).await, pb::UndoTally { removed: 519 + 3, kept: 2, done: true });
    assert_eq!(desk.faults(&id).await, super::faults(&[(3, "", "CHANGED_SINCE"), (3, "", "HAS_OTHERS")]));
    assert_eq!((live(&desk, "contacts").await, live(&desk, "accounts").await), (1, 1));
    let left = "select count(*) from customers.search_terms where record_id not in \
                (select id from customers.contacts where delete_time is null union all \
                select id from customers.accounts where delete_time is null)";
    assert_eq!(number(&desk.world.database, left).await, 0);
}

#[tokio::test]
async fn what_was_merged_away_since_is_listed_and_so_is_what_others_went_into() {
    let desk = desk().await;
    let acme = desk.manager.create_account(account("Acme")).await.unwrap();
    let id = desk.with_file("accounts", b"name\nOne\nTwo\nThree\nFour\n").await;
    desk.run(&id, Duplicates::Skip, false).await;
    let of_row = |row: i64| record_id(id.parse().unwrap(), row, false).to_string();
    for (winner, loser) in [(acme.id.clone(), of_row(2)), (of_row(3), of_row(4))] {
        let request_id = request_id();
        let merge = MergeRequest { id: winner, duplicate_id: loser, request_id, ..Default::default() };
        let merged = desk.ended(call!(desk.manager, accounts.merge_account(merge)).unwrap()).await;
        assert_eq!(merged.state(), State::Succeeded);
    }
    assert_eq!(desk.undo(&id).await, pb::UndoTally { removed: 1, kept: 3, done: true });
    let expected = super::faults(&[(2, "", "MERGED_SINCE"), (3, "", "HAS_OTHERS"), (4, "", "MERGED_SINCE")]);
    assert_eq!(desk.faults(&id).await, expected);
    assert_eq!(desk.errors(&id).await[2].record_id, of_row(4));
}

#[tokio::test]
async fn an_undo_that_takes_over_from_another_counts_on() {
    let desk = desk().await;
    let rows: String = (0..600).map(|n| format!("Company {n}\n")).collect();
    let id = desk.with_file("accounts", format!("name\n{rows}").as_bytes()).await;
    desk.run(&id, Duplicates::Skip, false).await;
    // As it is when one has done its first step, and another is begun.
    let last = record_id(id.parse().unwrap(), 501, false);
    let half = format!(
        "set crm.tenant = '{}'; update customers.accounts set delete_time = now() where id <= '{last}'; \
         update customers.imports set state = 'undoing', worker = gen_random_uuid(), \
         undone = '{{\"row\": 501, \"removed\": 497, \"kept\": 3, \"errors\": 0}}' where id = '{id}'",
        tenant()
    );
    as_owner(&desk.world.database, &half).await;
    assert_eq!(desk.undo(&id).await, pb::UndoTally { removed: 497 + 100, kept: 3, done: true });
    assert_eq!(desk.get(&id).await.undo.unwrap().removed, 597);
    // Once it is done, another one looks at all that stayed.
    assert_eq!(desk.undo(&id).await, pb::UndoTally { removed: 0, kept: 0, done: true });
}

#[tokio::test]
async fn what_was_not_run_is_not_undone() {
    let desk = desk().await;
    let id = desk.with_file("accounts", b"name\nAcme\n").await;
    let undo = pb::UndoImportRequest { id, request_id: request_id() };
    let operation = desk.ended(call!(desk.manager, imports.undo_import(undo)).unwrap()).await;
    assert_eq!((operation.state(), error(&operation).1.as_str()), (State::Failed, "IMPORT_NOT_RUN"));
}

//! Runs that die, are cancelled, or are taken over: each row is a record once.

use crm_proto::customers as api;
use crm_proto::imports::{self as pb, import, run_import_request::Duplicates};
use crm_proto::operations::{self as ops, operation::State};
use crm_sandbox::testing;
use crm_server::token::Role;
use tonic::Code;

use super::{counts, desk, request_id};
use crate::operations::{error, number};
use crate::support::{Service, app, as_owner, call, eventually};

const CREATED: &str = "select count(*) from customers.accounts";

fn file(rows: usize) -> String {
    let rows: String = (0..rows).map(|n| format!("Company {n},d{n}.example\n")).collect();
    format!("name,domain\n{rows}")
}

#[tokio::test]
async fn a_killed_run_goes_on_in_another_process_and_nothing_is_there_twice() {
    let mut desk = desk().await;
    let id = desk.with_file("accounts", file(2_500).as_bytes()).await;
    let begun = desk.begin_run(&id, Duplicates::Create, false).await;
    let database = &desk.world.database;
    eventually("two steps", async || number(database, CREATED).await >= 1_000).await;
    let redis_url = testing::redis().await.unwrap();
    let other = Service::start(&database.url_as(app::ROLE, ""), &redis_url).await;
    let killed = std::mem::replace(&mut desk.world.service, other);
    killed.kill();
    let before = number(&desk.world.database, CREATED).await;
    assert_eq!(before % 500, 0, "steps are whole");
    desk.manager = desk.world.service.caller("acme", Role::Manager);
    crate::operations::let_time_pass(&desk.world.database).await;
    let operation = desk.ended(begun).await;
    assert_eq!(operation.state(), State::Succeeded, "{operation:?}");
    assert_eq!(counts(&desk.get(&id).await.run.unwrap()), (2_500, 2_500, 0, 0));
    let twice = "select count(*) from (select name from customers.accounts group by name having count(*) > 1) twice";
    assert_eq!((number(&desk.world.database, CREATED).await, number(&desk.world.database, twice).await), (2_500, 0));
    assert_eq!(number(&desk.world.database, "select count(*) from customers.journal").await, 2_500);
}

#[tokio::test]
async fn a_cancelled_run_goes_on_when_it_is_run_again_or_is_undone() {
    let desk = desk().await;
    let cancelled = async |file: &str| {
        let id = desk.with_file("accounts", file.as_bytes()).await;
        let begun = desk.begin_run(&id, Duplicates::Create, false).await;
        let cancel = ops::CancelOperationRequest { id: begun.id.clone() };
        eventually("a step", async || desk.get(&id).await.run.is_some_and(|run| run.created > 0)).await;
        call!(desk.manager, operations.cancel_operation(cancel)).unwrap();
        assert_eq!(desk.ended(begun).await.state(), State::Cancelled);
        let import = desk.get(&id).await;
        assert!(import.state() == import::State::Running && !import.run.unwrap().done);
        id
    };
    let id = cancelled(&file(2_000)).await;
    assert_eq!(counts(&desk.run(&id, Duplicates::Create, false).await), (2_000, 2_000, 0, 0));
    assert_eq!(number(&desk.world.database, CREATED).await, 2_000);

    let id = cancelled(&file(2_000).replace(".example", ".test")).await;
    let made = desk.get(&id).await.run.unwrap().created;
    assert!(made < 2_000);
    assert_eq!(desk.undo(&id).await, pb::UndoTally { removed: made, kept: 0, done: true });
    let live = "select count(*) from customers.accounts where delete_time is null";
    assert_eq!(number(&desk.world.database, live).await, 2_000);
    let again = desk.ended(desk.begin_run(&id, Duplicates::Create, false).await).await;
    assert_eq!((again.state(), error(&again).1.as_str()), (State::Failed, "IMPORT_CLOSED"));
}

#[tokio::test]
async fn whoever_was_begun_last_works_on_an_import_and_the_other_ends() {
    let desk = desk().await;
    let id = desk.with_file("accounts", file(2_500).as_bytes()).await;
    let one = desk.begin_run(&id, Duplicates::Create, false).await;
    eventually("a step", async || desk.get(&id).await.run.is_some_and(|run| run.created > 0)).await;
    // As if another replica had begun another run.
    let lost = format!("update customers.imports set worker = gen_random_uuid() where id = '{id}'");
    as_owner(&desk.world.database, &lost).await;
    let one = desk.ended(one).await;
    assert_eq!((one.state(), error(&one).1.as_str()), (State::Failed, "IMPORT_TAKEN_OVER"));
    assert_eq!(counts(&desk.run(&id, Duplicates::Create, false).await), (2_500, 2_500, 0, 0));
    assert_eq!(number(&desk.world.database, CREATED).await, 2_500);
    // What has been run is neither run again, nor checked, nor changed.
    let closed = |operation: &ops::Operation| error(operation).1 == "IMPORT_CLOSED";
    assert!(closed(&desk.ended(desk.begin_run(&id, Duplicates::Create, false).await).await));
    let check = pb::CheckImportRequest { id: id.clone(), create_accounts: false, request_id: request_id() };
    assert!(closed(&desk.ended(call!(desk.manager, imports.check_import(check)).unwrap()).await));
    let part = pb::UploadImportRequest { id: id.clone(), offset: 0, content: b"x".to_vec().into() };
    assert_eq!(call!(desk.manager, imports.upload_import(part)).unwrap_err().code(), Code::FailedPrecondition);
    let inspect = pb::InspectImportRequest { id };
    assert_eq!(call!(desk.manager, imports.inspect_import(inspect)).unwrap_err().code(), Code::FailedPrecondition);
}

#[tokio::test]
async fn the_same_request_begins_one_run() {
    let desk = desk().await;
    let id = desk.with_file("accounts", file(2).as_bytes()).await;
    let request = pb::RunImportRequest { id, request_id: request_id(), ..Default::default() };
    let begun = call!(desk.manager, imports.run_import(request.clone())).unwrap();
    desk.ended(begun.clone()).await;
    assert_eq!(call!(desk.manager, imports.run_import(request)).unwrap(), begun);
    let list = api::ListAccountsRequest::default();
    assert_eq!(call!(desk.manager, accounts.list_accounts(list)).unwrap().accounts.len(), 2);
}

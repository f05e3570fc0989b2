//! Steps that fail: what is said no to, what passes, and what never works.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crm_proto::operations::operation::State;
use crm_resource::{Error, OPERATION_STUCK, TOO_MANY_RECORDS};
use tonic::Code;

use super::{Hook, Worker, as_owner, created, error, hook, let_time_pass, nothing, number};
use crate::support::{database, eventually, tenant};

fn failing(fail: impl Fn() -> Error + Send + Sync + 'static) -> Hook {
    hook(move |nth| {
        let result = if nth == 1 { Err(fail()) } else { Ok(()) };
        async move { result }
    })
}

#[tokio::test]
async fn a_refusal_ends_an_operation_with_its_reason_and_what_was_done_stays() {
    let database = database().await;
    let worker = Worker::started(&database, failing(|| Error::from(&TOO_MANY_RECORDS))).await;
    let id = worker.begin(tenant(), 3).await;
    let operation = worker.ended(tenant(), id).await;
    assert_eq!((operation.state(), operation.progress.as_ref().unwrap().done), (State::Failed, 1));
    let expected = (Code::FailedPrecondition, TOO_MANY_RECORDS.reason.to_owned(), TOO_MANY_RECORDS.text.to_owned());
    assert_eq!(error(&operation), expected);
    assert_eq!(created(&database).await, 1);
}

#[tokio::test]
async fn what_passes_is_tried_again_however_often() {
    let database = database().await;
    let (failures, counted) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let left = Arc::clone(&failures);
    let count = Arc::clone(&counted);
    failures.store(1, Ordering::SeqCst);
    let mut worker = Worker::idle(
        &database,
        hook(move |_| {
            count.fetch_add(1, Ordering::SeqCst);
            let fails = left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok();
            async move { if fails { Err(crm_database::Error::Exhausted.into()) } else { Ok(()) } }
        }),
    )
    .await;
    let id = worker.begin(tenant(), 2).await;
    // As often as a step may fail by its own fault.
    as_owner(&database, "update customers.operations set tries = 4").await;
    worker.start();
    let paused = "select count(*) from customers.operations where state = 'waiting' and due_time > now() and tries = 4";
    eventually("a pause", async || number(&database, paused).await == 1).await;
    let_time_pass(&database).await;
    let operation = worker.ended(tenant(), id).await;
    assert_eq!(operation.state(), State::Succeeded, "{operation:?}");
    assert_eq!((counted.load(Ordering::SeqCst), created(&database).await), (3, 2));
}

#[tokio::test]
async fn a_step_that_never_works_ends_its_operation_after_five_tries_and_is_told() {
    let database = database().await;
    let mut worker = Worker::idle(&database, failing(|| Error::Inconsistent("a secret of the house"))).await;
    let id = worker.begin(tenant(), 3).await;
    worker.start();
    let failed = |tries: i32| {
        format!(
            "select count(*) from customers.operations where state = 'waiting' and due_time > now() and tries = {tries}"
        )
    };
    // A step that is committed begins the count anew.
    eventually("a pause", async || number(&database, &failed(1)).await == 1).await;
    as_owner(&database, "update customers.operations set tries = 4, due_time = now()").await;
    let operation = worker.ended(tenant(), id).await;
    let expected = (Code::Internal, "DATA_INCONSISTENT".to_owned(), "internal error".to_owned());
    assert_eq!((operation.state(), error(&operation)), (State::Failed, expected));
    assert_eq!(created(&database).await, 1);
}

#[tokio::test]
async fn a_step_that_takes_its_process_along_ends_after_as_many() {
    let database = database().await;
    let mut worker = Worker::idle(&database, hook(|_| async { panic!("on purpose") })).await;
    let id = worker.begin(tenant(), 1).await;
    as_owner(&database, "update customers.operations set tries = 4").await;
    worker.start();
    let paused = "select count(*) from customers.operations where state = 'waiting' and due_time > now() and tries = 5";
    eventually("a pause", async || number(&database, paused).await == 1).await;
    let_time_pass(&database).await;
    let operation = worker.ended(tenant(), id).await;
    assert_eq!((operation.state(), error(&operation).1.as_str()), (State::Failed, OPERATION_STUCK.reason));
    assert_eq!(created(&database).await, 0);
}

#[tokio::test]
async fn a_position_that_nobody_understands_is_a_failure_and_no_panic() {
    let database = database().await;
    let mut worker = Worker::idle(&database, nothing()).await;
    let id = worker.begin(tenant(), 1).await;
    as_owner(&database, "update customers.operations set tries = 4, position = '{\"of\": \"another release\"}'").await;
    worker.start();
    assert_eq!(error(&worker.ended(tenant(), id).await).1, "DATA_INCONSISTENT");
}

//! Replicas that die, sleep, race and end.

use std::sync::Arc;

use crm_proto::operations::operation::State;
use tokio::sync::Semaphore;
use uuid::Uuid;

use super::{Hook, Worker, created, error, hook, let_time_pass, nothing, number};
use crate::support::{database, eventually, tenant};

/// A step that is held until somebody lets it go on, and how many have come to it.
struct Held {
    hook: Hook,
    come: Arc<Semaphore>,
    go: Arc<Semaphore>,
}

fn held_at(step: i32) -> Held {
    let (come, go) = (Arc::new(Semaphore::new(0)), Arc::new(Semaphore::new(0)));
    let (told, waits) = (Arc::clone(&come), Arc::clone(&go));
    let hook = hook(move |nth| {
        let (told, waits) = (Arc::clone(&told), Arc::clone(&waits));
        async move {
            if nth == step {
                told.add_permits(1);
                waits.acquire().await.unwrap().forget();
            }
            Ok(())
        }
    });
    Held { hook, come, go }
}

impl Held {
    async fn come(&self) {
        self.come.acquire().await.unwrap().forget();
    }
}

#[tokio::test]
async fn another_replica_goes_on_exactly_where_a_killed_one_was() {
    let database = database().await;
    let held = held_at(3);
    let one = Worker::started(&database, Arc::clone(&held.hook)).await;
    let id = one.begin(tenant(), 6).await;
    held.come().await;
    let operation = one.get(tenant(), id).await;
    assert_eq!((operation.state(), operation.progress.unwrap().done), (State::Running, 3));
    one.kill();

    // Nobody takes what is leased.
    let two = Worker::started(&database, nothing()).await;
    let other = two.begin(tenant(), 1).await;
    two.ended(tenant(), other).await;
    assert_eq!(two.get(tenant(), id).await.progress.unwrap().done, 3);
    let_time_pass(&database).await;
    let operation = two.ended(tenant(), id).await;
    assert_eq!((operation.state(), operation.progress.as_ref().unwrap().done), (State::Succeeded, 6), "{operation:?}");
    assert_eq!(created(&database).await, 7);
}

#[tokio::test]
async fn a_replica_that_slept_through_its_lease_commits_nothing() {
    let database = database().await;
    let (of_one, of_two) = (held_at(1), held_at(1));
    let one = Worker::started(&database, Arc::clone(&of_one.hook)).await;
    let id = one.begin(tenant(), 3).await;
    of_one.come().await;
    let two = Worker::started(&database, Arc::clone(&of_two.hook)).await;
    let_time_pass(&database).await;
    of_two.come().await;
    // The first one wakes in the middle of a step that the second one is in, too: its step is undone.
    of_one.go.add_permits(1);
    one.drain().await;
    assert_eq!((created(&database).await, two.get(tenant(), id).await.progress.unwrap().done), (1, 1));
    of_two.go.add_permits(1);
    let operation = two.ended(tenant(), id).await;
    assert_eq!(operation.state(), State::Succeeded, "{operation:?}");
    assert_eq!((created(&database).await, number(&database, "select claim from customers.operations").await), (3, 2));
}

#[tokio::test]
async fn one_whose_step_fails_after_its_lease_ends_nothing_either() {
    let database = database().await;
    let (of_one, of_two) = (held_at(1), held_at(2));
    let one = Worker::started(&database, Arc::clone(&of_one.hook)).await;
    let id = one.begin(tenant(), 3).await;
    of_one.come().await;
    let two = Worker::started(&database, Arc::clone(&of_two.hook)).await;
    let_time_pass(&database).await;
    of_two.come().await;
    // What it is about to create is there by now: a refusal, which would end the operation.
    of_one.go.add_permits(1);
    one.drain().await;
    assert_eq!(two.get(tenant(), id).await.state(), State::Running);
    of_two.go.add_permits(1);
    assert_eq!(two.ended(tenant(), id).await.state(), State::Succeeded);
    assert_eq!(created(&database).await, 3);
}

#[tokio::test]
async fn two_replicas_share_many_operations_and_do_each_step_once() {
    let database = database().await;
    let mut workers = [Worker::idle(&database, nothing()).await, Worker::idle(&database, nothing()).await];
    let mut begun = Vec::new();
    for nth in 0..24_u128 {
        let tenant = Uuid::from_u128(nth % 3 + 1);
        begun.push((tenant, workers[nth as usize % 2].begin(tenant, 3).await));
    }
    workers.iter_mut().for_each(Worker::start);
    for (tenant, id) in begun {
        let operation = workers[0].ended(tenant, id).await;
        assert_eq!(operation.state(), State::Succeeded, "{operation:?}");
    }
    assert_eq!(created(&database).await, 72);
    let metrics = crm_telemetry::metrics::metrics_text();
    for name in ["crm_operations_ended_total", "crm_operation_duration_seconds_count"] {
        let of_kind = |line: &&str| line.starts_with(name) && line.contains("kind=\"CreateAccounts\"");
        assert!(metrics.lines().any(|line| of_kind(&line)), "{name}");
    }
}

#[tokio::test]
async fn one_that_drains_ends_its_step_and_gives_the_rest_back_at_once() {
    let database = database().await;
    let held = held_at(1);
    let one = Worker::started(&database, Arc::clone(&held.hook)).await;
    let id = one.begin(tenant(), 3).await;
    held.come().await;
    one.shutdown.cancel();
    held.go.add_permits(1);
    one.drain().await;
    assert_eq!(created(&database).await, 2);
    let free = "select count(*) from customers.operations where state = 'waiting' and due_time <= now() and tries = 0";
    assert_eq!(number(&database, free).await, 1);
    let two = Worker::started(&database, nothing()).await;
    assert_eq!(two.ended(tenant(), id).await.state(), State::Succeeded);
    assert_eq!(created(&database).await, 3);
}

#[tokio::test]
async fn what_nobody_works_on_is_cancelled_at_once_and_the_rest_after_its_step() {
    let database = database().await;
    let held = held_at(1);
    let mut worker = Worker::idle(&database, Arc::clone(&held.hook)).await;
    let waiting = worker.begin(tenant(), 3).await;
    let cancelled = worker.cancel(tenant(), waiting).await;
    assert_eq!((cancelled.state(), cancelled.done), (State::Cancelled, true));
    assert_eq!(error(&cancelled).1, "OPERATION_CANCELLED");
    // Asked again, it answers the same.
    assert_eq!(worker.cancel(tenant(), waiting).await, cancelled);

    worker.start();
    let running = worker.begin(tenant(), 3).await;
    held.come().await;
    let asked = worker.cancel(tenant(), running).await;
    assert!(asked.state() == State::Running && asked.cancel_time.is_some() && !asked.done, "{asked:?}");
    assert_eq!(worker.cancel(tenant(), running).await.cancel_time, asked.cancel_time);
    held.go.add_permits(1);
    let ended = worker.ended(tenant(), running).await;
    assert_eq!((ended.state(), ended.progress.as_ref().unwrap().done), (State::Cancelled, 2));
    // The step that was under way is whole.
    assert_eq!(created(&database).await, 2);

    let whole = worker.begin(Uuid::from_u128(1), 1).await;
    let ended = worker.ended(Uuid::from_u128(1), whole).await;
    assert_eq!(worker.cancel(Uuid::from_u128(1), whole).await, ended);
    assert_eq!(ended.state(), State::Succeeded);
}

#[tokio::test]
async fn who_has_many_keeps_nobody_waiting() {
    let database = database().await;
    let (many, few) = (Uuid::from_u128(1), Uuid::from_u128(2));
    let held = held_at(0);
    let mut worker = Worker::idle(&database, Arc::clone(&held.hook)).await;
    for _ in 0..20 {
        worker.begin(many, 1).await;
    }
    worker.start();
    // One of theirs holds a place for good, and 19 wait.
    held.come().await;
    let id = worker.begin(few, 1).await;
    held.come().await;
    held.go.add_permits(2);
    worker.ended(few, id).await;
    let open = "select count(*) from customers.operations where due_time is not null";
    assert!(number(&database, open).await >= 18);
    held.go.add_permits(20);
    eventually("the end of all", async || number(&database, open).await == 0).await;
}

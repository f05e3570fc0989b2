//! Those who wait for an end, in great numbers.

use std::time::{Duration, Instant};

use crm_proto::customers as pb;
use crm_proto::operations::{self as ops, operation::State};
use crm_resource::{ServiceConfig, Store, StoreConfig};
use crm_sandbox::testing;
use crm_server::caller::Deadline;
use crm_server::stack::StackSettings;
use crm_server::token::Role;
use crm_telemetry::testing::record;
use sqlx::{Connection as _, PgConnection};
use tokio::task::JoinSet;
use tonic::{Code, Status};
use uuid::Uuid;

use super::{Worker, as_owner, by, nothing};
use crate::support::{Service, account, app, call, database, eventually, refusal, refused, tenant};

fn wait(id: Uuid, seconds: i64) -> ops::WaitOperationRequest {
    ops::WaitOperationRequest { id: id.to_string(), timeout: Some(prost_types::Duration { seconds, nanos: 0 }) }
}

/// Waits as somebody with a token and a quarter of an hour.
async fn wait_at(store: &Store, tenant: Uuid, message: ops::WaitOperationRequest) -> Result<ops::Operation, Status> {
    let mut request = by(tenant, message);
    request.metadata_mut().insert("authorization", "Bearer x".parse().unwrap());
    request.extensions_mut().insert(Deadline(tokio::time::Instant::now() + Duration::from_secs(900)));
    Ok(store.wait_operation(request).await?)
}

/// Waits, however often it is refused: whoever looks whether a place is left takes one for a moment.
async fn until_let_in<W>(wait: impl Fn() -> W) -> Result<ops::Operation, Status>
where
    W: Future<Output = Result<ops::Operation, Status>>,
{
    loop {
        match wait().await {
            Err(status) if status.code() == Code::ResourceExhausted => tokio::task::yield_now().await,
            ended => return ended,
        }
    }
}

/// What somebody is answered who asks to wait for no time at all.
async fn one_more(store: &Store, tenant: Uuid, id: Uuid) -> Result<ops::Operation, Status> {
    wait_at(store, tenant, wait(id, 0)).await
}

/// How often it was looked for what has ended elsewhere.
fn looks() -> u64 {
    let text = crm_telemetry::metrics::metrics_text();
    let of = |line: &&str| line.starts_with("db_client_operation_duration_seconds_count") && line.contains("ended_op");
    text.lines().find(of).map_or(0, |line| line.rsplit(' ').next().unwrap().parse::<f64>().unwrap() as u64)
}

#[tokio::test]
async fn five_hundred_who_wait_cost_one_look_a_second_and_a_read_each_second_and_operation() {
    let (recorder, _guard) = record();
    let database = database().await;
    let one = Worker::idle(&database, nothing()).await;
    let (id, other) = (one.begin(tenant(), 1).await, one.begin(tenant(), 1).await);
    let (began, before) = (Instant::now(), looks());
    let mut waiting = JoinSet::new();
    for number in 0..500 {
        let (store, id) = (one.store.clone(), if number % 2 == 0 { id } else { other });
        waiting.spawn(until_let_in(move || {
            let store = store.clone();
            async move { wait_at(&store, tenant(), wait(id, 3_600)).await }
        }));
    }
    let share_taken = refused(Code::ResourceExhausted, "TENANT_SHARE_TAKEN");
    eventually("five hundred who wait", async || match one_more(&one.store, tenant(), id).await {
        Ok(operation) => {
            assert!(!operation.done);
            false
        }
        refusal_of_many => refusal(refusal_of_many) == share_taken,
    })
    .await;
    let stranger = Uuid::from_u128(9);
    assert_eq!(refusal(one_more(&one.store, stranger, id).await), refused(Code::NotFound, "OPERATION_NOT_FOUND"));

    // They end in another process.
    let two = Worker::started(&database, nothing()).await;
    while let Some(ended) = waiting.join_next().await {
        let ended = ended.unwrap().unwrap();
        assert_eq!(ended.state(), State::Succeeded, "{ended:?}");
    }
    let seconds = began.elapsed().as_secs();
    let (read, looked) = (recorder.spans_named("find_operation").len() as u64, looks() - before);
    assert!(read <= 2 * (seconds + 3), "{read} reads in {seconds} s");
    assert!((1..=seconds + 6).contains(&looked), "{looked} looks in {seconds} s");
    one_more(&one.store, tenant(), id).await.unwrap();
    two.drain().await;
}

#[tokio::test]
async fn who_has_waited_long_enough_is_answered_though_the_database_is_not_to_be_asked() {
    let (recorder, _guard) = record();
    let database = database().await;
    let worker = Worker::idle(&database, nothing()).await;
    let id = worker.begin(tenant(), 1).await;
    let store = worker.store.clone();
    let waiting = tokio::spawn(async move { wait_at(&store, tenant(), wait(id, 3)).await });
    eventually("the operation is read", async || !recorder.spans_named("find_operation").is_empty()).await;
    // As if all connections were taken, or the machine was too busy: nobody reads an operation.
    let mut owner = PgConnection::connect(database.url()).await.unwrap();
    sqlx::raw_sql("begin; lock table customers.operations in access exclusive mode").execute(&mut owner).await.unwrap();
    let answered = tokio::time::timeout(Duration::from_secs(30), waiting).await.unwrap().unwrap().unwrap();
    assert!(!answered.done && answered.id == id.to_string());
}

#[tokio::test]
async fn the_service_learns_of_ends_and_of_nothing_else() {
    let database = database().await;
    let worker = Worker::idle(&database, nothing()).await;
    let (ended, going_on) = (worker.begin(tenant(), 1).await, worker.begin(tenant(), 1).await);
    worker.cancel(tenant(), ended).await;
    let pool = crate::support::pool(&database).await;
    let look = "select tenant_id, id from customers.ended_operations($1, $2)";
    let mut transaction = pool.begin_read(Uuid::nil(), None).await.unwrap();
    let query = sqlx::query(look).bind(vec![tenant(), tenant(), Uuid::from_u128(9)]);
    let query = query.bind(vec![ended, going_on, ended]);
    let found: Vec<(Uuid, Uuid)> = transaction.fetch_all("look", query).await.unwrap();
    assert_eq!(found, [(tenant(), ended)]);
}

#[tokio::test]
async fn who_waits_has_a_place_of_its_own_and_takes_none_of_those_for_calls() {
    let database = database().await;
    let url = database.url_as(app::ROLE, "").parse().unwrap();
    let store = StoreConfig::new(url, testing::redis().await.unwrap().parse().unwrap());
    let stack = StackSettings { max_concurrent_calls: 1, ..StackSettings::default() };
    let service = Service::start_as(ServiceConfig { stack, ..StoreConfig { watches: 3, ..store }.into() }).await;
    let [manager, other, third] = ["acme", "other", "third"].map(|tenant| service.caller(tenant, Role::Manager));
    let mut ids = Vec::new();
    for caller in [&manager, &other, &third] {
        let request_id = Uuid::new_v4().to_string();
        let request =
            pb::ReassignAccountsRequest { filter: "owner = \"a\"".to_owned(), owner: "eve".to_owned(), request_id };
        let begun = call!(caller, accounts.reassign_accounts(request)).unwrap();
        ids.push(begun.id.parse::<Uuid>().unwrap());
        call!(caller, operations.wait_operation(wait(ids[ids.len() - 1], 60))).unwrap();
    }
    // Under a lease of somebody who never comes.
    let leased = "update customers.operations set state = 'running', due_time = now() + interval '1 hour', \
                  end_time = null, response = null";
    as_owner(&database, leased).await;
    let mut waiting = JoinSet::new();
    for (caller, id, many) in [(&manager, ids[0], 2), (&other, ids[1], 1)] {
        for _ in 0..many {
            let caller = caller.clone();
            waiting.spawn(until_let_in(move || {
                let caller = caller.clone();
                async move { call!(caller, operations.wait_operation(wait(id, 3_600))) }
            }));
        }
        let full = if many == 2 { "TENANT_SHARE_TAKEN" } else { "WAITS_BUSY" };
        let asks = if many == 2 { (&manager, ids[0]) } else { (&third, ids[2]) };
        eventually("no place is left", async || {
            let refusal_of_more = call!(asks.0, operations.wait_operation(wait(asks.1, 0)));
            refusal_of_more.is_err() && refusal(refusal_of_more) == refused(Code::ResourceExhausted, full)
        })
        .await;
    }
    // The only place for calls is free.
    manager.create_account(account("Acme")).await.unwrap();
    waiting.abort_all();
    eventually("a place is left", async || call!(third, operations.wait_operation(wait(ids[2], 0))).is_ok()).await;
}

//! Opportunities that get another owner, by the thousand.

use crm_proto::operations as ops;
use crm_proto::operations::operation::{Result as Outcome, State};
use crm_proto::sales as pb;
use crm_resource::testkit::{eventually, violations};
use prost::Message;
use sqlx::{Connection, PgConnection};
use tokio::task::JoinSet;
use tonic::Status;

use crate::merging::is_told;
use crate::support::{Rig, money, new_id, opportunity, usual};
use crate::totals::check;

async fn begin(own: &Rig, filter: &str, owner: &str) -> Result<ops::Operation, Status> {
    let (filter, owner, request_id) = (filter.to_owned(), owner.to_owned(), new_id());
    let request = own.manager.request(pb::ReassignOpportunitiesRequest { filter, owner, request_id });
    Ok(own.opportunities.clone().reassign_opportunities(request).await?.into_inner())
}

/// The operation when it has ended.
pub(crate) async fn reassign(own: &Rig, filter: &str, owner: &str) -> ops::Operation {
    let begun = begin(own, filter, owner).await.unwrap();
    let get = async || {
        let request = own.manager.request(ops::GetOperationRequest { id: begun.id.clone() });
        own.operations.clone().get_operation(request).await.unwrap().into_inner()
    };
    eventually("the reassignment", || async { get().await.done }).await;
    get().await
}

fn counts(operation: &ops::Operation) -> (i32, i32) {
    let Some(Outcome::Response(any)) = &operation.result else { panic!("{operation:?}") };
    let told = pb::ReassignOpportunitiesResponse::decode(any.value.as_slice()).unwrap();
    (told.changed_count, told.unchanged_count)
}

#[tokio::test]
async fn all_that_match_get_another_owner_and_no_total_is_wrong() {
    let own = Rig::start().await;
    let (account, pipeline) = (own.account().await, own.pipeline(usual()).await);
    let mut ids = Vec::new();
    // More than a step takes.
    for number in 0..105_i64 {
        let owner = if number % 10 == 0 { "Eve" } else { "ada" }.to_owned();
        let made = pb::Opportunity { amount: money("EUR", number, 0), owner, ..opportunity(&account, &pipeline) };
        ids.push(own.create(made).await.unwrap().id);
    }
    own.move_to(&ids[1], &pipeline.stages[2]).await.unwrap();
    own.move_to(&ids[2], &pipeline.stages[3]).await.unwrap();
    own.delete(&ids[3]).await.unwrap();
    let elsewhere = own.pipeline(usual()).await;
    let other =
        own.create(pb::Opportunity { owner: "ada".to_owned(), ..opportunity(&account, &elsewhere) }).await.unwrap();

    let of_pipeline = format!("pipeline_id = \"{}\"", pipeline.id);
    let ended = reassign(&own, &of_pipeline, " Eve ").await;
    assert_eq!((ended.state(), counts(&ended)), (State::Succeeded, (93, 11)));
    let progress = ended.progress.unwrap();
    assert_eq!((progress.done, progress.total, progress.unit.as_str()), (104, Some(104), "opportunities"));
    for id in ids.iter().filter(|id| **id != ids[3]) {
        assert_eq!(own.get(id).await.unwrap().owner, "Eve");
    }
    assert_eq!(own.get(&other.id).await.unwrap().etag, other.etag, "it is in another pipeline");
    assert_eq!(own.undelete(&ids[3]).await.unwrap().owner, "ada");
    let mut owner = PgConnection::connect(own.database.url()).await.unwrap();
    check(&mut owner, "after a reassignment").await;
    let by_owner = reassign(&own, "owner = \"ada\" AND state = STATE_OPEN", "eve").await;
    assert_eq!(counts(&by_owner), (2, 0));

    assert_eq!(violations(begin(&own, " ", "").await), ["filter", "owner"]);
    assert_eq!(violations(begin(&own, "name = \"x\"", "eve").await), ["filter"]);
}

#[tokio::test]
async fn ten_thousand_and_one_are_left_as_they_are() {
    let own = Rig::start().await;
    let (account, pipeline) = (own.account().await, own.pipeline(usual()).await);
    own.create(opportunity(&account, &pipeline)).await.unwrap();
    let mut owner = PgConnection::connect(own.database.url()).await.unwrap();
    let more = "insert into sales.opportunities (tenant_id, id, name, account_id, pipeline_id, stage_id, state, stage_time) \
         select tenant_id, gen_random_uuid(), 'x', account_id, pipeline_id, stage_id, 'open', now() \
         from sales.opportunities, generate_series(1, 10000)";
    sqlx::query(more).execute(&mut owner).await.unwrap();
    let ended = reassign(&own, "state = STATE_OPEN", "eve").await;
    assert_eq!(ended.state(), State::Failed);
    assert!(is_told(&format!("{:?}", ended.result), "TOO_MANY_RECORDS"), "{ended:?}");
    let owned: i64 = sqlx::query_scalar("select count(*) from sales.opportunities where owner <> ''")
        .fetch_one(&mut owner)
        .await
        .unwrap();
    assert_eq!(owned, 0);
}

/// What was decided counts for another owner: both totals are written while others write them, too.
#[tokio::test]
async fn it_never_waits_in_a_circle_with_those_who_win_and_lose() {
    let own = std::sync::Arc::new(Rig::start().await);
    let (account, pipeline) = (own.account().await, own.pipeline(usual()).await);
    let mut ids = Vec::new();
    for number in 0..24 {
        let owner = ["ada", "eve", "bob"][number % 3].to_owned();
        let made = pb::Opportunity { amount: money("EUR", 7, 0), owner, ..opportunity(&account, &pipeline) };
        ids.push(own.create(made).await.unwrap().id);
    }
    let mut callers = JoinSet::new();
    for caller in 0..8_usize {
        let (own, ids, pipeline) = (own.clone(), ids.clone(), pipeline.clone());
        callers.spawn(async move {
            for round in 0..20 {
                let (id, stage) = (&ids[(caller * 5 + round) % 24], &pipeline.stages[1 + (caller + round) % 3]);
                own.move_to(id, stage).await.unwrap();
            }
        });
    }
    let of_pipeline = format!("pipeline_id = \"{}\"", pipeline.id);
    for owner in ["ada", "eve", "bob", "ada"] {
        assert_eq!(reassign(&own, &of_pipeline, owner).await.state(), State::Succeeded);
    }
    while let Some(ended) = callers.join_next().await {
        ended.unwrap();
    }
    let mut owner = PgConnection::connect(own.database.url()).await.unwrap();
    check(&mut owner, "after reassignments among moves").await;
}

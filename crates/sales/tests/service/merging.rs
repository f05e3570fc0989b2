//! Stages that are merged, and what the board says of it all.

use crm_proto::operations as ops;
use crm_proto::operations::operation::Result as Outcome;
use crm_proto::sales as pb;
use crm_proto::sales::opportunity::State;
use crm_proto::sales::pipeline::{Kind, Stage};
use crm_resource::testkit::{eventually, refusal, refused, violations};
use prost::Message;
use sqlx::{Connection, PgConnection};
use tonic::{Code, Status};

use crate::support::{Rig, money, new_id, opportunity, stage, usual};
use crate::totals::check;

async fn begin(own: &Rig, id: &str, from: &Stage, into: &Stage) -> Result<ops::Operation, Status> {
    let (stage_id, into_stage_id) = (from.id.clone(), into.id.clone());
    let request = pb::MergeStageRequest { id: id.to_owned(), stage_id, into_stage_id, request_id: new_id() };
    Ok(own.pipelines.clone().merge_stage(own.manager.request(request)).await?.into_inner())
}

/// What came of the operation, or the reason why not.
pub(crate) async fn merge(own: &Rig, id: &str, from: &Stage, into: &Stage) -> Result<i32, String> {
    let begun = begin(own, id, from, into).await.unwrap();
    let get = async || {
        let request = own.manager.request(ops::GetOperationRequest { id: begun.id.clone() });
        own.operations.clone().get_operation(request).await.unwrap().into_inner()
    };
    eventually("the merge", || async { get().await.done }).await;
    match get().await.result.unwrap() {
        Outcome::Response(any) => Ok(pb::MergeStageResponse::decode(any.value.as_slice()).unwrap().moved_count),
        Outcome::Error(status) => Err(format!("{status:?}")),
    }
}

async fn board(own: &Rig, id: &str, card_count: i32) -> pb::Board {
    let request = own.manager.request(pb::GetBoardRequest { id: id.to_owned(), card_count });
    own.pipelines.clone().get_board(request).await.unwrap().into_inner()
}

#[tokio::test]
async fn what_stands_in_a_merged_stage_stands_in_the_other_since_it_came() {
    let own = Rig::start().await;
    let (account, pipeline) = (own.account().await, own.pipeline(usual()).await);
    let [new, offer, ..] = &pipeline.stages[..] else { panic!("four stages") };
    let base = || pb::Opportunity { amount: money("EUR", 3, 0), ..opportunity(&account, &pipeline) };
    let mut made = Vec::new();
    for _ in 0..3 {
        made.push(own.create(base()).await.unwrap());
    }
    own.move_to(&made[0].id, offer).await.unwrap();
    own.delete(&made[1].id).await.unwrap();
    assert_eq!(merge(&own, &pipeline.id, new, offer).await, Ok(2), "the deleted one, too");

    let left = own.get_pipeline(&pipeline.id).await;
    assert_eq!(left.stages.iter().map(|stage| stage.name.as_str()).collect::<Vec<_>>(), ["Offer", "Won", "Lost"]);
    let moved = own.get(&made[2].id).await.unwrap();
    assert_eq!((&moved.stage_id, moved.stage_time, moved.state()), (&offer.id, made[2].stage_time, State::Open));
    let stays = own.stays(&made[2].id).await;
    assert_eq!((stays.len(), stays[0].stage_name.as_str(), stays[0].leave_time), (1, "Offer", None));
    assert_eq!(own.undelete(&made[1].id).await.unwrap().stage_id, offer.id);

    // Who saw the old board means the other stage.
    let late = own.create(pb::Opportunity { stage_id: new.id.clone(), ..base() }).await.unwrap();
    assert_eq!(late.stage_id, offer.id);
    own.move_to(&made[0].id, &pipeline.stages[2]).await.unwrap();
    assert_eq!(own.move_to(&made[0].id, new).await.unwrap().stage_id, offer.id);
    let same = own.move_to(&made[0].id, new).await.unwrap();
    assert_eq!(own.get(&made[0].id).await.unwrap().etag, same.etag, "it stands there");
    // A list of stages from before brings none back.
    let stale = own.set_stages(&pipeline.id, pipeline.stages.clone()).await;
    assert_eq!(violations(stale), ["pipeline.stages[0].id"]);

    let mut owner = PgConnection::connect(own.database.url()).await.unwrap();
    check(&mut owner, "after a merge").await;
    let of_it: i64 = sqlx::query_scalar("select count(*) from sales.stage_totals where stage_id = $1::uuid")
        .bind(&new.id)
        .fetch_one(&mut owner)
        .await
        .unwrap();
    assert_eq!(of_it, 0, "nothing is left of it");
    let now = board(&own, &pipeline.id, 0).await;
    assert_eq!(now.stages.iter().map(|stage| stage.opportunity_count).collect::<Vec<_>>(), [4, 0, 0]);
}

#[tokio::test]
async fn a_merge_ends_while_others_move_into_the_stage() {
    let own = std::sync::Arc::new(Rig::start().await);
    let (account, pipeline) = (own.account().await, own.pipeline(usual()).await);
    let (new, offer, won) = (pipeline.stages[0].clone(), pipeline.stages[1].clone(), pipeline.stages[2].clone());
    let mut ids = Vec::new();
    for number in 0..130 {
        let amount = money(if number % 3 == 0 { "USD" } else { "EUR" }, number, 0);
        ids.push(own.create(pb::Opportunity { amount, ..opportunity(&account, &pipeline) }).await.unwrap().id);
    }
    let (other, mine, stages) = (own.clone(), ids.clone(), [new.clone(), won, offer.clone()]);
    let moving = tokio::spawn(async move {
        for round in 0..60 {
            other.move_to(&mine[round % 7], &stages[round % 3]).await.unwrap();
        }
    });
    let merged = merge(&own, &pipeline.id, &new, &offer).await.unwrap();
    moving.await.unwrap();
    assert!((120..=130).contains(&merged), "{merged}");
    for id in &ids {
        assert_ne!(own.get(id).await.unwrap().stage_id, new.id);
    }
    let mut owner = PgConnection::connect(own.database.url()).await.unwrap();
    check(&mut owner, "after a merge among moves").await;
}

#[tokio::test]
async fn what_cannot_be_merged_is_left_as_it_is() {
    let own = Rig::start().await;
    let pipeline = own.pipeline([usual(), vec![stage("Gained", Kind::Won, None)]].concat()).await;
    let [new, _, won, ..] = &pipeline.stages[..] else { panic!("five stages") };
    let unknown = Stage { id: new_id(), ..Default::default() };
    assert_eq!(violations(begin(&own, "x", new, new).await), ["id", "into_stage_id"]);
    for (id, from, into, reason) in [
        (pipeline.id.clone(), new, won, "STAGE_KINDS_DIFFER"),
        (pipeline.id.clone(), &unknown, new, "STAGE_NOT_FOUND"),
        (pipeline.id.clone(), new, &unknown, "STAGE_NOT_FOUND"),
        (new_id(), new, won, "PIPELINE_NOT_FOUND"),
    ] {
        let failed = merge(&own, &id, from, into).await.unwrap_err();
        assert!(is_told(&failed, reason), "{reason}: {failed}");
    }
    assert_eq!(own.get_pipeline(&pipeline.id).await.etag, pipeline.etag);
}

/// A refusal's reason stands encoded in the details.
pub(crate) fn is_told(status: &str, reason: &str) -> bool {
    if status.contains(reason) {
        return true;
    }
    let bytes: Vec<String> = reason.bytes().map(|byte| byte.to_string()).collect();
    status.contains(&bytes.join(", "))
}

/// As of an operation that was cancelled after it had begun.
#[tokio::test]
async fn a_stage_that_is_being_merged_lets_nobody_in_and_is_not_taken_away() {
    let own = Rig::start().await;
    let (account, pipeline) = (own.account().await, own.pipeline(usual()).await);
    let [new, offer, ..] = &pipeline.stages[..] else { panic!("four stages") };
    let stays = own.create(opportunity(&account, &pipeline)).await.unwrap();
    let mut owner = PgConnection::connect(own.database.url()).await.unwrap();
    let mark = format!(
        "update sales.pipelines set version = version + 1, \
         stages = (jsonb_set(stages::jsonb, '{{all,0,merging_into}}', '\"{}\"'))::text",
        offer.id
    );
    sqlx::query(sqlx::AssertSqlSafe(mark)).execute(&mut owner).await.unwrap();
    let entered = own.create(pb::Opportunity { stage_id: new.id.clone(), ..opportunity(&account, &pipeline) }).await;
    assert_eq!(entered.unwrap().stage_id, offer.id);
    // What stands there may be changed, and leaves by itself.
    let named = pb::Opportunity { id: stays.id.clone(), name: "Other".to_owned(), ..Default::default() };
    assert_eq!(own.update(named, &["name"]).await.unwrap().stage_id, new.id);
    let in_use = refused(Code::FailedPrecondition, "STAGE_IN_USE");
    for gone in [0, 1] {
        let mut stages = pipeline.stages.clone();
        stages.remove(gone);
        let reasons = [in_use.clone(), in_use.clone()];
        assert!(reasons.contains(&refusal(own.set_stages(&pipeline.id, stages).await)), "{gone}");
    }
    let other =
        own.set_stages(&pipeline.id, [&pipeline.stages[..], &[stage("Third", Kind::Open, None)]].concat()).await;
    let other = other.unwrap();
    assert_eq!(other.stages[0].merging_into_id, offer.id, "nobody takes the mark away");
    for (from, into) in [(new, &other.stages[4]), (offer, &other.stages[4]), (&other.stages[4], new)] {
        let failed = merge(&own, &pipeline.id, from, into).await.unwrap_err();
        assert!(is_told(&failed, "STAGE_BEING_MERGED"), "{failed}");
    }
    assert_eq!(merge(&own, &pipeline.id, new, offer).await, Ok(1), "it goes on");
}

#[tokio::test]
async fn a_board_is_right_at_any_moment_and_never_adds_two_currencies() {
    let own = Rig::start().await;
    let (account, pipeline) = (own.account().await, own.pipeline(usual()).await);
    let [new, offer, ..] = &pipeline.stages[..] else { panic!("four stages") };
    let base = || opportunity(&account, &pipeline);
    let mut ids = Vec::new();
    for (amount, probability) in [
        (money("EUR", 100, 0), None),
        (money("EUR", 0, 50_000_000), None),
        (money("USD", 7, 0), Some(50)),
        (None, None),
    ] {
        ids.push(own.create(pb::Opportunity { amount, probability, ..base() }).await.unwrap().id);
    }
    let first = |board: &pb::Board| board.stages[0].clone();
    let sums = |stage: &pb::BoardStage| {
        let sums = stage.sums.iter().cloned();
        sums.map(|sum| (sum.opportunity_count, sum.value, sum.weighted)).collect::<Vec<_>>()
    };
    let seen = first(&board(&own, &pipeline.id, 2).await);
    assert_eq!((seen.opportunity_count, seen.stage.as_ref()), (4, Some(new)));
    // 10 % of 100.05 is 10.005, half a cent up.
    let euros = (2, money("EUR", 100, 50_000_000), money("EUR", 10, 10_000_000));
    let dollars = (1, money("USD", 7, 0), money("USD", 3, 500_000_000));
    assert_eq!(sums(&seen), [euros, dollars.clone()]);
    assert_eq!(seen.oldest_stage_time, own.get(&ids[0]).await.unwrap().stage_time);
    let cards = |stage: &pb::BoardStage| stage.cards.iter().map(|card| card.id.clone()).collect::<Vec<_>>();
    assert_eq!(cards(&seen), [ids[3].clone(), ids[2].clone()], "the newest");
    let request = pb::ListOpportunitiesRequest {
        filter: format!("stage_id = \"{}\"", new.id),
        order_by: "create_time desc".to_owned(),
        page_token: seen.next_page_token,
        ..Default::default()
    };
    let next = own.opportunities.clone().list_opportunities(own.manager.request(request)).await.unwrap().into_inner();
    assert_eq!(next.opportunities.iter().map(|it| it.id.clone()).collect::<Vec<_>>(), [ids[1].clone(), ids[0].clone()]);

    own.move_to(&ids[0], offer).await.unwrap();
    let mut likelier = pipeline.stages.clone();
    likelier[0].probability = Some(100);
    own.set_stages(&pipeline.id, likelier).await.unwrap();
    let after = board(&own, &pipeline.id, 0).await;
    let cents = (1, money("EUR", 0, 50_000_000), money("EUR", 0, 50_000_000));
    assert_eq!(sums(&first(&after)), [cents, dollars], "it follows the stage, if it has none of its own");
    assert_eq!(sums(&after.stages[1]), [(1, money("EUR", 100, 0), money("EUR", 50, 0))]);
    assert_eq!((first(&after).next_page_token.as_str(), first(&after).cards.len()), ("", 3));
    own.delete(&ids[0]).await.unwrap();
    let empty = &board(&own, &pipeline.id, 0).await.stages[1];
    assert_eq!((empty.opportunity_count, empty.sums.len(), empty.oldest_stage_time), (0, 0, None));
    let negative = own.manager.request(pb::GetBoardRequest { id: pipeline.id, card_count: -1 });
    assert_eq!(violations(own.pipelines.clone().get_board(negative).await), ["card_count"]);
}

//! Totals of stages are what the rows say, whatever is done to them in whichever order.

use crm_proto::sales as pb;
use crm_proto::sales::opportunity::Line;
use crm_proto::sales::pipeline::Kind;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use sqlx::{Connection, PgConnection};
use tokio::task::JoinSet;
use tonic::Code;

use crate::merging::merge;
use crate::support::{Rig, money, opportunity, stage, usual};

/// How many totals differ from what the rows say, and how many opportunities have not exactly one stay that lasts, that in
/// which they stand.
const DIFFERENT: &str = "
    with told as (
        select tenant_id, pipeline_id, stage_id, currency, slot, records, value, weighted, following
        from sales.stage_totals where (records, value, weighted, following) <> (0, 0, 0, 0)
    ), counted as (
        select tenant_id, pipeline_id, stage_id, coalesce(value_currency, '') as currency,
            get_byte(uuid_send(id), 15) & 15 as slot, count(*) as records, sum(coalesce(value_minor, 0)) as value,
            sum(coalesce(value_minor, 0) * coalesce(probability, 0))::numeric as weighted,
            sum(case when probability is null then coalesce(value_minor, 0) else 0 end) as following
        from sales.opportunities where delete_time is null group by 1, 2, 3, 4, 5
    )
    select (select count(*) from ((table told except table counted) union all (table counted except table told)) as it),
        (select count(*) from sales.opportunities as it where (
            select array_agg((stage_id, pipeline_id, entered_time)) from sales.stage_history as stay
            where stay.tenant_id = it.tenant_id and stay.opportunity_id = it.id and left_time is null
        ) is distinct from array[(it.stage_id, it.pipeline_id, it.stage_time)])";

/// How many totals of months differ from what the rows say.
const DIFFERENT_MONTHS: &str = "
    with told as (
        select tenant_id, month, owner_key, state, pipeline_id, stage_id, currency, slot, records, value, weighted, following,
            likely
        from sales.forecast_totals where (records, value, weighted, following, likely) <> (0, 0, 0, 0, 0)
    ), counted as (
        select tenant_id, left(close_date, 7) as month, owner_key, state,
            case when state = 'open' then pipeline_id else '00000000-0000-0000-0000-000000000000' end as pipeline_id,
            case when state = 'open' then stage_id else '00000000-0000-0000-0000-000000000000' end as stage_id,
            coalesce(value_currency, '') as currency, get_byte(uuid_send(id), 15) & 3 as slot, count(*) as records,
            sum(coalesce(value_minor, 0)) as value, sum(coalesce(value_minor, 0) * coalesce(probability, 0))::numeric as weighted,
            sum(case when probability is null then coalesce(value_minor, 0) else 0 end) as following,
            sum(case when probability >= 80 then coalesce(value_minor, 0) else 0 end) as likely
        from sales.opportunities where delete_time is null and state <> 'lost' group by 1, 2, 3, 4, 5, 6, 7, 8
    )
    select count(*) from ((table told except table counted) union all (table counted except table told)) as it";

/// How many totals of what was decided differ from what the rows say.
const DECIDED: &str = "
    with told as (
        select tenant_id, facet, span, period, name, state, currency, slot, records, value, timed, days
        from sales.decided_totals where (records, value, timed, days) <> (0, 0, 0, 0)
    ), decided as (
        select *, to_char(create_time at time zone 'UTC', 'YYYY-MM-DD') as made,
            case when close_date = '' or close_date > to_char(close_time at time zone 'UTC', 'YYYY-MM-DD')
            then to_char(close_time at time zone 'UTC', 'YYYY-MM-DD') else close_date end as day
        from sales.opportunities where state <> 'open' and delete_time is null
    ), counted as (
        select tenant_id, facet, span, left(day, length), facets.name, state, coalesce(value_currency, '') as currency,
            get_byte(uuid_send(id), 15) & 3 as slot, count(*) as records, sum(coalesce(value_minor, 0)) as value,
            count(*) filter (where day >= made) as timed,
            coalesce(sum(day::date - made::date) filter (where day >= made), 0) as days
        from decided, (values ('month', 7), ('year', 4)) as spans (span, length),
            lateral (values ('owner', owner_key), ('reason', lost_reason)) as facets (facet, name)
        where facet = 'owner' or state = 'lost' group by 1, 2, 3, 4, 5, 6, 7, 8
    )
    select count(*) from ((table told except table counted) union all (table counted except table told)) as it";

pub(crate) async fn check(owner: &mut PgConnection, when: &str) {
    let found: (i64, i64) = sqlx::query_as(DIFFERENT).fetch_one(&mut *owner).await.unwrap();
    assert_eq!(found, (0, 0), "totals and stays, {when}");
    let found: i64 = sqlx::query_scalar(DIFFERENT_MONTHS).fetch_one(&mut *owner).await.unwrap();
    assert_eq!(found, 0, "totals of months, {when}");
    let found: i64 = sqlx::query_scalar(DECIDED).fetch_one(owner).await.unwrap();
    assert_eq!(found, 0, "totals of what was decided, {when}");
}

fn any_money(dice: &mut StdRng) -> Option<crm_proto::google::r#type::Money> {
    let code = *["EUR", "USD", "JPY"].choose(dice)?;
    dice.random_bool(0.8).then(|| money(code, dice.random_range(0..10_000), 0))?
}

fn any_line(dice: &mut StdRng) -> Line {
    let quantity = format!("{}.{}", dice.random_range(1..9), dice.random_range(0..9));
    let discount_percent = dice.random_range(0..100).to_string();
    let (name, unit_price) = ("x".to_owned(), money("EUR", dice.random_range(0..900), 370_000_000));
    Line { name, quantity, discount_percent, unit_price, ..Default::default() }
}

/// Something that somebody may do to this one. What is refused, because it is deleted or decided, is another round.
async fn act(own: &Rig, dice: &mut StdRng, id: &str, pipelines: &[pb::Pipeline]) -> Result<(), tonic::Status> {
    let it = || pb::Opportunity { id: id.to_owned(), ..Default::default() };
    let pipeline = pipelines.choose(dice).unwrap();
    match dice.random_range(0..10) {
        0..4 => {
            let stage = pipeline.stages.choose(dice).unwrap();
            let lost_reason = if stage.probability == Some(0) { "price".to_owned() } else { String::new() };
            let (pipeline_id, stage_id) = (pipeline.id.clone(), stage.id.clone());
            let moved = pb::Opportunity { pipeline_id, stage_id, lost_reason, ..it() };
            own.update(moved, &["pipeline_id", "stage_id", "lost_reason", "probability"]).await?;
        }
        4 => drop(own.update(pb::Opportunity { amount: any_money(dice), ..it() }, &["amount"]).await?),
        5 => {
            let lines = (0..dice.random_range(0..4)).map(|_| any_line(dice)).collect();
            own.update(pb::Opportunity { lines, ..it() }, &["lines"]).await?;
        }
        6 => {
            let probability = dice.random_bool(0.7).then(|| dice.random_range(0..=100));
            own.update(pb::Opportunity { probability, ..it() }, &["probability"]).await?;
        }
        7 => drop(own.delete(id).await?),
        8 => drop(own.undelete(id).await?),
        _ => drop(own.update(pb::Opportunity { owner: "ada".to_owned(), ..it() }, &["owner"]).await?),
    }
    Ok(())
}

#[tokio::test]
async fn every_total_is_what_the_rows_say_after_hundreds_of_changes() {
    let own = Rig::start().await;
    let seed = rand::random();
    println!("seed {seed}");
    let mut dice = StdRng::seed_from_u64(seed);
    let account = own.account().await;
    // Open stages that will be merged, one after the other.
    let more = (0..4).map(|number| stage(&format!("Open {number}"), Kind::Open, Some(20))).collect();
    let pipelines = [own.pipeline([usual(), more].concat()).await, own.pipeline(usual()).await];
    let mut merges = [(4, 5), (5, 0), (6, 1), (7, 0)].into_iter();
    let mut owner = PgConnection::connect(own.database.url()).await.unwrap();
    let mut ids = Vec::new();
    let mut done = 0;
    for round in 0..400 {
        if round < 20 || dice.random_bool(0.1) {
            let base = opportunity(&account, &pipelines[round % 2]);
            let probability = dice.random_bool(0.5).then(|| dice.random_range(0..=100));
            let made = pb::Opportunity { amount: any_money(&mut dice), probability, ..base };
            ids.push(own.create(made).await.unwrap().id);
        }
        let id = ids.choose(&mut dice).unwrap().clone();
        match act(&own, &mut dice, &id, &pipelines).await {
            Ok(()) => done += 1,
            Err(status) => {
                let expected = [Code::NotFound, Code::AlreadyExists, Code::InvalidArgument];
                assert!(expected.contains(&status.code()), "round {round} of {seed}: {status:?}");
            }
        }
        if round % 90 == 89 {
            let (from, into) = merges.next().unwrap();
            let stage = |number: usize| &pipelines[0].stages[number];
            merge(&own, &pipelines[0].id, stage(from), stage(into)).await.unwrap();
        }
        if round % 20 == 0 {
            check(&mut owner, &format!("round {round} of {seed}")).await;
        }
    }
    check(&mut owner, &format!("at the end of {seed}")).await;
    assert!(done > 200, "{done}");
}

/// Callers who move the same few at once: none waits for another that waits for it, and no move is lost.
#[tokio::test]
async fn moves_at_once_lose_nothing_and_never_wait_in_a_circle() {
    let own = std::sync::Arc::new(Rig::start().await);
    let account = own.account().await;
    let pipeline = own.pipeline(usual()).await;
    let mut ids = Vec::new();
    for _ in 0..6 {
        ids.push(
            own.create(pb::Opportunity { amount: money("EUR", 7, 0), ..opportunity(&account, &pipeline) })
                .await
                .unwrap()
                .id,
        );
    }
    let mut callers = JoinSet::new();
    for caller in 0..16_usize {
        let (own, ids, pipeline) = (own.clone(), ids.clone(), pipeline.clone());
        callers.spawn(async move {
            for round in 0..12 {
                let (id, stage) = (&ids[(caller + round) % 6], &pipeline.stages[(caller * 7 + round) % 4]);
                own.move_to(id, stage).await.unwrap();
            }
        });
    }
    while let Some(ended) = callers.join_next().await {
        ended.unwrap();
    }
    let mut owner = PgConnection::connect(own.database.url()).await.unwrap();
    check(&mut owner, "after all callers").await;
    let moves: i64 = sqlx::query_scalar("select (sum(version) - count(*))::bigint from sales.opportunities")
        .fetch_one(&mut owner)
        .await
        .unwrap();
    let stays: i64 =
        sqlx::query_scalar("select count(*) from sales.stage_history").fetch_one(&mut owner).await.unwrap();
    // Who is moved to where it stands already is not changed.
    assert_eq!(stays, moves + 6);
    assert!(moves > 60, "{moves}");
}

//! Figures are what the rows say, whatever is done to them in whichever order.

use crm_proto::google::r#type::Money;
use crm_proto::sales as pb;
use crm_proto::sales::pipeline::Kind;
use crm_resource::testkit::violations;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use tonic::Status;

use crate::merging::merge;
use crate::reassign::reassign;
use crate::support::{Rig, money, opportunity, stage, usual};
use crate::totals::check;

/// What was decided in a period, from the rows alone. `{by}` is what it is told apart by.
const DECIDED: &str = "from (select *, case when day >= made then day::date - made::date end as days from (
        select *, to_char(create_time at time zone 'UTC', 'YYYY-MM-DD') as made, case
            when close_date = '' or close_date > to_char(close_time at time zone 'UTC', 'YYYY-MM-DD')
            then to_char(close_time at time zone 'UTC', 'YYYY-MM-DD') else close_date end as day
        from sales.opportunities where state <> 'open' and delete_time is null
    ) as decided) as it where left(day, 7) between '{first}' and '{last}' and {which}";

/// How many under a name, which share of them was won, and in how many days.
type Counts = (String, i64, i64, Option<f64>, Option<f64>);
/// A name and a currency, what was won and lost in it, and what is won a day.
type Sums = (String, String, i64, i64, Option<i64>);

/// Plain SQL over the rows.
async fn counted(owner: &mut PgConnection, by: &str, which: &str, period: [&str; 2]) -> (Vec<Counts>, Vec<Sums>) {
    let from = DECIDED.replace("{which}", which).replace("{first}", period[0]).replace("{last}", period[1]);
    let counts = format!(
        "select {by} as name, count(*) filter (where state = 'won'), count(*) filter (where state = 'lost'), \
         count(*) filter (where state = 'won') / count(*)::float8, avg(days) filter (where state = 'won')::float8 \
         {from} group by 1 order by {by} collate \"C\""
    );
    let sums = format!(
        "select name, currency, won::bigint, lost::bigint, \
         (case when days > 0 then floor(won * timed / days + 0.5) end)::bigint from (select {by}, value_currency, \
         coalesce(sum(value_minor) filter (where state = 'won'), 0), \
         coalesce(sum(value_minor) filter (where state = 'lost'), 0), count(days) filter (where state = 'won'), \
         sum(days) filter (where state = 'won') {from} and value_currency is not null group by 1, 2) \
         as sums (name, currency, won, lost, timed, days) order by name collate \"C\", currency"
    );
    let counts = sqlx::query_as(AssertSqlSafe(counts)).fetch_all(&mut *owner).await.unwrap();
    (counts, sqlx::query_as(AssertSqlSafe(sums)).fetch_all(owner).await.unwrap())
}

fn minor(money: Option<&Money>) -> i64 {
    money.map_or(0, |money| money.units * 100 + i64::from(money.nanos) / 10_000_000)
}

/// The same of an answer.
fn told<'a>(tallies: impl IntoIterator<Item = (&'a str, &'a pb::Tally)>) -> (Vec<Counts>, Vec<Sums>) {
    let (mut counts, mut sums) = (Vec::new(), Vec::new());
    for (name, tally) in tallies {
        let name = name.to_owned();
        counts.push((name.clone(), tally.won_count, tally.lost_count, tally.win_rate, tally.average_cycle_days));
        for sum in &tally.sums {
            let currency = sum.won.as_ref().unwrap().currency_code.clone();
            let velocity = sum.velocity.as_ref().map(|it| minor(Some(it)));
            sums.push((name.clone(), currency, minor(sum.won.as_ref()), minor(sum.lost.as_ref()), velocity));
        }
    }
    counts.sort_by(|one, other| one.0.cmp(&other.0));
    sums.sort_by(|one, other| (&one.0, &one.1).cmp(&(&other.0, &other.1)));
    (counts, sums)
}

async fn figures(own: &Rig, request: pb::GetFiguresRequest) -> Result<pb::Figures, Status> {
    Ok(own.figures.clone().get_figures(own.manager.request(request)).await?.into_inner())
}

async fn compare(own: &Rig, owner: &mut PgConnection, period: [&str; 2], when: &str) {
    let [from_month, to_month] = period.map(str::to_owned);
    let now = figures(own, pb::GetFiguresRequest { from_month, to_month, ..Default::default() }).await.unwrap();
    let close = |(counts, sums): (Vec<Counts>, Vec<Sums>)| {
        let round = |share: Option<f64>| share.map(|share| format!("{share:.9}"));
        let round = |it: Counts| (it.0, it.1, it.2, round(it.3), round(it.4));
        (counts.into_iter().map(round).collect::<Vec<_>>(), sums)
    };
    let owners = now.owners.iter().map(|it| (it.owner.as_str(), it.tally.as_ref().unwrap()));
    let expected = counted(owner, "owner_key", "true", period).await;
    assert_eq!(close(told(owners)), close(expected), "by owner, {period:?}, {when}");
    let mut total = counted(owner, "''::text", "true", period).await;
    if total.0.is_empty() {
        total.0.push((String::new(), 0, 0, None, None));
    }
    assert_eq!(close(told([("", now.total.as_ref().unwrap())])), close(total), "in all, {period:?}, {when}");
    let (reasons, lost) = counted(owner, "lost_reason", "state = 'lost'", period).await;
    let mut told: Vec<_> = now.lost_reasons.iter().map(|it| (it.reason.clone(), it.opportunity_count)).collect();
    told.sort();
    assert_eq!(told, reasons.into_iter().map(|it| (it.0, it.2)).collect::<Vec<_>>(), "reasons, {period:?}, {when}");
    let values = now.lost_reasons.iter().flat_map(|it| it.values.iter().map(|value| (it.reason.clone(), value)));
    let mut told: Vec<_> =
        values.map(|(reason, value)| (reason, value.currency_code.clone(), minor(Some(value)))).collect();
    told.sort();
    assert_eq!(told, lost.into_iter().map(|it| (it.0, it.1, it.3)).collect::<Vec<_>>(), "lost, {period:?}, {when}");
}

/// Something that somebody may do to this one. What is refused is another round.
async fn act(own: &Rig, dice: &mut StdRng, id: &str, pipeline: &pb::Pipeline) -> Result<(), Status> {
    let it = || pb::Opportunity { id: id.to_owned(), ..Default::default() };
    let any = |dice: &mut StdRng, all: &[&str]| (*all.choose(dice).unwrap()).to_owned();
    match dice.random_range(0..9) {
        0..4 => {
            let stage = pipeline.stages.choose(dice).unwrap();
            let reason = any(dice, &["price", "Price", "time"]);
            let lost_reason = if stage.kind() == Kind::Lost { reason } else { String::new() };
            let moved = pb::Opportunity { stage_id: stage.id.clone(), lost_reason, ..it() };
            own.update(moved, &["stage_id", "lost_reason", "probability"]).await?;
        }
        4 => {
            let amount = dice.random_bool(0.8).then(|| dice.random_range(0..9_000));
            let amount = amount.and_then(|units| money(&any(dice, &["EUR", "USD"]), units, 0));
            own.update(pb::Opportunity { amount, ..it() }, &["amount"]).await?;
        }
        5 => {
            let close_date = any(dice, &["", "2024-02-29", "2025-01-31", "2025-12-31", "2026-01-01", "2999-01-31"]);
            own.update(pb::Opportunity { close_date, ..it() }, &["close_date"]).await?;
        }
        6 => drop(
            own.update(pb::Opportunity { owner: any(dice, &["Ada", "ada", "eve", ""]), ..it() }, &["owner"]).await?,
        ),
        7 => drop(own.delete(id).await?),
        _ => drop(own.undelete(id).await?),
    }
    Ok(())
}

#[tokio::test]
async fn every_figure_is_what_the_rows_say_after_two_hundred_changes() {
    let own = Rig::start().await;
    let seed = rand::random();
    println!("seed {seed}");
    let mut dice = StdRng::seed_from_u64(seed);
    let account = own.account().await;
    let pipeline = own.pipeline([usual(), vec![stage("Gained", Kind::Won, None)]].concat()).await;
    let mut owner = PgConnection::connect(own.database.url()).await.unwrap();
    let now = own.create(opportunity(&account, &pipeline)).await.unwrap();
    let this: String =
        sqlx::query_scalar("select to_char(now() at time zone 'UTC', 'YYYY-MM')").fetch_one(&mut owner).await.unwrap();
    let mut ids = vec![now.id];
    for round in 0..200 {
        if round < 12 {
            let base = opportunity(&account, &pipeline);
            let made = own.create(pb::Opportunity { amount: money("EUR", round, 0), ..base }).await.unwrap();
            // Open ones are in no figure yet.
            let age = format!(
                "update sales.opportunities set create_time = create_time - interval '{round} weeks' where id = '{}'",
                made.id
            );
            sqlx::query(AssertSqlSafe(age)).execute(&mut owner).await.unwrap();
            ids.push(made.id);
        }
        let id = ids.choose(&mut dice).unwrap().clone();
        let _ = act(&own, &mut dice, &id, &pipeline).await;
        if round == 150 {
            merge(&own, &pipeline.id, &pipeline.stages[4], &pipeline.stages[2]).await.unwrap();
            reassign(&own, "owner = \"ada\"", "Grace").await;
        }
        if round % 20 == 19 {
            let when = format!("in round {round} of {seed}");
            check(&mut owner, &when).await;
            for period in
                [[this.as_str(), this.as_str()], ["2024-02", "2025-12"], ["2025-01", "2025-12"], ["2023-12", "2999-12"]]
            {
                compare(&own, &mut owner, period, &when).await;
            }
        }
    }
}

#[tokio::test]
async fn a_figure_is_told_of_a_move_at_once_by_month_owner_and_currency() {
    let own = Rig::start().await;
    let (account, pipeline) = (own.account().await, own.pipeline(usual()).await);
    let [.., won, lost] = &pipeline.stages[..] else { panic!("four stages") };
    let asked = |from: &str, to: &str| {
        let (from_month, to_month) = (from.to_owned(), to.to_owned());
        pb::GetFiguresRequest { from_month, to_month, ..Default::default() }
    };
    let nothing = figures(&own, asked("", "")).await.unwrap();
    assert_eq!(nothing.from_month, nothing.to_month);
    assert_eq!((nothing.total, nothing.owners.len(), nothing.lost_reasons.len()), (Some(pb::Tally::default()), 0, 0));
    for (who, amount, stage, close_date) in [
        ("Ada", money("EUR", 100, 0), won, "2025-03-31"),
        ("Ada", money("USD", 7, 0), won, "2025-03-01"),
        ("Ada", None, lost, "2025-04-30"),
        ("bob", money("EUR", 900, 0), won, "2025-03-15"),
        // What is planned for later was decided today.
        ("bob", money("EUR", 1, 0), won, "2999-01-31"),
    ] {
        let (who, close_date) = (who.to_owned(), close_date.to_owned());
        let made = pb::Opportunity { amount, owner: who, close_date, ..opportunity(&account, &pipeline) };
        let made = own.create(made).await.unwrap();
        own.move_to(&made.id, stage).await.unwrap();
    }
    let board = |figures: &pb::Figures| {
        let tally = |it: &pb::OwnerFigures| it.tally.clone().unwrap();
        figures
            .owners
            .iter()
            .map(|it| (it.owner.clone(), tally(it).won_count, tally(it).lost_count))
            .collect::<Vec<_>>()
    };
    let march = figures(&own, asked("2025-03", "")).await;
    assert!(march.is_ok(), "up to now");
    let march = figures(&own, asked("2025-03", "2025-03")).await.unwrap();
    assert_eq!(board(&march), [("Ada".to_owned(), 2, 0), ("bob".to_owned(), 1, 0)]);
    let by_euros = pb::GetFiguresRequest { currency_code: "EUR".to_owned(), ..asked("2025-03", "2025-04") };
    let spring = figures(&own, by_euros).await.unwrap();
    assert_eq!(board(&spring), [("bob".to_owned(), 1, 0), ("Ada".to_owned(), 2, 1)]);
    let total = spring.total.unwrap();
    assert_eq!((total.won_count, total.lost_count, total.win_rate), (3, 1, Some(0.75)));
    assert_eq!(total.average_cycle_days, None, "decided before it came here");
    let sums: Vec<_> = total.sums.iter().map(|it| (it.won.clone(), it.lost.clone(), it.velocity.clone())).collect();
    let none = |code| money(code, 0, 0);
    assert_eq!(sums, [(money("EUR", 1_000, 0), none("EUR"), None), (money("USD", 7, 0), none("USD"), None)]);
    assert_eq!((spring.lost_reasons[0].reason.as_str(), spring.lost_reasons[0].opportunity_count), ("price", 1));
    assert_eq!(figures(&own, asked("", "")).await.unwrap().total.unwrap().won_count, 1, "today");
    assert_eq!(figures(&own, asked("2999-01", "2999-01")).await.unwrap().owners.len(), 0);

    assert_eq!(violations(figures(&own, asked("2025-13", "x")).await), ["to_month", "from_month"]);
    assert_eq!(violations(figures(&own, asked("2025-03", "2025-02")).await), ["from_month"]);
    let unknown = pb::GetFiguresRequest { currency_code: "XXX".to_owned(), ..asked("", "") };
    assert_eq!(violations(figures(&own, unknown).await), ["currency_code"]);
}

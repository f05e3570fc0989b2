//! The forecast: every figure is what the rows say, whatever is done to them in whichever order.

use std::sync::Arc;

use crm_proto::google::r#type::Money;
use crm_proto::sales as pb;
use crm_proto::sales::exchange_rate_service_client::ExchangeRateServiceClient;
use crm_proto::sales::forecast_service_client::ForecastServiceClient;
use crm_proto::sales::get_forecast_request::Group;
use crm_proto::sales::pipeline::Kind;
use crm_proto::sales::sales_settings_service_client::SalesSettingsServiceClient;
use crm_proto::sales::sales_team_service_client::SalesTeamServiceClient;
use crm_proto::sales::target_service_client::TargetServiceClient;
use crm_resource::testkit::{Http, field_mask, refusal, refused, violations};
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use sqlx::{Connection, PgConnection};
use time::{Date, Duration, OffsetDateTime};
use tokio::task::JoinSet;
use tonic::{Code, Status};

use crate::merging::merge;
use crate::support::{Rig, euros, money, new_id, opportunity, stage, usual};
use crate::totals::check;

/// Sales with targets, teams and rates.
struct Own {
    rig: Rig,
    forecast: ForecastServiceClient<Http>,
    targets: TargetServiceClient<Http>,
    rates: ExchangeRateServiceClient<Http>,
    teams: SalesTeamServiceClient<Http>,
}

impl Own {
    async fn start() -> Self {
        let rig = Rig::start().await;
        let of = || (rig.manager.http.clone(), rig.manager.origin.clone());
        let (http, origin) = of();
        let forecast = ForecastServiceClient::with_origin(http.clone(), origin.clone());
        let targets = TargetServiceClient::with_origin(http.clone(), origin.clone());
        let rates = ExchangeRateServiceClient::with_origin(http.clone(), origin.clone());
        let teams = SalesTeamServiceClient::with_origin(http, origin);
        Self { rig, forecast, targets, rates, teams }
    }

    async fn choose(&self, currency: &str) {
        let (http, origin) = (self.rig.manager.http.clone(), self.rig.manager.origin.clone());
        let settings = pb::SalesSettings { reporting_currency: currency.to_owned(), ..Default::default() };
        let update_mask = field_mask(&["reporting_currency"]);
        let request = pb::UpdateSalesSettingsRequest { sales_settings: Some(settings), update_mask };
        let mut client = SalesSettingsServiceClient::with_origin(http, origin);
        client.update_sales_settings(self.rig.manager.request(request)).await.unwrap();
    }

    async fn rate(&self, base: &str, start_date: &str, rate: &str) -> Result<pb::ExchangeRate, Status> {
        let (base_currency, quote_currency) = (base.to_owned(), "EUR".to_owned());
        let (start_date, rate) = (start_date.to_owned(), rate.to_owned());
        let made = pb::ExchangeRate { base_currency, quote_currency, start_date, rate, ..Default::default() };
        let request = pb::CreateExchangeRateRequest { exchange_rate: Some(made), request_id: new_id() };
        Ok(self.rates.clone().create_exchange_rate(self.rig.manager.request(request)).await?.into_inner())
    }

    async fn team(&self, name: &str, members: &[&str]) -> String {
        let members = members.iter().map(|member| (*member).to_owned()).collect();
        let team = Some(pb::SalesTeam { name: name.to_owned(), members, ..Default::default() });
        let request = pb::CreateSalesTeamRequest { sales_team: team, request_id: new_id() };
        self.teams.clone().create_sales_team(self.rig.manager.request(request)).await.unwrap().into_inner().id
    }

    async fn target(&self, whose: Whose<'_>, month: &str, amount: Option<Money>) -> Result<pb::Target, Status> {
        let (owner, sales_team_id) = match whose {
            Whose::Owner(owner) => (owner.to_owned(), String::new()),
            Whose::Team(id) => (String::new(), id.to_owned()),
        };
        let target = pb::Target { owner, sales_team_id, month: month.to_owned(), amount, ..Default::default() };
        let request = pb::CreateTargetRequest { target: Some(target), request_id: new_id() };
        Ok(self.targets.clone().create_target(self.rig.manager.request(request)).await?.into_inner())
    }

    async fn forecast(&self, request: pb::GetForecastRequest) -> Result<pb::Forecast, Status> {
        Ok(self.forecast.clone().get_forecast(self.rig.manager.request(request)).await?.into_inner())
    }
}

#[derive(Clone, Copy)]
enum Whose<'i> {
    Owner(&'i str),
    Team(&'i str),
}

fn today() -> Date {
    OffsetDateTime::now_utc().date()
}

fn in_days(days: i64) -> String {
    let date = today() + Duration::days(days);
    format!("{:04}-{:02}-{:02}", date.year(), u8::from(date.month()), date.day())
}

/// Figures as plain SQL has them of the rows, a line each: by owners or by teams, and `*` for all together. What of a currency
/// has no rate is in none of the sums of a row.
const EXPECTED: &str = include_str!("forecast.sql");

fn minor(money: Option<&Money>) -> String {
    let Some(money) = money else { return "-".to_owned() };
    match money.currency_code.as_str() {
        "JPY" => money.units.to_string(),
        _ => (money.units * 100 + i64::from(money.nanos) / 10_000_000).to_string(),
    }
}

/// A row as the lines that are expected of it; of nothing at all there is none.
fn lines(month: &str, name: &str, row: &pb::ForecastRow) -> Vec<String> {
    let sums = row.converted.as_ref().unwrap();
    let (won, committed) = (minor(sums.won.as_ref()), minor(sums.committed.as_ref()));
    let (weighted, target) = (minor(sums.weighted.as_ref()), minor(sums.target.as_ref()));
    let (counts, gap) = (format!("{} {}", row.won_count, row.open_count), minor(sums.gap.as_ref()));
    let missing = row.missing_rates.join(",");
    let first = format!("{month}|{name}|{counts}|{won} {committed} {weighted}|{target}|{gap}|{missing}");
    let by_currency = row.by_currency.iter().map(|sums| {
        assert!(sums.gap.is_none());
        let currency = &sums.won.as_ref().unwrap().currency_code;
        let all = [&sums.won, &sums.committed, &sums.weighted, &sums.target].map(|money| minor(money.as_ref()));
        format!("{month}|{name}|{currency}: {}", all.join(" "))
    });
    let is_empty = row.won_count + row.open_count == 0 && row.by_currency.is_empty();
    let first = (!is_empty).then_some(first);
    first.into_iter().chain(by_currency).collect()
}

async fn compare(own: &Own, owner: &mut PgConnection, when: &str) {
    for group in [Group::Owner, Group::SalesTeam] {
        let (from_month, to_month) = (in_days(-40)[..7].to_owned(), in_days(70)[..7].to_owned());
        let request = pb::GetForecastRequest { from_month, to_month, group: group.into(), owner: String::new() };
        let told = own.forecast(request).await.unwrap();
        let months: Vec<String> = told.months.iter().map(|month| month.month.clone()).collect();
        let mut found = Vec::new();
        for month in &told.months {
            found.extend(lines(&month.month, "*", month.total.as_ref().unwrap()));
            for row in &month.rows {
                let name = if group == Group::Owner { &row.owner } else { &row.sales_team_name };
                found.extend(lines(&month.month, name, row));
            }
        }
        found.sort();
        let query = sqlx::query_scalar(EXPECTED).bind(in_days(0)).bind(group == Group::SalesTeam).bind(months);
        let mut expected: Vec<String> = query.fetch_all(&mut *owner).await.unwrap();
        expected.sort();
        assert_eq!(found, expected, "{group:?}, {when}");
    }
}

fn any_money(dice: &mut StdRng) -> Option<Money> {
    let code = *["EUR", "USD", "JPY", "GBP"].choose(dice)?;
    let nanos = if code == "JPY" { 0 } else { dice.random_range(0..100) * 10_000_000 };
    dice.random_bool(0.9).then(|| money(code, dice.random_range(0..10_000), nanos))?
}

/// Something that somebody may do. What is refused is another round.
async fn act(own: &Own, dice: &mut StdRng, id: &str, pipeline: &pb::Pipeline, teams: &[String]) -> Result<(), Status> {
    let it = || pb::Opportunity { id: id.to_owned(), ..Default::default() };
    let day = in_days(dice.random_range(-45..75));
    match dice.random_range(0..16) {
        0..4 => drop(own.rig.move_to(id, pipeline.stages.choose(dice).unwrap()).await?),
        4..6 => drop(own.rig.update(pb::Opportunity { amount: any_money(dice), ..it() }, &["amount"]).await?),
        6..8 => {
            let close_date = if dice.random_bool(0.1) { String::new() } else { day };
            own.rig.update(pb::Opportunity { close_date, ..it() }, &["close_date"]).await?;
        }
        8..10 => {
            let owner = (*["ada", "bob", "eve", ""].choose(dice).unwrap()).to_owned();
            own.rig.update(pb::Opportunity { owner, ..it() }, &["owner"]).await?;
        }
        10 => {
            let probability = dice.random_bool(0.7).then(|| dice.random_range(0..=100));
            own.rig.update(pb::Opportunity { probability, ..it() }, &["probability"]).await?;
        }
        11 => drop(own.rig.delete(id).await?),
        12 => drop(own.rig.undelete(id).await?),
        13 => {
            let rate = format!("{}.{:06}", dice.random_range(0..3), dice.random_range(1..1_000_000));
            let made = own.rate(["USD", "JPY", "GBP"].choose(dice).unwrap(), &day, &rate).await?;
            if dice.random_bool(0.4) {
                let gone = pb::DeleteExchangeRateRequest { id: made.id, etag: String::new() };
                own.rates.clone().delete_exchange_rate(own.rig.manager.request(gone)).await?;
            }
        }
        14 => {
            let whose = match dice.random_bool(0.5) {
                true => Whose::Owner(["ada", "eve", "zoe"].choose(dice).unwrap()),
                false => Whose::Team(teams.choose(dice).unwrap()),
            };
            own.target(whose, &day[..7], any_money(dice)).await?;
        }
        _ => {
            // What follows a stage follows it at once.
            let mut now = own.rig.get_pipeline(&pipeline.id).await;
            now.stages[1].probability = Some(dice.random_range(70..=90));
            own.rig.set_stages(&pipeline.id, now.stages).await?;
        }
    }
    Ok(())
}

#[tokio::test]
async fn every_figure_is_what_the_rows_say_after_hundreds_of_changes() {
    let own = Own::start().await;
    let seed = rand::random();
    println!("seed {seed}");
    let mut dice = StdRng::seed_from_u64(seed);
    own.choose("EUR").await;
    own.rate("USD", &in_days(-50), "0.853419").await.unwrap();
    own.rate("JPY", &in_days(-10), "0.0061").await.unwrap();
    let teams = [own.team("Central", &["ada", "bob"]).await, own.team("East", &["ada"]).await];
    let account = own.rig.account().await;
    let more = vec![stage("More", Kind::Open, Some(85)), stage("Gained", Kind::Won, None)];
    let pipeline = own.rig.pipeline([usual(), more].concat()).await;
    let mut owner = PgConnection::connect(own.rig.database.url()).await.unwrap();
    let (mut ids, mut done) = (Vec::new(), 0);
    for round in 0..220 {
        if round < 20 {
            let (close_date, amount) = (in_days(dice.random_range(-45..75)), any_money(&mut dice));
            let made =
                pb::Opportunity { close_date, amount, owner: "ada".to_owned(), ..opportunity(&account, &pipeline) };
            ids.push(own.rig.create(made).await.unwrap().id);
        }
        let id = ids.choose(&mut dice).unwrap().clone();
        match act(&own, &mut dice, &id, &pipeline, &teams).await {
            Ok(()) => done += 1,
            Err(status) => {
                let expected = [Code::NotFound, Code::AlreadyExists, Code::InvalidArgument];
                assert!(expected.contains(&status.code()), "round {round} of {seed}: {status:?}");
            }
        }
        if round == 120 {
            for (from, into) in [(4, 0), (5, 2)] {
                merge(&own.rig, &pipeline.id, &pipeline.stages[from], &pipeline.stages[into]).await.unwrap();
            }
        }
        if round % 20 == 19 {
            compare(&own, &mut owner, &format!("round {round} of {seed}")).await;
            check(&mut owner, &format!("round {round} of {seed}")).await;
        }
    }
    assert!(done > 100, "{done}");
}

/// Callers who change months, owners and stages of the same few at once, while a stage is merged: none waits for another that
/// waits for it, and every figure is right at the end.
#[tokio::test]
async fn changes_at_once_never_wait_in_a_circle() {
    let own = Arc::new(Own::start().await);
    own.choose("EUR").await;
    let account = own.rig.account().await;
    let pipeline = own.rig.pipeline([usual(), vec![stage("More", Kind::Open, Some(85))]].concat()).await;
    let mut ids = Vec::new();
    for number in 0..12 {
        let stage_id = pipeline.stages[if number < 8 { 4 } else { 0 }].id.clone();
        let made = pb::Opportunity { amount: euros(7), stage_id, ..opportunity(&account, &pipeline) };
        ids.push(own.rig.create(made).await.unwrap().id);
    }
    let mut callers = JoinSet::new();
    for caller in 0..12_usize {
        let (own, ids, pipeline) = (own.clone(), ids.clone(), pipeline.clone());
        callers.spawn(async move {
            for round in 0..12 {
                let number = caller * 7 + round;
                let it = pb::Opportunity { id: ids[(caller + round) % 12].clone(), ..Default::default() };
                let done = match number % 3 {
                    0 => own.rig.move_to(&it.id, &pipeline.stages[[0, 1, 4][number / 3 % 3]]).await,
                    1 => {
                        let close_date = in_days(35 * i64::try_from(number % 4).unwrap());
                        own.rig.update(pb::Opportunity { close_date, ..it }, &["close_date"]).await
                    }
                    _ => {
                        let owner = ["ada", "bob", "eve"][number / 3 % 3].to_owned();
                        own.rig.update(pb::Opportunity { owner, ..it }, &["owner"]).await
                    }
                };
                done.unwrap();
            }
        });
    }
    merge(&own.rig, &pipeline.id, &pipeline.stages[4], &pipeline.stages[0]).await.unwrap();
    while let Some(ended) = callers.join_next().await {
        ended.unwrap();
    }
    let mut owner = PgConnection::connect(own.rig.database.url()).await.unwrap();
    check(&mut owner, "after all callers").await;
    compare(&own, &mut owner, "after all callers").await;
}

#[tokio::test]
async fn without_a_reporting_currency_nothing_is_added_up_and_what_is_asked_wrongly_is_told() {
    let own = Own::start().await;
    let account = own.rig.account().await;
    let pipeline = own.rig.pipeline(usual()).await;
    for (amount, owner) in [(euros(10), "ada"), (money("USD", 20, 0), "ada"), (euros(5), "bob")] {
        let (close_date, owner) = (in_days(0), owner.to_owned());
        let made = pb::Opportunity { amount, close_date, owner, ..opportunity(&account, &pipeline) };
        own.rig.create(made).await.unwrap();
    }
    let told = own.forecast(pb::GetForecastRequest { owner: " ada ".to_owned(), ..Default::default() }).await.unwrap();
    assert_eq!((told.reporting_currency.as_str(), told.months.len()), ("", 4));
    assert!(told.missing_rates.is_empty() && told.rates.is_empty());
    let month = &told.months[0];
    let total = month.total.as_ref().unwrap();
    assert_eq!((month.rows.len(), month.rows[0].owner.as_str(), total.open_count), (1, "ada", 2));
    assert!(total.converted.is_none());
    let weighted: Vec<_> = total.by_currency.iter().map(|sums| sums.weighted.clone()).collect();
    assert_eq!(weighted, [money("EUR", 1, 0), money("USD", 2, 0)]);
    let wrong = pb::GetForecastRequest {
        from_month: "2026-13".to_owned(),
        to_month: "2026".to_owned(),
        group: Group::SalesTeam.into(),
        owner: "ada".to_owned(),
    };
    assert_eq!(violations(own.forecast(wrong).await), ["owner", "from_month", "to_month"]);
}

#[tokio::test]
async fn somebody_or_a_team_has_one_target_a_month() {
    let own = Own::start().await;
    let team = own.team("Central", &[]).await;
    let taken = refused(Code::AlreadyExists, "TARGET_MONTH_TAKEN");
    let first = own.target(Whose::Owner("ada"), "2026-11", euros(5)).await.unwrap();
    for same in ["ada", " ada "] {
        assert_eq!(refusal(own.target(Whose::Owner(same), "2026-11", euros(6)).await), taken);
    }
    own.target(Whose::Owner("ada"), "2026-12", euros(6)).await.unwrap();
    own.target(Whose::Team(&team), "2026-11", euros(6)).await.unwrap();
    assert_eq!(refusal(own.target(Whose::Team(&team), "2026-11", euros(6)).await), taken);
    let gone = pb::DeleteTargetRequest { id: first.id, etag: String::new() };
    own.targets.clone().delete_target(own.rig.manager.request(gone)).await.unwrap();
    own.target(Whose::Owner("ada"), "2026-11", euros(6)).await.unwrap();
    let nowhere = own.target(Whose::Team(&new_id()), "2026-11", euros(6)).await;
    assert_eq!(refusal(nowhere), refused(Code::FailedPrecondition, "TARGET_SALES_TEAM_NOT_FOUND"));
    assert_eq!(
        violations(own.target(Whose::Owner(""), "2026-13", None).await),
        ["target.month", "target.owner", "target.amount"]
    );
    let both =
        pb::Target { sales_team_id: team, owner: "ada".to_owned(), month: "2026-10".to_owned(), ..Default::default() };
    let both = pb::CreateTargetRequest { target: Some(pb::Target { amount: euros(1), ..both }), request_id: new_id() };
    let answer = own.targets.clone().create_target(own.rig.manager.request(both)).await;
    assert_eq!(violations(answer), ["target.sales_team_id"]);
    let most = money("JPY", 10_000_000_000_001, 0);
    assert_eq!(violations(own.target(Whose::Owner("ada"), "2026-10", most).await), ["target.amount"]);
}

#[tokio::test]
async fn a_board_says_what_a_stage_is_worth_together_and_by_which_rate() {
    let own = Own::start().await;
    let account = own.rig.account().await;
    let pipeline = own.rig.pipeline(usual()).await;
    for amount in [euros(10), money("USD", 20, 0), money("USD", 0, 10_000_000), money("GBP", 1, 0), None] {
        own.rig.create(pb::Opportunity { amount, ..opportunity(&account, &pipeline) }).await.unwrap();
    }
    for (day, rate) in [(-9, "0.5"), (-1, "0.8"), (2, "0.9")] {
        own.rate("USD", &in_days(day), rate).await.unwrap();
    }
    let board = async || {
        let request = pb::GetBoardRequest { id: pipeline.id.clone(), card_count: 1 };
        own.rig.pipelines.clone().get_board(own.rig.manager.request(request)).await.unwrap().into_inner()
    };
    let unchosen = board().await;
    assert!(unchosen.stages[0].converted.is_none() && unchosen.missing_rates.is_empty());
    own.choose("EUR").await;
    let chosen = board().await;
    let stage = &chosen.stages[0];
    // 10 and 20.01 at 0.8, which is 26.008; a tenth of it, of each before it is rounded.
    let converted = stage.converted.as_ref().unwrap();
    assert_eq!((&converted.value, &converted.weighted), (&money("EUR", 26, 10_000_000), &money("EUR", 2, 600_000_000)));
    assert_eq!((converted.opportunity_count, stage.opportunity_count), (3, 5));
    assert_eq!(
        (&stage.missing_rates[..], &chosen.missing_rates[..]),
        (&["GBP".to_owned()][..], &["GBP".to_owned()][..])
    );
    let rates: Vec<_> = chosen.rates.iter().map(|rate| (rate.base_currency.as_str(), rate.rate.as_str())).collect();
    assert_eq!((rates, chosen.reporting_currency.as_str()), (vec![("USD", "0.8")], "EUR"));
    assert_eq!(chosen.rates[0].start_date, in_days(-1));
    let empty = chosen.stages[1].converted.as_ref().unwrap();
    assert_eq!((empty.opportunity_count, &empty.value), (0, &euros(0)));
}

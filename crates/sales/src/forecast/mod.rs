//! The forecast: what is won and may be won in some months, by owner or by sales team, as of one moment.
//!
//! Totals of months are kept by the statements that write opportunities, so it takes as long however many there are.

mod asked;
mod calls;
mod rows;
mod sums;

use std::collections::{BTreeMap, BTreeSet};

use crm_proto::sales as pb;
use crm_resource::{Call, Error};
use sqlx::FromRow;
use tonic::Request;
use uuid::Uuid;

use crate::Sales;
use crate::exchange_rates::{Rates, Report};
use asked::Asked;
use rows::{Key, Row};
use sums::{Amounts, Days};

pub(crate) use asked::today;

/// From where on an open opportunity is likely to be won, in a hundred. Forecasts elsewhere have a category "commit" for the
/// stages from 80 or 90 on; a probability says the same without a second thing to keep in step with the first.
pub const LIKELY: i32 = 80;

/// Behind `forecast`: totals of months (`$2`), of one owner (`$3`) if not of all. Stages stand in the rows of pipelines; what
/// follows the probability of one is weighted by that which it has now, and likely if that is (`$4`).
pub const FIGURES: &str = "with stages as materialized (select pipelines.id as pipeline_id, stage.id as stage_id, \
     stage.probability from sales.pipelines \
     cross join lateral jsonb_to_recordset(pipelines.stages::jsonb -> 'all') as stage (id uuid, probability integer) \
     where pipelines.tenant_id = $1) \
     select month, owner_key, min(owner) as owner, state, currency, sum(records)::bigint as records, \
     sum(value)::text as value, sum(weighted + following * coalesce(probability, 0))::text as weighted, \
     sum(likely + case when probability >= $4 then following else 0 end)::text as likely \
     from sales.forecast_totals left join stages using (pipeline_id, stage_id) \
     where tenant_id = $1 and month = any($2) and ($3::text is null or owner_key = $3) \
     group by month, owner_key, state, currency having sum(records) > 0";

/// Behind `forecast`: targets of months (`$2`), of teams (`$3`) or of owners, of one owner (`$4`) if not of all.
pub const TARGETS: &str = "select month, owner_key, owner, sales_team_id, amount_minor, amount_currency from sales.targets \
     where tenant_id = $1 and month = any($2) and (sales_team_id is not null) = $3 \
     and ($4::text is null or owner_key = $4) and delete_time is null";

/// Behind `forecast`, by teams: each team with each of its members, or with none.
pub const TEAMS: &str = "select team.id, team.name, member.member_key from sales.sales_teams as team \
     left join sales.sales_team_members as member on member.tenant_id = team.tenant_id and member.team_id = team.id \
     where team.tenant_id = $1 and team.delete_time is null";

#[derive(FromRow)]
struct Figure {
    month: String,
    owner_key: String,
    owner: String,
    state: String,
    currency: String,
    records: i64,
    value: String,
    weighted: String,
    likely: String,
}

#[derive(FromRow)]
struct Target {
    month: String,
    owner_key: String,
    owner: String,
    sales_team_id: Option<Uuid>,
    amount_minor: i64,
    amount_currency: String,
}

#[derive(FromRow)]
struct Member {
    id: Uuid,
    name: String,
    member_key: Option<String>,
}

impl Figure {
    fn is_won(&self) -> bool {
        self.state == "won"
    }
}

/// What stands in a month: all of it, and by whom.
#[derive(Debug, Default)]
struct Month {
    total: Row,
    rows: BTreeMap<Key, Row>,
}

async fn forecast(sales: &Sales, request: Request<pb::GetForecastRequest>) -> Result<pb::Forecast, Error> {
    let call = Call::of(&request)?;
    let asked = Asked::read(&request.into_inner())?;
    let mut read = sales.opportunities.snapshot(&call).await?;
    let query = sqlx::query(FIGURES).bind(call.tenant).bind(asked.months.clone()).bind(asked.owner_key.clone());
    let figures: Vec<Figure> = read.fetch_all("forecast_figures", query.bind(LIKELY)).await?;
    let query = sqlx::query(TARGETS).bind(call.tenant).bind(asked.months.clone()).bind(asked.by_team);
    let targets: Vec<Target> = read.fetch_all("forecast_targets", query.bind(asked.owner_key.clone())).await?;
    let members: Vec<Member> = match asked.by_team {
        true => read.fetch_all("forecast_teams", sqlx::query(TEAMS).bind(call.tenant)).await?,
        false => Vec::new(),
    };
    let months = Counted::new(asked.by_team, &members).count(figures, targets)?;
    let today = today();
    let rates = Rates::read(&mut read, call.tenant, needed(&months, &today)).await?;
    read.commit().await?;
    answer(&asked, months, &rates, &today)
}

/// Currencies, and the days whose rates they are converted by.
fn needed(months: &BTreeMap<String, Month>, today: &str) -> BTreeSet<(String, String)> {
    let mut needed = BTreeSet::new();
    for (month, counted) in months {
        for currency in counted.total.currencies() {
            needed.extend(Days::of(month, today).each().map(|day| (currency.clone(), day)));
        }
    }
    needed
}

/// Figures by month and by whom.
struct Counted<'m> {
    by_team: bool,
    /// Names of teams by their ids.
    names: BTreeMap<Uuid, &'m str>,
    /// Teams of each member.
    teams: BTreeMap<&'m str, Vec<Uuid>>,
    months: BTreeMap<String, Month>,
}

impl<'m> Counted<'m> {
    fn new(by_team: bool, members: &'m [Member]) -> Self {
        let mut teams = BTreeMap::<&str, Vec<Uuid>>::new();
        for member in members {
            if let Some(key) = &member.member_key {
                teams.entry(key).or_default().push(member.id);
            }
        }
        let names = members.iter().map(|member| (member.id, member.name.as_str())).collect();
        Self { by_team, names, teams, months: BTreeMap::new() }
    }

    fn count(mut self, figures: Vec<Figure>, targets: Vec<Target>) -> Result<BTreeMap<String, Month>, Error> {
        for figure in figures {
            let (keys, amounts) = (self.keys(&figure.owner_key), Amounts::of(&figure)?);
            let month = self.months.entry(figure.month.clone()).or_default();
            month.total.add(&figure, &amounts);
            for key in keys {
                month.row(key, &figure.owner).add(&figure, &amounts);
            }
        }
        for target in targets {
            let key = match target.sales_team_id {
                Some(team) => self.team(team),
                None => Some(Key::owner(&target.owner_key)),
            };
            // A team that is deleted has no row.
            let Some(key) = key else { continue };
            let month = self.months.entry(target.month).or_default();
            month.total.add_target(&target.amount_currency, target.amount_minor);
            month.row(key, &target.owner).add_target(&target.amount_currency, target.amount_minor);
        }
        Ok(self.months)
    }

    /// Whose rows it belongs to.
    fn keys(&self, owner_key: &str) -> Vec<Key> {
        match self.teams.get(owner_key) {
            Some(teams) => teams.iter().filter_map(|team| self.team(*team)).collect(),
            None if self.by_team => vec![Key::Nobody],
            None => vec![Key::owner(owner_key)],
        }
    }

    fn team(&self, id: Uuid) -> Option<Key> {
        self.names.get(&id).map(|name| Key::Team((*name).to_owned(), id))
    }
}

impl Month {
    fn row(&mut self, key: Key, owner: &str) -> &mut Row {
        let owner = if let Key::Owner(_) = key { owner.to_owned() } else { String::new() };
        self.rows.entry(key).or_insert_with(|| Row::of(owner))
    }
}

fn answer(
    asked: &Asked,
    mut months: BTreeMap<String, Month>,
    rates: &Rates,
    today: &str,
) -> Result<pb::Forecast, Error> {
    let mut report = Report::new(rates);
    let mut shown = Vec::with_capacity(asked.months.len());
    for month in &asked.months {
        let (found, days) = (months.remove(month).unwrap_or_default(), Days::of(month, today));
        let total = found.total.shown(None, &days, &mut report)?;
        let rows: Result<_, Error> =
            found.rows.iter().map(|(key, row)| row.shown(Some(key), &days, &mut report)).collect();
        shown.push(pb::ForecastMonth { month: month.clone(), total: Some(total), rows: rows? });
    }
    let (reporting_currency, rates, missing_rates) = report.told();
    Ok(pb::Forecast { reporting_currency, months: shown, rates, missing_rates })
}

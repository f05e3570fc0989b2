//! The board of a pipeline: what stands in each stage, as of one moment.
//!
//! Totals are kept, cards are the first rows of an index: it takes as long whatever stands in the stages.

use std::collections::HashMap;

use crm_proto::sales as pb;
use crm_resource::{Call, Error, Record, Records, Violations, single, timestamp};
use crm_values::{Currency, Flaw};
use sqlx::FromRow;
use time::OffsetDateTime;
use tonic::Request;
use uuid::Uuid;

use super::stages::show_stage;
use super::{NOT_FOUND, Stage};
use crate::Sales;
use crate::exchange_rates::{Exact, Part, Rates, Report};
use crate::forecast::today;
use crate::opportunities::{Fields, Opportunity};
use crate::sums::message;

/// Behind `board`.
pub const TOTALS: &str = "select stage_id, currency, sum(records)::bigint as records, sum(value)::text as value, \
     sum(weighted)::text as weighted, sum(following)::text as following from sales.stage_totals \
     where tenant_id = $1 and pipeline_id = $2 group by stage_id, currency having sum(records) > 0 \
     order by stage_id, currency";

/// Behind `board`: the first so many of each stage, the newest first, and one more that tells whether there are others.
pub const CARDS: &str = "select stage as stage_id, card.id, (select stage_time from sales.opportunities \
     where tenant_id = $1 and stage_id = stage and pipeline_id = $2 and delete_time is null order by stage_time limit 1) \
     as oldest from unnest($3::uuid[]) as stage cross join lateral (select id from sales.opportunities \
     where tenant_id = $1 and stage_id = stage and pipeline_id = $2 and delete_time is null \
     order by create_time desc, id desc limit $4) as card";

#[derive(FromRow)]
struct Total {
    stage_id: Uuid,
    currency: String,
    records: i64,
    value: String,
    weighted: String,
    following: String,
}

#[derive(FromRow)]
struct Card {
    stage_id: Uuid,
    id: Uuid,
    oldest: OffsetDateTime,
}

/// The board of a pipeline that is there.
pub(super) async fn board(sales: &Sales, request: Request<pb::GetBoardRequest>) -> Result<pb::Board, Error> {
    let (call, request) = (Call::of(&request)?, request.into_inner());
    let (id, most) = (single(&request.id)?, most_cards(request.card_count)?);
    let mut read = sales.pipelines.snapshot(&call).await?;
    let pipeline = sales.pipelines.find_live(&mut read, call.tenant, &[id]).await?.into_iter().next();
    let stages = pipeline.ok_or(Error::RefusedFor(&NOT_FOUND, id))?.fields.stages.all;
    let query = sqlx::query(TOTALS).bind(call.tenant).bind(id);
    let totals: Vec<Total> = read.fetch_all("board_totals", query).await?;
    let ids: Vec<Uuid> = stages.iter().map(|stage| stage.id).collect();
    let query = sqlx::query(CARDS).bind(call.tenant).bind(id).bind(ids).bind(i64::from(most) + 1);
    let cards: Vec<Card> = read.fetch_all("board_cards", query).await?;
    let ids: Vec<Uuid> = cards.iter().map(|card| card.id).collect();
    let found = sales.opportunities.find_live(&mut read, call.tenant, &ids).await?;
    let today = today();
    let needed = totals.iter().filter(|total| !total.currency.is_empty());
    let needed = needed.map(|total| (total.currency.clone(), today.clone())).collect();
    let rates = Rates::read(&mut read, call.tenant, needed).await?;
    read.commit().await?;
    let rows = found.into_iter().map(|record| (record.head.id, record)).collect();
    let board = Board { call: &call, most: most as usize, totals, cards, rows };
    let mut report = Report::new(&rates);
    let shown = |stage| board.stage(&sales.opportunities, stage, &today, &mut report);
    let stages: Result<_, Error> = stages.into_iter().map(shown).collect();
    let mut stages: Vec<pb::BoardStage> = stages?;
    for stage in &mut stages {
        sales.opportunities.veil_all(&call, &mut stage.cards).await?;
    }
    let (reporting_currency, rates, missing_rates) = report.told();
    Ok(pb::Board { stages, reporting_currency, rates, missing_rates })
}

fn most_cards(asked: i32) -> Result<u32, Error> {
    const USUAL: u32 = 10;
    const MOST: u32 = 50;
    let mut found = Violations::default();
    let negative = || Flaw::new(Flaw::OUT_OF_RANGE, "must not be negative");
    let asked = found.check("card_count", u32::try_from(asked).map_err(|_| negative()));
    found.finish(if asked == 0 { USUAL } else { asked.min(MOST) })
}

struct Board<'a> {
    call: &'a Call,
    most: usize,
    totals: Vec<Total>,
    cards: Vec<Card>,
    rows: HashMap<Uuid, Record<Fields>>,
}

impl Board<'_> {
    fn stage(
        &self,
        opportunities: &Records<Opportunity>,
        stage: Stage,
        today: &str,
        report: &mut Report<'_>,
    ) -> Result<pb::BoardStage, Error> {
        let totals = || self.totals.iter().filter(|total| total.stage_id == stage.id);
        let all: Vec<&Card> = self.cards.iter().filter(|card| card.stage_id == stage.id).collect();
        let shown: Vec<_> = all.iter().take(self.most).filter_map(|card| self.rows.get(&card.id)).collect();
        let filter = format!("stage_id = \"{}\"", stage.id);
        let next = shown.last().filter(|_| all.len() > self.most);
        let next = next.map(|last| opportunities.page_after(self.call, (&filter, "create_time desc"), last));
        let cards: Result<_, Error> =
            shown.iter().map(|record| Records::<Opportunity>::message((*record).clone())).collect();
        let valued = || totals().filter(|total| !total.currency.is_empty());
        let sums: Result<_, Error> = valued().map(|total| total.sum(stage.probability)).collect();
        let (converted, missing_rates) = together(valued(), stage.probability, today, report)?;
        Ok(pb::BoardStage {
            converted,
            missing_rates,
            opportunity_count: totals().map(|total| total.records).sum(),
            sums: sums?,
            oldest_stage_time: all.first().map(|card| timestamp(card.oldest)),
            cards: cards?,
            next_page_token: next.transpose()?.unwrap_or_default(),
            stage: Some(show_stage(stage)?),
        })
    }
}

/// All currencies in the reporting currency, if there is one, and those of which a rate is missing.
fn together<'t>(
    totals: impl Iterator<Item = &'t Total>,
    probability: i32,
    day: &str,
    report: &mut Report<'_>,
) -> Result<(Option<pb::BoardSum>, Vec<String>), Error> {
    let Some(into) = report.reporting_currency() else { return Ok((None, Vec::new())) };
    let (mut records, mut sums, mut missing) = (0, [Exact::default(); 2], Vec::new());
    for total in totals {
        let (amount, hundredths) = total.amounts(probability)?;
        let parts = [Part { amount, places: 0, day }, Part { amount: hundredths, places: 2, day }];
        match report.convert(&total.currency, parts)? {
            Some([value, weighted]) => {
                records += total.records;
                sums = [sums[0].plus(value).ok_or(TOO_LARGE)?, sums[1].plus(weighted).ok_or(TOO_LARGE)?];
            }
            None => missing.push(total.currency.clone()),
        }
    }
    let [value, weighted] = sums.map(|sum| sum.rounded().ok_or(TOO_LARGE));
    let sum = pb::BoardSum {
        opportunity_count: records,
        value: Some(message(value?, into)),
        weighted: Some(message(weighted?, into)),
    };
    Ok((Some(sum), missing))
}

const TOO_LARGE: Error = Error::Inconsistent("a sum is beyond what money can be");

impl Total {
    /// Minor units, and what is weighted of them in hundredths.
    fn amounts(&self, probability: i32) -> Result<(i128, i128), Error> {
        let number = |text: &str| text.parse::<i128>().map_err(|_| Error::Inconsistent("a total is no number"));
        let weighted = number(&self.weighted)? + number(&self.following)? * i128::from(probability);
        Ok((number(&self.value)?, weighted))
    }

    /// What is weighted is rounded once, of the whole, half a unit up.
    fn sum(&self, probability: i32) -> Result<pb::BoardSum, Error> {
        let currency = Currency::stored(&self.currency).ok_or(Error::Inconsistent("a stored currency is unknown"))?;
        let minor = |minor: i128| i64::try_from(minor).map_err(|_| TOO_LARGE);
        let (value, hundredths) = self.amounts(probability)?;
        Ok(pb::BoardSum {
            opportunity_count: self.records,
            value: Some(message(minor(value)?, currency)),
            weighted: Some(message(minor((hundredths + 50) / 100)?, currency)),
        })
    }
}

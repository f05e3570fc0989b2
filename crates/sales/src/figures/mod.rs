//! Figures: what was won and lost in a period, by whom and why, and how long it took
//! ([ADR 54](../../../../docs/adr/0054-figures-by-month-from-kept-totals.md)).

mod calls;
mod period;
mod tally;

use std::collections::HashMap;

use crm_database::TenantTransaction;
use crm_proto::sales as pb;
use crm_resource::{Call, Error, Violations};
use crm_values::Currency;
use sqlx::FromRow;
use time::OffsetDateTime;
use tonic::Request;
use uuid::Uuid;

use crate::Sales;
use period::{Part, Period};
use tally::{Counted, Tally};

/// Owners and reasons of an answer.
const MOST: usize = 100;

/// Behind `figures`: by owner, or by reason. Each part of the period is a range of the key.
pub const DECIDED: &str = "select name, state, currency, sum(records)::bigint as records, sum(value)::text as value, \
     sum(timed)::bigint as timed, sum(days)::bigint as days \
     from unnest($3::text[], $4::text[], $5::text[]) as part (of_span, first, last) cross join lateral \
     (select name, state, currency, sum(records) as records, sum(value) as value, sum(timed) as timed, sum(days) as days \
     from sales.decided_totals where tenant_id = $1 and facet = $2 and span = of_span and period between first and last \
     group by name, state, currency) as counted group by name, state, currency having sum(records) > 0";

/// Behind `figures`: what owners are called, of whom the key is known: as the newest opportunity says.
pub const OWNERS: &str = "select key, (select owner from sales.opportunities where tenant_id = $1 and owner_key = key \
     order by create_time desc, id desc limit 1) as owner from unnest($2::text[]) as key";

#[derive(FromRow)]
struct Owner {
    key: String,
    owner: Option<String>,
}

/// All figures of a period, as of one moment.
async fn figures(sales: &Sales, request: Request<pb::GetFiguresRequest>) -> Result<pb::Figures, Error> {
    let (call, request) = (Call::of(&request)?, request.into_inner());
    let mut found = Violations::default();
    let period = Period::read(&request.from_month, &request.to_month, OffsetDateTime::now_utc(), &mut found);
    let by = Some(request.currency_code.as_str()).filter(|code| !code.is_empty());
    let by = found.check("currency_code", by.map(Currency::parse).transpose());
    found.finish(())?;

    let mut read = sales.opportunities.snapshot(&call).await?;
    let parts = period.parts();
    let of_owners = count(&mut read, call.tenant, "owner", &parts).await?;
    let of_reasons = count(&mut read, call.tenant, "reason", &parts).await?;
    let mut total = Tally::default();
    of_owners.iter().try_for_each(|row| total.add(row))?;
    let mut owners: Vec<(String, Tally)> = tallies(&of_owners)?.into_iter().collect();
    let worth = |tally: &Tally| by.map_or(0, |currency| tally.won_in(currency.code()));
    owners.sort_by(|(a, one), (b, other)| (worth(other), other.won, a).cmp(&(worth(one), one.won, b)));
    owners.truncate(MOST);
    let names = names(&mut read, call.tenant, &owners).await?;
    read.commit().await?;
    let mut reasons: Vec<(String, Tally)> = tallies(&of_reasons)?.into_iter().collect();
    reasons.sort_by(|(a, one), (b, other)| (other.lost, a).cmp(&(one.lost, b)));
    reasons.truncate(MOST);
    let owner = |(key, tally): (String, Tally)| {
        let owner = names.get(&key).cloned().unwrap_or(key);
        Ok(pb::OwnerFigures { owner, tally: Some(tally.shown()?) })
    };
    let reason = |(reason, tally): (String, Tally)| {
        Ok(pb::LostReason { reason, opportunity_count: tally.lost, values: tally.lost_values()? })
    };
    Ok(pb::Figures {
        from_month: period.first(),
        to_month: period.last(),
        total: Some(total.shown()?),
        owners: owners.into_iter().map(owner).collect::<Result<_, Error>>()?,
        lost_reasons: reasons.into_iter().map(reason).collect::<Result<_, Error>>()?,
    })
}

async fn count(read: &mut TenantTransaction, tenant: Uuid, facet: &str, parts: &[Part]) -> Result<Vec<Counted>, Error> {
    let spans: Vec<&str> = parts.iter().map(|(span, ..)| *span).collect();
    let first: Vec<&str> = parts.iter().map(|(_, first, _)| first.as_str()).collect();
    let last: Vec<&str> = parts.iter().map(|(.., last)| last.as_str()).collect();
    let query = sqlx::query(DECIDED).bind(tenant).bind(facet).bind(spans).bind(first).bind(last);
    let name = if facet == "owner" { "count_decided_by_owner" } else { "count_decided_by_reason" };
    Ok(read.fetch_all(name, query).await?)
}

fn tallies(rows: &[Counted]) -> Result<HashMap<String, Tally>, Error> {
    let mut tallies: HashMap<String, Tally> = HashMap::new();
    for row in rows {
        tallies.entry(row.name.clone()).or_default().add(row)?;
    }
    Ok(tallies)
}

async fn names(
    read: &mut TenantTransaction,
    tenant: Uuid,
    owners: &[(String, Tally)],
) -> Result<HashMap<String, String>, Error> {
    let keys: Vec<&str> = owners.iter().map(|(key, _)| key.as_str()).collect();
    let found: Vec<Owner> = read.fetch_all("find_owner_names", sqlx::query(OWNERS).bind(tenant).bind(keys)).await?;
    Ok(found.into_iter().filter_map(|Owner { key, owner }| Some((key, owner?))).collect())
}

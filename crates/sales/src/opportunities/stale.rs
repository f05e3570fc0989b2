//! Open opportunities that nobody works on: the next step of which is overdue, or on which nothing has happened for some time.
//!
//! Those that are overdue come first, by the date of their next step; then those that are idle, by the time at which they came
//! to their stage. Each half is a range of an index. Whether there was an activity is looked up for each of the second half,
//! and a page looks at so many of them at most: one that is short has a token all the same.

use std::collections::HashMap;

use crm_database::TenantTransaction;
use crm_database::page::{self as pages, PageError, Scope};
use crm_proto::sales as pb;
use crm_resource::{Call, Error, Record, Records, Violations, timestamp};
use crm_values::{Flaw, parse_calendar_date, text_key, within};
use serde::{Deserialize, Serialize};
use sqlx::FromRow;
use time::{Duration, OffsetDateTime};
use tonic::Request;
use uuid::Uuid;

use super::{Fields, Opportunity};
use crate::Sales;

/// Looked at for a page, of those that have stood in their stage for so long.
const LOOKED_AT: i64 = 1_000;

/// When something last happened: it came to its stage, or there was an activity, or is to be one.
macro_rules! active {
    () => {
        "greatest(stage_time, (select timeline_time from sales.activities where tenant_id = $1 \
         and parent_id = opportunities.id and delete_time is null order by timeline_time desc, id desc limit 1)) as active_time"
    };
}

/// Behind `list`: those whose next step is overdue.
pub const OVERDUE: &str = concat!(
    "select id, next_step_date, stage_time, ",
    active!(),
    " from sales.opportunities where tenant_id = $1 and state = 'open' and delete_time is null and next_step_date <> '' \
     and next_step_date < $2 and ($3 = '' or owner_key = $3) and (next_step_date, id) > ($4, $5) \
     order by next_step_date, id limit $6"
);

/// Behind `list`: the others that have stood in their stage for so long.
pub const IDLE: &str = concat!(
    "select id, next_step_date, stage_time, ",
    active!(),
    " from sales.opportunities where tenant_id = $1 and state = 'open' and delete_time is null and stage_time < $2 \
     and (next_step_date = '' or next_step_date >= $3) and ($4 = '' or owner_key = $4) and (stage_time, id) > ($5, $6) \
     order by stage_time, id limit $7"
);

#[derive(FromRow)]
struct Found {
    id: Uuid,
    next_step_date: String,
    stage_time: OffsetDateTime,
    active_time: OffsetDateTime,
}

/// The last one that was looked at: when its next step was due, or since when it stands in its stage, in microseconds.
#[derive(Debug, Clone, Serialize, Deserialize)]
enum Position {
    Overdue(String, Uuid),
    Idle(u64, Uuid),
}

impl Position {
    const FIRST: Self = Self::Overdue(String::new(), Uuid::nil());
    const FIRST_IDLE: Self = Self::Idle(0, Uuid::nil());
    /// The end of the year 9999.
    const LAST_MICROS: u64 = 253_402_300_799_999_999;

    /// A whole token with another position was forged.
    fn is_sound(&self) -> bool {
        match self {
            Self::Overdue(date, _) => date.is_empty() || parse_calendar_date(date).is_ok(),
            Self::Idle(micros, _) => *micros <= Self::LAST_MICROS,
        }
    }
}

/// Who is asked for, and what counts as stale.
struct Asked {
    tenant: Uuid,
    owner: String,
    today: String,
    since: OffsetDateTime,
    size: usize,
}

/// A page of those that are stale.
pub(super) async fn list(
    sales: &Sales,
    request: Request<pb::ListStaleOpportunitiesRequest>,
) -> Result<pb::ListStaleOpportunitiesResponse, Error> {
    let (call, request) = (Call::of(&request)?, request.into_inner());
    let now = OffsetDateTime::now_utc();
    let mut violations = Violations::default();
    let size = violations.check("page_size", pages::page_size(request.page_size).map_err(|error| flaw(&error)));
    let days = violations.check("idle_days", idle_days(request.idle_days));
    let owner = text_key(&violations.check("owner", within(100).parse(&request.owner)));
    let scope = Scope::new(call.tenant, &["stale", &days.to_string(), &owner]);
    let after = violations.check("page_token", decode(scope, &request.page_token));
    violations.finish(())?;
    let (today, since) = (now.date().to_string(), now - Duration::days(days));
    let asked = Asked { tenant: call.tenant, owner, today, since, size: size as usize };

    let mut read = sales.opportunities.snapshot(&call).await?;
    let (found, next) = asked.find(&mut read, after.unwrap_or(Position::FIRST)).await?;
    let ids: Vec<Uuid> = found.iter().map(|it| it.id).collect();
    let records = sales.opportunities.find_live(&mut read, call.tenant, &ids).await?;
    read.commit().await?;
    let mut messages = messages(records)?;
    sales.opportunities.veil_all(&call, &mut messages).await?;
    let mut by_id: HashMap<String, pb::Opportunity> = messages.into_iter().map(|it| (it.id.clone(), it)).collect();
    let shown = |it: &Found| Some(asked.shown(it, by_id.remove(&it.id.to_string())?));
    let opportunities = found.iter().filter_map(shown).collect();
    let token = next.map(|next| pages::encode(scope, &next)).transpose();
    let next_page_token = token.map_err(|_| Error::Inconsistent("a position has no text form"))?.unwrap_or_default();
    Ok(pb::ListStaleOpportunitiesResponse { opportunities, next_page_token })
}

impl Asked {
    /// Those of the page, and where the next one begins.
    async fn find(
        &self,
        read: &mut TenantTransaction,
        after: Position,
    ) -> Result<(Vec<Found>, Option<Position>), Error> {
        let (mut found, after) = match after {
            Position::Overdue(date, id) => {
                let mut found = self.find_overdue(read, &date, id).await?;
                if found.len() > self.size {
                    found.truncate(self.size);
                    let next = found.last().map(|last| Position::Overdue(last.next_step_date.clone(), last.id));
                    return Ok((found, next));
                }
                (found, Position::FIRST_IDLE)
            }
            after @ Position::Idle(..) => (Vec::new(), after),
        };
        let Position::Idle(micros, id) = after else { return Ok((found, None)) };
        let looked_at = self.find_idle(read, micros, id).await?;
        let is_end = looked_at.len() < usize::try_from(LOOKED_AT).unwrap_or(usize::MAX);
        let mut next = Position::Idle(micros, id);
        for it in looked_at {
            if found.len() == self.size {
                return Ok((found, Some(next)));
            }
            next = Position::Idle(micros_of(it.stage_time), it.id);
            if it.active_time < self.since {
                found.push(it);
            }
        }
        Ok((found, Some(next).filter(|_| !is_end)))
    }

    async fn find_overdue(&self, read: &mut TenantTransaction, date: &str, id: Uuid) -> Result<Vec<Found>, Error> {
        let query = sqlx::query(OVERDUE).bind(self.tenant).bind(&self.today).bind(&self.owner).bind(date).bind(id);
        let query = query.bind(i64::try_from(self.size + 1).unwrap_or(i64::MAX));
        Ok(read.fetch_all("list_overdue_opportunities", query).await?)
    }

    async fn find_idle(&self, read: &mut TenantTransaction, micros: u64, id: Uuid) -> Result<Vec<Found>, Error> {
        let after = OffsetDateTime::UNIX_EPOCH + Duration::microseconds(i64::try_from(micros).unwrap_or(i64::MAX));
        let query = sqlx::query(IDLE).bind(self.tenant).bind(self.since).bind(&self.today).bind(&self.owner);
        Ok(read.fetch_all("list_idle_opportunities", query.bind(after).bind(id).bind(LOOKED_AT)).await?)
    }

    fn shown(&self, found: &Found, opportunity: pb::Opportunity) -> pb::StaleOpportunity {
        pb::StaleOpportunity {
            step_overdue: !found.next_step_date.is_empty() && found.next_step_date < self.today,
            idle: found.active_time < self.since,
            active_time: Some(timestamp(found.active_time)),
            opportunity: Some(opportunity),
        }
    }
}

fn messages(records: Vec<Record<Fields>>) -> Result<Vec<pb::Opportunity>, Error> {
    records.into_iter().map(Records::<Opportunity>::message).collect()
}

/// Stages are entered after 1970.
fn micros_of(time: OffsetDateTime) -> u64 {
    u64::try_from(time.unix_timestamp_nanos() / 1_000).unwrap_or_default()
}

fn idle_days(asked: i32) -> Result<i64, Flaw> {
    const USUAL: i64 = 30;
    match asked {
        0 => Ok(USUAL),
        1..=3_650 => Ok(asked.into()),
        _ => Err(Flaw::new(Flaw::OUT_OF_RANGE, "must be 1 to 3,650, or 0, which counts as 30")),
    }
}

fn decode(scope: Scope, token: &str) -> Result<Option<Position>, Flaw> {
    let position: Option<Position> = pages::decode(scope, token).map_err(|error| flaw(&error))?;
    if position.as_ref().is_none_or(Position::is_sound) { Ok(position) } else { Err(flaw(&PageError::DamagedToken)) }
}

fn flaw(error: &PageError) -> Flaw {
    Flaw::new(error.reason(), error.to_string())
}

//! The timeline of a record: its activities and its changes, in one order.
//!
//! The two are in tables of their own, each in the order of an index: a page reads at most a page of either, however deep it
//! is, and they are merged here.

use std::iter::Peekable;
use std::vec::IntoIter;

use crm_database::Access;
use crm_database::page::{self as pages, PageError, Scope};
use crm_proto::activities::{self as pb, timeline_item::Item};
use crm_values::parse_id;
use serde::{Deserialize, Serialize};
use sqlx::postgres::PgArguments;
use sqlx::query::Query;
use sqlx::{AssertSqlSafe, Postgres, SqlSafeStr, SqlStr};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use tonic::Request;
use uuid::Uuid;

use super::{Activities, Activity, Fields, Keeper};
use crate::journal::Entry;
use crate::page::flaw;
use crate::record::Record;
use crate::resource::timestamp;
use crate::select::is_known;
use crate::{Call, Error, Records, Resource, Violations};

/// The statement about a record's activities.
#[derive(Debug)]
pub(super) struct Timeline {
    of_one: SqlStr,
    /// While some of them still stand under ids of what was merged into it.
    of_several: SqlStr,
}

/// Up to where both have been told.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
struct Position {
    /// The last activity: its time, and its id.
    activity: Option<(OffsetDateTime, Uuid)>,
    /// The version that the last change led to.
    version: Option<i64>,
}

impl Timeline {
    /// `select` is `select … from …` of the activities.
    pub(super) fn new(select: &str) -> Self {
        let sql = |parent: &str| {
            let text = format!(
                "{select} where tenant_id = $1 and parent_id = {parent} and delete_time is null \
                 and (timeline_time, id) < ($3::text::timestamptz, $4) order by timeline_time desc, id desc limit $5"
            );
            AssertSqlSafe(text).into_sql_str()
        };
        Self { of_one: sql("$2"), of_several: sql("any($2)") }
    }

    #[cfg(feature = "testkit")]
    pub(super) fn sql(&self) -> &str {
        self.of_one.as_str()
    }

    fn query(
        &self,
        tenant: Uuid,
        parents: &[Uuid],
        before: Option<(OffsetDateTime, Uuid)>,
        limit: u32,
    ) -> Result<Query<'static, Postgres, PgArguments>, Error> {
        let (time, id) = match before {
            Some((time, id)) => (text(time)?, id),
            None => ("infinity".to_owned(), Uuid::max()),
        };
        let query = match parents {
            [parent] => sqlx::query(self.of_one.clone()).bind(tenant).bind(*parent),
            parents => sqlx::query(self.of_several.clone()).bind(tenant).bind(parents.to_vec()),
        };
        Ok(query.bind(time).bind(id).bind(i64::from(limit)))
    }
}

/// A time as Postgres reads it, which knows infinite ones, too.
pub(super) fn text(time: OffsetDateTime) -> Result<String, Error> {
    time.format(&Rfc3339).map_err(|_| Error::Inconsistent("a time has no text form"))
}

impl<K: Keeper> Activities<K> {
    /// What was done about a record that is not deleted, and what was changed of it, the newest first.
    ///
    /// # Errors
    /// All violations, that there is no such record, or the database's.
    pub async fn timeline<R: Resource>(
        &self,
        parents: &Records<R>,
        request: Request<pb::GetTimelineRequest>,
    ) -> Result<pb::GetTimelineResponse, Error> {
        let call = Call::of(&request)?;
        let pb::GetTimelineRequest { id, page_size, page_token } = request.into_inner();
        let mut found = Violations::default();
        let id = found.check("id", parse_id(&id));
        let size = found.check("page_size", pages::page_size(page_size).map_err(|error| flaw(&error)));
        let scope = Scope::new(call.tenant, &["timeline", R::KIND.plural, &id.to_string()]);
        let after = found.check("page_token", decode(scope, &page_token).map_err(|error| flaw(&error)));
        found.finish(())?;
        if !parents.find_through(&call, &[id]).await?.into_iter().flatten().any(|parent| parent.live().is_some()) {
            return Err(Error::RefusedFor(R::KIND.not_found, id));
        }

        // Under which ids activities stand has to be read in the same moment as the activities.
        let access = if R::KIND.merged { Access::Snapshot } else { Access::ReadOnly };
        let store = &self.records.store;
        let mut transaction = store.begin(&call, access).await?;
        let family = if R::KIND.merged { store.family(&mut transaction, call.tenant, id).await? } else { vec![id] };
        let id = family.first().copied().unwrap_or(id);
        let query = self.timeline.query(call.tenant, &family, after.activity, size + 1)?;
        let activities: Vec<Record<Fields>> = transaction.fetch_all("find_timeline_activities", query).await?;
        let changes = parents.entries_before(&mut transaction, call.tenant, id, after.version, size + 1).await?;
        transaction.commit().await?;
        let mut both = Both { activities: activities.into_iter().peekable(), changes: changes.into_iter().peekable() };
        let page: Vec<Happening> = both.by_ref().take(size as usize).collect();
        let after = page.iter().fold(after, |after, last| last.position(after));
        let next = both.next().map(|_| pages::encode(scope, &after)).transpose();
        let next_page_token = next.map_err(|_| Error::Inconsistent("a position has no text form"))?.unwrap_or_default();
        let items = page.into_iter().map(Happening::item::<K>).collect::<Result<_, _>>()?;
        Ok(pb::GetTimelineResponse { items, next_page_token })
    }
}

fn decode(scope: Scope, token: &str) -> Result<Position, PageError> {
    let position = pages::decode::<Position>(scope, token)?.unwrap_or_default();
    // A whole token with such a time was forged.
    let is_sound = position.activity.is_none_or(|(time, _)| is_known(time));
    if is_sound { Ok(position) } else { Err(PageError::DamagedToken) }
}

/// Activities and changes, each the newest first, as one.
struct Both {
    activities: Peekable<IntoIter<Record<Fields>>>,
    changes: Peekable<IntoIter<Entry>>,
}

/// What stands in a timeline.
enum Happening {
    Activity(Record<Fields>),
    Change(Entry),
}

impl Iterator for Both {
    type Item = Happening;

    fn next(&mut self) -> Option<Happening> {
        let activity = self.activities.peek().map(time_of);
        let change = self.changes.peek().map(|change| change.change_time);
        if activity > change {
            self.activities.next().map(Happening::Activity)
        } else {
            self.changes.next().map(Happening::Change)
        }
    }
}

/// As the column `timeline_time` has it.
fn time_of(activity: &Record<Fields>) -> OffsetDateTime {
    activity.fields.start_time.unwrap_or(activity.head.create_time)
}

impl Happening {
    /// Up to where both have been told when this one has.
    fn position(&self, before: Position) -> Position {
        match self {
            Self::Activity(activity) => Position { activity: Some((time_of(activity), activity.head.id)), ..before },
            Self::Change(change) => Position { version: Some(change.version), ..before },
        }
    }

    fn item<K: Keeper>(self) -> Result<pb::TimelineItem, Error> {
        let (time, subject, item) = match self {
            Self::Activity(activity) => {
                let (time, subject) = (time_of(&activity), activity.fields.creator.clone());
                (time, subject, Item::Activity(Records::<Activity<K>>::message(activity)?))
            }
            Self::Change(change) => (change.change_time, change.subject.clone(), Item::Change(change.message()?)),
        };
        Ok(pb::TimelineItem { time: Some(timestamp(time)), subject, item: Some(item) })
    }
}

#[cfg(feature = "testkit")]
impl<K: Keeper> Activities<K> {
    /// The plan of the statement about a record's activities, run: of the first page, or of one that comes before a time.
    ///
    /// # Errors
    /// The database's.
    pub async fn explain_timeline(
        &self,
        call: &Call,
        parent: Uuid,
        before: Option<OffsetDateTime>,
    ) -> Result<crm_database::plan::Plan, Error> {
        let mut transaction = self.records.store.begin(call, Access::ReadOnly).await?;
        let query = self.timeline.query(call.tenant, &[parent], before.map(|time| (time, Uuid::nil())), 51)?;
        Ok(crm_database::plan::explain_analyze(&mut transaction, query).await?)
    }
}

//! The caller's open tasks.

use crm_database::Access;
use crm_database::page::{self as pages, PageError, Scope};
use crm_proto::activities as pb;
use crm_values::text_key;
use serde::{Deserialize, Serialize};
use sqlx::postgres::PgArguments;
use sqlx::query::Query;
use sqlx::{AssertSqlSafe, Postgres, SqlSafeStr, SqlStr};
use time::OffsetDateTime;
use tonic::Request;
use uuid::Uuid;

use super::{Activities, Activity, Fields, Keeper};
use crate::page::flaw;
use crate::record::Record;
use crate::select::{is_known, parent_is_there};
use crate::{Call, Error, Kind, Records, Violations};

/// The statement about open tasks.
#[derive(Debug)]
pub(super) struct Tasks(SqlStr);

/// The last task of a page: when it is due, if ever, and its id.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Position(Option<OffsetDateTime>, Uuid);

impl Tasks {
    /// `select` is `select … from …` of the activities.
    pub(super) fn new(kind: &Kind, select: &str) -> Self {
        // In the order of the index: what is overdue was due first.
        let text = format!(
            "{select} where tenant_id = $1 and owner_key = $2 and not done and delete_time is null{} \
             and (due_key, id) > ($3::text::timestamptz, $4) order by due_key, id limit $5",
            parent_is_there(kind)
        );
        Self(AssertSqlSafe(text).into_sql_str())
    }

    #[cfg(feature = "testkit")]
    pub(super) fn sql(&self) -> &str {
        self.0.as_str()
    }

    fn query(
        &self,
        tenant: Uuid,
        owner: &str,
        after: Option<Position>,
        limit: u32,
    ) -> Result<Query<'static, Postgres, PgArguments>, Error> {
        let (due, id) = match after {
            None => ("-infinity".to_owned(), Uuid::nil()),
            Some(Position(None, id)) => ("infinity".to_owned(), id),
            Some(Position(Some(due), id)) => (super::timeline::text(due)?, id),
        };
        let query = sqlx::query(self.0.clone()).bind(tenant).bind(text_key(owner));
        Ok(query.bind(due).bind(id).bind(i64::from(limit)))
    }
}

impl<K: Keeper> Activities<K> {
    /// A page of the tasks that the caller owns and has not done: the first that is due first, what is never due last.
    ///
    /// # Errors
    /// All violations, or the database's.
    pub async fn open_tasks(
        &self,
        request: Request<pb::ListOpenTasksRequest>,
    ) -> Result<pb::ListOpenTasksResponse, Error> {
        let call = Call::of(&request)?;
        let pb::ListOpenTasksRequest { page_size, page_token } = request.into_inner();
        let mut found = Violations::default();
        let size = found.check("page_size", pages::page_size(page_size).map_err(|error| flaw(&error)));
        let owner = &call.caller.subject;
        let scope = Scope::new(call.tenant, &["open tasks", K::KIND.table, &text_key(owner)]);
        let after = found.check("page_token", decode(scope, &page_token).map_err(|error| flaw(&error)));
        found.finish(())?;

        let mut transaction = self.records.store.begin(&call, Access::ReadOnly).await?;
        let query = self.tasks.query(call.tenant, owner, after, size + 1)?;
        let mut rows: Vec<Record<Fields>> = transaction.fetch_all("list_open_tasks", query).await?;
        transaction.commit().await?;
        let has_more = rows.len() > size as usize;
        rows.truncate(size as usize);
        let last = rows.last().filter(|_| has_more).map(|last| Position(last.fields.due_time, last.head.id));
        let next = last.map(|last| pages::encode(scope, &last)).transpose();
        let next_page_token = next.map_err(|_| Error::Inconsistent("a position has no text form"))?.unwrap_or_default();
        let activities = rows.into_iter().map(Records::<Activity<K>>::message).collect::<Result<_, _>>()?;
        Ok(pb::ListOpenTasksResponse { activities, next_page_token })
    }
}

fn decode(scope: Scope, token: &str) -> Result<Option<Position>, PageError> {
    let position = pages::decode::<Position>(scope, token)?;
    // A whole token with such a time was forged.
    let is_sound = position.is_none_or(|Position(due, _)| due.is_none_or(is_known));
    if is_sound { Ok(position) } else { Err(PageError::DamagedToken) }
}

#[cfg(feature = "testkit")]
impl<K: Keeper> Activities<K> {
    /// The plan of the first page of somebody's open tasks, or of one that comes after a time.
    ///
    /// # Errors
    /// The database's.
    pub async fn explain_open_tasks(
        &self,
        call: &Call,
        owner: &str,
        after: Option<OffsetDateTime>,
    ) -> Result<crm_database::plan::Plan, Error> {
        let mut transaction = self.records.store.begin(call, Access::ReadOnly).await?;
        let after = after.map(|due| Position(Some(due), Uuid::nil()));
        let query = self.tasks.query(call.tenant, owner, after, 51)?;
        Ok(crm_database::plan::explain_analyze(&mut transaction, query).await?)
    }
}

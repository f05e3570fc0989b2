//! Standard methods of saved views: those of all records, and whose a view is.

use crm_proto::views as pb;
use crm_server::token::Role;
use futures_util::StreamExt as _;
use futures_util::stream::Map;
use sqlx::{AssertSqlSafe, SqlSafeStr, SqlStr};
use tonic::{Request, Response, Status};

use super::rules::told;
use super::{Fields, Keeper, NOT_YOURS, SavedView, TOO_MANY, TOO_MANY_SHARED};
use crate::statements::take_turns;
use crate::{Call, Change, Claim, Error, Export, Kind, New, Records, Store, Write};

/// Views of one caller, private ones and shared ones.
const MOST: i64 = 100;
/// Shared views of a tenant.
const MOST_SHARED: i64 = 200;

type Told = Result<pb::SavedView, Status>;

/// What a client reads.
pub type SavedViewExport = Map<Export<pb::SavedView>, fn(Told) -> Told>;

/// The saved views of a service; cheap to clone.
#[derive(Debug, Clone)]
pub struct Views<K: Keeper> {
    pub(crate) records: Records<SavedView<K>>,
    lock: SqlStr,
    count: SqlStr,
    pub(crate) named: SqlStr,
}

impl<K: Keeper> Views<K> {
    /// The views in a store.
    pub fn new(store: &Store) -> Self {
        let sql = |text: String| AssertSqlSafe(text).into_sql_str();
        let named = sql(named(K::KIND));
        Self { records: Records::new(store), lock: sql(take_turns(K::KIND.table)), count: sql(count(K::KIND)), named }
    }

    /// Creates a view of the caller's, or answers what the same request of theirs was answered before.
    ///
    /// # Errors
    /// All violations, that there are too many, that the request id was used for another request, or the database's.
    pub async fn create(&self, request: Request<pb::CreateSavedViewRequest>) -> Result<pb::SavedView, Error> {
        let mut new = New::<SavedView<K>>::of(request)?;
        new.fields.owner.clone_from(&new.call.caller.subject);
        new.request_id = new.request_id.of_caller(&new.call.caller.subject);
        match self.records.claim(new.call.clone(), new.request_id).await? {
            Claim::Answered(answer) => Ok(told::<K>(answer)),
            Claim::First(mut write) => {
                self.lock_all(&mut write).await?;
                self.find_room(&mut write, &new.fields).await?;
                Ok(told::<K>(self.records.finish(*write, new).await?))
            }
        }
    }

    /// The view, if it is there for this caller.
    ///
    /// # Errors
    /// It is not, or the database's.
    pub async fn get(&self, request: Request<pb::GetSavedViewRequest>) -> Result<pb::SavedView, Error> {
        Ok(told::<K>(self.records.get(request).await?))
    }

    /// The views with these ids, in their order.
    ///
    /// # Errors
    /// One is not there for this caller, or the database's.
    pub async fn batch_get(
        &self,
        request: Request<pb::BatchGetSavedViewsRequest>,
    ) -> Result<pb::BatchGetSavedViewsResponse, Error> {
        let pb::BatchGetSavedViewsResponse { saved_views } = self.records.batch_get(request).await?;
        Ok(pb::BatchGetSavedViewsResponse { saved_views: saved_views.into_iter().map(told::<K>).collect() })
    }

    /// A page of the caller's views and of those that are shared.
    ///
    /// # Errors
    /// All violations, or the database's.
    pub async fn list(&self, request: Request<pb::ListSavedViewsRequest>) -> Result<pb::ListSavedViewsResponse, Error> {
        let pb::ListSavedViewsResponse { saved_views, next_page_token } = self.records.list(request).await?;
        let saved_views = saved_views.into_iter().map(told::<K>).collect();
        Ok(pb::ListSavedViewsResponse { saved_views, next_page_token })
    }

    /// Streams all of them that match.
    ///
    /// # Errors
    /// As of [`Records::export`].
    pub async fn export(
        &self,
        request: Request<pb::ExportSavedViewsRequest>,
    ) -> Result<Response<SavedViewExport>, Error> {
        let tell: fn(Told) -> Told = |view| view.map(told::<K>);
        Ok(self.records.export(request).await?.map(|views| views.map(tell)))
    }

    /// What was changed of a view, deleted or not, the newest first.
    ///
    /// # Errors
    /// As of [`Records::history`].
    pub async fn history(
        &self,
        request: Request<pb::GetSavedViewHistoryRequest>,
    ) -> Result<pb::GetSavedViewHistoryResponse, Error> {
        self.records.history(request).await
    }

    /// Changes the fields that the request names.
    ///
    /// # Errors
    /// As of [`Records::update`]; or the view is one that this caller may not change.
    pub async fn update(&self, request: Request<pb::UpdateSavedViewRequest>) -> Result<pb::SavedView, Error> {
        let mut change = Change::<SavedView<K>>::of(request)?;
        let mut write = self.records.begin(change.call.clone()).await?;
        let current = self.records.lock_live(&mut write, change.id, &change.etag).await?;
        admit(&write.call, &current.fields)?;
        let fields = change.apply(&current)?;
        Ok(told::<K>(self.records.save(write, current, fields).await?))
    }

    /// Marks the view as deleted.
    ///
    /// # Errors
    /// As of [`Records::delete`]; or the view is one that this caller may not change.
    pub async fn delete(&self, request: Request<pb::DeleteSavedViewRequest>) -> Result<pb::SavedView, Error> {
        let (mut write, id, etag) = self.records.begin_at(request).await?;
        let current = self.records.lock_live(&mut write, id, &etag).await?;
        admit(&write.call, &current.fields)?;
        Ok(told::<K>(self.records.mark(write, id, true).await?))
    }

    /// Takes the mark away, if there is room for the view.
    ///
    /// # Errors
    /// As of [`Records::undelete`]; or the view is one that this caller may not change, or there are too many.
    pub async fn undelete(&self, request: Request<pb::UndeleteSavedViewRequest>) -> Result<pb::SavedView, Error> {
        let (mut write, id, etag) = self.records.begin_at(request).await?;
        self.lock_all(&mut write).await?;
        let current = self.records.lock_deleted(&mut write, id, &etag).await?;
        admit(&write.call, &current.fields)?;
        self.find_room(&mut write, &current.fields).await?;
        Ok(told::<K>(self.records.mark(write, id, false).await?))
    }

    /// Nobody else of the tenant adds a view before the transaction ends: two at once would each count the other's not.
    async fn lock_all(&self, write: &mut Write) -> Result<(), Error> {
        let query = sqlx::query(self.lock.clone()).bind(write.call.tenant);
        write.execute("lock_saved_views", query).await?;
        Ok(())
    }

    /// Whether one more may be there, of its owner and of the tenant.
    async fn find_room(&self, write: &mut Write, view: &Fields) -> Result<(), Error> {
        let query = sqlx::query(self.count.clone()).bind(write.call.tenant).bind(view.owner.clone());
        let (own, shared): (i64, i64) = write.fetch_one("count_saved_views", query).await?;
        if own >= MOST {
            return Err(Error::from(&TOO_MANY));
        }
        if view.is_shared() && shared >= MOST_SHARED { Err(Error::from(&TOO_MANY_SHARED)) } else { Ok(()) }
    }
}

/// Whether the caller may change a view that they see.
fn admit(call: &Call, view: &Fields) -> Result<(), Error> {
    let is_theirs = view.owner == call.caller.subject;
    let rules = matches!(call.caller.role, Role::Admin | Role::Manager);
    if is_theirs || rules { Ok(()) } else { Err(Error::from(&NOT_YOURS)) }
}

/// A page of all views, with the name and the filter of those that may have any of the texts of a person.
pub(super) fn named(kind: &Kind) -> String {
    format!(
        "select id, case when {} then array[name, filter] end from {} where tenant_id = $1 and id > $2 \
         order by id limit $4",
        crate::erasure::names("name || ' ' || filter", 3),
        kind.table
    )
}

/// How many the owner `$2` has, and how many are shared: of a range that is no longer than both limits.
pub(super) fn count(kind: &Kind) -> String {
    format!(
        "select count(*) filter (where owner = $2), count(*) filter (where reader = '') from {} \
         where tenant_id = $1 and reader in ('', $2) and delete_time is null",
        kind.table
    )
}

//! Standard methods of saved views: those of all records, and whose a view is.

use crm_proto::views as pb;
use crm_server::token::Role;
use futures_util::StreamExt as _;
use futures_util::stream::BoxStream;
use sqlx::{AssertSqlSafe, SqlSafeStr, SqlStr};
use tonic::{Request, Response, Status};

use super::rules::{Defined, asked_of, check_filter, has_attributes, told};
use super::{Fields, Keeper, NOT_YOURS, SavedView, TOO_MANY, TOO_MANY_SHARED};
use crate::statements::take_turns;
use crate::{AnyResource, Call, Change, Claim, Error, Kind, New, Records, Store, Violations, Write};

/// Views of one caller, private ones and shared ones.
const MOST: i64 = 100;
/// Shared views of a tenant.
const MOST_SHARED: i64 = 200;

/// What a client reads.
pub type SavedViewExport = BoxStream<'static, Result<pb::SavedView, Status>>;

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
        let call = new.call.clone();
        let view = match self.records.claim(call.clone(), new.request_id).await? {
            Claim::Answered(answer) => answer,
            Claim::First(mut write) => {
                self.check_attributes(&mut write, &new.fields).await?;
                self.lock_all(&mut write).await?;
                self.find_room(&mut write, &new.fields).await?;
                self.records.finish(*write, new).await?
            }
        };
        self.tell(&call, view).await
    }

    /// The view, if it is there for this caller.
    ///
    /// # Errors
    /// It is not, or the database's.
    pub async fn get(&self, request: Request<pb::GetSavedViewRequest>) -> Result<pb::SavedView, Error> {
        let call = Call::of(&request)?;
        let view = self.records.get(request).await?;
        self.tell(&call, view).await
    }

    /// The views with these ids, in their order.
    ///
    /// # Errors
    /// One is not there for this caller, or the database's.
    pub async fn batch_get(
        &self,
        request: Request<pb::BatchGetSavedViewsRequest>,
    ) -> Result<pb::BatchGetSavedViewsResponse, Error> {
        let call = Call::of(&request)?;
        let pb::BatchGetSavedViewsResponse { saved_views } = self.records.batch_get(request).await?;
        Ok(pb::BatchGetSavedViewsResponse { saved_views: self.tell_all(&call, saved_views).await? })
    }

    /// A page of the caller's views and of those that are shared.
    ///
    /// # Errors
    /// All violations, or the database's.
    pub async fn list(&self, request: Request<pb::ListSavedViewsRequest>) -> Result<pb::ListSavedViewsResponse, Error> {
        let call = Call::of(&request)?;
        let pb::ListSavedViewsResponse { saved_views, next_page_token } = self.records.list(request).await?;
        let saved_views = self.tell_all(&call, saved_views).await?;
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
        // Which views come is not known before they do.
        let lists = K::lists().iter().filter(|list| has_attributes(list));
        let defined = self.defined(&Call::of(&request)?, lists).await?;
        let tell = move |view: Result<_, Status>| view.map(|view| told::<K>(view, &defined));
        Ok(self.records.export(request).await?.map(|views| views.map(tell).boxed()))
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
        let (call, fields) = (write.call.clone(), change.apply(&current)?);
        if fields.filter != current.fields.filter {
            self.check_attributes(&mut write, &fields).await?;
        }
        let view = self.records.save(write, current, fields).await?;
        self.tell(&call, view).await
    }

    /// Marks the view as deleted.
    ///
    /// # Errors
    /// As of [`Records::delete`]; or the view is one that this caller may not change.
    pub async fn delete(&self, request: Request<pb::DeleteSavedViewRequest>) -> Result<pb::SavedView, Error> {
        let (mut write, id, etag) = self.records.begin_at(request).await?;
        let current = self.records.lock_live(&mut write, id, &etag).await?;
        admit(&write.call, &current.fields)?;
        let call = write.call.clone();
        let view = self.records.mark(write, id, true).await?;
        self.tell(&call, view).await
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
        let call = write.call.clone();
        let view = self.records.mark(write, id, false).await?;
        self.tell(&call, view).await
    }

    /// Holds what a filter asks of attributes against what is defined, as the list does.
    async fn check_attributes(&self, write: &mut Write, view: &Fields) -> Result<(), Error> {
        let Some(list) = asked_of::<K>(&view.resource, &view.filter) else { return Ok(()) };
        let known = self.records.store.attributes_within(write, list.kind).await?;
        let mut found = Violations::default();
        check_filter(list, &view.filter, Some(&known), "saved_view.filter", &mut found);
        found.finish(())
    }

    async fn defined<'l>(&self, call: &Call, lists: impl Iterator<Item = &'l AnyResource>) -> Result<Defined, Error> {
        let mut defined = Defined::default();
        for list in lists {
            if defined.of(list).is_none() {
                defined.0.push((list.kind.plural, self.records.store.attributes(call, list.kind).await?));
            }
        }
        Ok(defined)
    }

    /// Views with what their lists do not understand of them today.
    async fn tell_all(&self, call: &Call, views: Vec<pb::SavedView>) -> Result<Vec<pb::SavedView>, Error> {
        let lists: Vec<_> = views.iter().filter_map(|view| asked_of::<K>(&view.resource, &view.filter)).collect();
        let defined = self.defined(call, lists.into_iter()).await?;
        Ok(views.into_iter().map(|view| told::<K>(view, &defined)).collect())
    }

    async fn tell(&self, call: &Call, view: pb::SavedView) -> Result<pb::SavedView, Error> {
        let lists = asked_of::<K>(&view.resource, &view.filter).into_iter();
        let defined = self.defined(call, lists).await?;
        Ok(told::<K>(view, &defined))
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

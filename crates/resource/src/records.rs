//! The records of a resource behind their caches: standard methods, and the steps that these are made of.
//!
//! Cached: records by id, also that there is none. Not cached: lists and exports. A list changes with every write to any
//! of its rows, so most of what was kept would be stale or thrown away unread, while an index answers a page in a
//! millisecond.
//!
//! Deleted rows are cached like others and only then left out: an undelete has a version to invalidate by, and a racing
//! fill of "there is none", which has none, cannot come in between.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use crm_cache::Cache;
use crm_database::{Access, TenantTransaction};
use crm_proto::standard::{self, Resource as _};
use crm_server::token::Role;
use sqlx::postgres::PgRow;
use sqlx::{FromRow, Row as _};
use tonic::Request;
use uuid::Uuid;

use crate::attributes::Known;
use crate::entry::{self, Stored, What};
use crate::record::Record;
use crate::request::{Change, single};
use crate::resource::show;
use crate::row::Row;
use crate::select::Selection;
use crate::statements::Statements;
use crate::steps::{Claim, has_attributes};
use crate::{Call, Error, Resource, Store, facets, page, select};

/// The records of one resource; cheap to clone.
#[derive(Debug, Clone)]
pub struct Records<R: Resource> {
    pub(crate) store: Store,
    pub(crate) statements: Arc<Statements>,
    pub(crate) cache: Cache<Stored<R::Message>>,
}

/// Standard methods, for handlers.
impl<R: Resource> Records<R> {
    /// The records in a store.
    pub fn new(store: &Store) -> Self {
        let statements = Statements::new(R::Message::NAME, R::KIND, &row_of::<R>(&R::Fields::default()));
        let policy = entry::policy(R::KIND.plural, R::KIND.cache_bytes, store.first_tier_ttl);
        Self { store: store.clone(), statements: Arc::new(statements), cache: Cache::new(store.redis.clone(), policy) }
    }

    /// Creates a record, or answers what the same request was answered before (AIP-133, 155).
    ///
    /// # Errors
    /// All violations, that the request id was used for another request, what a constraint means, or the database's.
    pub async fn create<Q>(&self, request: Request<Q>) -> Result<R::Message, Error>
    where
        Q: standard::Create<Resource = R::Message>,
    {
        let new = self.read(request).await?;
        match self.claim(new.call.clone(), new.request_id).await? {
            Claim::First(write) => self.finish(*write, new).await,
            Claim::Answered(answer) => Ok(answer),
        }
    }

    /// The record, if it is there and not deleted (AIP-131).
    ///
    /// # Errors
    /// It is not, or the database's.
    pub async fn get<Q>(&self, request: Request<Q>) -> Result<R::Message, Error>
    where
        Q: standard::Get<Resource = R::Message>,
    {
        let (call, id) = (Call::of(&request)?, single(request.get_ref().id())?);
        let load = || async { Ok::<_, Error>(self.load(&call, &[id]).await?.into_values().next()) };
        let found = self.cache.get(&key(call.tenant, id), load).await?;
        let mut found = live::<R>(found.as_ref(), &call, id)?;
        self.veil_all(&call, std::slice::from_mut(&mut found)).await?;
        Ok(found)
    }

    /// A page of records (AIP-132, 158, 160).
    ///
    /// # Errors
    /// All violations, or the database's.
    pub async fn list<Q>(&self, request: Request<Q>) -> Result<Q::Answer, Error>
    where
        Q: standard::List<Resource = R::Message>,
    {
        let call = Call::of(&request)?;
        let page = request.into_inner().page();
        let known = self.known_of(&call, &page.filter).await?;
        let (mut listing, scope) = page::page(R::KIND, call.tenant, &call.caller.subject, &page, &known)?;
        // Under which ids children stand has to be read in the same moment as the children.
        let has_parents = !listing.selection.parents(R::KIND).is_empty();
        let access = if has_parents { Access::Snapshot } else { Access::ReadOnly };
        let mut transaction = self.store.begin(&call, access).await?;
        self.store.widen(&mut transaction, R::KIND, call.tenant, &mut listing.selection).await?;
        self.narrow(&mut transaction, call.tenant, &mut listing.selection).await?;
        let mut query = select::page(R::KIND, &self.statements.select, call.tenant, &listing);
        let name = self.statements.list_name;
        let mut rows = transaction.fetch_all::<Record<R::Fields>>(name, query.build()).await?;
        transaction.commit().await?;
        let position = |last: &Record<R::Fields>| {
            select::Position::of(R::KIND, &last.head, &row_of::<R>(&last.fields), listing.order)
        };
        let next = page::next_page_token(&mut rows, &listing, scope, position)?;
        let mut found: Vec<_> = rows.into_iter().map(Self::message).collect::<Result<_, _>>()?;
        self.veil_all(&call, &mut found).await?;
        Ok(Q::answer(found, next))
    }

    /// Changes the fields that the request names (AIP-134, 154). A change that changes nothing writes nothing, so a
    /// repeated import leaves no trace in versions and times.
    ///
    /// # Errors
    /// The record is not there, its etag is stale, a new value breaks its rule, what a constraint means, or the database's.
    pub async fn update<Q>(&self, request: Request<Q>) -> Result<R::Message, Error>
    where
        Q: standard::Update<Resource = R::Message>,
    {
        let mut change = Change::<R>::of(request)?;
        let mut write = self.begin(change.call.clone()).await?;
        let current = self.lock_live(&mut write, change.id, &change.etag).await?;
        let fields = self.apply(&mut write, &mut change, &current).await?;
        self.save(write, current, fields).await
    }

    /// Marks the record as deleted (AIP-135, 164).
    ///
    /// # Errors
    /// The record is not there, its etag is stale, or the database's.
    pub async fn delete<Q>(&self, request: Request<Q>) -> Result<R::Message, Error>
    where
        Q: standard::Delete + standard::At<Resource = R::Message>,
    {
        let (mut write, id, etag) = self.begin_at(request).await?;
        self.lock_live(&mut write, id, &etag).await?;
        self.mark(write, id, true).await
    }

    /// Takes the mark away (AIP-164).
    ///
    /// # Errors
    /// The record is not there or not deleted, its etag is stale, what a constraint means, or the database's.
    pub async fn undelete<Q>(&self, request: Request<Q>) -> Result<R::Message, Error>
    where
        Q: standard::Undelete + standard::At<Resource = R::Message>,
    {
        let (mut write, id, etag) = self.begin_at(request).await?;
        self.lock_deleted(&mut write, id, &etag).await?;
        self.mark(write, id, false).await
    }
}

impl<R: Resource> Records<R> {
    /// The token of the page that comes after a record, in a list by this filter, without attributes, and in this order.
    ///
    /// # Errors
    /// They are not understood.
    pub fn page_after(
        &self,
        call: &Call,
        (filter, order_by): (&str, &str),
        last: &Record<R::Fields>,
    ) -> Result<String, Error> {
        let asked = standard::Page { filter: filter.to_owned(), order_by: order_by.to_owned(), ..Default::default() };
        let (listing, scope) = page::page(R::KIND, call.tenant, &call.caller.subject, &asked, &Known::none())?;
        let row = row_of::<R>(&last.fields);
        page::token(scope, &select::Position::of(R::KIND, &last.head, &row, listing.order))
    }

    /// A transaction that reads, all of it as of one moment.
    ///
    /// # Errors
    /// The database's.
    pub async fn snapshot(&self, call: &Call) -> Result<TenantTransaction, Error> {
        self.store.begin(call, Access::Snapshot).await
    }

    /// The record as it is now, if it is not deleted; nobody is kept from changing it.
    ///
    /// # Errors
    /// There is none, or the database's.
    pub async fn peek(&self, call: &Call, id: Uuid) -> Result<Record<R::Fields>, Error> {
        let mut transaction = self.store.begin(call, Access::ReadOnly).await?;
        let found = self.find_live(&mut transaction, call.tenant, &[id]).await?;
        transaction.commit().await?;
        found.into_iter().next().ok_or(Error::RefusedFor(R::KIND.not_found, id))
    }

    /// The records with these ids that are not deleted, past the caches, in no order.
    ///
    /// # Errors
    /// The database's.
    pub async fn find_live(
        &self,
        transaction: &mut TenantTransaction,
        tenant: Uuid,
        ids: &[Uuid],
    ) -> Result<Vec<Record<R::Fields>>, Error> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let statement = &self.statements.find;
        let query = sqlx::query(statement.sql.clone()).bind(tenant).bind(ids);
        let mut found = transaction.fetch_all::<Record<R::Fields>>(statement.name, query).await?;
        found.retain(|record| !record.head.is_deleted());
        Ok(found)
    }

    /// Decides how records with the facets that are sought are found.
    pub(crate) async fn narrow(
        &self,
        transaction: &mut TenantTransaction,
        tenant: Uuid,
        selection: &mut Selection,
    ) -> Result<(), Error> {
        facets::narrow(transaction, &self.store.count_facets, tenant, R::KIND, selection).await
    }

    /// The records with these ids, in their order, deleted ones included. Services are answered past the caches: what they
    /// keep of an answer stays, and an entry may be older than a change that they have been told of.
    pub(crate) async fn find(&self, call: &Call, ids: &[Uuid]) -> Result<Vec<Option<Arc<Stored<R::Message>>>>, Error> {
        if call.caller.role == Role::Service {
            let found = self.load(call, ids).await?.into_iter();
            let found: HashMap<String, Arc<_>> = found.map(|(key, stored)| (key, Arc::new(stored))).collect();
            return Ok(ids.iter().map(|id| found.get(&key(call.tenant, *id)).cloned()).collect());
        }
        let keys: Vec<String> = ids.iter().map(|id| key(call.tenant, *id)).collect();
        let load = |missing| async move { self.load(call, &ids_of(missing, ids, call.tenant)).await };
        self.cache.get_many(&keys, load).await
    }

    /// The record with this id, if there is one that is not deleted, past the caches: these tell nobody of an id that was asked
    /// for before it was there.
    ///
    /// # Errors
    /// The database's.
    pub async fn find_one(&self, call: &Call, id: Uuid) -> Result<Option<R::Message>, Error> {
        let mut transaction = self.store.begin(call, Access::ReadOnly).await?;
        let found = self.find_live(&mut transaction, call.tenant, &[id]).await?;
        transaction.commit().await?;
        found.into_iter().next().map(Self::message).transpose()
    }

    /// The attributes by which a filter is read, if it names one.
    pub(crate) async fn known_of(&self, call: &Call, filter: &str) -> Result<Arc<Known>, Error> {
        let names_one = has_attributes::<R>() && filter.contains("attributes.");
        if names_one { self.store.attributes(call, R::KIND).await } else { Ok(Arc::new(Known::none())) }
    }

    /// The message of a record.
    ///
    /// # Errors
    /// It holds what this release does not understand.
    pub fn message(record: Record<R::Fields>) -> Result<R::Message, Error> {
        show::<R>(record.fields, &record.head)
    }

    /// Leaves out values that nobody sees any more.
    ///
    /// # Errors
    /// The database's.
    pub async fn veil_all(&self, call: &Call, messages: &mut [R::Message]) -> Result<(), Error> {
        let has_values = |message: &R::Message| message.attributes().is_some_and(|values| !values.is_empty());
        if !messages.iter().any(has_values) {
            return Ok(());
        }
        let known = self.store.attributes(call, R::KIND).await?;
        messages.iter_mut().filter_map(standard::Resource::attributes_mut).for_each(|values| known.veil(values));
        Ok(())
    }

    pub(crate) async fn load(&self, call: &Call, ids: &[Uuid]) -> Result<HashMap<String, Stored<R::Message>>, Error> {
        let mut transaction = self.store.begin(call, Access::ReadOnly).await?;
        let statement = &self.statements.find;
        let query = sqlx::query(statement.sql.clone()).bind(call.tenant).bind(ids);
        let found = transaction.fetch_all::<Found<R::Fields>>(statement.name, query).await?;
        transaction.commit().await?;
        let entry = |Found { record, winner }: Found<R::Fields>| {
            let (key, version) = (key(call.tenant, record.head.id), record.head.cache_version());
            let what = match winner {
                Some(winner) => What::Merged(winner),
                None if record.head.is_deleted() => What::Deleted(Self::message(record)?),
                None => What::Live(Self::message(record)?),
            };
            Ok((key, Stored { version, what }))
        };
        found.into_iter().map(entry).collect()
    }
}

/// A row, and the record that stands for it, if one does.
struct Found<F> {
    record: Record<F>,
    winner: Option<Uuid>,
}

impl<'r, F: FromRow<'r, PgRow>> FromRow<'r, PgRow> for Found<F> {
    fn from_row(row: &'r PgRow) -> Result<Self, sqlx::Error> {
        // Of what is never merged there is no such column.
        let winner = match row.try_get("merged_into") {
            Err(sqlx::Error::ColumnNotFound(_)) => None,
            winner => winner?,
        };
        Ok(Self { record: Record::from_row(row)?, winner })
    }
}

pub(crate) fn row_of<R: Resource>(fields: &R::Fields) -> Row {
    let mut row = Row::default();
    R::columns(fields, &mut row);
    row
}

pub(crate) fn live<R: Resource>(
    found: Option<&Arc<Stored<R::Message>>>,
    call: &Call,
    id: Uuid,
) -> Result<R::Message, Error> {
    let found = found.and_then(|found| found.live()).filter(|message| is_for::<R>(message, call));
    found.cloned().ok_or(Error::RefusedFor(R::KIND.not_found, id))
}

/// Whether the caller may know that it is there. The caches hold what is anybody's.
pub(crate) fn is_for<R: Resource>(message: &R::Message, call: &Call) -> bool {
    R::reader(message).is_none_or(|reader| reader == call.caller.subject)
}

/// The tenant first: no key of one tenant can name a record of another. The caches put their names in front.
pub(crate) fn key(tenant: Uuid, id: Uuid) -> String {
    format!("{}:{}", tenant.simple(), id.simple())
}

/// The ids whose keys are among `missing`.
fn ids_of(missing: Vec<String>, ids: &[Uuid], tenant: Uuid) -> Vec<Uuid> {
    let missing: HashSet<String> = missing.into_iter().collect();
    ids.iter().copied().filter(|id| missing.contains(&key(tenant, *id))).collect()
}

//! The steps that standard methods are made of, for what has rules of its own: it calls them in an order of its own.

use std::sync::Arc;

use crm_proto::standard::{self, Resource as _};
use prost::Message;
use sqlx::postgres::{PgArguments, PgRow};
use sqlx::query::Query;
use sqlx::{FromRow, Postgres};
use tonic::Request;
use uuid::Uuid;

use crate::attributes::{Known, Values, check_all};
use crate::journal::Difference;
use crate::record::{Head, Record};
use crate::records::{Records, is_for, key, row_of};
use crate::refusal::ETAG_MISMATCH;
use crate::request::{Change, New, RequestId, single};
use crate::resource::{headed, show_fields};
use crate::row::Row;
use crate::search::{self, terms_of};
use crate::statements::Statement;
use crate::tags::admit;
use crate::write::Write;
use crate::{Call, Error, Resource, Violations, facets};

/// What a claimed request id leads to.
#[derive(Debug)]
pub enum Claim<M> {
    /// Nobody has done it yet.
    First(Box<Write>),
    /// It was answered so before.
    Answered(M),
}

/// A row, and what is written beside it.
struct Written {
    row: Row,
    terms: search::Changed,
    facets: facets::Changed,
}

impl Written {
    fn between<R: Resource>(before: Option<&R::Fields>, after: &R::Fields, known: Option<&Known>) -> Self {
        let terms = search::Changed::between::<R>(before, after);
        let facets = facets::Changed::between::<R>(before, after).and_attributes::<R>(known, before, after);
        Self { row: row_of::<R>(after), terms, facets }
    }

    fn bind(self, query: Query<'_, Postgres, PgArguments>) -> Query<'_, Postgres, PgArguments> {
        self.facets.bind(self.terms.bind(self.row.bind(query)))
    }
}

impl<R: Resource> Records<R> {
    /// A transaction that writes.
    ///
    /// # Errors
    /// The database's.
    pub async fn begin(&self, call: Call) -> Result<Write, Error> {
        self.store.write(call).await
    }

    /// A transaction, and which record in which state the request names.
    ///
    /// # Errors
    /// The id is none, or the database's.
    pub async fn begin_at<Q>(&self, request: Request<Q>) -> Result<(Write, Uuid, String), Error>
    where
        Q: standard::At<Resource = R::Message>,
    {
        let call = Call::of(&request)?;
        let (id, etag) = request.into_inner().parts();
        let id = single(&id)?;
        Ok((self.begin(call).await?, id, etag))
    }

    /// A transaction that has the request id for itself; or what the same request was answered before.
    ///
    /// # Errors
    /// The id was used for another request, or the database's.
    pub async fn claim(&self, call: Call, request: RequestId) -> Result<Claim<R::Message>, Error> {
        let mut write = self.begin(call).await?;
        let Some(answer) = self.store.earlier_answer(&mut write, request).await? else {
            return Ok(Claim::First(Box::new(write)));
        };
        let answer = R::Message::decode(answer.as_slice());
        answer.map(Claim::Answered).map_err(|_| Error::Inconsistent("a kept answer does not decode"))
    }

    /// The record in its latest state, deleted or not, which nobody else changes before the transaction ends.
    ///
    /// # Errors
    /// There is none for this caller, or the database's.
    pub async fn lock(&self, write: &mut Write, id: Uuid) -> Result<Record<R::Fields>, Error> {
        let statement = &self.statements.lock;
        let query = sqlx::query(statement.sql.clone()).bind(write.call.tenant).bind(id);
        let found: Option<Record<R::Fields>> = write.fetch_optional(statement.name, query).await?;
        let found = found.ok_or(Error::RefusedFor(R::KIND.not_found, id))?;
        if R::KIND.private && !is_for::<R>(&show_fields::<R>(found.fields.clone())?, &write.call) {
            return Err(Error::RefusedFor(R::KIND.not_found, id));
        }
        Ok(found)
    }

    /// As [`lock`](Self::lock), a record that is not deleted, in the state that the caller saw.
    ///
    /// # Errors
    /// There is none, its etag is stale, or the database's.
    pub async fn lock_live(&self, write: &mut Write, id: Uuid, etag: &str) -> Result<Record<R::Fields>, Error> {
        let current = self.lock(write, id).await?;
        if current.head.is_deleted() {
            return Err(self.absent(write, id, Error::RefusedFor(R::KIND.not_found, id)).await);
        }
        if current.head.etag().admits(etag) { Ok(current) } else { Err(Error::from(&ETAG_MISMATCH)) }
    }

    /// As [`lock`](Self::lock), a record that is deleted, in the state that the caller saw.
    ///
    /// # Errors
    /// There is none, it is not deleted, its etag is stale, or the database's.
    pub async fn lock_deleted(&self, write: &mut Write, id: Uuid, etag: &str) -> Result<Record<R::Fields>, Error> {
        let current = self.lock(write, id).await?;
        if !current.head.is_deleted() {
            return Err(Error::from(R::KIND.not_deleted));
        }
        let tenant = write.call.tenant;
        if let Some(winner) = self.winner_of(write, tenant, id).await? {
            return Err(Error::Merged { id, winner });
        }
        if current.head.etag().admits(etag) { Ok(current) } else { Err(Error::from(&ETAG_MISMATCH)) }
    }

    /// Whether the record is there and not deleted; if so, it stays until the transaction ends.
    ///
    /// # Errors
    /// The database's.
    pub async fn hold(&self, write: &mut Write, id: Uuid) -> Result<bool, Error> {
        let statement = &self.statements.hold;
        let query = sqlx::query(statement.sql.clone()).bind(write.call.tenant).bind(id);
        Ok(write.fetch_optional::<(Uuid,)>(statement.name, query).await?.is_some())
    }

    /// Adds a record.
    ///
    /// # Errors
    /// Violations of attributes, what a constraint means, or the database's.
    pub async fn insert(&self, write: &mut Write, id: Uuid, fields: &R::Fields) -> Result<Record<R::Fields>, Error> {
        self.hold_values(write, fields, None).await?;
        let (head, _) = self.insert_shown(write, id, fields.clone()).await?;
        Ok(Record { head, fields: fields.clone() })
    }

    /// Writes all fields of a locked record.
    ///
    /// # Errors
    /// As of [`insert`](Self::insert).
    pub async fn replace(
        &self,
        write: &mut Write,
        current: &Record<R::Fields>,
        fields: &R::Fields,
    ) -> Result<Record<R::Fields>, Error> {
        let (head, _) = self.replace_shown(write, current.clone(), fields.clone()).await?;
        Ok(Record { head, fields: fields.clone() })
    }

    /// Marks a locked record as deleted, or takes the mark away.
    ///
    /// # Errors
    /// As of [`insert`](Self::insert).
    pub async fn set_deleted(&self, write: &mut Write, id: Uuid, deleted: bool) -> Result<Record<R::Fields>, Error> {
        if deleted {
            self.check_moved(write, id).await?;
        }
        self.set_deleted_as(write, id, deleted, Difference::default()).await
    }

    /// The same, and the journal says on top what has changed.
    pub(crate) async fn set_deleted_as(
        &self,
        write: &mut Write,
        id: Uuid,
        deleted: bool,
        difference: Difference,
    ) -> Result<Record<R::Fields>, Error> {
        let statement = &self.statements.set_deleted;
        let query = sqlx::query(statement.sql.clone()).bind(write.call.tenant).bind(id).bind(deleted);
        let query = difference.bind(query, &write.call);
        let changed: Record<R::Fields> = self.change(write, statement.name, query).await?;
        self.mark_terms(write, &changed, deleted).await?;
        self.touch(write, &changed.head);
        Ok(changed)
    }

    /// What is deleted has no terms. Seldom enough for a statement of its own.
    async fn mark_terms(&self, write: &mut Write, record: &Record<R::Fields>, deleted: bool) -> Result<(), Error> {
        if R::KIND.terms.is_empty() {
            return Ok(());
        }
        let terms = &self.store.terms;
        let (name, sql) = if deleted { ("remove_terms", &terms.remove) } else { ("add_terms", &terms.add) };
        let query = sqlx::query(sql.clone()).bind(write.call.tenant).bind(record.head.id);
        write.execute(name, query.bind(terms_of::<R>(&record.fields))).await?;
        Ok(())
    }

    /// What a request wants created, by the attributes that its tenant has defined.
    ///
    /// # Errors
    /// All violations, that nobody knows who calls, or the database's.
    pub async fn read<Q>(&self, request: Request<Q>) -> Result<New<R>, Error>
    where
        Q: standard::Create<Resource = R::Message>,
    {
        let call = Call::of(&request)?;
        let known = if has_attributes::<R>() { Some(self.store.attributes(&call, R::KIND).await?) } else { None };
        New::read_by(call, request.into_inner(), known)
    }

    /// The fields of a locked record after a change, by the attributes that its tenant has defined: these stay as they are
    /// until the transaction ends.
    ///
    /// # Errors
    /// All violations, or the database's.
    pub async fn apply(
        &self,
        write: &mut Write,
        change: &mut Change<R>,
        current: &Record<R::Fields>,
    ) -> Result<R::Fields, Error> {
        if !change.means_attributes(current) {
            return change.apply(current);
        }
        let known = self.store.hold_attributes(write, R::KIND).await?;
        change.apply_by(current, &known)
    }

    /// Whether values of attributes are right by the definitions as they are now, which stay until the transaction ends. What
    /// was read by these very definitions is.
    async fn hold_values(&self, write: &mut Write, fields: &R::Fields, checked: Option<&Known>) -> Result<(), Error> {
        let Some(values) = R::attributes(fields).filter(|values| !values.is_empty() || checked.is_none()) else {
            return Ok(());
        };
        let known = self.store.hold_attributes(write, R::KIND).await?;
        if checked.is_some_and(|checked| checked.version == known.version) {
            return Ok(());
        }
        let mut found = Violations::default();
        check_all(&format!("{}.attributes", R::Message::NAME), &known, values.clone(), &mut found);
        found.finish(())
    }

    /// Without values that nobody sees any more.
    pub(crate) async fn veil(&self, write: &mut Write, mut message: R::Message) -> Result<R::Message, Error> {
        if let Some(values) = message.attributes_mut().filter(|values| !values.is_empty()) {
            self.store.attributes_within(write, R::KIND).await?.veil(values);
        }
        Ok(message)
    }

    /// The last step of a creation: adds the record, keeps the answer, commits.
    ///
    /// # Errors
    /// As of [`insert`](Self::insert); or a tag that it is given is not there, or violations of attributes, where a definition
    /// has changed meanwhile.
    pub async fn finish(&self, mut write: Write, mut new: New<R>) -> Result<R::Message, Error> {
        admit::<R>(&mut write, &self.store.tags.hold, None, &mut new.fields).await?;
        self.hold_values(&mut write, &new.fields, new.known.as_deref()).await?;
        let (head, message) = self.insert_shown(&mut write, new.id, new.fields).await?;
        let answer = headed(message, &head);
        self.store.keep_answer(&mut write, new.request_id, &answer.encode_to_vec()).await?;
        write.commit().await?;
        Ok(answer)
    }

    /// The last step of a change: writes the fields if they differ, and commits.
    ///
    /// # Errors
    /// As of [`insert`](Self::insert); or a tag that it is given is not there.
    pub async fn save(
        &self,
        mut write: Write,
        mut current: Record<R::Fields>,
        mut fields: R::Fields,
    ) -> Result<R::Message, Error> {
        if fields == current.fields {
            let message = Self::message(current)?;
            return self.veil(&mut write, message).await;
        }
        admit::<R>(&mut write, &self.store.tags.hold, Some(&mut current.fields), &mut fields).await?;
        let (head, message) = self.replace_shown(&mut write, current, fields).await?;
        let message = self.veil(&mut write, message).await?;
        write.commit().await?;
        Ok(headed(message, &head))
    }

    /// The last step of a deletion, and of the way back: sets or takes the mark, and commits.
    ///
    /// # Errors
    /// As of [`insert`](Self::insert).
    pub async fn mark(&self, mut write: Write, id: Uuid, deleted: bool) -> Result<R::Message, Error> {
        let record = self.set_deleted(&mut write, id, deleted).await?;
        let message = Self::message(record)?;
        let message = self.veil(&mut write, message).await?;
        write.commit().await?;
        Ok(message)
    }

    /// Which attributes filter, and do until the transaction ends, if values of some change.
    async fn filtering(
        &self,
        write: &mut Write,
        before: Option<&R::Fields>,
        after: &R::Fields,
    ) -> Result<Option<Arc<Known>>, Error> {
        let (before, after) = (before.and_then(R::attributes), R::attributes(after));
        let is_same = match before {
            Some(_) => before == after,
            None => after.is_none_or(Values::is_empty),
        };
        if is_same { Ok(None) } else { self.store.hold_attributes(write, R::KIND).await.map(Some) }
    }

    /// Adds a record, and shows its fields: the journal and the answer say the same of them.
    async fn insert_shown(&self, write: &mut Write, id: Uuid, fields: R::Fields) -> Result<(Head, R::Message), Error> {
        let known = self.filtering(write, None, &fields).await?;
        let row = Written::between::<R>(None, &fields, known.as_deref());
        let message = show_fields::<R>(fields)?;
        let difference = Difference::between(None, &message);
        Ok((self.write_row(write, &self.statements.insert, id, row, difference).await?, message))
    }

    /// Writes all fields of a locked record, and shows them.
    async fn replace_shown(
        &self,
        write: &mut Write,
        current: Record<R::Fields>,
        fields: R::Fields,
    ) -> Result<(Head, R::Message), Error> {
        let known = self.filtering(write, Some(&current.fields), &fields).await?;
        let row = Written::between::<R>(Some(&current.fields), &fields, known.as_deref());
        let (before, message) = (show_fields::<R>(current.fields)?, show_fields::<R>(fields)?);
        let difference = Difference::between(Some(&before), &message);
        Ok((self.write_row(write, &self.statements.update, current.head.id, row, difference).await?, message))
    }

    async fn write_row(
        &self,
        write: &mut Write,
        statement: &Statement,
        id: Uuid,
        row: Written,
        difference: Difference,
    ) -> Result<Head, Error> {
        let query = row.bind(sqlx::query(statement.sql.clone()).bind(write.call.tenant).bind(id));
        let query = difference.bind(query, &write.call);
        let head = self.change(write, statement.name, query).await?;
        self.touch(write, &head);
        Ok(head)
    }

    async fn change<T>(
        &self,
        write: &mut Write,
        name: &'static str,
        query: Query<'_, Postgres, PgArguments>,
    ) -> Result<T, Error>
    where
        T: for<'r> FromRow<'r, PgRow> + Send + Unpin,
    {
        write.fetch_one(name, query).await.map_err(|error| refused(R::KIND, error))
    }

    pub(crate) fn touch(&self, write: &mut Write, head: &Head) {
        write.touch(&self.cache, key(write.call.tenant, head.id), head.cache_version());
    }

    /// A record has this version once the transaction has been committed.
    pub(crate) fn touch_version(&self, write: &mut Write, id: Uuid, version: i64) {
        write.touch(&self.cache, key(write.call.tenant, id), u64::try_from(version).unwrap_or_default());
    }
}

/// Whether tenants may define attributes for such records.
pub(crate) fn has_attributes<R: Resource>() -> bool {
    R::attributes(&R::Fields::default()).is_some()
}

/// What a named constraint says is wrong.
fn refused(kind: &crate::Kind, error: crm_database::Error) -> Error {
    let meaning = kind.constraints.iter().find(|(constraint, _)| error.constraint() == Some(constraint));
    meaning.map_or(Error::Database(error), |(_, refusal)| Error::Refused(refusal))
}

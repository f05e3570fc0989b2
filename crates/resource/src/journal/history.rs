//! The history of a record.

use crm_database::page::{self as pages, Scope};
use crm_database::{Access, TenantTransaction};
use crm_proto::standard::{History, Past};
use crm_values::parse_id;
use time::OffsetDateTime;
use tonic::Request;
use uuid::Uuid;

use super::entry::Entry;
use crate::erasure::Tombstone;
use crate::page::flaw;
use crate::record::Record;
use crate::records::is_for;
use crate::resource::timestamp;
use crate::{Call, Error, Records, Resource, Violations};

impl<R: Resource> Records<R> {
    /// What was changed of a record, deleted or not, the newest first.
    ///
    /// # Errors
    /// All violations, that there is no such record, or the database's.
    pub async fn history<Q>(&self, request: Request<Q>) -> Result<Q::Answer, Error>
    where
        Q: History<Resource = R::Message>,
    {
        let call = Call::of(&request)?;
        let (id, size, token) = request.into_inner().parts();
        let mut found = Violations::default();
        let id = found.check("id", parse_id(&id));
        let size = found.check("page_size", pages::page_size(size).map_err(|error| flaw(&error)));
        let scope = Scope::new(call.tenant, &["history", R::KIND.plural, &id.to_string()]);
        let before = pages::decode::<i64>(scope, &token).map_err(|error| flaw(&error));
        let before = found.check("page_token", before);
        found.finish(())?;
        if R::KIND.private {
            self.check_reader(&call, id).await?;
        }

        let mut transaction = self.store.begin(&call, Access::ReadOnly).await?;
        let mut entries = self.entries_before(&mut transaction, call.tenant, id, before, size + 1).await?;
        let has_more = entries.len() > size as usize;
        entries.truncate(size as usize);
        if R::KIND.person && self.erasure(&mut transaction, call.tenant, id).await? == Some(Tombstone::Begun) {
            entries.iter_mut().for_each(Entry::erase);
        }
        let first = match entries.last() {
            Some(last) if !has_more => Some((last.version, last.change_time)),
            Some(_) => self.oldest(&mut transaction, call.tenant, id).await?,
            None => {
                self.check_known(&mut transaction, call.tenant, id).await?;
                None
            }
        };
        transaction.commit().await?;
        let next = entries.last().filter(|_| has_more).map(|last| pages::encode(scope, &last.version));
        let next = next.transpose().map_err(|_| Error::Inconsistent("a position has no text form"))?;
        let changes: Result<_, Error> = entries.into_iter().map(Entry::message).collect();
        Ok(Q::answer(Past {
            changes: changes?,
            next_page_token: next.unwrap_or_default(),
            begin_time: first.map(|(_, time)| timestamp(time)),
            complete: first.is_some_and(|(version, _)| version == 1),
        }))
    }

    /// What led to the versions before this one, the newest first.
    pub(crate) async fn entries_before(
        &self,
        transaction: &mut TenantTransaction,
        tenant: Uuid,
        id: Uuid,
        version: Option<i64>,
        limit: u32,
    ) -> Result<Vec<Entry>, Error> {
        let query = sqlx::query(self.store.journal.history.clone()).bind(tenant).bind(R::KIND.plural).bind(id);
        let query = query.bind(version.unwrap_or(i64::MAX)).bind(i64::from(limit));
        Ok(transaction.fetch_all(self.statements.history_name, query).await?)
    }

    /// The oldest change that is kept: the version since, and when.
    async fn oldest(
        &self,
        transaction: &mut TenantTransaction,
        tenant: Uuid,
        id: Uuid,
    ) -> Result<Option<(i64, OffsetDateTime)>, Error> {
        let query = sqlx::query(self.store.journal.oldest.clone()).bind(tenant).bind(R::KIND.plural).bind(id);
        Ok(transaction.fetch_optional("find_oldest_change", query).await?)
    }

    /// What was never anybody else's has no history for them, either.
    async fn check_reader(&self, call: &Call, id: Uuid) -> Result<(), Error> {
        let found = self.find(call, &[id]).await?.into_iter().flatten();
        // Of what was merged nothing is kept that could say whose it is; only what is anybody's is merged.
        let mut is_shown = found.map(|found| found.message().is_none_or(|message| is_for::<R>(message, call)));
        if is_shown.any(|it| it) { Ok(()) } else { Err(Error::RefusedFor(R::KIND.not_found, id)) }
    }

    /// A record that is older than its journal has no history; one that never was has none, either.
    async fn check_known(&self, transaction: &mut TenantTransaction, tenant: Uuid, id: Uuid) -> Result<(), Error> {
        let statement = &self.statements.find;
        let query = sqlx::query(statement.sql.clone()).bind(tenant).bind(vec![id]);
        let found: Option<Record<R::Fields>> = transaction.fetch_optional(statement.name, query).await?;
        found.map(drop).ok_or(Error::RefusedFor(R::KIND.not_found, id))
    }
}

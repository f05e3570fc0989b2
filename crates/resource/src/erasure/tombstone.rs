//! What says that a record was erased, and nothing else of it.

use crm_database::{Access, TenantTransaction};
use uuid::Uuid;

use crate::{Call, Error, Records, Resource, Write};

/// How far an erasure has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tombstone {
    /// The record is there still, deleted for good.
    Begun,
    /// Nothing is left.
    Ended,
}

impl<R: Resource> Records<R> {
    /// Notes that these records are being erased, by whoever the transaction is for. Again, if they are: the first one says
    /// when.
    ///
    /// # Errors
    /// The database's.
    pub async fn begin_erasure(&self, write: &mut Write, ids: &[Uuid]) -> Result<(), Error> {
        let query = sqlx::query(self.store.erasure.begin.clone()).bind(write.call.tenant).bind(R::KIND.plural);
        let query = query.bind(ids.to_vec()).bind(write.call.caller.subject.clone());
        write.execute("begin_erasure", query).await?;
        Ok(())
    }

    /// Notes that nothing is left of these.
    ///
    /// # Errors
    /// The database's.
    pub async fn end_erasure(&self, write: &mut Write, ids: &[Uuid]) -> Result<(), Error> {
        let query = sqlx::query(self.store.erasure.end.clone()).bind(write.call.tenant).bind(R::KIND.plural);
        write.execute("end_erasure", query.bind(ids.to_vec())).await?;
        Ok(())
    }

    /// Whether the record was erased, or is being erased.
    ///
    /// # Errors
    /// The database's.
    pub async fn erasure(
        &self,
        transaction: &mut TenantTransaction,
        tenant: Uuid,
        id: Uuid,
    ) -> Result<Option<Tombstone>, Error> {
        let query = sqlx::query(self.store.erasure.find.clone()).bind(tenant).bind(R::KIND.plural).bind(id);
        let found: Option<(bool,)> = transaction.fetch_optional("find_erasure", query).await?;
        Ok(found.map(|(has_ended,)| if has_ended { Tombstone::Ended } else { Tombstone::Begun }))
    }

    /// The result, but of a record that is not there because it was erased, that it was: `refusal` says so.
    ///
    /// # Errors
    /// Those of the result, or the database's.
    pub async fn or_erased<T>(
        &self,
        call: &Call,
        result: Result<T, Error>,
        refusal: &'static crate::Refusal,
    ) -> Result<T, Error> {
        let id = match &result {
            Err(Error::RefusedFor(missing, id)) if *missing == R::KIND.not_found => *id,
            _ => return result,
        };
        let mut transaction = self.store.begin(call, Access::ReadOnly).await?;
        let found = self.erasure(&mut transaction, call.tenant, id).await?;
        transaction.commit().await?;
        if found.is_some() { Err(Error::RefusedFor(refusal, id)) } else { result }
    }
}

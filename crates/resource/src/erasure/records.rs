//! Records that go for good, with what the journal has of them.

use std::collections::BTreeMap;

use serde_json::Value;
use uuid::Uuid;

use super::Named;
use crate::journal::Difference;
use crate::records::key;
use crate::{Error, Records, Resource, Write};

impl<R: Resource> Records<R> {
    /// Removes the rows of these records and all values that the journal has of them, and tells those who follow it that
    /// they were erased. Answers how many there were. Terms are taken from a record when it is deleted: it has to be, if its
    /// kind has any.
    ///
    /// # Errors
    /// The database's.
    pub async fn erase(&self, write: &mut Write, ids: &[Uuid]) -> Result<i64, Error> {
        let statement = &self.statements.erase;
        let query = sqlx::query(statement.sql.clone()).bind(write.call.tenant).bind(ids.to_vec());
        let query = Difference::default().bind(query, &write.call);
        let gone: Vec<(Uuid, i64)> = write.fetch_all(statement.name, query).await?;
        for (id, version) in &gone {
            let key = key(write.call.tenant, *id);
            write.touch(&self.cache, key, u64::try_from(*version).unwrap_or_default());
        }
        self.erase_changes(write, ids).await?;
        Ok(i64::try_from(gone.len()).unwrap_or(i64::MAX))
    }

    /// The record, and those that were merged into it: their rows are about the same.
    ///
    /// # Errors
    /// The database's.
    pub async fn with_merged(&self, write: &mut Write, id: Uuid) -> Result<Vec<Uuid>, Error> {
        let query = sqlx::query(self.store.erasure.merged.clone()).bind(write.call.tenant).bind(R::KIND.plural);
        let merged: Vec<(Uuid,)> = write.fetch_all("find_merged_records", query.bind(id)).await?;
        Ok(std::iter::once(id).chain(merged.into_iter().map(|(id,)| id)).collect())
    }

    /// Takes what the merges of these records kept, to be undone by; that they were merged stays, for whoever asks for one.
    ///
    /// # Errors
    /// The database's.
    pub async fn erase_merges(&self, write: &mut Write, ids: &[Uuid]) -> Result<(), Error> {
        let query = sqlx::query(self.store.erasure.forget_taken.clone()).bind(write.call.tenant).bind(R::KIND.plural);
        write.execute("erase_merges", query.bind(ids.to_vec())).await?;
        Ok(())
    }

    /// Takes the values from what the journal has of these records, which may be there or not.
    ///
    /// # Errors
    /// The database's.
    pub async fn erase_changes(&self, write: &mut Write, ids: &[Uuid]) -> Result<(), Error> {
        let query = sqlx::query(self.store.erasure.changes.clone()).bind(R::KIND.plural).bind(ids.to_vec());
        write.fetch_one::<(i64,)>("erase_changes", query).await?;
        Ok(())
    }

    /// Records that stood for these once, and do no more, as their histories tell.
    ///
    /// # Errors
    /// The database's.
    pub async fn stood_for(&self, write: &mut Write, ids: &[Uuid]) -> Result<Vec<Uuid>, Error> {
        let query = sqlx::query(self.store.erasure.stood_for.clone()).bind(write.call.tenant).bind(R::KIND.plural);
        let found: Vec<(Uuid,)> = write.fetch_all("find_past_winners", query.bind(ids.to_vec())).await?;
        Ok(found.into_iter().map(|(id,)| id).collect())
    }

    /// Takes the values from those entries of these records that name the person.
    ///
    /// # Errors
    /// The database's.
    pub async fn erase_named_entries(&self, write: &mut Write, ids: &[Uuid], named: &Named) -> Result<(), Error> {
        if ids.is_empty() || named.is_empty() {
            return Ok(());
        }
        let query = sqlx::query(self.store.erasure.named_entries.clone()).bind(write.call.tenant).bind(R::KIND.plural);
        let query = query.bind(ids.to_vec()).bind(named.texts());
        let entries: Vec<(Uuid, i64, Value)> = write.fetch_all("find_named_entries", query).await?;
        let mut versions: BTreeMap<Uuid, Vec<i64>> = BTreeMap::new();
        for (id, version, _) in entries.into_iter().filter(|(_, _, personal)| named.is_in_json(personal)) {
            versions.entry(id).or_default().push(version);
        }
        for (id, versions) in versions {
            let query = sqlx::query(self.store.erasure.entries.clone()).bind(R::KIND.plural).bind(id).bind(versions);
            write.fetch_one::<(i64,)>("erase_entries", query).await?;
        }
        Ok(())
    }

    /// What these fields, which are lists of texts, ever held of these records, as far as the journal knows.
    ///
    /// # Errors
    /// The database's.
    pub async fn named_by(&self, write: &mut Write, ids: &[Uuid], fields: &[&str]) -> Result<Named, Error> {
        let fields: Vec<String> = fields.iter().map(|field| (*field).to_owned()).collect();
        let query = sqlx::query(self.store.erasure.values.clone()).bind(write.call.tenant).bind(R::KIND.plural);
        let found: Vec<(String,)> =
            write.fetch_all("find_erased_values", query.bind(ids.to_vec()).bind(fields)).await?;
        Ok(Named::default().and(found.iter().map(|(text,)| text.as_str())))
    }
}

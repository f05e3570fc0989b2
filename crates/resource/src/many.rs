//! The steps of writing for many records at once: a statement each, whatever their number.

use std::collections::HashSet;

use crm_telemetry::propagation::traceparent;
use serde_json::Value;
use tracing::Span;
use uuid::Uuid;

use crate::attributes::{Known, Values};
use crate::facets;
use crate::journal::Difference;
use crate::record::{Head, Record};
use crate::records::{Records, row_of};
use crate::resource::show_fields;
use crate::search::terms_of;
use crate::{Error, Refusal, Resource, Write};

impl<R: Resource> Records<R> {
    /// Adds records, in the order given, each with its terms, its facets and its entry in the journal. Those that a unique
    /// constraint refuses, or whose ids are there, are left out: answers the ids of the others. Whoever read them has looked
    /// at their attributes by the definitions that this transaction holds.
    ///
    /// # Errors
    /// The database's.
    pub async fn insert_many<'f>(
        &self,
        write: &mut Write,
        records: impl IntoIterator<Item = (Uuid, &'f R::Fields)>,
    ) -> Result<HashSet<Uuid>, Error>
    where
        R::Fields: 'f,
    {
        let records: Vec<(Uuid, &R::Fields)> = records.into_iter().collect();
        let has_values = |fields: &R::Fields| R::attributes(fields).is_some_and(|values: &Values| !values.is_empty());
        let known = match records.iter().any(|(_, fields)| has_values(fields)) {
            true => Some(self.store.hold_attributes(write, R::KIND).await?),
            false => None,
        };
        let rows = records.into_iter().map(|(id, fields)| row::<R>(id, fields, known.as_deref()));
        let rows: Vec<Value> = rows.collect::<Result<_, _>>()?;
        if rows.is_empty() {
            return Ok(HashSet::new());
        }
        check_many::<R>()?;
        let statement = &self.statements.many.insert;
        let query = sqlx::query(statement.sql.clone()).bind(write.call.tenant).bind(Value::Array(rows).to_string());
        let (subject, role) = (write.call.caller.subject.clone(), write.call.caller.role.as_str());
        let query = query.bind(subject).bind(role).bind(traceparent(&Span::current()));
        let added: Vec<(Uuid,)> = write.fetch_all(statement.name, query).await?;
        for (id,) in &added {
            self.forget(write, *id, 1);
        }
        Ok(added.into_iter().map(|(id,)| id).collect())
    }

    /// Those of these records that are there, deleted or not, in the order of their ids: nobody else changes them before the
    /// transaction ends.
    ///
    /// # Errors
    /// The database's.
    pub async fn lock_many(&self, write: &mut Write, ids: &[Uuid]) -> Result<Vec<Record<R::Fields>>, Error> {
        let statement = &self.statements.many.lock;
        let query = sqlx::query(statement.sql.clone()).bind(write.call.tenant).bind(ids);
        Ok(write.fetch_all(statement.name, query).await?)
    }

    /// Those of these records that are there and not deleted; they stay until the transaction ends.
    ///
    /// # Errors
    /// The database's.
    pub async fn hold_many(&self, write: &mut Write, ids: &[Uuid]) -> Result<HashSet<Uuid>, Error> {
        if ids.is_empty() {
            return Ok(HashSet::new());
        }
        let statement = &self.statements.many.hold;
        let query = sqlx::query(statement.sql.clone()).bind(write.call.tenant).bind(ids);
        let held: Vec<(Uuid,)> = write.fetch_all(statement.name, query).await?;
        Ok(held.into_iter().map(|(id,)| id).collect())
    }

    /// Those of these records that are there and not deleted. Nobody holds them.
    ///
    /// # Errors
    /// The database's.
    pub async fn live_many(&self, write: &mut Write, ids: &[Uuid]) -> Result<HashSet<Uuid>, Error> {
        let tenant = write.call.tenant;
        Ok(self.find_live(write, tenant, ids).await?.into_iter().map(|record| record.head.id).collect())
    }

    /// Marks locked records as deleted.
    ///
    /// # Errors
    /// The database's.
    pub async fn delete_many(&self, write: &mut Write, records: &[Record<R::Fields>]) -> Result<(), Error> {
        check_many::<R>()?;
        let ids: Vec<Uuid> = records.iter().map(|record| record.head.id).collect();
        let statement = &self.statements.many.delete;
        let mut query = sqlx::query(statement.sql.clone()).bind(write.call.tenant).bind(ids);
        if !R::KIND.terms.is_empty() {
            let terms = |record: &Record<R::Fields>| {
                terms_of::<R>(&record.fields).into_iter().zip(std::iter::repeat(record.head.id))
            };
            let (terms, of): (Vec<String>, Vec<Uuid>) = records.iter().flat_map(terms).unzip();
            query = query.bind(terms).bind(of);
        }
        let query = Difference::default().bind(query, &write.call);
        let gone: Vec<Head> = write.fetch_all(statement.name, query).await?;
        for head in gone {
            self.forget(write, head.id, head.cache_version());
        }
        Ok(())
    }

    fn forget(&self, write: &mut Write, id: Uuid, version: u64) {
        write.touch(&self.cache, crate::records::key(write.call.tenant, id), version);
    }

    /// What it means that a record is not added: its unique constraint.
    pub(crate) fn taken() -> Option<&'static Refusal> {
        let unique = R::KIND.constraints.iter().find(|(constraint, _)| constraint.ends_with("_key"));
        unique.map(|(_, refusal)| *refusal)
    }
}

/// What is kept beside a deletion, too, is kept by statements that write one record each.
fn check_many<R: Resource>() -> Result<(), Error> {
    const ONE_BY_ONE: Error = Error::Inconsistent("such records are written one by one");
    if R::KIND.deleted_with.is_empty() { Ok(()) } else { Err(ONE_BY_ONE) }
}

/// What a new record is written of.
fn row<R: Resource>(id: Uuid, fields: &R::Fields, known: Option<&Known>) -> Result<Value, Error> {
    const NO_FORM: Error = Error::Inconsistent("a time has no text form");
    let mut row = row_of::<R>(fields).json().map_err(|_| NO_FORM)?;
    let message = show_fields::<R>(fields.clone())?;
    let (changes, personal) = Difference::between(None, &message).parts();
    row.insert("id".to_owned(), id.to_string().into());
    row.insert("search_terms".to_owned(), terms_of::<R>(fields).into());
    let (facets, values) = facets::Changed::between::<R>(None, fields).and_attributes::<R>(known, None, fields).come();
    row.insert("facets".to_owned(), facets.iter().map(Uuid::to_string).collect());
    row.insert("facet_values".to_owned(), values.into());
    row.insert("changes".to_owned(), changes);
    row.insert("personal".to_owned(), personal.unwrap_or(Value::Null));
    Ok(Value::Object(row))
}

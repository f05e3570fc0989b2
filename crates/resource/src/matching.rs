//! Records that a filter means, for operations that change many of them, a batch a step.
//!
//! In the order of their ids, which never change: whatever else happens to a record meanwhile, it comes once at most.

use std::sync::Arc;

use sqlx::{Postgres, QueryBuilder};
use uuid::Uuid;

use crate::attributes::Known;
use crate::kind::Kind;
use crate::record::Record;
use crate::select::{self, Selection};
use crate::steps::has_attributes;
use crate::{Error, Records, Resource, Violations, Write, page};

impl<R: Resource> Records<R> {
    /// Notes what is wrong with a filter.
    pub fn check_filter(filter: &str, found: &mut Violations) {
        page::selection(R::KIND, filter, false, None, found);
    }

    /// The ids of those that match now, the first so many.
    ///
    /// # Errors
    /// The filter is not understood, or the database's.
    pub async fn find_matching(&self, write: &mut Write, filter: &str, at_most: u32) -> Result<Vec<Uuid>, Error> {
        let selection = self.matching(write, filter).await?;
        let tenant = write.call.tenant;
        let mut query = ids(R::KIND, tenant, &selection, at_most);
        let found: Vec<(Uuid,)> = write.fetch_all(self.statements.find_matching_name, query.build()).await?;
        Ok(found.into_iter().map(|(id,)| id).collect())
    }

    /// Those that still match after one id and up to another, the first so many, in their latest state: nobody else changes
    /// them before the transaction ends.
    ///
    /// # Errors
    /// As of [`find_matching`](Self::find_matching).
    pub async fn lock_matching(
        &self,
        write: &mut Write,
        filter: &str,
        (after, last): (Uuid, Uuid),
        at_most: u32,
    ) -> Result<Vec<Record<R::Fields>>, Error> {
        let selection = self.matching(write, filter).await?;
        let tenant = write.call.tenant;
        let mut query = batch(R::KIND, &self.statements.select, tenant, &selection, (after, last), at_most);
        Ok(write.fetch_all(self.statements.lock_matching_name, query.build()).await?)
    }

    async fn matching(&self, write: &mut Write, filter: &str) -> Result<Selection, Error> {
        let known = match has_attributes::<R>() && filter.contains("attributes.") {
            true => self.store.attributes_within(write, R::KIND).await?,
            false => Arc::new(Known::none()),
        };
        let mut selection = page::export_selection(R::KIND, filter, false, &known)?;
        let tenant = write.call.tenant;
        self.store.widen(write, R::KIND, tenant, &mut selection).await?;
        self.narrow(write, tenant, &mut selection).await?;
        Ok(selection)
    }
}

pub(crate) fn ids(kind: &Kind, tenant: Uuid, selection: &Selection, at_most: u32) -> QueryBuilder<Postgres> {
    let mut query = select::select(kind, format!("select id from {}", kind.table), tenant, selection);
    query.push(" order by id limit ").push_bind(i64::from(at_most));
    query
}

pub(crate) fn batch(
    kind: &Kind,
    from: &str,
    tenant: Uuid,
    selection: &Selection,
    (after, last): (Uuid, Uuid),
    at_most: u32,
) -> QueryBuilder<Postgres> {
    let mut query = select::select(kind, from.to_owned(), tenant, selection);
    query.push(" and id > ").push_bind(after).push(" and id <= ").push_bind(last);
    query.push(" order by id limit ").push_bind(i64::from(at_most)).push(" for no key update");
    query
}

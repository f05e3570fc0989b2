//! A search under way: one transaction that reads, a statement for what fits and two for what nearly does.

use std::collections::HashMap;

use crm_database::pattern::after_prefix;
use crm_database::{Access, TenantTransaction};
use crm_values::{Match, Place, Sought, Term, Terms};
use sqlx::SqlStr;
use uuid::Uuid;

use super::{FEW, FIRST};
use crate::{Call, Error, Kind, Record, Records, Resource, Store};

/// Ids of records that may fit, by the name of their kind.
#[derive(Debug, Default)]
pub struct Candidates(HashMap<&'static str, Vec<Uuid>>);

impl Candidates {
    /// Those of a kind, none twice.
    pub fn of(&self, kind: &Kind) -> &[Uuid] {
        self.0.get(kind.plural).map(Vec::as_slice).unwrap_or_default()
    }

    pub(super) fn add(&mut self, kind: &'static Kind, id: Uuid) {
        let ids = self.0.entry(kind.plural).or_default();
        if !ids.contains(&id) {
            ids.push(id);
        }
    }
}

impl FromIterator<(&'static Kind, Uuid)> for Candidates {
    fn from_iter<I: IntoIterator<Item = (&'static Kind, Uuid)>>(all: I) -> Self {
        let mut candidates = Self::default();
        all.into_iter().for_each(|(kind, id)| candidates.add(kind, id));
        candidates
    }
}

/// A search under way.
#[derive(Debug)]
pub struct Searching {
    call: Call,
    store: Store,
    transaction: TenantTransaction,
}

/// A range of terms, of a kind of record.
type Range = (&'static Kind, String);

impl Store {
    /// Begins a search.
    ///
    /// # Errors
    /// The database's.
    pub async fn search(&self, call: &Call) -> Result<Searching, Error> {
        let transaction = self.begin(call, Access::ReadOnly).await?;
        Ok(Searching { call: call.clone(), store: self.clone(), transaction })
    }
}

impl Searching {
    /// Records of these kinds with a term that fits as it is: the first `limit`, at most 50, of each kind of term.
    ///
    /// # Errors
    /// The database's.
    pub async fn beginning(
        &mut self,
        sought: &Sought,
        kinds: &[&'static Kind],
        limit: usize,
    ) -> Result<Candidates, Error> {
        let wanted = sought.beginnings();
        let ranges =
            kinds.iter().flat_map(|kind| wanted.iter().map(|(place, key)| (*kind, place.stored(kind.terms, key))));
        let terms = &self.store.terms;
        let find = if i64::try_from(limit).is_ok_and(|limit| limit <= FIRST) { &terms.first } else { &terms.more };
        let found = self.ranges(("find_terms", find.clone()), ranges.collect()).await?;
        Ok(found.into_iter().map(|(kind, _, id)| (kind, id)).collect())
    }

    /// Records of these kinds with a term that fits but for a typing error, and at most so many.
    ///
    /// # Errors
    /// The database's.
    pub async fn nearly(&mut self, sought: &Sought, kinds: &[&'static Kind], most: usize) -> Result<Candidates, Error> {
        let heads = sought.heads();
        let places: Vec<(&'static Kind, Place, &[String])> = kinds
            .iter()
            .flat_map(|kind| heads.iter().map(|(place, heads)| (*kind, *place, heads.as_slice())))
            .collect();
        if places.is_empty() {
            return Ok(Candidates::default());
        }
        let counted = places
            .iter()
            .flat_map(|(kind, place, heads)| heads.iter().map(|head| (*kind, place.stored(kind.terms, head))));
        let counts = self.count(counted.collect()).await?;
        let (mut few, mut guesses, mut counts) = (Vec::new(), Vec::new(), counts.into_iter());
        for (kind, place, heads) in places {
            let counts: Vec<i64> = counts.by_ref().take(heads.len()).collect();
            let end = counts.iter().position(|count| *count <= FEW);
            if let Some(head) = end.and_then(|end| heads.get(end)) {
                few.push((kind, place.stored(kind.terms, head)));
            }
            // The head of number 0 has one letter.
            let until = end.map_or(usize::MAX, |end| end + 1);
            let meant = sought.meant(until).into_iter().enumerate();
            guesses.extend(meant.map(|(rank, meant)| (rank, (kind, place.stored(kind.terms, &meant)))));
        }
        // The likeliest of all kinds first: of each there may be more than are read.
        guesses.sort_by_key(|(rank, _)| *rank);
        let guesses = guesses.into_iter().map(|(_, guess)| guess).collect();
        let (find_few, find) = (self.store.terms.few.clone(), self.store.terms.guesses.clone());
        let mut found = self.ranges(("find_few_terms", find_few), few).await?;
        found.retain(|(_, key, _)| sought.fits_nearly(key));
        found.extend(self.ranges(("find_guessed_terms", find), guesses).await?);
        Ok(found.into_iter().take(most).map(|(kind, _, id)| (kind, id)).collect())
    }

    /// The records with these ids that are not deleted.
    ///
    /// # Errors
    /// The database's.
    pub async fn read<R: Resource>(
        &mut self,
        records: &Records<R>,
        ids: &[Uuid],
    ) -> Result<Vec<Record<R::Fields>>, Error> {
        records.find_live(&mut self.transaction, self.call.tenant, ids).await
    }

    /// Ends it.
    ///
    /// # Errors
    /// The database's.
    pub async fn end(self) -> Result<(), Error> {
        Ok(self.transaction.commit().await?)
    }

    pub(super) fn call(&self) -> &Call {
        &self.call
    }

    pub(super) fn transaction(&mut self) -> &mut TenantTransaction {
        &mut self.transaction
    }

    /// What is in these ranges: of which kind, with which key, which record.
    async fn ranges(
        &mut self,
        (name, sql): (&'static str, SqlStr),
        ranges: Vec<Range>,
    ) -> Result<Vec<(&'static Kind, String, Uuid)>, Error> {
        if ranges.is_empty() {
            return Ok(Vec::new());
        }
        let (low, high) = bounds(&ranges);
        let query = sqlx::query(sql).bind(self.call.tenant).bind(low).bind(high);
        let rows = self.transaction.fetch_all::<(i64, String, Uuid)>(name, query).await?;
        let range = |number: i64| usize::try_from(number - 1).ok().and_then(|number| ranges.get(number));
        let found = rows.into_iter().filter_map(|(number, term, id)| {
            let (kind, _) = range(number)?;
            Some((*kind, Place::key(kind.terms, &term).to_owned(), id))
        });
        Ok(found.collect())
    }

    /// How many terms each range has, up to one more than few.
    async fn count(&mut self, ranges: Vec<Range>) -> Result<Vec<i64>, Error> {
        let (low, high) = bounds(&ranges);
        let query = sqlx::query(self.store.terms.count.clone()).bind(self.call.tenant);
        let query = query.bind(low).bind(high);
        let mut rows = self.transaction.fetch_all::<(i64, i64)>("count_terms", query).await?;
        rows.sort_unstable();
        Ok(rows.into_iter().map(|(_, count)| count).collect())
    }
}

/// How well a record fits, and by which of its terms.
pub fn rank<R: Resource>(sought: &Sought, fields: &R::Fields) -> Option<(Match, Term)> {
    let mut terms = Terms::default();
    R::searched(fields, &mut terms);
    sought.rank(&terms).map(|(fit, term)| (fit, term.clone()))
}

fn bounds(ranges: &[Range]) -> (Vec<String>, Vec<String>) {
    ranges.iter().map(|(_, low)| (low.clone(), end(low))).unzip()
}

/// Behind all that begins so. Terms begin with a letter, so there is always something.
pub(super) fn end(beginning: &str) -> String {
    after_prefix(beginning).unwrap_or_default()
}

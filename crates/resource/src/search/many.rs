//! Duplicates of many records at once: two statements, whatever their number.

use std::collections::{BTreeSet, HashMap};

use crm_values::Place;
use uuid::Uuid;

use super::duplicates::LEAST_REFUSED;
use super::{Compared, Probes, Reasons};
use crate::{Error, Records, Write};

/// What may be the same as each of several records.
pub(crate) struct Alike<R: Compared> {
    /// Those that were compared.
    pub(crate) records: HashMap<Uuid, R::Fields>,
    /// For each, in their order: which of them, and how likely.
    pub(crate) candidates: Vec<Vec<(Uuid, i32)>>,
}

impl<R: Compared> Alike<R> {
    /// Whether a creation would be refused for it.
    pub(crate) fn is_refused(score: i32) -> bool {
        score >= LEAST_REFUSED
    }
}

impl<R: Compared> Records<R> {
    /// Records that are there and have something in common with these, the likeliest first.
    ///
    /// # Errors
    /// The database's.
    pub(crate) async fn alike(&self, write: &mut Write, all: &[&R::Fields]) -> Result<Alike<R>, Error> {
        let near = self.near(write, all).await?;
        let ids: BTreeSet<Uuid> = near.iter().flatten().copied().collect();
        let ids: Vec<Uuid> = ids.into_iter().collect();
        let tenant = write.call.tenant;
        let found = self.find_live(write, tenant, &ids).await?;
        let records: HashMap<Uuid, R::Fields> =
            found.into_iter().map(|record| (record.head.id, record.fields)).collect();
        let scored = |fields: &R::Fields, near: &BTreeSet<Uuid>| {
            let mut scored: Vec<(Uuid, i32)> = near.iter().filter_map(|id| score::<R>(fields, *id, &records)).collect();
            scored.sort_by_key(|(id, score)| (-score, *id));
            scored
        };
        let candidates = all.iter().zip(&near).map(|(fields, near)| scored(fields, near)).collect();
        Ok(Alike { records, candidates })
    }

    /// For each of these, records that stand near it in the order of some term.
    async fn near(&self, write: &mut Write, all: &[&R::Fields]) -> Result<Vec<BTreeSet<Uuid>>, Error> {
        let mut bounds = [const { Vec::new() }; 3];
        // Which of the records each range is about, and the number of its probe there.
        let mut about: Vec<(usize, i64)> = Vec::new();
        let mut probes: Vec<Probes> = Vec::with_capacity(all.len());
        for (nth, fields) in all.iter().enumerate() {
            let mut of_it = Probes::default();
            R::probes(fields, &mut of_it);
            let own = of_it.bounds(R::KIND.terms);
            about.extend((1..).take(own[0].len()).map(|number| (nth, number)));
            bounds.iter_mut().zip(own).for_each(|(all, own)| all.extend(own));
            probes.push(of_it);
        }
        let mut near = vec![BTreeSet::new(); all.len()];
        if about.is_empty() {
            return Ok(near);
        }
        let [low, term, high] = bounds;
        let query = sqlx::query(self.store.terms.around_many.clone()).bind(write.call.tenant);
        // Planned anew each time: a plan of when there were few records reads all that have come since, for each term.
        let query = query.bind(low).bind(term).bind(high).persistent(false);
        for (number, term, id) in write.fetch_all::<(i64, String, Uuid)>("find_terms_around_many", query).await? {
            let Some((nth, number)) = usize::try_from(number - 1).ok().and_then(|number| about.get(number)) else {
                continue;
            };
            if probes[*nth].may_mean(*number, Place::key(R::KIND.terms, &term)) {
                near[*nth].insert(id);
            }
        }
        Ok(near)
    }
}

fn score<R: Compared>(fields: &R::Fields, id: Uuid, records: &HashMap<Uuid, R::Fields>) -> Option<(Uuid, i32)> {
    let mut reasons = Reasons::default();
    R::compare(fields, records.get(&id)?, &mut reasons);
    Some((id, reasons.score()))
}

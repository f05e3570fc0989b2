//! Duplicates: records that may be the same one's, found by what they share and compared field by field.

use crm_proto::search::{Duplicate, DuplicateReason, PossibleDuplicates};
use crm_proto::standard::Resource as _;
use crm_values::{Place, Sought, may_be_alike, parse_id};
use prost::Message;
use prost_types::Any;
use uuid::Uuid;

use super::searching::end;
use super::{Candidates, Searching};
use crate::attributes::Given;
use crate::refusal::POSSIBLE_DUPLICATE;
use crate::resource::read;
use crate::{Call, Error, Records, Resource, Violations, Write};

/// Least score that is worth telling.
const LEAST: i32 = 30;
/// Least score that a creation is refused for.
pub(super) const LEAST_REFUSED: i32 = 60;
/// Records of each name that are compared because it may be mistyped.
const MOST_NEARLY: usize = 20;
/// Most that are told.
const MOST: usize = 10;
/// Most that a refusal tells: it travels in a trailer.
const MOST_REFUSED: usize = 5;

/// A resource of which two records may be the same one's.
pub trait Compared: Resource {
    /// What it is called.
    fn title(fields: &Self::Fields) -> String;

    /// Where its like may be found.
    fn probes(fields: &Self::Fields, probes: &mut Probes);

    /// What two have in common.
    fn compare(one: &Self::Fields, other: &Self::Fields, reasons: &mut Reasons);
}

/// Terms near which a record's like stands.
#[derive(Debug, Default)]
pub struct Probes(Vec<(Place, String, Near)>);

#[derive(Debug, Clone, Copy)]
enum Near {
    /// The very term.
    Same,
    /// Terms that begin so.
    Beginning,
    /// Those before and behind it that begin with the same two letters.
    Around,
}

impl Probes {
    /// Records that have this very term.
    pub fn same(&mut self, place: Place, key: &str) {
        self.add(place, key, Near::Same);
    }

    /// Records with a term that begins so.
    pub fn beginning(&mut self, place: Place, key: &str) {
        self.add(place, key, Near::Beginning);
    }

    /// Records whose terms stand next to this one.
    pub fn around(&mut self, place: Place, key: &str) {
        self.add(place, key, Near::Around);
    }

    fn add(&mut self, place: Place, key: &str, near: Near) {
        if !key.is_empty() {
            self.0.push((place, key.to_owned(), near));
        }
    }

    /// Whether the record with a term of this key is worth reading, which stands near the probe of this number, counted
    /// from 1.
    pub(super) fn may_mean(&self, number: i64, key: &str) -> bool {
        let probe = usize::try_from(number - 1).ok().and_then(|number| self.0.get(number));
        probe.is_some_and(|(_, probe, near)| !matches!(near, Near::Around) || may_be_alike(probe, key))
    }

    /// Lowest term, the one in the middle, and the end.
    pub(super) fn bounds(&self, letter: &str) -> [Vec<String>; 3] {
        let mut bounds = [const { Vec::new() }; 3];
        for (place, key, near) in &self.0 {
            let term = place.stored(letter, key);
            let two: String = key.chars().take(2).collect();
            let (low, high) = match near {
                // What comes next after the term itself.
                Near::Same => (term.clone(), format!("{term}\u{1}")),
                Near::Beginning => (term.clone(), end(&term)),
                Near::Around => (place.stored(letter, &two), end(&place.stored(letter, &two))),
            };
            for (column, bound) in bounds.iter_mut().zip([low, term, high]) {
                column.push(bound);
            }
        }
        bounds
    }
}

/// What two records have in common.
#[derive(Debug, Default)]
pub struct Reasons(Vec<(&'static str, i32)>);

impl Reasons {
    /// Adds a reason, with its weight from 1 to 99.
    pub fn add(&mut self, reason: &'static str, weight: i32) {
        self.0.push((reason, weight));
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Each reason closes so many hundredths of what was open before it. In ten-thousandths, so that no order matters.
    pub(super) fn score(&self) -> i32 {
        let open = self.0.iter().fold(10_000, |open, (_, weight)| open * (100 - weight) / 100);
        (10_000 - open + 50) / 100
    }
}

/// What duplicates are asked for.
#[derive(Debug)]
pub struct Draft<R: Resource> {
    /// What somebody has entered.
    fields: Option<R::Fields>,
    /// The record that it is to be, if that is there already.
    own: Option<Uuid>,
}

impl<R: Resource> Draft<R> {
    /// Of a request's two fields. Of a message, what is set is looked at and the rest need not be there.
    ///
    /// # Errors
    /// All violations.
    pub fn of(message: Option<R::Message>, id: &str) -> Result<Self, Error> {
        let mut found = Violations::default();
        let own = (!id.is_empty()).then(|| found.check("id", parse_id(id)));
        let fields = message.map(|mut message| {
            let set: Vec<_> = R::Message::FIELDS.iter().copied().filter(|field| message.is_set(field)).collect();
            let mut fields = R::Fields::default();
            read::<R>(&mut message, &mut fields, &set, Given::default(), &mut found);
            fields
        });
        found.finish(Self { fields, own })
    }
}

impl Searching {
    /// Records that may be the same as this one, the likeliest first. Of nothing, there are none.
    ///
    /// # Errors
    /// There is no such record, or the database's.
    pub async fn duplicates<R: Compared>(
        &mut self,
        records: &Records<R>,
        draft: Draft<R>,
    ) -> Result<Vec<Duplicate>, Error> {
        let Draft { mut fields, own } = draft;
        if let (None, Some(id)) = (&fields, own) {
            let found = self.read(records, &[id]).await?.pop();
            fields = Some(found.ok_or(Error::RefusedFor(R::KIND.not_found, id))?.fields);
        }
        let Some(fields) = fields else { return Ok(Vec::new()) };
        let mut candidates = Candidates::default();
        let mut probes = Probes::default();
        R::probes(&fields, &mut probes);
        // Those whose first letters are mistyped stand elsewhere.
        for (_, name, _) in
            probes.0.iter().filter(|(place, _, near)| *place == Place::Name && matches!(near, Near::Around))
        {
            let Some(sought) = Sought::of(name) else { continue };
            let found = self.nearly(&sought, &[R::KIND], MOST_NEARLY).await?;
            found.of(R::KIND).iter().for_each(|id| candidates.add(R::KIND, *id));
        }
        let call = self.call().clone();
        records.compared(&call, self.transaction(), &fields, own, candidates).await
    }
}

impl<R: Compared> Records<R> {
    /// Refuses the creation of a record if there is one that may be the same. Another that is being created at the same
    /// moment is not seen.
    ///
    /// # Errors
    /// There is one, or the database's.
    pub async fn refuse_duplicates(&self, write: &mut Write, fields: &R::Fields) -> Result<(), Error> {
        let call = write.call.clone();
        let mut found = self.compared(&call, write, fields, None, Candidates::default()).await?;
        found.retain(|duplicate| duplicate.score >= LEAST_REFUSED);
        found.truncate(MOST_REFUSED);
        if found.is_empty() {
            return Ok(());
        }
        Err(Error::RefusedWith(&POSSIBLE_DUPLICATE, detail(found)))
    }

    async fn compared(
        &self,
        call: &Call,
        transaction: &mut crm_database::TenantTransaction,
        fields: &R::Fields,
        own: Option<Uuid>,
        mut candidates: Candidates,
    ) -> Result<Vec<Duplicate>, Error> {
        let mut probes = Probes::default();
        R::probes(fields, &mut probes);
        let [low, term, high] = probes.bounds(R::KIND.terms);
        let query = sqlx::query(self.store.terms.around.clone()).bind(call.tenant);
        let query = query.bind(low).bind(term).bind(high);
        for (number, term, id) in transaction.fetch_all::<(i64, String, Uuid)>("find_terms_around", query).await? {
            if probes.may_mean(number, Place::key(R::KIND.terms, &term)) {
                candidates.add(R::KIND, id);
            }
        }
        let ids: Vec<Uuid> = candidates.of(R::KIND).iter().copied().filter(|id| Some(*id) != own).collect();
        let mut found: Vec<Duplicate> = Vec::new();
        for record in self.find_live(transaction, call.tenant, &ids).await? {
            let mut reasons = Reasons::default();
            R::compare(fields, &record.fields, &mut reasons);
            let score = reasons.score();
            if score >= LEAST {
                found.push(duplicate::<R>(record.head.id, &record.fields, score, reasons));
            }
        }
        found.sort_by(|one, other| (other.score, &one.id).cmp(&(one.score, &other.id)));
        found.truncate(MOST);
        Ok(found)
    }
}

fn duplicate<R: Compared>(id: Uuid, fields: &R::Fields, score: i32, Reasons(mut reasons): Reasons) -> Duplicate {
    reasons.sort_by_key(|(reason, weight)| (-weight, *reason));
    let reason = |(reason, weight): (&str, i32)| DuplicateReason { reason: reason.to_owned(), weight };
    Duplicate {
        resource: R::KIND.plural.to_owned(),
        id: id.to_string(),
        title: R::title(fields),
        score,
        reasons: reasons.into_iter().map(reason).collect(),
    }
}

fn detail(duplicates: Vec<Duplicate>) -> Any {
    let type_url = "type.googleapis.com/crm.search.v1.PossibleDuplicates".to_owned();
    Any { type_url, value: PossibleDuplicates { duplicates }.encode_to_vec() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_reason_closes_a_part_of_what_is_open() {
        for (weights, score) in [
            (&[][..], 0),
            (&[50], 50),
            (&[50, 30], 65),
            (&[30, 50], 65),
            (&[90, 60, 50, 30, 20], 99),
            (&[99, 99, 99], 100),
        ] {
            let mut reasons = Reasons::default();
            weights.iter().for_each(|weight| reasons.add("X", *weight));
            assert_eq!(reasons.score(), score, "{weights:?}");
        }
    }

    #[test]
    fn a_probe_looks_at_one_term_or_at_its_neighbours() {
        let mut probes = Probes::default();
        probes.same(Place::Address, "ada@x.example");
        probes.beginning(Place::Address, "ada+");
        probes.around(Place::Name, "love ada");
        probes.around(Place::Name, "");
        let [low, term, high] = probes.bounds("c");
        assert_eq!(low, ["caada@x.example", "caada+", "cnlo"]);
        assert_eq!(term, ["caada@x.example", "caada+", "cnlove ada"]);
        assert_eq!(high, ["caada@x.example\u{1}", "caada,", "cnlp"]);
    }
}

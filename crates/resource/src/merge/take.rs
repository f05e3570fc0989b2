//! Fields that a winner takes from the record that goes into it.

use crm_proto::standard::{self, Resource as _};
use crm_values::Flaw;
use prost::Message;
use prost_types::FieldMask;

use crate::attributes::Given;
use crate::resource::{read_over, show_fields};
use crate::{Error, Resource, Violations};

/// Fields that are taken where the loser has a value; what is wrong with the mask is noted.
pub(super) fn wanted<M: standard::Resource>(take: Option<&FieldMask>, found: &mut Violations) -> Vec<&'static str> {
    /// Far more than any resource has fields.
    const MOST_PATHS: usize = 100;
    let paths = take.map(|take| take.paths.as_slice()).unwrap_or_default();
    let can_change = |field: &&&'static str| !M::IMMUTABLE.contains(field);
    if paths == ["*"] {
        return M::FIELDS.iter().filter(can_change).copied().collect();
    }
    if paths.len() > MOST_PATHS {
        found.add("take", Flaw::new(Flaw::TOO_LONG, "must have at most 100 paths"));
    }
    let mut fields = Vec::new();
    for (index, path) in paths.iter().take(MOST_PATHS).enumerate() {
        let known = M::FIELDS.iter().find(|field| *field == path);
        match known {
            Some(field) if !can_change(&field) => {
                found.add(&format!("take.paths[{index}]"), Flaw::new(Flaw::IMMUTABLE, "cannot be changed"));
            }
            Some(field) if fields.contains(field) => {}
            Some(field) => fields.push(*field),
            None => {
                let rule = "must name a whole field of the resource, or be \"*\" alone";
                found.add(&format!("take.paths[{index}]"), Flaw::new(Flaw::UNKNOWN_FIELD, rule));
            }
        }
    }
    fields
}

/// What a winner has once it has taken these fields.
pub(super) fn united<R: Resource>(
    winner: &R::Fields,
    loser: &R::Fields,
    wanted: &[&'static str],
) -> Result<R::Fields, Error> {
    let (mut message, other) = (show_fields::<R>(winner.clone())?, show_fields::<R>(loser.clone())?);
    let wanted: Vec<_> = wanted.iter().copied().filter(|field| other.is_set(field)).collect();
    wanted.iter().for_each(|field| message.adopt(&other, field));
    let (mut fields, mut found) = (winner.clone(), Violations::default());
    read_over::<R>(&mut message, &mut fields, &wanted, Given::default(), &mut found);
    found.finish(())?;
    let mut found = Violations::default();
    R::check(Some(winner), &fields, &mut found);
    found.finish(fields)
}

/// What a winner had before in the fields that it has taken: for the undoing.
#[derive(Debug, Default)]
pub(super) struct Taken {
    pub(super) fields: Vec<String>,
    /// A message that has these fields alone; none where there are none.
    pub(super) before: Option<Vec<u8>>,
}

impl Taken {
    /// Between two states of a winner.
    pub(super) fn between<R: Resource>(before: &R::Fields, after: &R::Fields) -> Result<Self, Error> {
        let (before, after) = (show_fields::<R>(before.clone())?, show_fields::<R>(after.clone())?);
        let changed = R::Message::FIELDS.iter().copied().filter(|field| !before.is_same(&after, field));
        let changed: Vec<&'static str> = changed.collect();
        if changed.is_empty() {
            return Ok(Self::default());
        }
        let mut alone = R::Message::default();
        changed.iter().for_each(|field| alone.adopt(&before, field));
        let before = alone.encode_to_vec();
        Ok(Self { fields: changed.into_iter().map(str::to_owned).collect(), before: Some(before) })
    }
}

/// What is given back to a winner, and what it keeps.
#[derive(Debug)]
pub(super) struct Restored<F> {
    /// The winner's fields afterwards.
    pub(super) fields: F,
    /// Fields that are as they had been.
    pub(super) given_back: Vec<String>,
    /// Fields that somebody has changed since, or whose old value no rule of today lets in.
    pub(super) kept: Vec<String>,
}

impl Taken {
    /// What a winner has once these are undone that are still as the loser's had made them.
    pub(super) fn undo<R: Resource>(
        &self,
        winner: &R::Fields,
        loser: &R::Fields,
    ) -> Result<Restored<R::Fields>, Error> {
        const NO_FORM: Error = Error::Inconsistent("what a record had before a merge does not decode");
        let mut before = R::Message::decode(self.before.as_deref().unwrap_or_default()).map_err(|_| NO_FORM)?;
        let names = R::Message::FIELDS.iter().copied().filter(|field| self.fields.iter().any(|taken| taken == field));
        let names: Vec<&'static str> = names.collect();
        let (mut after, lost) = (before.clone(), show_fields::<R>(loser.clone())?);
        names.iter().filter(|field| lost.is_set(field)).for_each(|field| after.adopt(&lost, field));
        let now = show_fields::<R>(winner.clone())?;
        let mut restored = Restored { fields: winner.clone(), given_back: Vec::new(), kept: Vec::new() };
        for field in names {
            let (mut fields, mut found) = (restored.fields.clone(), Violations::default());
            if after.is_same(&now, field) {
                read_over::<R>(&mut before, &mut fields, &[field], Given::default(), &mut found);
                R::check(Some(winner), &fields, &mut found);
            }
            if after.is_same(&now, field) && found.finish(()).is_ok() {
                restored.fields = fields;
                restored.given_back.push(field.to_owned());
            } else {
                restored.kept.push(field.to_owned());
            }
        }
        Ok(restored)
    }
}

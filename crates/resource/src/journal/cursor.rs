//! Where a reader of the journal stands.

use crm_database::page::{self, PageError, Scope};
use crm_values::Flaw;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::snapshot::Snapshot;
use crate::page::flaw;
use crate::{Error, Violations};

/// A thousand open transactions take some 10 kB.
const LONGEST: usize = 64 * 1024;

/// What a reader has been given of one tenant's changes: what a snapshot sees and, in the middle of a batch that was cut,
/// what the next one sees up to some number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor {
    pub(super) seen: Snapshot,
    /// A number that transactions beyond the snapshot have not drawn: theirs are greater.
    pub(super) low: i64,
    pub(super) tick: Option<Tick>,
}

/// A newer snapshot, of which only a part has been given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Tick {
    pub(super) snapshot: Snapshot,
    /// The latest number that it can see.
    pub(super) high: i64,
    /// The last number that was given.
    pub(super) after: i64,
    /// Up to which transaction was forgotten when the batch began.
    #[serde(default)]
    pub(super) floor: u64,
}

impl Cursor {
    /// Before the oldest change that is kept.
    pub const BEGINNING: Self = Self { seen: Snapshot::BEGINNING, low: 0, tick: None };

    /// Whether it asks for something that is forgotten, as `floor` says, or may be. Who asks for all that is kept misses
    /// what is forgotten between two parts of it, and nothing else.
    pub(super) fn has_missed(&self, floor: u64, now: &Snapshot) -> bool {
        match &self.tick {
            tick if self.seen != Snapshot::BEGINNING => {
                self.seen.has_missed(floor, tick.as_ref().map_or(now, |tick| &tick.snapshot))
            }
            Some(tick) => tick.after > 0 && floor > tick.floor,
            None => false,
        }
    }

    /// Whether a later snapshot could have come after the earlier one: no forged text is to ask the database for what
    /// cannot be.
    fn is_sound(&self) -> bool {
        self.tick.as_ref().is_none_or(|tick| tick.snapshot.covers(&self.seen))
    }

    /// Whether it stands between two batches, and not in the middle of one that was cut.
    pub(crate) fn is_whole(&self) -> bool {
        self.tick.is_none()
    }

    /// Whether the reader has been given what this transaction wrote; of one that stands between batches.
    pub(crate) fn has_seen(&self, transaction: u64) -> bool {
        self.seen.sees(transaction)
    }

    /// Whether it has seen all that the other one has; of two that stand between batches.
    pub(crate) fn covers(&self, other: &Self) -> bool {
        self.seen.covers(&other.seen)
    }

    /// The latest id that it knows of.
    pub(super) fn newest(&self) -> u64 {
        self.tick.as_ref().map_or(self.seen.next(), |tick| tick.snapshot.next())
    }

    /// The text that a reader keeps: for this tenant and this service's journal alone.
    ///
    /// # Errors
    /// None that could happen.
    pub fn encode(&self, service: &str, tenant: Uuid) -> Result<String, Error> {
        encode(service, tenant, self)
    }

    /// What a reader has kept; the empty text is the beginning.
    ///
    /// # Errors
    /// It is damaged, or was given for another tenant or by another service. `field` is where it stood.
    pub fn decode(service: &str, tenant: Uuid, field: &str, text: &str) -> Result<Self, Error> {
        let mut found = Violations::default();
        let read = found.check(field, Self::parse(service, tenant, text).map(Some));
        found.finish(read.unwrap_or(Self::BEGINNING))
    }

    /// As [`decode`](Self::decode), for who looks at other fields, too.
    pub(crate) fn parse(service: &str, tenant: Uuid, text: &str) -> Result<Self, Flaw> {
        let read: Self = parse(service, tenant, text)?.unwrap_or(Self::BEGINNING);
        if read.is_sound() { Ok(read) } else { Err(flaw(&PageError::DamagedToken)) }
    }
}

#[cfg(test)]
impl Cursor {
    /// After all transactions before this one.
    pub(crate) fn before(next: u64) -> Self {
        Self { seen: Snapshot::BEGINNING.until(next), low: 0, tick: None }
    }

    /// In the middle of a batch that has all before `next`.
    pub(crate) fn cut(self, next: u64) -> Self {
        Self { tick: Some(Tick { snapshot: Snapshot::BEGINNING.until(next), high: 0, after: 0, floor: 0 }), ..self }
    }

    pub(crate) fn next(&self) -> u64 {
        self.seen.next()
    }
}

/// Up to where a reader has been told which tenants have something new.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Horizon(pub(super) Snapshot);

impl Horizon {
    /// Before the oldest change that is kept.
    pub const BEGINNING: Self = Self(Snapshot::BEGINNING);

    /// As [`Cursor::encode`].
    ///
    /// # Errors
    /// As there.
    pub fn encode(&self, service: &str) -> Result<String, Error> {
        encode(service, Uuid::nil(), self)
    }

    /// As [`Cursor::decode`].
    ///
    /// # Errors
    /// As there.
    pub fn decode(service: &str, field: &str, text: &str) -> Result<Self, Error> {
        let mut found = Violations::default();
        let read = found.check(field, parse(service, Uuid::nil(), text));
        found.finish(read.unwrap_or(Self::BEGINNING))
    }
}

fn scope(service: &str, tenant: Uuid) -> Scope {
    Scope::new(tenant, &["journal", service])
}

fn encode<T: Serialize>(service: &str, tenant: Uuid, value: &T) -> Result<String, Error> {
    page::encode(scope(service, tenant), value).map_err(|_| Error::Inconsistent("a cursor has no text form"))
}

fn parse<T: for<'d> Deserialize<'d>>(service: &str, tenant: Uuid, text: &str) -> Result<Option<T>, Flaw> {
    page::decode_within(scope(service, tenant), text, LONGEST).map_err(|error| flaw(&error))
}

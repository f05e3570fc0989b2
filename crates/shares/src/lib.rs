#![doc = include_str!("../README.md")]

mod turns;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub use turns::{Turn, Turns};

/// Reason of a refusal that others' use has no part in, wherever a share is taken (`google.rpc.ErrorInfo`).
pub const TENANT_SHARE_TAKEN: &str = "TENANT_SHARE_TAKEN";

/// Who holds something: a tenant's id as a number. `None` is nobody in particular, whom only the total bounds.
pub type Holder = Option<u128>;

/// Why nothing more is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// Nothing, or not enough, is left for anybody.
    Full,
    /// The holder has its share; others would still find something.
    Share,
}

impl std::fmt::Display for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Full => "nothing is left",
            Self::Share => "the share is used up",
        })
    }
}

impl std::error::Error for Refused {}

/// A number of equal things. Clones share them.
#[derive(Debug, Clone)]
pub struct Shares(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    total: usize,
    each: usize,
    table: Mutex<Table>,
}

#[derive(Debug, Default)]
struct Table {
    taken: usize,
    /// What each holds, nobody with nothing: never more entries than things that are taken.
    held: HashMap<u128, usize>,
}

impl Shares {
    /// So many, of which one holder alone gets half.
    #[must_use]
    pub fn new(total: usize) -> Self {
        Self::at_most(total, usize::MAX)
    }

    /// So many, and never more than `each` for one holder.
    #[must_use]
    pub fn at_most(total: usize, each: usize) -> Self {
        Self(Arc::new(Shared { total, each, table: Mutex::default() }))
    }

    /// Takes `amount`, which is given back when the share is dropped.
    ///
    /// # Errors
    /// Too little is left, or the holder would hold more than was left.
    pub fn take(&self, whose: Holder, amount: usize) -> Result<Share, Refused> {
        let mut share = Share { shares: self.clone(), whose, amount: 0 };
        share.grow(amount)?;
        Ok(share)
    }

    /// Takes one, as long as no more than `part` are taken then.
    ///
    /// # Errors
    /// As [`take`](Self::take).
    pub fn take_within(&self, part: usize, whose: Holder) -> Result<Share, Refused> {
        let mut table = self.0.lock();
        table.check(part, self.0.each, whose, 1)?;
        Ok(self.one(&mut table, whose))
    }

    /// Takes one of `total`, a number that moves. Where it has fallen below what is taken already, or one holds more of it
    /// than its half, whoever holds less than an equal part still gets one: what was given under a higher number must not
    /// shut out those who came later.
    ///
    /// # Errors
    /// As [`take`](Self::take).
    pub fn take_of(&self, total: usize, whose: Holder) -> Result<Share, Refused> {
        let mut table = self.0.lock();
        match table.check(total, self.0.each, whose, 1) {
            Err(_) if table.is_overdrawn(total) && table.holds_less_than_equal_part(total, whose) => {}
            Err(refused) => return Err(refused),
            Ok(()) => {}
        }
        Ok(self.one(&mut table, whose))
    }

    fn one(&self, table: &mut Table, whose: Holder) -> Share {
        table.add(whose, 1);
        Share { shares: self.clone(), whose, amount: 1 }
    }

    /// How much is taken now.
    #[must_use]
    pub fn taken(&self) -> usize {
        self.0.lock().taken
    }

    /// How much of it one holds.
    #[must_use]
    pub fn held(&self, whose: Holder) -> usize {
        self.0.lock().held(whose)
    }

    /// Why a holder that has waited has nothing more. Where all is taken and it has less than an equal part, its own use is
    /// not what is in the way.
    #[must_use]
    pub fn blame(&self, whose: Holder) -> Refused {
        let (table, total) = (self.0.lock(), self.0.total);
        let has_its_part = table.held(whose) > 0 && !table.holds_less_than_equal_part(total, whose);
        if table.taken < total || has_its_part { Refused::Share } else { Refused::Full }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Table> {
        // Every change is made whole before anything could panic.
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Table {
    fn check(&self, total: usize, each: usize, whose: Holder, amount: usize) -> Result<(), Refused> {
        // Nothing is to be had always: also by who holds much, and also when all is taken.
        if amount == 0 {
            return Ok(());
        }
        let left = total.checked_sub(self.taken).and_then(|left| left.checked_sub(amount)).ok_or(Refused::Full)?;
        let would_hold = self.held(whose) + amount;
        // One more than is left, so that one place can be taken, too.
        if whose.is_some() && would_hold > each.min(left + 1) { Err(Refused::Share) } else { Ok(()) }
    }

    /// Whether more was given than would be given of `total`, to all or to one.
    fn is_overdrawn(&self, total: usize) -> bool {
        self.taken > total || self.held.values().any(|held| *held > total.div_ceil(2))
    }

    fn holds_less_than_equal_part(&self, total: usize, whose: Holder) -> bool {
        let others = self.held.len() - usize::from(self.held(whose) > 0);
        whose.is_some() && self.held(whose) < total / (others + 1).max(2)
    }

    fn held(&self, whose: Holder) -> usize {
        whose.and_then(|whose| self.held.get(&whose)).copied().unwrap_or(0)
    }

    fn add(&mut self, whose: Holder, amount: usize) {
        self.taken += amount;
        if let Some(whose) = whose.filter(|_| amount > 0) {
            *self.held.entry(whose).or_default() += amount;
        }
    }

    fn remove(&mut self, whose: Holder, amount: usize) {
        self.taken -= amount;
        let Some(whose) = whose else { return };
        if let Some(held) = self.held.get_mut(&whose) {
            *held -= amount;
            if *held == 0 {
                self.held.remove(&whose);
            }
        }
    }
}

/// What somebody has taken; given back when dropped.
#[derive(Debug)]
pub struct Share {
    shares: Shares,
    whose: Holder,
    amount: usize,
}

impl Share {
    /// Takes more of the same.
    ///
    /// # Errors
    /// As [`Shares::take`]; what is held already stays.
    pub fn grow(&mut self, more: usize) -> Result<(), Refused> {
        let shared = &self.shares.0;
        let mut table = shared.lock();
        table.check(shared.total, shared.each, self.whose, more)?;
        table.add(self.whose, more);
        self.amount += more;
        Ok(())
    }

    /// Takes what is missing to `amount`, if anything is.
    ///
    /// # Errors
    /// As [`Shares::take`]; what is held already stays.
    pub fn grow_to(&mut self, amount: usize) -> Result<(), Refused> {
        self.grow(amount.saturating_sub(self.amount))
    }

    /// Gives back what is more than `amount`.
    pub fn shrink_to(&mut self, amount: usize) {
        self.shrink(self.amount.saturating_sub(amount));
    }

    /// Gives some of it back, at most what is held.
    pub fn shrink(&mut self, less: usize) {
        let less = less.min(self.amount);
        self.shares.0.lock().remove(self.whose, less);
        self.amount -= less;
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.shrink(self.amount);
    }
}

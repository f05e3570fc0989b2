//! Which tenants have something new, whose turn it is, and up to where nothing is owed any more.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::time::{Duration, SystemTime};

use tokio::time::Instant;
use uuid::Uuid;

/// Horizons that are remembered one by one; of later ones the last.
const MOST_HORIZONS: usize = 64;
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(300);
/// When another replica has the tenant in hand: soon, for it may die.
const ASIDE: Duration = Duration::from_millis(250);

/// How a turn ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// Nothing was left.
    CaughtUp,
    /// There is more; others come first.
    More,
    /// Another replica was at it.
    Taken,
    /// Something was followed; what came next could not be, or could not be had.
    Halted,
    /// What comes next still could not.
    Failed,
}

/// A tenant of which something is owed.
#[derive(Debug)]
struct Owed {
    /// The message that told of it, the oldest that has not been dealt with.
    since: u64,
    /// The last that told of it while a turn was under way, which may have looked before.
    again: Option<(u64, SystemTime)>,
    /// When its next turn is; none while one is under way.
    due: Option<Instant>,
    failures: u32,
    /// The age of the oldest change that has not been followed; until it is known, since when it has been told of.
    behind: SystemTime,
}

/// All tenants that are owed something, and what has been told of them.
#[derive(Debug, Default)]
pub(super) struct Pending {
    tenants: HashMap<Uuid, Owed>,
    due: BTreeSet<(Instant, Uuid)>,
    since: BTreeSet<(u64, Uuid)>,
    told: u64,
    horizons: VecDeque<(u64, String)>,
}

impl Pending {
    /// These tenants have something new; the next message begins at this horizon.
    pub(super) fn tell(
        &mut self,
        tenants: impl IntoIterator<Item = Uuid>,
        horizon: String,
        now: (Instant, SystemTime),
    ) {
        self.told += 1;
        for tenant in tenants {
            self.tell_one(tenant, now);
        }
        if self.horizons.len() >= MOST_HORIZONS {
            self.horizons.pop_back();
        }
        self.horizons.push_back((self.told, horizon));
    }

    fn tell_one(&mut self, tenant: Uuid, (now, wall): (Instant, SystemTime)) {
        let told = self.told;
        if let Some(owed) = self.tenants.get_mut(&tenant) {
            if owed.due.is_none() {
                owed.again = Some((told, wall));
            }
            return;
        }
        let owed = Owed { since: told, again: None, due: Some(now), failures: 0, behind: wall };
        self.tenants.insert(tenant, owed);
        self.due.insert((now, tenant));
        self.since.insert((told, tenant));
    }

    /// Whose turn it is, and whether the last one failed.
    pub(super) fn take(&mut self, now: Instant) -> Option<(Uuid, bool)> {
        let (_, tenant) = self.due.first().copied().filter(|(due, _)| *due <= now)?;
        self.due.pop_first();
        let owed = self.tenants.get_mut(&tenant)?;
        owed.due = None;
        Some((tenant, owed.failures > 0))
    }

    /// When the next turn is.
    pub(super) fn next_due(&self) -> Option<Instant> {
        self.due.first().map(|(due, _)| *due)
    }

    /// The oldest change that the turn under way has found and not followed yet.
    pub(super) fn found(&mut self, tenant: Uuid, oldest: SystemTime) {
        if let Some(owed) = self.tenants.get_mut(&tenant) {
            owed.behind = oldest;
        }
    }

    /// A turn is over.
    pub(super) fn end(&mut self, tenant: Uuid, end: End, now: Instant) {
        let Some(owed) = self.tenants.get_mut(&tenant) else { return };
        owed.failures = match end {
            End::Failed => owed.failures.saturating_add(1),
            End::Halted => 1,
            End::CaughtUp | End::More | End::Taken => 0,
        };
        let again = owed.again.take();
        let earlier = owed.since;
        let (pause, since) = match (end, again) {
            (End::CaughtUp, None) => {
                self.since.remove(&(earlier, tenant));
                self.tenants.remove(&tenant);
                return;
            }
            // All up to there is dealt with.
            (End::CaughtUp, Some((again, wall))) => {
                owed.behind = wall;
                (Duration::ZERO, again)
            }
            (End::More, _) => (Duration::ZERO, earlier),
            (End::Taken, _) => (ASIDE, earlier),
            (End::Halted | End::Failed, _) => (pause(owed.failures), earlier),
        };
        let due = now + pause;
        (owed.since, owed.due) = (since, Some(due));
        self.since.remove(&(earlier, tenant));
        self.since.insert((since, tenant));
        self.due.insert((due, tenant));
    }

    /// Up to where nothing is owed any more, where that is further than when last asked.
    pub(super) fn settled(&mut self) -> Option<String> {
        let owed = self.since.first().map_or(u64::MAX, |(since, _)| *since);
        let mut settled = None;
        while self.horizons.front().is_some_and(|(told, _)| *told < owed) {
            settled = self.horizons.pop_front().map(|(_, horizon)| horizon);
        }
        settled
    }

    /// How long ago the oldest change was made that is not followed.
    pub(super) fn lag(&self, wall: SystemTime) -> Duration {
        let oldest = self.tenants.values().map(|owed| owed.behind).min();
        oldest.and_then(|oldest| wall.duration_since(oldest).ok()).unwrap_or_default()
    }
}

fn pause(failures: u32) -> Duration {
    let factor = 1_u32.checked_shl(failures.saturating_sub(1)).unwrap_or(u32::MAX);
    FIRST_PAUSE.saturating_mul(factor).min(LONGEST_PAUSE)
}

#[cfg(test)]
mod tests;

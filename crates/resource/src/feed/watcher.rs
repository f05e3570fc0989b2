//! One watch: from its cursor on, until somebody ends it.

use std::sync::Arc;
use std::time::Duration;

use crm_proto::journal::WatchChangesResponse;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep_until, timeout};
use tonic::Status;
use uuid::Uuid;

use super::asked::Wanted;
use super::hub::{Hub, Room};
use super::shelf::{Place, Step};
use super::source::{Read, Source};
use super::{HEART_BEAT, Open, Watching};
use crate::Error;
use crate::journal::Cursor;
use crate::refusal::{WATCH_ENDED, WATCH_TOO_SLOW};

/// Whoever takes nothing for this long is told to come again: half of the time after which the server cuts off an answer that
/// nobody takes, so that one who reads again in the other half still learns why.
pub(super) const PATIENCE: Duration = Duration::from_secs(15);

type Message = Result<WatchChangesResponse, Status>;
type Slot = mpsc::OwnedPermit<Message>;

/// Why it is over.
#[derive(Debug)]
pub(super) enum Stop {
    /// The reader has gone.
    Left,
    Failed(Error),
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

pub(super) struct Watcher<S> {
    pub(super) hub: Arc<Hub<S>>,
    pub(super) watching: Watching,
    pub(super) tenant: Uuid,
    pub(super) wanted: Wanted,
    pub(super) sender: mpsc::Sender<Message>,
    pub(super) cursor: Cursor,
    /// The cursor, as the reader keeps it.
    pub(super) text: String,
    pub(super) beat_at: Instant,
    pub(super) open: Open,
}

/// Where a watcher stands among the steps of its room.
struct Standing {
    room: Arc<Room>,
    next: watch::Receiver<u64>,
    number: u64,
    /// Whether its cursor is the one that the next step begins with. It may also be a little further.
    is_level: bool,
}

enum Event {
    Step(Arc<Step>),
    Behind,
    Beat,
}

impl<S: Source> Watcher<S> {
    /// The rest, after what was read first.
    pub(super) async fn run(mut self, first: Read) -> Stop {
        let Err(stop) = self.watch(first).await else { return Stop::Left };
        if let Stop::Failed(error) = &stop {
            self.open.ended(error);
        }
        stop
    }

    async fn watch(&mut self, first: Read) -> Result<(), Stop> {
        let slot = self.slot().await?;
        // Whoever has no cursor of his own has one from here on.
        self.beat_at = Instant::now();
        let mut is_last = self.give(slot, first)?;
        loop {
            let standing = self.catch_up(is_last).await?;
            self.stand(standing).await?;
            is_last = false;
        }
    }

    /// Reads by itself until it has come to where others stand.
    async fn catch_up(&mut self, mut is_last: bool) -> Result<Standing, Stop> {
        let mut standing: Option<Standing> = None;
        loop {
            match standing.take() {
                // What it has read since it has this number is no less than what came before the number.
                Some(standing) if is_last => return Ok(standing),
                None if is_last => {
                    let found = self.enter();
                    if found.is_level {
                        return Ok(found);
                    }
                    standing = Some(found);
                }
                not_yet => standing = not_yet,
            }
            let slot = self.slot().await?;
            let read = self.read().await?;
            is_last = self.give(slot, read)?;
        }
    }

    fn enter(&self) -> Standing {
        let (room, is_level) = self.hub.enter(self.tenant, &self.cursor);
        let next = room.shelf.next();
        // A room that was made for it has not been left by its first step, whatever has been put there meanwhile.
        let number = if is_level { 0 } else { *next.borrow() };
        Standing { room, next, number, is_level }
    }

    /// Gives what others are given, until it has fallen behind.
    async fn stand(&mut self, mut standing: Standing) -> Result<(), Stop> {
        loop {
            let slot = self.slot().await?;
            match self.wait(&mut standing).await? {
                Event::Behind => return Ok(()),
                Event::Beat => self.send(slot, Vec::new()),
                Event::Step(step) => {
                    standing.number += 1;
                    if !self.take(slot, &step, &mut standing.is_level) {
                        return Ok(());
                    }
                }
            }
        }
    }

    /// What of a step is new to it. It has to look by itself where that cannot be told.
    fn take(&mut self, slot: Slot, step: &Step, is_level: &mut bool) -> bool {
        if !*is_level {
            // Part of what a later moment sees: no cursor says that and what this one has seen.
            if !step.cursor.is_whole() {
                return false;
            }
            // Read before its own last look.
            if !step.cursor.covers(&self.cursor) {
                return true;
            }
        }
        let is_new = |transaction| *is_level || !self.cursor.has_seen(transaction);
        let new = step.changes.iter().filter(|(transaction, change)| is_new(*transaction) && self.wanted.holds(change));
        let changes: Vec<_> = new.map(|(_, change)| change.clone()).collect();
        (self.cursor, self.text, *is_level) = (step.cursor.clone(), step.text.clone(), true);
        if !changes.is_empty() {
            self.send(slot, changes);
        }
        true
    }

    async fn wait(&self, Standing { room, next, number, .. }: &mut Standing) -> Result<Event, Stop> {
        let number = *number;
        tokio::select! {
            biased;
            () = self.watching.end.cancelled() => Err(Error::from(&WATCH_ENDED).into()),
            () = self.sender.closed() => Err(Stop::Left),
            _ = next.wait_for(|next| *next > number) => Ok(match room.shelf.at(number) {
                Place::Here(step) => Event::Step(step),
                Place::Gone | Place::NotYet => Event::Behind,
            }),
            () = sleep_until(self.beat_at) => Ok(Event::Beat),
        }
    }

    /// Room for a message: nothing is read for one that cannot be sent.
    async fn slot(&self) -> Result<Slot, Stop> {
        tokio::select! {
            biased;
            () = self.watching.end.cancelled() => Err(Error::from(&WATCH_ENDED).into()),
            slot = timeout(PATIENCE, self.sender.clone().reserve_owned()) => match slot {
                Ok(slot) => slot.map_err(|_| Stop::Left),
                Err(_elapsed) => Err(Error::from(&WATCH_TOO_SLOW).into()),
            },
        }
    }

    async fn read(&self) -> Result<Read, Stop> {
        let reading = async {
            let _turn = self.watching.turn(self.tenant).await;
            Ok(self.hub.source.read(self.tenant, &self.cursor).await?)
        };
        tokio::select! {
            biased;
            () = self.watching.end.cancelled() => Err(Error::from(&WATCH_ENDED).into()),
            () = self.sender.closed() => Err(Stop::Left),
            read = reading => read,
        }
    }

    /// Whether there was nothing beyond it.
    fn give(&mut self, slot: Slot, read: Read) -> Result<bool, Error> {
        self.text = self.hub.source.text(self.tenant, &read.cursor)?;
        self.cursor = read.cursor;
        let wanted = read.changes.into_iter().filter(|(_, change)| self.wanted.holds(change));
        let changes: Vec<_> = wanted.map(|(_, change)| change).collect();
        if !changes.is_empty() || self.beat_at <= Instant::now() {
            self.send(slot, changes);
        }
        Ok(read.is_last)
    }

    fn send(&mut self, slot: Slot, changes: Vec<crm_proto::journal::Change>) {
        self.beat_at = Instant::now() + HEART_BEAT;
        self.open.count_message();
        slot.send(Ok(WatchChangesResponse { changes, cursor: self.text.clone() }));
    }
}

//! The undoing of a merge: what stood under the loser goes back to it, then the loser is there again.
//!
//! In this order: as long as the loser is a redirect, what stands under either is the winner's, so that readers see all of it
//! change sides in the moment of the last step.

use crm_proto::merges::{UnmergeRequest, UnmergeResponse, UnmovedRecord};
use crm_values::{parse_id, unify_id};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::child::BATCH;
use super::first::Row;
use super::take::{Restored, Taken};
use super::{MERGE_TOO_OLD, MERGE_UNDER_WAY, Merging, NOT_MERGED};
use crate::journal::{Difference, MERGED_INTO};
use crate::operations::Progress;
use crate::record::Record;
use crate::request::single;
use crate::{Error, Resource, Violations, Write};

/// Most records that the answer lists of those that stay where they are.
const MOST_LISTED: i64 = 100;

/// How far an undoing has come: which kind of child, after which one, and how many have gone back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Back {
    is_begun: bool,
    kind: usize,
    after: Uuid,
    moved: i32,
}

/// What comes after a step of an undoing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Going {
    /// Another step that moves.
    Back(Back),
    /// The last one.
    Home,
}

impl Back {
    /// Whether the first step is done.
    pub const fn is_begun(self) -> bool {
        self.is_begun
    }
}

/// Two records that are one, both locked.
#[derive(Debug)]
pub struct Merged<F> {
    /// The one that stands for the other.
    pub winner: Record<F>,
    /// The one that is to be there again.
    pub loser: Record<F>,
    taken: Taken,
}

impl<F> Merged<F> {
    /// Whether the winner took this field from the loser.
    pub fn has_taken(&self, field: &str) -> bool {
        self.taken.fields.iter().any(|taken| taken == field)
    }
}

impl<R: Resource> Merging<R> {
    /// The request's id for the operation; ids that differ in their case alone are one.
    pub fn undo_request_id(request: &mut UnmergeRequest) -> &mut String {
        unify_id(&mut request.id);
        &mut request.request_id
    }

    /// Notes what is wrong with a request.
    pub fn check_undo(request: &UnmergeRequest, found: &mut Violations) {
        found.check("id", parse_id(&request.id));
    }

    /// The two records, if their merge can be undone.
    ///
    /// # Errors
    /// It is none, too old, not at its end, or the winner was merged itself; or the database's.
    pub async fn lock_merged(&self, write: &mut Write, request: &UnmergeRequest) -> Result<Merged<R::Fields>, Error> {
        let id = single(&request.id)?;
        let Some(merge) = self.find(write, vec![id]).await?.remove(&id) else {
            self.records.lock(write, id).await?;
            return Err(Error::RefusedFor(&NOT_MERGED, id));
        };
        check(id, &merge)?;
        let winner = merge.merged_into;
        // In the order of their ids, as whoever else locks several does.
        let first = self.records.lock(write, winner.min(id)).await?;
        let second = self.records.lock(write, winner.max(id)).await?;
        let (winner, loser) = if winner < id { (first, second) } else { (second, first) };
        Ok(Merged { winner, loser, taken: Taken { fields: merge.taken_fields, before: merge.taken } })
    }

    /// From here on nobody else undoes it, and it is not as it was before the last step is done.
    ///
    /// # Errors
    /// The database's.
    pub async fn begin_undoing(&self, write: &mut Write, progress: &mut Progress, loser: Uuid) -> Result<Back, Error> {
        self.set_state(write, loser, "undoing").await?;
        let query = sqlx::query(self.records.store.merges.count_moves.clone()).bind(write.call.tenant).bind(loser);
        let (total,): (i64,) = write.fetch_one("count_moves", query).await?;
        progress.total = Some(total);
        Ok(Back { is_begun: true, ..Back::default() })
    }

    /// Moves back the next ones of those that nobody has changed since, at most 500 of a kind.
    ///
    /// # Errors
    /// The database's.
    pub async fn go_back(
        &self,
        write: &mut Write,
        progress: &mut Progress,
        request: &UnmergeRequest,
        at: Back,
    ) -> Result<Going, Error> {
        let loser = single(&request.id)?;
        let Some(child) = self.children.get(at.kind) else { return Ok(Going::Home) };
        let merge = self.find(write, vec![loser]).await?.remove(&loser);
        let winner = merge.ok_or(Error::RefusedFor(&NOT_MERGED, loser))?.merged_into;
        let seen = child.pull(write, loser, winner, at.after).await?;
        progress.done += i64::try_from(seen.len()).unwrap_or_default();
        let moved = seen.iter().filter(|(_, version)| version.is_some()).count();
        let moved = at.moved.saturating_add(i32::try_from(moved).unwrap_or(i32::MAX));
        Ok(Going::Back(match seen.last() {
            Some((last, _)) if seen.len() == BATCH => Back { after: *last, moved, ..at },
            _ => Back { kind: at.kind + 1, after: Uuid::nil(), moved, ..at },
        }))
    }

    /// Gives back what the winner took, and lets the loser be there again, and stand for whatever it stood for. Answers the
    /// winner as it is since.
    ///
    /// # Errors
    /// What a constraint means; or the database's.
    pub async fn part(
        &self,
        write: &mut Write,
        pair: Merged<R::Fields>,
        at: Back,
    ) -> Result<(Record<R::Fields>, UnmergeResponse), Error> {
        let Merged { winner, loser, taken } = pair;
        let (to, id) = (winner.head.id, loser.head.id);
        let mut answer = UnmergeResponse { moved_count: at.moved, ..Default::default() };
        // The winner first: what two records cannot both have is free then. One that is deleted is left alone.
        let winner = if winner.head.is_deleted() {
            answer.kept_fields = taken.fields;
            winner
        } else {
            let Restored { fields, given_back, kept } = taken.undo::<R>(&winner.fields, &loser.fields)?;
            (answer.restored_fields, answer.kept_fields) = (given_back, kept);
            if fields == winner.fields { winner } else { self.records.replace(write, &winner, &fields).await? }
        };
        let parted = Difference::of_ids(MERGED_INTO, Some(to), None);
        self.records.set_deleted_as(write, id, false, parted).await?;
        self.redirect(write, id, (to, id)).await?;
        self.forget(write, id, &mut answer).await?;
        Ok((winner, answer))
    }

    /// Tells what has stayed where it is, and forgets the merge.
    async fn forget(&self, write: &mut Write, loser: Uuid, answer: &mut UnmergeResponse) -> Result<(), Error> {
        let merges = &self.records.store.merges;
        let tenant = write.call.tenant;
        let query = |sql: &sqlx::SqlStr| sqlx::query(sql.clone()).bind(tenant).bind(loser);
        let (unmoved,): (i64,) = write.fetch_one("count_moves", query(&merges.count_moves)).await?;
        answer.unmoved_count = i32::try_from(unmoved).unwrap_or(i32::MAX);
        let first = query(&merges.list_moves).bind(MOST_LISTED);
        let first: Vec<(String, Uuid)> = write.fetch_all("list_moves", first).await?;
        let record = |(resource, id): (String, Uuid)| UnmovedRecord { resource, id: id.to_string() };
        answer.unmoved = first.into_iter().map(record).collect();
        write.execute("forget_moves", query(&merges.forget_moves)).await?;
        write.execute("forget_merge", query(&merges.forget).bind(R::KIND.plural)).await?;
        Ok(())
    }
}

fn check(id: Uuid, merge: &Row) -> Result<(), Error> {
    if merge.winner_id != merge.merged_into {
        return Err(Error::Merged { id: merge.merged_into, winner: merge.winner_id });
    }
    match merge.state.as_str() {
        "moving" => Err(Error::RefusedFor(&MERGE_UNDER_WAY, id)),
        // What was begun in time is ended, whenever.
        "moved" if !merge.is_young => Err(Error::RefusedFor(&MERGE_TOO_OLD, id)),
        _ => Ok(()),
    }
}

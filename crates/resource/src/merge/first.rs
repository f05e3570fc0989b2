//! The first step: the duplicate becomes a redirect.

use std::collections::HashMap;

use crm_proto::merges::MergeRequest;
use sqlx::FromRow;
use uuid::Uuid;

use super::take::{self, Taken};
use super::{BEGUN, Ids, MERGE_UNDER_WAY, Merging, Position};
use crate::journal::{Difference, MERGED_INTO};
use crate::operations::{Next, Progress};
use crate::record::Record;
use crate::refusal::ETAG_MISMATCH;
use crate::{Error, Resource, Violations, Write};

/// Two records that are to be one, both locked.
#[derive(Debug)]
pub struct Pair<F> {
    /// The one that stays.
    pub winner: Record<F>,
    /// The one that goes into it.
    pub loser: Record<F>,
    wanted: Vec<&'static str>,
}

/// A merge, as it is kept.
#[derive(Debug, FromRow)]
pub(super) struct Row {
    id: Uuid,
    pub(super) winner_id: Uuid,
    pub(super) merged_into: Uuid,
    pub(super) state: String,
    pub(super) is_young: bool,
    pub(super) taken_fields: Vec<String>,
    pub(super) taken: Option<Vec<u8>>,
}

impl<R: Resource> Merging<R> {
    /// Waits until no other merge of the tenant begins or is about to be undone, and keeps others out until this transaction
    /// ends. Taken before anything else: two that cross then see what the other has made of their records.
    ///
    /// # Errors
    /// The database's.
    pub async fn take_turns(&self, write: &mut Write) -> Result<(), Error> {
        let query = sqlx::query(self.records.store.merges.take_turns.clone()).bind(write.call.tenant);
        write.execute("take_turns_at_merging", query).await?;
        Ok(())
    }

    /// The two records, if the one can go into the other; none where it has already, and all that is left is to move what
    /// stands under it: an earlier operation ended before its end.
    ///
    /// # Errors
    /// One is not there, was merged, is being merged or has changed since; or the database's.
    pub async fn lock(&self, write: &mut Write, request: &MergeRequest) -> Result<Option<Pair<R::Fields>>, Error> {
        let ids = Ids::of(request)?;
        let mut locked = HashMap::new();
        // In the order of their ids, as whoever else locks several does.
        for id in [ids.winner.min(ids.loser), ids.winner.max(ids.loser)] {
            locked.insert(id, self.records.lock(write, id).await?);
        }
        let merges = self.find(write, vec![ids.winner, ids.loser]).await?;
        match merges.get(&ids.loser) {
            Some(merge) if merge.merged_into == ids.winner && merge.state == "moving" => return Ok(None),
            Some(merge) if merge.state == "undoing" => return Err(Error::RefusedFor(&MERGE_UNDER_WAY, ids.loser)),
            merge => not_merged(ids.loser, merge)?,
        }
        not_merged(ids.winner, merges.get(&ids.winner))?;
        let mut live = |id: Uuid, etag: &str| {
            let record = locked.remove(&id).filter(|record| !record.head.is_deleted());
            let record = record.ok_or(Error::RefusedFor(R::KIND.not_found, id))?;
            if record.head.etag().admits(etag) { Ok(record) } else { Err(Error::RefusedFor(&ETAG_MISMATCH, id)) }
        };
        let winner = live(ids.winner, &request.etag)?;
        let loser = live(ids.loser, &request.duplicate_etag)?;
        // What was being moved to the loser would have to be moved on.
        self.records.check_moved(write, ids.loser).await?;
        let mut found = Violations::default();
        let wanted = take::wanted::<R::Message>(request.take.as_ref(), &mut found);
        found.finish(Some(Pair { winner, loser, wanted }))
    }

    /// Makes the redirect, and of all records for which the loser stood. Answers the winner as it is since, and where the
    /// next step begins.
    ///
    /// # Errors
    /// What the winner would have broken a rule; what a constraint means; or the database's.
    pub async fn merge(
        &self,
        write: &mut Write,
        progress: &mut Progress,
        pair: Pair<R::Fields>,
    ) -> Result<(Record<R::Fields>, Next<Position, R::Message>), Error> {
        let Pair { winner, loser, wanted } = pair;
        let (to, from) = (winner.head.id, loser.head.id);
        let fields = take::united::<R>(&winner.fields, &loser.fields, &wanted)?;
        // The loser first: what two records cannot both have is free then.
        let merged = Difference::of_ids(MERGED_INTO, None, Some(to));
        self.records.set_deleted_as(write, from, true, merged).await?;
        let taken = Taken::between::<R>(&winner.fields, &fields)?;
        let winner =
            if fields == winner.fields { winner } else { self.records.replace(write, &winner, &fields).await? };
        self.insert(write, Ids { winner: to, loser: from }, taken).await?;
        self.redirect(write, from, (from, to)).await?;
        let mut total = 0;
        for child in &self.children {
            total += child.count(write, from).await?;
        }
        progress.total = Some(total);
        Ok((winner, Next::Step(BEGUN)))
    }

    async fn insert(&self, write: &mut Write, Ids { winner, loser }: Ids, taken: Taken) -> Result<(), Error> {
        let query = sqlx::query(self.records.store.merges.insert.clone()).bind(write.call.tenant).bind(loser);
        let query = query.bind(R::KIND.plural).bind(winner).bind(taken.fields).bind(taken.before);
        write.execute("insert_merge", query).await?;
        Ok(())
    }

    /// Lets another record stand for all that were merged into `of`, and into these in turn.
    pub(super) async fn redirect(
        &self,
        write: &mut Write,
        of: Uuid,
        (before, after): (Uuid, Uuid),
    ) -> Result<(), Error> {
        let statement = &self.statements.redirect;
        let query = sqlx::query(statement.sql.clone()).bind(write.call.tenant).bind(of).bind(after);
        let entry = Difference::of_ids(MERGED_INTO, Some(before), Some(after));
        let query = entry.bind(query, &write.call);
        let changed: Vec<(Uuid, i64)> = write.fetch_all(statement.name, query).await?;
        for (id, version) in changed {
            self.records.touch_version(write, id, version);
        }
        Ok(())
    }

    /// Merges of these records into others.
    pub(super) async fn find(&self, write: &mut Write, ids: Vec<Uuid>) -> Result<HashMap<Uuid, Row>, Error> {
        let query = sqlx::query(self.records.store.merges.find.clone()).bind(write.call.tenant).bind(ids);
        let rows: Vec<Row> = write.fetch_all("find_merges", query.bind(R::KIND.plural)).await?;
        Ok(rows.into_iter().map(|row| (row.id, row)).collect())
    }

    /// Nothing stands under the loser any more.
    pub(super) async fn set_moved(&self, write: &mut Write, loser: Uuid) -> Result<(), Error> {
        self.set_state(write, loser, "moved").await
    }

    pub(super) async fn set_state(&self, write: &mut Write, loser: Uuid, state: &str) -> Result<(), Error> {
        let query = sqlx::query(self.records.store.merges.set_state.clone()).bind(write.call.tenant).bind(loser);
        write.execute("set_merge_state", query.bind(R::KIND.plural).bind(state.to_owned())).await?;
        Ok(())
    }
}

fn not_merged(id: Uuid, merge: Option<&Row>) -> Result<(), Error> {
    match merge {
        Some(merge) => Err(Error::Merged { id, winner: merge.winner_id }),
        None => Ok(()),
    }
}

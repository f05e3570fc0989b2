//! Puts one tag in the place of another, on all records that have it: an operation.
//!
//! The first step deletes the tag that goes, and says into which one it was merged. Whoever gives it to a record either
//! holds it until then, and has its record found by the steps that follow, or sees that it is gone. So these steps come to
//! an end: what has the tag grows no more.

use std::sync::Arc;

use crm_proto::tags as pb;
use crm_values::{Flaw, parse_id};
use serde::{Deserialize, Serialize};
use sqlx::{AssertSqlSafe, SqlSafeStr, SqlStr};
use tonic::async_trait;
use uuid::Uuid;

use super::admit::Held;
use super::tagged::{Place, Tagged};
use super::{Fields, Keeper, NOT_FOUND, Tag};
use crate::journal::{Difference, MERGED_INTO};
use crate::operations::{Next, Operation, Progress};
use crate::{Error, Record, Records, Violations, Write, statements};

/// Records of one step: some tenths of a second, for which others wait who want to change one of them.
const BATCH: i64 = 200;

/// The operation.
#[derive(Debug)]
pub(super) struct Merge<K: Keeper> {
    tags: Records<Tag<K>>,
    tagged: Vec<Arc<dyn Tagged>>,
    retire: SqlStr,
}

/// How far it has come.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Position {
    /// Whether the tag is deleted.
    begun: bool,
    /// Which records are looked at, after which id.
    resource: String,
    after: Uuid,
    changed: i64,
    /// Of these, the ones since all records were last begun with.
    in_round: i64,
}

type Step = Result<Next<Position, pb::MergeTagResponse>, Error>;

#[async_trait]
impl<K: Keeper> Operation for Merge<K> {
    type Request = pb::MergeTagRequest;
    type Position = Position;
    type Response = pb::MergeTagResponse;

    const NAME: &'static str = "MergeTag";
    const UNIT: &'static str = "records";

    fn request_id(request: &mut Self::Request) -> &mut String {
        &mut request.request_id
    }

    fn check(request: &Self::Request, found: &mut Violations) {
        let (id, into) = (found.check("id", parse_id(&request.id)), found.check("into", parse_id(&request.into)));
        if id == into && found.is_clear("id") && found.is_clear("into") {
            found.add("into", Flaw::new(Flaw::CONTRADICTION, "must be another tag"));
        }
    }

    async fn step(&self, write: &mut Write, progress: &mut Progress, request: &Self::Request, at: Position) -> Step {
        let ids = parse_id(&request.id).and_then(|id| Ok((id, parse_id(&request.into)?)));
        let (id, into) = ids.map_err(|_| Error::Inconsistent("an id of a tag is none any more"))?;
        match at.begun {
            false => self.begin(write, progress, id, into).await,
            true => self.go_on(write, progress, (id, into), at).await,
        }
    }
}

impl<K: Keeper> Merge<K> {
    pub(super) fn new(tags: Records<Tag<K>>, tagged: Vec<Arc<dyn Tagged>>) -> Self {
        let retire = statements::retire(K::KIND, &crate::records::row_of::<Tag<K>>(&Fields::default()), "merged_into");
        Self { tags, tagged, retire: AssertSqlSafe(retire).into_sql_str() }
    }

    /// Deletes the tag, unless a merge into the same one did so before it was cancelled.
    async fn begin(&self, write: &mut Write, progress: &mut Progress, id: Uuid, into: Uuid) -> Step {
        // In the order of their ids: whoever merges the two the other way round waits.
        let (first, second) = (self.tags.lock(write, id.min(into)).await?, self.tags.lock(write, id.max(into)).await?);
        let (gone, kept) = if id < into { (first, second) } else { (second, first) };
        match gone.fields.merged_into {
            Some(other) if other == into => {}
            _ if gone.head.is_deleted() => return Err(Error::RefusedFor(&NOT_FOUND, id)),
            _ if kept.head.is_deleted() => return Err(Error::RefusedFor(&NOT_FOUND, into)),
            _ => self.retire(write, id, into).await?,
        }
        let resources: Vec<&str> = self.tagged.iter().map(|tagged| tagged.plural()).collect();
        let count = sqlx::query(self.tags.store.tags.count_records.clone()).bind(write.call.tenant);
        let (total,): (i64,) = write.fetch_one("count_tagged", count.bind(resources).bind(id)).await?;
        progress.total = Some(total);
        Ok(Next::Step(Position { begun: true, ..Position::default() }))
    }

    /// One statement, so that the journal has one entry.
    async fn retire(&self, write: &mut Write, id: Uuid, into: Uuid) -> Result<(), Error> {
        let query = sqlx::query(self.retire.clone()).bind(write.call.tenant).bind(id).bind(into);
        let query = Difference::of_ids(MERGED_INTO, None, Some(into)).bind(query, &write.call);
        let retired: Record<Fields> = write.fetch_one("retire_tag", query).await?;
        self.tags.touch(write, &retired.head);
        Ok(())
    }

    /// Changes some records. When all have been looked at and some were changed, they are looked at once more: somebody may
    /// have brought an old state back meanwhile.
    async fn go_on(&self, write: &mut Write, progress: &mut Progress, (id, into): (Uuid, Uuid), at: Position) -> Step {
        let known = self.tagged.iter().position(|tagged| tagged.plural() == at.resource);
        let index = known.unwrap_or_default();
        let Some(tagged) = self.tagged.get(index) else { return Ok(end(&at)) };
        let after = if known.is_some() { at.after } else { Uuid::nil() };
        let place = Place { gone: id, now: self.successor(write, into).await?, after, at_most: BATCH };
        let (last, changed) = tagged.replace_tag(write, place).await?;
        let at = Position { changed: at.changed + changed, in_round: at.in_round + changed, ..at };
        progress.done = at.changed;
        let of = |index: usize| self.tagged.get(index).map(|next| next.plural().to_owned());
        Ok(match (last, of(index + 1)) {
            (Some(after), _) => Next::Step(Position { resource: tagged.plural().to_owned(), after, ..at }),
            (None, Some(resource)) => Next::Step(Position { resource, after: Uuid::nil(), ..at }),
            (None, None) if at.in_round > 0 => {
                Next::Step(Position { resource: String::new(), after: Uuid::nil(), in_round: 0, ..at })
            }
            (None, None) => end(&at),
        })
    }

    /// What the tag is merged into by now, which is not merged into another before this step ends. What is merged is never
    /// merged into, so no chain has a circle.
    async fn successor(&self, write: &mut Write, into: Uuid) -> Result<Uuid, Error> {
        let mut found = into;
        loop {
            let query = sqlx::query(self.tags.store.tags.hold.clone()).bind(write.call.tenant).bind(vec![found]);
            match write.fetch_optional::<Held>("hold_tags", query).await? {
                Some((_, _, Some(other))) => found = other,
                _ => return Ok(found),
            }
        }
    }
}

fn end(at: &Position) -> Next<Position, pb::MergeTagResponse> {
    Next::End(pb::MergeTagResponse { changed_count: at.changed })
}

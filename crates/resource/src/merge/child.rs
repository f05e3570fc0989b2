//! What stands under a record, and is moved when that is merged: a batch of one kind in one statement.

use futures_util::future::BoxFuture;
use uuid::Uuid;

use crate::journal::{self, Difference};
use crate::kind::Kind;
use crate::statements::{CHANGE_TIME, Statement, statement};
use crate::{Error, Records, Resource, Write};

/// Most that one step moves.
pub(super) const BATCH: usize = 500;

/// Records of one kind that stand under those of another.
pub(super) trait Child: Send + Sync {
    /// How many stand under a record, deleted ones included.
    fn count<'a>(&'a self, write: &'a mut Write, of: Uuid) -> BoxFuture<'a, Result<i64, Error>>;

    /// Moves the next ones, and notes which. Answers how many; none is left where it is none.
    fn push<'a>(&'a self, write: &'a mut Write, from: Uuid, to: Uuid) -> BoxFuture<'a, Result<i64, Error>>;

    /// Moves back those of the next ones after an id that nobody has changed since. Answers all of these, and what version
    /// those have that have moved.
    fn pull<'a>(
        &'a self,
        write: &'a mut Write,
        loser: Uuid,
        winner: Uuid,
        after: Uuid,
    ) -> BoxFuture<'a, Result<Seen, Error>>;
}

/// Records that were moved once, in the order of their ids, and the version that one has that has moved back.
pub(super) type Seen = Vec<(Uuid, Option<i64>)>;

/// The texts of their statements.
pub(super) struct Texts {
    count: Statement,
    pub(super) push: Statement,
    pull: Statement,
}

impl Texts {
    pub(super) fn new(kind: &Kind, field: &str, only: &str) -> Self {
        let (schema, plural, table) = (kind.schema(), kind.plural, kind.table);
        let under = |number: usize| format!("tenant_id = $1 and {field} = ${number}{only}");
        let count = format!("select count(*) from {table} where {}", under(2));
        // Locked in the order of their ids, as whoever else changes several does. What somebody has changed meanwhile is
        // looked at again once it is locked.
        let batch = format!(
            "batch as (select id from {table} where {} and id = any(array(select id from {table} where {} limit {BATCH})) \
             order by id for no key update)",
            under(2),
            under(2)
        );
        let entry = journal::insert(kind, "'updated'", 4);
        let push = format!(
            "with {batch}, changed as (update {table} set {field} = $3, version = version + 1, update_time = {CHANGE_TIME} \
             where tenant_id = $1 and id in (select id from batch) returning id, version, update_time), \
             entry as ({entry}), moves as (insert into {schema}.merge_moves (tenant_id, merge_id, resource, record_id, version) \
             select $1, $2, '{plural}', id, version from changed) select id, version from changed"
        );
        // Where an earlier merge had moved a record that has now been there and back, nobody has changed it for that one, either.
        let moves = format!("{schema}.merge_moves");
        let noted = format!("tenant_id = $1 and merge_id = $2 and resource = '{plural}'");
        let entry = journal::insert(kind, "'updated'", 4);
        let pull = format!(
            "with noted as (select record_id, version from {moves} where {noted} and record_id > $3 order by record_id limit {BATCH}), \
             batch as (select child.id from {table} child join noted on noted.record_id = child.id \
             and noted.version = child.version where child.tenant_id = $1 order by child.id for no key update of child), \
             changed as (update {table} set {field} = $2, version = version + 1, update_time = {CHANGE_TIME} \
             where tenant_id = $1 and id in (select id from batch) returning id, version, update_time), \
             entry as ({entry}), gone as (delete from {moves} where {noted} and record_id in (select id from changed)), \
             others as (update {moves} other set version = changed.version from changed where other.tenant_id = $1 \
             and other.record_id = changed.id and other.resource = '{plural}' and other.merge_id <> $2 \
             and other.version = changed.version - 2) \
             select noted.record_id, changed.version from noted left join changed on changed.id = noted.record_id \
             order by noted.record_id"
        );
        Self {
            pull: statement(&format!("move_{plural}_back"), pull),
            count: statement(&format!("count_{plural}_to_move"), count),
            push: statement(&format!("move_{plural}"), push),
        }
    }

    #[cfg(feature = "testkit")]
    pub(super) fn all(&self) -> Vec<(String, String)> {
        [&self.count, &self.push, &self.pull].map(|it| (it.name.to_owned(), it.sql.as_str().to_owned())).into()
    }
}

/// Records of `C` that stand under others by a field.
pub(super) struct Children<C: Resource> {
    records: Records<C>,
    field: &'static str,
    texts: Texts,
}

impl<C: Resource> Children<C> {
    /// `only` is a condition on top.
    pub(super) fn new(records: &Records<C>, field: &'static str, only: &str) -> Self {
        Self { records: records.clone(), field, texts: Texts::new(C::KIND, field, only) }
    }

    async fn push(&self, write: &mut Write, from: Uuid, to: Uuid) -> Result<i64, Error> {
        let query = sqlx::query(self.texts.push.sql.clone()).bind(write.call.tenant).bind(from).bind(to);
        let query = Difference::of_ids(self.field, Some(from), Some(to)).bind(query, &write.call);
        let moved: Vec<(Uuid, i64)> = write.fetch_all(self.texts.push.name, query).await?;
        for (id, version) in &moved {
            self.records.touch_version(write, *id, *version);
        }
        Ok(i64::try_from(moved.len()).unwrap_or_default())
    }

    async fn pull(&self, write: &mut Write, loser: Uuid, winner: Uuid, after: Uuid) -> Result<Seen, Error> {
        let query = sqlx::query(self.texts.pull.sql.clone()).bind(write.call.tenant).bind(loser).bind(after);
        let query = Difference::of_ids(self.field, Some(winner), Some(loser)).bind(query, &write.call);
        let seen: Seen = write.fetch_all(self.texts.pull.name, query).await?;
        for (id, version) in seen.iter().filter_map(|(id, version)| version.map(|version| (*id, version))) {
            self.records.touch_version(write, id, version);
        }
        Ok(seen)
    }
}

impl<C: Resource> Child for Children<C> {
    fn count<'a>(&'a self, write: &'a mut Write, of: Uuid) -> BoxFuture<'a, Result<i64, Error>> {
        Box::pin(async move {
            let query = sqlx::query(self.texts.count.sql.clone()).bind(write.call.tenant).bind(of);
            let (count,): (i64,) = write.fetch_one(self.texts.count.name, query).await?;
            Ok(count)
        })
    }

    fn push<'a>(&'a self, write: &'a mut Write, from: Uuid, to: Uuid) -> BoxFuture<'a, Result<i64, Error>> {
        Box::pin(Self::push(self, write, from, to))
    }

    fn pull<'a>(
        &'a self,
        write: &'a mut Write,
        loser: Uuid,
        winner: Uuid,
        after: Uuid,
    ) -> BoxFuture<'a, Result<Seen, Error>> {
        Box::pin(Self::pull(self, write, loser, winner, after))
    }
}

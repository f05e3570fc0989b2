//! Two records that are one: the duplicate goes into the winner, and is a redirect to it from then on
//! ([ADR 43](../../../docs/adr/0043-a-merged-record-is-a-redirect-at-once.md)).
//!
//! **One step makes the redirect**, in one transaction; those that follow move what stood under the duplicate, some hundreds
//! each. Until they have, a row of [`TABLE`] says so, and whoever asks for what stands under the winner is given what stands
//! under either: nobody sees anything twice, or not at all.
//!
//! **A merge is an operation of the resource's own** which calls the steps of [`Merging`], with rules of its own between
//! them.

mod child;
mod family;
mod first;
mod redirect;
mod statements;
mod take;
mod undo;

use std::fmt;
use std::sync::Arc;

use crm_database::migrate::Copied;
use crm_proto::merges::MergeRequest;
use crm_values::{Flaw, parse_id, unify_id};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::activities::{Activities, Keeper};
use crate::operations::{Next, Progress};
use crate::record::Record;
use crate::{Error, Records, Refusal, Resource, Violations, Write};

pub use first::Pair;
pub(crate) use statements::{Statements, find_winner};
pub use undo::{Back, Going, Merged};

use child::{Child, Children};
use statements::OfResource;

/// The tables, their policies and their function, as a service's migration holds them.
pub const TABLE: Copied = Copied {
    what: "merges",
    sql: include_str!("../../sql/merges.sql"),
    relations: &["merges", "merge_moves"],
    functions: &["sweep_merges"],
};

/// Another record stands for it. The details name both.
pub const MERGED_INTO: Refusal = Refusal::failed_precondition(
    "MERGED_INTO",
    "the record was merged into another: the details name the one that stands for it",
);
/// What stood under one record is being moved to another.
pub const MERGE_UNDER_WAY: Refusal =
    Refusal::failed_precondition("MERGE_UNDER_WAY", "a merge of the record is under way: wait for its end");

/// There is nothing to be undone.
pub const NOT_MERGED: Refusal = Refusal::failed_precondition("NOT_MERGED", "the record was not merged into another");
/// What was moved is no longer known.
pub const MERGE_TOO_OLD: Refusal =
    Refusal::failed_precondition("MERGE_TOO_OLD", "the merge is more than 30 days old and cannot be undone");

/// How far a merge has come: whether the redirect is made. What is left to be moved, the tables tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Position {
    is_begun: bool,
}

impl Position {
    /// Whether the first step is done.
    pub const fn is_begun(self) -> bool {
        self.is_begun
    }
}

/// Where the steps after the first one begin.
pub const BEGUN: Position = Position { is_begun: true };

/// The steps of merging records of one resource; cheap to clone.
#[derive(Clone)]
pub struct Merging<R: Resource> {
    records: Records<R>,
    statements: Arc<OfResource>,
    children: Vec<Arc<dyn Child>>,
}

impl<R: Resource> Merging<R> {
    /// Of records under which nothing stands.
    pub fn new(records: &Records<R>) -> Self {
        let statements = Arc::new(OfResource::new(R::KIND));
        Self { records: records.clone(), statements, children: Vec::new() }
    }

    /// And under which these stand, by the field of this name.
    #[must_use]
    pub fn moving<C: Resource>(mut self, children: &Records<C>, field: &'static str) -> Self {
        self.children.push(Arc::new(Children::new(children, field, "")));
        self
    }

    /// And about which there are activities.
    #[must_use]
    pub fn moving_activities<K: Keeper>(mut self, activities: &Activities<K>) -> Self {
        let only = format!(" and parent_resource = '{}'", R::KIND.plural);
        self.children.push(Arc::new(Children::new(&activities.records, "parent_id", &only)));
        self
    }

    /// The request's id for the operation; ids that differ in their case alone are one.
    pub fn request_id(request: &mut MergeRequest) -> &mut String {
        unify_id(&mut request.id);
        unify_id(&mut request.duplicate_id);
        &mut request.request_id
    }

    /// Notes what is wrong with a request.
    pub fn check(request: &MergeRequest, found: &mut Violations) {
        let winner = found.check("id", parse_id(&request.id));
        let loser = found.check("duplicate_id", parse_id(&request.duplicate_id));
        if winner == loser && found.is_clear("id") && found.is_clear("duplicate_id") {
            found.add("duplicate_id", Flaw::new(Flaw::CONTRADICTION, "must be another record than `id`"));
        }
        take::wanted::<R::Message>(request.take.as_ref(), found);
    }

    /// A step after the first: moves what comes next, at most 500 of a kind. The last one answers the winner.
    ///
    /// # Errors
    /// The database's.
    pub async fn go_on(
        &self,
        write: &mut Write,
        progress: &mut Progress,
        request: &MergeRequest,
    ) -> Result<Next<Position, R::Message>, Error> {
        let Ids { winner, loser } = Ids::of(request)?;
        for child in &self.children {
            let moved = child.push(write, loser, winner).await?;
            if moved > 0 {
                progress.done += moved;
                progress.total = progress.total.map(|total| total.max(progress.done));
                return Ok(Next::Step(BEGUN));
            }
        }
        self.set_moved(write, loser).await?;
        let message = Records::<R>::message(self.read(write, winner).await?)?;
        Ok(Next::End(self.records.veil(write, message).await?))
    }

    /// A record as it is.
    async fn read(&self, write: &mut Write, id: Uuid) -> Result<Record<R::Fields>, Error> {
        let statement = &self.records.statements.find;
        let query = sqlx::query(statement.sql.clone()).bind(write.call.tenant).bind(vec![id]);
        write.fetch_optional(statement.name, query).await?.ok_or(Error::RefusedFor(R::KIND.not_found, id))
    }
}

impl<R: Resource> fmt::Debug for Merging<R> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Merging").field("of", &R::KIND.plural).finish_non_exhaustive()
    }
}

/// Which record goes into which.
#[derive(Debug, Clone, Copy)]
struct Ids {
    winner: Uuid,
    loser: Uuid,
}

impl Ids {
    fn of(request: &MergeRequest) -> Result<Self, Error> {
        let mut found = Violations::default();
        let winner = found.check("id", parse_id(&request.id));
        let loser = found.check("duplicate_id", parse_id(&request.duplicate_id));
        found.finish(Self { winner, loser })
    }
}

/// The statement that moves what stands under a record.
#[cfg(feature = "testkit")]
pub(crate) fn push(kind: &crate::Kind, field: &str, only: &str) -> sqlx::SqlStr {
    child::Texts::new(kind, field, only).push.sql
}

/// The statements of merges, to be read: those of a schema, of resources that are merged, and of what stands under them.
#[cfg(feature = "testkit")]
pub fn statements(merged: &[&crate::Kind], children: &[(&crate::Kind, &'static str, &str)]) -> Vec<(String, String)> {
    let schema = merged.first().map_or("", |kind| kind.schema());
    let of_schema = Statements::new(schema);
    let mut all = of_schema.all();
    all.extend(merged.iter().flat_map(|kind| OfResource::new(kind).all()));
    all.extend(children.iter().flat_map(|(kind, field, only)| child::Texts::new(kind, field, only).all()));
    all
}

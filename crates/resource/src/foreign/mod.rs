//! Records that name a record of another service, and go along when that is merged, renamed or deleted there
//! ([ADR 52](../../../docs/adr/0052-what-names-a-record-follows-it.md)).
//!
//! ```text
//!  a follower's batch       apply ── lock what is told of ── keep what is told ── move, or move back ── show the rest
//!  whoever names a record   ask the other service ── hold what it answered ── write what stands for it
//! ```
//!
//! **Nobody is left behind.** Who names a record holds it, together with others, and then reads what was told of it; the
//! follower has it alone while it tells and moves. So whatever is written at a record that was merged is there before its
//! records move, or goes to the winner by itself.

mod apply;
mod news;
mod statements;

use std::fmt;
use std::sync::Arc;

use crm_database::migrate::Copied;
use sqlx::FromRow;
use uuid::Uuid;

use crate::journal::Difference;
use crate::{Call, Error, Records, Resource, Write};

use statements::Texts;

/// The tables, their policies and their functions, as the migration of a service that has such records holds them.
pub const TABLE: Copied = Copied {
    what: "records of others",
    sql: include_str!("../../sql/foreign_records.sql"),
    relations: &["foreign_records", "foreign_moves"],
    functions: &["hold_foreign", "lock_foreign"],
};

/// What is named, and by which columns, which are fields of the message, too.
#[derive(Debug)]
pub struct Named {
    /// As in the paths of the API: `accounts`.
    pub resource: &'static str,
    /// Which one: `account_id`.
    pub id: &'static str,
    /// How it is called: `account_name`.
    pub name: &'static str,
    /// Whether it is deleted: `account_deleted`.
    pub deleted: &'static str,
}

/// A record of another service, as it was said to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// The one that stands for whichever was asked for.
    pub id: Uuid,
    /// When it was so; 0 if that is not known.
    pub version: i64,
    /// How it is called.
    pub name: String,
    /// Whether it is deleted.
    pub deleted: bool,
}

/// Records of `R` that name others; cheap to clone.
#[derive(Clone)]
pub struct Foreign<R: Resource> {
    records: Records<R>,
    named: &'static Named,
    texts: Arc<Texts>,
}

/// What was told of a record since, and which one that is.
#[derive(FromRow)]
struct Held {
    stands: Uuid,
    told: Option<i64>,
    called: Option<String>,
    gone: Option<bool>,
}

impl<R: Resource> Foreign<R> {
    /// Those of these records.
    pub fn new(records: &Records<R>, named: &'static Named) -> Self {
        Self { records: records.clone(), named, texts: Arc::new(Texts::new(R::KIND, named)) }
    }

    /// The record that is to be named, as it is now if it was told of since it was `seen`. It stays so until the transaction
    /// ends. To be called before rows are locked.
    ///
    /// # Errors
    /// The database's.
    pub async fn hold(&self, write: &mut Write, seen: Standing) -> Result<Standing, Error> {
        let statement = &self.texts.hold;
        let query = sqlx::query(statement.sql.clone()).bind(write.call.tenant).bind(seen.id).bind(seen.version);
        let Held { stands, told, called, gone } = write.fetch_one(statement.name, query).await?;
        let Some(version) = told else {
            return Ok(if stands == seen.id { seen } else { Standing::unknown(stands) });
        };
        let name = called.unwrap_or(if stands == seen.id { seen.name } else { String::new() });
        Ok(Standing { id: stands, version, name, deleted: gone.unwrap_or_default() })
    }

    /// All that are named or were told of, in no order.
    ///
    /// # Errors
    /// The database's.
    pub async fn list(&self, call: &Call) -> Result<Vec<Uuid>, Error> {
        let statement = &self.texts.list;
        let mut read = self.records.snapshot(call).await?;
        let found = read.fetch_all(statement.name, sqlx::query(statement.sql.clone()).bind(call.tenant)).await?;
        read.commit().await?;
        Ok(found.into_iter().map(|(id,): (Uuid,)| id).collect())
    }

    /// Moves what names one record to another, all of it.
    async fn push(&self, write: &mut Write, from: Uuid, to: Uuid) -> Result<(), Error> {
        let statement = &self.texts.push;
        loop {
            let query = sqlx::query(statement.sql.clone()).bind(write.call.tenant).bind(from).bind(to);
            let query = Difference::of_ids(self.named.id, Some(from), Some(to)).bind(query, &write.call);
            let moved: Vec<(Uuid, i64)> = write.fetch_all(statement.name, query).await?;
            if moved.is_empty() {
                return Ok(());
            }
            self.touch(write, moved);
        }
    }

    /// Moves back what nobody has changed since, and forgets the rest.
    async fn pull(&self, write: &mut Write, from: Uuid, back: Uuid) -> Result<(), Error> {
        let (statement, tenant, mut after) = (&self.texts.pull, write.call.tenant, Uuid::nil());
        loop {
            let query = sqlx::query(statement.sql.clone()).bind(tenant).bind(back).bind(after);
            let query = Difference::of_ids(self.named.id, Some(from), Some(back)).bind(query, &write.call);
            let seen: Vec<(Uuid, Option<i64>)> = write.fetch_all(statement.name, query).await?;
            let Some((last, _)) = seen.last() else { break };
            after = *last;
            self.touch(write, seen.into_iter().filter_map(|(id, version)| Some((id, version?))));
        }
        let statement = &self.texts.forget_moves;
        write.execute(statement.name, sqlx::query(statement.sql.clone()).bind(tenant).bind(back)).await?;
        Ok(())
    }

    /// Shows what was told of these records wherever they are named.
    async fn refresh(&self, write: &mut Write, ids: &[Uuid]) -> Result<(), Error> {
        let statement = &self.texts.refresh;
        loop {
            let query = sqlx::query(statement.sql.clone()).bind(write.call.tenant).bind(ids);
            let query = Difference::bind_author(query, &write.call);
            let shown: Vec<(Uuid, i64)> = write.fetch_all(statement.name, query).await?;
            if shown.is_empty() {
                return Ok(());
            }
            self.touch(write, shown);
        }
    }

    fn touch(&self, write: &mut Write, changed: impl IntoIterator<Item = (Uuid, i64)>) {
        for (id, version) in changed {
            self.records.touch_version(write, id, version);
        }
    }
}

impl Standing {
    fn unknown(id: Uuid) -> Self {
        Self { id, version: 0, name: String::new(), deleted: false }
    }
}

impl<R: Resource> fmt::Debug for Foreign<R> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Foreign").field("named", &self.named).finish_non_exhaustive()
    }
}

/// The statements about records of this kind that name others, to be read.
#[cfg(feature = "testkit")]
pub fn statements(kind: &crate::Kind, named: &Named) -> Vec<(String, String)> {
    Texts::new(kind, named).all()
}

//! Following another service: what has to be done here because of what was changed there.
//!
//! ```text
//!  the source                                   each replica of the follower
//!  WatchTenants ── who has something new ──►    pending: whose turn it is, who has to wait
//!                                                  │ one tenant at a time, a few side by side
//!  ListChanges  ◄─ from the cursor on ──────    a turn: ask, with no transaction open
//!               ── a batch, the next cursor ►      │
//!                                               one transaction: the cursor is moved, if it is still where it was;
//!                                               then the effects are made
//! ```
//!
//! **Once.** Cursor and effects are committed together, and of two that have the same batch one finds the cursor moved, or
//! locked. So effects come once, whatever dies, and no replica has to lead.
//!
//! **One tenant's trouble is its own.** A batch that fails is tried again change by change, so that all before the one that
//! cannot be followed has its effects, and that one is named. Then the tenant waits, longer each time; the others go on.

mod beginning;
mod cursors;
mod listen;
mod metrics;
mod pending;
mod progress;
mod run;
mod source;
mod turn;

use std::fmt;
use std::sync::Arc;

use crm_database::migrate::Copied;
use crm_proto::journal::Change;
use tonic::async_trait;

use crate::peers::Peer;
use crate::{Error, Store, Write};

pub use beginning::{Beginning, Why};
pub(crate) use run::follow;
pub use source::Source;

/// The table of cursors, as the migration of a service that follows others holds it.
pub const TABLE: Copied = Copied {
    what: "where it has followed others to",
    sql: include_str!("../../sql/follower_cursors.sql"),
    relations: &["follower_cursors"],
    functions: &[],
};

/// Somebody who follows another service. A constant beside the effects.
pub struct Follower {
    /// Its name in the table of cursors, in metrics and in logs: `account_names`. One that is changed begins anew.
    pub name: &'static str,
    /// Whom it follows, which is among those whom the service asks.
    pub source: Peer,
    /// The kinds of records, as in the paths of the API: `accounts`. All if there is none.
    pub resources: &'static [&'static str],
    /// What it does. Made once a process.
    pub effects: fn(&Store) -> Arc<dyn Effects>,
}

impl fmt::Debug for Follower {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Follower").field("name", &self.name).field("source", &self.source.name).finish_non_exhaustive()
    }
}

/// What follows from the changes of another service.
#[async_trait]
pub trait Effects: Send + Sync + 'static {
    /// Asks the source for what changes do not tell, with no transaction open. What it answers comes before them in
    /// [`apply`](Self::apply), as changes that tell it.
    ///
    /// # Errors
    /// What kept it from being read.
    async fn ask(&self, _source: &Source, _changes: &[Change]) -> Result<Vec<Change>, Error> {
        Ok(Vec::new())
    }

    /// Makes what follows from changes, in the transaction that moves the cursor behind them. They come in an order that
    /// keeps each record's versions. Nobody can be asked meanwhile.
    ///
    /// # Errors
    /// What keeps them from being made. None of them is then.
    async fn apply(&self, write: &mut Write, changes: &[Change]) -> Result<(), Error>;

    /// Begins with a tenant: that is new to the follower, or of which changes are no longer kept. Reads of the source what
    /// it takes, with no transaction open, and says from where on to follow and what is to be made before that.
    ///
    /// # Errors
    /// What kept it from being read.
    async fn begin(&self, source: &Source, why: Why) -> Result<Beginning, Error>;
}

//! What watchers read from.

use std::time::Duration;

use crm_proto::journal as pb;
use tokio::time::Instant;
use uuid::Uuid;

use crate::journal::{Batch, Cursor, Entry, Horizon};
use crate::unseen::unseen;
use crate::{Error, Store};

/// Changes that are read at a time.
const AT_ONCE: u32 = 100;
/// Far longer than any read takes.
const LONGEST: Duration = Duration::from_secs(15);

/// What was read.
#[derive(Debug)]
pub(super) struct Read {
    /// With the transaction of each.
    pub(super) changes: Vec<(u64, pb::Change)>,
    pub(super) bytes: usize,
    pub(super) cursor: Cursor,
    pub(super) is_last: bool,
}

/// A journal; the real one, but in tests of who waits how long.
pub(super) trait Source: Clone + Send + Sync + 'static {
    /// What comes after a cursor.
    fn read(&self, tenant: Uuid, cursor: &Cursor) -> impl Future<Output = Result<Read, Error>> + Send;

    /// Tenants that have something after a horizon, and the next one.
    fn changed(&self, horizon: &Horizon) -> impl Future<Output = Result<(Vec<Uuid>, Horizon), Error>> + Send;

    /// The horizon of this moment.
    fn horizon(&self) -> impl Future<Output = Result<Horizon, Error>> + Send;

    /// A cursor as readers keep it.
    fn text(&self, tenant: Uuid, cursor: &Cursor) -> Result<String, Error>;
}

impl Source for Store {
    async fn read(&self, tenant: Uuid, cursor: &Cursor) -> Result<Read, Error> {
        let deadline = Some(Instant::now() + LONGEST);
        let batch = unseen(self.changes_of(tenant, deadline, cursor, AT_ONCE)).await?;
        let Batch { entries, cursor, is_last } = batch;
        let bytes = entries.iter().map(Entry::size).sum();
        let change = |entry: Entry| Ok::<_, Error>((entry.transaction()?, entry.message()?));
        let changes = entries.into_iter().map(change).collect::<Result<_, _>>()?;
        Ok(Read { changes, bytes, cursor, is_last })
    }

    async fn changed(&self, horizon: &Horizon) -> Result<(Vec<Uuid>, Horizon), Error> {
        unseen(self.changed_tenants(horizon)).await
    }

    async fn horizon(&self) -> Result<Horizon, Error> {
        unseen(Self::horizon(self)).await
    }

    fn text(&self, tenant: Uuid, cursor: &Cursor) -> Result<String, Error> {
        cursor.encode(&self.schema, tenant)
    }
}

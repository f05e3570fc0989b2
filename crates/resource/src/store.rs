//! What the resources of one process share.

use std::sync::Arc;
use std::time::Duration;

use crm_cache::Redis;
use crm_database::idempotency::{Idempotency, Outcome};
use crm_database::{Access, Database, TenantTransaction};
use crm_shares::{Refused, Share, Shares};
use sqlx::SqlStr;
use tokio_util::sync::CancellationToken;

use crate::attributes::Sets;
use crate::feed::{Wakes, Watching};
use crate::operations::Registry;
use crate::peers::{Peer, PeerClient, Peers};
use crate::refusal::{ANSWER_ERASED, EXPORT_RUNS, EXPORTS_BUSY, REQUEST_ID_REUSED};
use crate::request::RequestId;
use crate::{Call, Error, StoreConfig, Write, erasure, facets, journal, merge, search, tags};

/// Rows, caches and places of one process; cheap to clone.
#[derive(Debug, Clone)]
pub struct Store {
    pub(crate) database: Database,
    pub(crate) redis: Redis,
    pub(crate) first_tier_ttl: Duration,
    idempotency: Idempotency,
    /// Whose cursors are whose, and where its tables are.
    pub(crate) schema: Arc<str>,
    pub(crate) journal: Arc<journal::Statements>,
    pub(crate) terms: Arc<search::Statements>,
    pub(crate) erasure: Arc<erasure::Statements>,
    pub(crate) count_facets: SqlStr,
    pub(crate) tags: Arc<tags::Statements>,
    pub(crate) sets: Sets,
    pub(crate) merges: Arc<merge::Statements>,
    pub(crate) journal_days: i32,
    pub(crate) operations: Registry,
    exports: Shares,
    pub(crate) wakes: Wakes,
    pub(crate) watching: Watching,
    peers: Peers,
}

impl Store {
    /// The store of a service with this schema.
    ///
    /// # Errors
    /// A schema's name that would need quotes.
    pub fn new(
        database: Database,
        redis: Redis,
        schema: &str,
        config: &StoreConfig,
    ) -> Result<Self, crm_database::Error> {
        // Each export holds a connection, with its snapshot, for as long as its client takes to read: the other half is
        // for those who need one for milliseconds. One for each tenant: a second would only wait for the same reader.
        let exports = Shares::at_most((config.database_connections / 2) as usize, 1);
        let (idempotency, first_tier_ttl) = (Idempotency::new(schema)?, config.first_tier_ttl);
        let (journal, operations) = (Arc::new(journal::Statements::new(schema)), Registry::new(schema));
        let erasure = Arc::new(erasure::Statements::new(schema));
        let (terms, count_facets) = (Arc::new(search::Statements::new(schema)), facets::count(schema));
        let tags = Arc::new(tags::Statements::new(schema));
        let merges = Arc::new(merge::Statements::new(schema));
        let sets = Sets::new(&redis, first_tier_ttl, schema);
        let (wakes, watching, peers) = (Wakes::default(), Watching::new(config), Peers::default());
        redis.overhear(Arc::new(wakes.clone()));
        let journal_days = config.journal_days;
        Ok(Self {
            database,
            redis,
            first_tier_ttl,
            idempotency,
            schema: schema.into(),
            journal,
            terms,
            erasure,
            count_facets,
            tags,
            sets,
            merges,
            journal_days,
            operations,
            exports,
            wakes,
            watching,
            peers,
        })
    }

    /// The same, of a process that ends its watches when `end` comes.
    pub(crate) fn ending(mut self, end: CancellationToken) -> Self {
        self.watching.end = end;
        self
    }

    /// The same, of a process that asks these.
    pub(crate) fn asking(self, peers: Peers) -> Self {
        Self { peers, ..self }
    }

    /// Another service, which this one says that it asks.
    #[must_use]
    pub fn peer(&self, peer: &Peer) -> PeerClient {
        self.peers.client(peer)
    }

    /// A transaction that reads and writes, sees the present, or sees one moment throughout.
    pub(crate) async fn begin(&self, call: &Call, access: Access) -> Result<TenantTransaction, Error> {
        Ok(self.database.begin_with(call.tenant, call.deadline, access).await?)
    }

    /// A transaction that writes, and tells it when it ends.
    pub(crate) async fn write(&self, call: Call) -> Result<Write, Error> {
        let transaction = self.begin(&call, Access::ReadWrite).await?;
        Ok(Write::new(call, transaction, self.wakes.clone()))
    }

    /// A place for an export.
    pub(crate) fn export_place(&self, call: &Call) -> Result<Share, Error> {
        self.exports.take(Some(call.tenant.as_u128()), 1).map_err(|refused| match refused {
            Refused::Full => Error::from(&EXPORTS_BUSY),
            Refused::Share => Error::from(&EXPORT_RUNS),
        })
    }

    /// What this request was answered before, if it was; claims its id otherwise.
    pub(crate) async fn earlier_answer(
        &self,
        transaction: &mut TenantTransaction,
        request: RequestId,
    ) -> Result<Option<Vec<u8>>, Error> {
        match self.idempotency.check(transaction, request.scope, request.id, request.body_hash).await? {
            Outcome::First => Ok(None),
            Outcome::Reused => Err(Error::from(&REQUEST_ID_REUSED)),
            Outcome::Erased => Err(Error::from(&ANSWER_ERASED)),
            Outcome::Replay(answer) => Ok(Some(answer)),
        }
    }

    /// Keeps the answer for those who repeat the request.
    pub(crate) async fn keep_answer(
        &self,
        transaction: &mut TenantTransaction,
        request: RequestId,
        answer: &[u8],
    ) -> Result<(), Error> {
        Ok(self.idempotency.store(transaction, request.scope, request.id, answer).await?)
    }

    /// Whether the database answers, and lets this role use the schema.
    pub(crate) async fn check(&self) -> Result<(), crm_database::Error> {
        self.database.check().await?;
        let mut transaction = self.database.begin_read(uuid::Uuid::nil(), None).await?;
        self.idempotency.look(&mut transaction).await?;
        transaction.rollback().await
    }

    /// Forgets request ids that have outlived their promise, until nothing is left. It crosses tenants by itself, so it
    /// needs none.
    pub(crate) async fn sweep(&self) -> Result<u64, crm_database::Error> {
        let mut all = 0;
        loop {
            let mut transaction = self.database.begin(uuid::Uuid::nil(), None).await?;
            let swept = self.idempotency.sweep(&mut transaction).await?;
            transaction.commit().await?;
            all += swept;
            if swept == 0 {
                return Ok(all);
            }
        }
    }
}

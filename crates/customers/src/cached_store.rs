//! The store behind its caches: keys, expiry, what is cached and what is not, and the one way to commit.
//!
//! Cached: accounts and contacts by id, also that there is none. Not cached: lists and exports. A list changes with
//! every write to any of its rows, so most of what was kept would be stale or thrown away unread, while an index
//! answers a page in a millisecond.
//!
//! Deleted rows are cached like others and only then left out: an undelete has a version to invalidate by, and a
//! racing fill of "there is none", which has none, cannot come in between.

mod entry;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use crm_cache::{Cache, Eviction, Policy, Redis};
use crm_database::{Access, Database, TenantTransaction};
use crm_proto::customers as pb;
use tracing::Instrument;
use uuid::Uuid;

use crate::call::Call;
use crate::convert::{account_message, contact_message};
use crate::domain::{Account, Contact};
use crate::error::Error;
use crate::store;

pub use entry::Stored;

/// The store behind its caches; cheap to clone.
#[derive(Debug, Clone)]
pub struct CachedStore {
    database: Database,
    accounts: Cache<Stored<pb::Account>>,
    contacts: Cache<Stored<pb::Contact>>,
}

/// Ten times as many contacts as accounts are read, each seldom: they get the larger share.
const ACCOUNT_BYTES: u64 = 2 << 20;
const CONTACT_BYTES: u64 = 3 << 20;

fn policy(name: &'static str, l1_bytes: u64, l1_ttl: Duration) -> Policy {
    Policy {
        // A record is changed a few times a day and read in bursts while someone works with it. Writes invalidate,
        // so this bounds memory, not staleness.
        ttl: Duration::from_secs(10 * 60),
        // Ids are made here and nobody asks for one before it exists: only mistakes and probes get here, and these
        // come in bursts.
        negative_ttl: Duration::from_secs(30),
        // Records that were filled together, by an import or a restart, expire over a minute and not at once.
        jitter: 0.1,
        // Small: the hot set of a replica is a few thousand records, and the shared tier is a millisecond away.
        l1_bytes,
        l1_ttl,
        // An export or a nightly job that walks over everything shall not push out what people work with.
        l1_eviction: Eviction::LeastFrequentlyUsed,
        name,
    }
}

impl CachedStore {
    /// The store in `database`, with its second tier in `redis`, and rows in the first one for at most `first_tier_ttl`.
    pub fn new(database: Database, redis: &Redis, first_tier_ttl: Duration) -> Self {
        let accounts = Cache::new(redis.clone(), policy("accounts", ACCOUNT_BYTES, first_tier_ttl));
        let contacts = Cache::new(redis.clone(), policy("contacts", CONTACT_BYTES, first_tier_ttl));
        Self { database, accounts, contacts }
    }

    /// The account, if it is there and not deleted.
    ///
    /// # Errors
    /// It is not, or the database's.
    pub async fn get_account(&self, call: Call, id: Uuid) -> Result<Arc<Stored<pb::Account>>, Error> {
        let load = || async { Ok::<_, Error>(self.load_accounts(call, &[id]).await?.into_values().next()) };
        let found = self.accounts.get(&key(call.tenant, id), load).await?;
        found.filter(|account| !account.deleted).ok_or(Error::AccountNotFound(id))
    }

    /// The accounts with these ids, in their order.
    ///
    /// # Errors
    /// One is not there, or the database's.
    pub async fn get_accounts(&self, call: Call, ids: &[Uuid]) -> Result<Vec<Arc<Stored<pb::Account>>>, Error> {
        let load = |missing| async move { self.load_accounts(call, &ids_of(missing, ids, call.tenant)).await };
        let found = self.accounts.get_many(&keys(call.tenant, ids), load).await?;
        let live = found.into_iter().map(|account| account.filter(|account| !account.deleted));
        live.zip(ids).map(|(account, id)| account.ok_or(Error::AccountNotFound(*id))).collect()
    }

    /// The contact, if it is there and not deleted.
    ///
    /// # Errors
    /// It is not, or the database's.
    pub async fn get_contact(&self, call: Call, id: Uuid) -> Result<Arc<Stored<pb::Contact>>, Error> {
        let load = || async { Ok::<_, Error>(self.load_contacts(call, &[id]).await?.into_values().next()) };
        let found = self.contacts.get(&key(call.tenant, id), load).await?;
        found.filter(|contact| !contact.deleted).ok_or(Error::ContactNotFound(id))
    }

    /// The contacts with these ids, in their order.
    ///
    /// # Errors
    /// One is not there, or the database's.
    pub async fn get_contacts(&self, call: Call, ids: &[Uuid]) -> Result<Vec<Arc<Stored<pb::Contact>>>, Error> {
        let load = |missing| async move { self.load_contacts(call, &ids_of(missing, ids, call.tenant)).await };
        let found = self.contacts.get_many(&keys(call.tenant, ids), load).await?;
        let live = found.into_iter().map(|contact| contact.filter(|contact| !contact.deleted));
        live.zip(ids).map(|(contact, id)| contact.ok_or(Error::ContactNotFound(*id))).collect()
    }

    /// A transaction that reads and writes.
    ///
    /// # Errors
    /// The database's.
    pub async fn begin(&self, call: Call) -> Result<TenantTransaction, Error> {
        Ok(self.database.begin(call.tenant, call.deadline).await?)
    }

    /// A transaction that reads the present state.
    ///
    /// # Errors
    /// The database's.
    pub async fn begin_read(&self, call: Call) -> Result<TenantTransaction, Error> {
        Ok(self.database.begin_read(call.tenant, call.deadline).await?)
    }

    /// A transaction whose statements all see the same moment.
    ///
    /// # Errors
    /// The database's.
    pub async fn begin_snapshot(&self, call: Call) -> Result<TenantTransaction, Error> {
        Ok(self.database.begin_with(call.tenant, call.deadline, Access::Snapshot).await?)
    }

    /// Commits a transaction that wrote `account`, then has all caches forget its old state.
    ///
    /// # Errors
    /// The database's.
    pub async fn commit_account(
        &self,
        call: Call,
        transaction: TenantTransaction,
        account: &Account,
    ) -> Result<(), Error> {
        let (key, version) = (key(call.tenant, account.id.0), cache_version(account.version));
        let accounts = self.accounts.clone();
        commit(transaction, async move { accounts.invalidate(&key, version).await }).await
    }

    /// Commits a transaction that wrote `contact`, then has all caches forget its old state.
    ///
    /// # Errors
    /// The database's.
    pub async fn commit_contact(
        &self,
        call: Call,
        transaction: TenantTransaction,
        contact: &Contact,
    ) -> Result<(), Error> {
        let (key, version) = (key(call.tenant, contact.id.0), cache_version(contact.version));
        let contacts = self.contacts.clone();
        commit(transaction, async move { contacts.invalidate(&key, version).await }).await
    }

    async fn load_accounts(&self, call: Call, ids: &[Uuid]) -> Result<Loaded<pb::Account>, Error> {
        let mut transaction = self.begin_read(call).await?;
        let found = store::accounts::find(&mut transaction, call.tenant, ids).await?;
        transaction.commit().await?;
        Ok(found.iter().map(|account| (key(call.tenant, account.id.0), stored_account(account))).collect())
    }

    async fn load_contacts(&self, call: Call, ids: &[Uuid]) -> Result<Loaded<pb::Contact>, Error> {
        let mut transaction = self.begin_read(call).await?;
        let found = store::contacts::find(&mut transaction, call.tenant, ids).await?;
        transaction.commit().await?;
        Ok(found.iter().map(|contact| (key(call.tenant, contact.id.0), stored_contact(contact))).collect())
    }
}

/// Rows by their keys.
type Loaded<M> = HashMap<String, Stored<M>>;

/// In a task of its own: a caller that goes away between the two must not leave the old state behind. The caches
/// forget it even where the commit failed, for a lost connection does not tell whether it did.
async fn commit(
    transaction: TenantTransaction,
    forget: impl Future<Output = ()> + Send + 'static,
) -> Result<(), Error> {
    let both = async move {
        let committed = transaction.commit().await;
        forget.await;
        committed
    };
    let committed = tokio::spawn(both.in_current_span()).await;
    Ok(committed.map_err(|_| Error::Inconsistent("a commit panicked"))??)
}

/// The tenant first: no key of one tenant can name a record of another. The caches put their names in front.
fn key(tenant: Uuid, id: Uuid) -> String {
    format!("{}:{}", tenant.simple(), id.simple())
}

fn keys(tenant: Uuid, ids: &[Uuid]) -> Vec<String> {
    ids.iter().map(|id| key(tenant, *id)).collect()
}

/// The ids whose keys are among `missing`.
fn ids_of(missing: Vec<String>, ids: &[Uuid], tenant: Uuid) -> Vec<Uuid> {
    let missing: HashSet<String> = missing.into_iter().collect();
    ids.iter().copied().filter(|id| missing.contains(&key(tenant, *id))).collect()
}

fn stored_account(account: &Account) -> Stored<pb::Account> {
    let (version, deleted) = (cache_version(account.version), account.delete_time.is_some());
    Stored { version, deleted, message: account_message(account) }
}

fn stored_contact(contact: &Contact) -> Stored<pb::Contact> {
    let (version, deleted) = (cache_version(contact.version), contact.delete_time.is_some());
    Stored { version, deleted, message: contact_message(contact) }
}

/// Versions are positive by a constraint.
fn cache_version(version: i64) -> u64 {
    u64::try_from(version).unwrap_or_default()
}

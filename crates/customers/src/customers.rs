//! What the handlers of one process share.

use crm_database::TenantTransaction;
use crm_database::idempotency::{Idempotency, Outcome};
use crm_shares::Shares;
use prost::Message;

use crate::cached_store::CachedStore;
use crate::convert::RequestId;
use crate::error::Error;

/// Exports that run at once over a pool of so many connections. Each holds one, with its snapshot, for as long as its
/// client takes to read: the other half is for those who need one for milliseconds.
const fn export_places(connections: u32) -> usize {
    (connections / 2) as usize
}

/// The customers context of one process; cheap to clone.
#[derive(Debug, Clone)]
pub struct Customers {
    /// Rows and caches.
    pub store: CachedStore,
    idempotency: Idempotency,
    /// Places for exports.
    pub(crate) exports: Shares,
}

impl Customers {
    /// The context over a store with so many connections.
    pub fn new(store: CachedStore, idempotency: Idempotency, connections: u32) -> Self {
        // One for each tenant: a second one would only wait for the same reader.
        Self { store, idempotency, exports: Shares::at_most(export_places(connections), 1) }
    }

    /// What this request was answered before, if it was; claims its id otherwise.
    pub(crate) async fn earlier_answer<M: Message + Default>(
        &self,
        transaction: &mut TenantTransaction,
        scope: &str,
        request: RequestId,
    ) -> Result<Option<M>, Error> {
        match self.idempotency.check(transaction, scope, request.id, request.body_hash).await? {
            Outcome::First => Ok(None),
            Outcome::Reused => Err(Error::RequestIdReused),
            Outcome::Replay(answer) => {
                M::decode(answer.as_slice()).map(Some).map_err(|_| Error::Inconsistent("a kept answer does not decode"))
            }
        }
    }

    /// Keeps the answer for those who repeat the request.
    pub(crate) async fn keep_answer(
        &self,
        transaction: &mut TenantTransaction,
        scope: &str,
        request: RequestId,
        answer: &[u8],
    ) -> Result<(), Error> {
        Ok(self.idempotency.store(transaction, scope, request.id, answer).await?)
    }
}

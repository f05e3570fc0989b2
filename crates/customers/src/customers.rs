//! What the handlers of one process share.

use std::sync::Arc;

use crm_database::TenantTransaction;
use crm_database::idempotency::{Idempotency, Outcome};
use prost::Message;
use tokio::sync::Semaphore;

use crate::cached_store::CachedStore;
use crate::convert::RequestId;
use crate::error::Error;

/// Exports that run at once. Each holds a connection, for as long as its client takes to read.
pub(crate) const EXPORTS: u32 = 2;

/// The customers context of one process; cheap to clone.
#[derive(Debug, Clone)]
pub struct Customers {
    /// Rows and caches.
    pub store: CachedStore,
    idempotency: Idempotency,
    /// Places for exports.
    pub(crate) exports: Arc<Semaphore>,
}

impl Customers {
    /// The context over a store.
    pub fn new(store: CachedStore, idempotency: Idempotency) -> Self {
        Self { store, idempotency, exports: Arc::new(Semaphore::new(EXPORTS as usize)) }
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

//! The loop that claims operations and gives each its turn.

use std::collections::HashMap;
use std::sync::atomic::Ordering;
use std::time::Duration;

use crm_telemetry::tasks::guarded;
use tokio::task::{Id, JoinSet};
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::turn::{self, Claimed, Turn};
use crate::Store;
use crate::unseen::unseen;

/// How often a process looks by itself for what was begun elsewhere, put off, or left by a process that died.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// Of so many connections to the database one works for operations: those who wait for an answer have the others.
const CONNECTIONS_EACH: u32 = 5;
/// Most that are counted as waiting.
const COUNTED: i32 = 10_000;

/// The turns of one process, and whose they are: each tenant has one at most.
#[derive(Default)]
struct Turns {
    running: JoinSet<()>,
    tenants: HashMap<Id, Uuid>,
}

impl Store {
    /// Runs operations until `shutdown`, then ends the steps that are under way and gives the rest back.
    pub async fn run_operations(&self, shutdown: CancellationToken) {
        if self.operations.names().is_empty() {
            return;
        }
        let places = (self.database.state().max / CONNECTIONS_EACH).max(1) as usize;
        let (mut turns, mut is_told) = (Turns::default(), false);
        let mut look = interval(LOOK_EVERY);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while !shutdown.is_cancelled() {
            match self.fill(&mut turns, places, &shutdown).await {
                Ok(()) => is_told = false,
                Err(error) if !is_told => {
                    tracing::warn!(%error, "operations cannot be claimed; trying again until they can");
                    is_told = true;
                }
                Err(_) => {}
            }
            self.operations.running.store(turns.running.len(), Ordering::Relaxed);
            tokio::select! {
                () = shutdown.cancelled() => {}
                () = self.operations.due.notified() => {}
                Some(ended) = turns.running.join_next_with_id() => turns.forget(&ended),
                _ = look.tick() => self.count_waiting().await,
            }
        }
        while turns.running.join_next().await.is_some() {}
        self.operations.running.store(0, Ordering::Relaxed);
    }

    /// Claims until every place is taken or nothing is due.
    async fn fill(
        &self,
        turns: &mut Turns,
        places: usize,
        shutdown: &CancellationToken,
    ) -> Result<(), crm_database::Error> {
        while turns.running.len() < places && !shutdown.is_cancelled() {
            let Some(claimed) = self.claim(turns.tenants.values().copied().collect()).await? else { return Ok(()) };
            let tenant = claimed.tenant;
            let turn = Turn::new(self.clone(), claimed, shutdown.clone());
            // One that panics outside of its step keeps its lease until that runs out.
            let task = turns.running.spawn(async move {
                let _ended = guarded("operation.turn", turn.run()).await;
            });
            turns.tenants.insert(task.id(), tenant);
        }
        Ok(())
    }

    async fn claim(&self, busy: Vec<Uuid>) -> Result<Option<Claimed>, crm_database::Error> {
        let query = sqlx::query(self.operations.statements.claim.clone()).bind(self.operations.names()).bind(busy);
        let query = query.bind(turn::LEASE.as_secs_f64());
        let claiming = async {
            let mut transaction = self.database.begin(Uuid::nil(), None).await?;
            let claimed = transaction.fetch_optional("claim_operation", query).await?;
            transaction.commit().await?;
            Ok(claimed)
        };
        unseen(claiming).await
    }

    async fn count_waiting(&self) {
        let counting = async {
            let mut transaction = self.database.begin(Uuid::nil(), None).await?;
            let query = sqlx::query(self.operations.statements.waiting.clone());
            let query = query.bind(self.operations.names()).bind(COUNTED);
            let (waiting,): (i64,) = transaction.fetch_one("count_waiting_operations", query).await?;
            transaction.commit().await?;
            Ok::<_, crm_database::Error>(u64::try_from(waiting).unwrap_or_default())
        };
        // Who claims next tells of a database that is away.
        if let Ok(waiting) = unseen(counting).await {
            self.operations.waiting.store(waiting, Ordering::Relaxed);
        }
    }
}

impl Turns {
    fn forget(&mut self, ended: &Result<(Id, ()), tokio::task::JoinError>) {
        let id = ended.as_ref().map_or_else(tokio::task::JoinError::id, |(id, ())| *id);
        self.tenants.remove(&id);
    }
}

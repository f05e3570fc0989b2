//! One turn of one tenant: batch after batch, until nothing is left or others have waited long enough.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use crm_proto::journal::{Change, ListChangesResponse};
use crm_server::token::ServiceSigner;
use crm_telemetry::following::BatchSpan;
use futures_util::FutureExt;
use tokio::time::timeout;
use tonic::Status;
use tonic_types::StatusExt;
use tracing::Instrument;
use uuid::Uuid;

use super::beginning::Made;
use super::cursors::Cursors;
use super::metrics::{count_batch, count_changes};
use super::pending::End;
use super::progress::Progress;
use super::source::Source;
use super::{Beginning, Effects, Why};
use crate::{CURSOR_EXPIRED, Call, Error, Store};

/// Changes that are asked for at a time.
const AT_ONCE: u32 = 500;
/// Batches of a turn.
const BATCHES: usize = 20;
/// For the transaction that makes the effects of a batch.
const PATIENCE: Duration = Duration::from_secs(30);
/// For what a beginning reads of the source: other tenants wait for its place.
const BEGINNING: Duration = Duration::from_secs(300);

/// What a turn needs.
#[derive(Clone)]
pub(super) struct Turns {
    pub(super) store: Store,
    pub(super) signer: ServiceSigner,
    pub(super) cursors: Arc<Cursors>,
    pub(super) source: Source,
    pub(super) effects: Arc<dyn Effects>,
    pub(super) progress: Arc<Progress>,
}

/// What became of a batch.
enum Became {
    /// Nothing was new.
    Nothing,
    Applied {
        is_last: bool,
    },
    /// Another replica has it in hand, or has made it.
    Taken,
    /// It has more than one change, and they could not be made together.
    TooMuch,
    Failed(Box<Failure>),
}

/// What is made in the transaction that moves the cursor.
enum Make<'a> {
    Nothing,
    Changes(&'a [Change]),
    Beginning(Made),
}

/// Why a batch failed, and what is counted.
struct Failure {
    outcome: &'static str,
    change: Option<Change>,
    error: Error,
}

impl Became {
    fn outcome(&self) -> &'static str {
        match self {
            Self::Nothing => "none",
            Self::Applied { .. } => "applied",
            Self::Taken => "taken",
            Self::TooMuch => "failed",
            Self::Failed(failure) => failure.outcome,
        }
    }
}

impl Turns {
    /// `is_careful` after a turn that failed: one change comes first, then more.
    pub(super) async fn take(&self, tenant: Uuid, is_careful: bool) -> End {
        let (mut size, mut has_moved) = (if is_careful { 1 } else { AT_ONCE }, false);
        for _ in 0..BATCHES {
            let became = self.batch(tenant, size).await;
            has_moved |= matches!(became, Became::Applied { .. });
            size = match became {
                Became::Nothing | Became::Applied { is_last: true } => return End::CaughtUp,
                Became::Applied { is_last: false } => (size * 4).min(AT_ONCE),
                Became::Taken => return End::Taken,
                Became::TooMuch => 1,
                Became::Failed(failure) => {
                    self.tell(tenant, &failure);
                    return if has_moved { End::Halted } else { End::Failed };
                }
            };
        }
        End::More
    }

    async fn batch(&self, tenant: Uuid, size: u32) -> Became {
        let follower = self.progress.follower;
        let span = BatchSpan::begin(follower.name, follower.source.name);
        let became = self.follow(tenant, size, &span).instrument(span.span()).await;
        let became =
            became.unwrap_or_else(|error| Became::Failed(Box::new(Failure { outcome: "failed", change: None, error })));
        let outcome = became.outcome();
        if !matches!(became, Became::Nothing) {
            count_batch(follower, outcome);
        }
        span.end(outcome, matches!(became, Became::TooMuch | Became::Failed(_)));
        became
    }

    /// One batch. No transaction is open while the source is asked.
    async fn follow(&self, tenant: Uuid, size: u32, span: &BatchSpan) -> Result<Became, Error> {
        let call = Call::without_caller(&self.signer, tenant, PATIENCE)?;
        let Some(cursor) = self.cursors.find(&self.store, &call).await? else {
            return self.begin(tenant, None, Why::New).await;
        };
        match self.source.of(tenant).changes(&cursor, size).await {
            Ok(found) => self.make(tenant, &cursor, found, span).await,
            Err(status) if is_expired(&status) => {
                let (follower, source) = (self.progress.follower.name, self.progress.follower.source.name);
                tracing::warn!(follower, source, %tenant, "changes are no longer kept that were not followed: beginning anew");
                count_batch(self.progress.follower, "expired");
                self.begin(tenant, Some(&cursor), Why::Expired).await
            }
            Err(status) => Ok(Became::Failed(Box::new(Failure {
                outcome: "unanswered",
                change: None,
                error: Error::Other(status),
            }))),
        }
    }

    async fn make(
        &self,
        tenant: Uuid,
        from: &str,
        found: ListChangesResponse,
        span: &BatchSpan,
    ) -> Result<Became, Error> {
        let ListChangesResponse { changes, cursor, last } = found;
        if cursor == from {
            return Ok(Became::Nothing);
        }
        span.found(changes.len(), changes.iter().map(|change| change.traceparent.as_str()));
        if let Some(oldest) = changes.first().and_then(made_at) {
            self.progress.found(tenant, oldest);
        }
        match self.keep_changes(tenant, (from, &cursor), &changes).await {
            Ok(true) => {
                count_changes(self.progress.follower, changes.len());
                Ok(Became::Applied { is_last: last })
            }
            Ok(false) => Ok(Became::Taken),
            Err(error) if changes.len() > 1 => {
                tracing::debug!(%error, changes = changes.len(), "a batch cannot be followed: one by one");
                Ok(Became::TooMuch)
            }
            Err(error) => {
                let change = changes.into_iter().next();
                Ok(Became::Failed(Box::new(Failure { outcome: "failed", change, error })))
            }
        }
    }

    async fn keep_changes(&self, tenant: Uuid, (from, to): (&str, &str), changes: &[Change]) -> Result<bool, Error> {
        if changes.is_empty() {
            // Those of kinds that the follower does not name are read, and left out.
            return self.keep(tenant, Some(from), to, Make::Nothing).await;
        }
        let source = self.source.of(tenant);
        let mut told = guarded(PATIENCE, self.effects.ask(&source, changes)).await?;
        told.extend_from_slice(changes);
        self.keep(tenant, Some(from), to, Make::Changes(&told)).await
    }

    /// Begins with a tenant, or begins anew.
    async fn begin(&self, tenant: Uuid, from: Option<&str>, why: Why) -> Result<Became, Error> {
        let source = self.source.of(tenant);
        let Beginning { cursor, made } = guarded(BEGINNING, self.effects.begin(&source, why)).await?;
        let kept = self.keep(tenant, from, &cursor, made.map_or(Make::Nothing, Make::Beginning)).await?;
        Ok(if kept { Became::Applied { is_last: false } } else { Became::Taken })
    }

    /// Moves the cursor and makes the effects, both or neither. Answers whether the cursor was where it was thought to be.
    async fn keep(&self, tenant: Uuid, from: Option<&str>, to: &str, make: Make<'_>) -> Result<bool, Error> {
        let call = Call::without_caller(&self.signer, tenant, PATIENCE)?;
        let mut write = self.store.write(call).await?;
        if !self.cursors.advance(&mut write, tenant, from, to).await? {
            return Ok(false);
        }
        match make {
            Make::Nothing => {}
            Make::Changes(changes) => guarded(PATIENCE, self.effects.apply(&mut write, changes)).await?,
            Make::Beginning(made) => guarded(PATIENCE, made(&mut write)).await?,
        }
        write.commit().await?;
        Ok(true)
    }

    fn tell(&self, tenant: Uuid, failure: &Failure) {
        let (follower, source) = (self.progress.follower.name, self.progress.follower.source.name);
        let Failure { outcome, change, error } = failure;
        let (resource, id, version) = change
            .as_ref()
            .map_or(("", "", 0), |change| (change.resource.as_str(), change.id.as_str(), change.version));
        tracing::warn!(
            follower, source, outcome, %tenant, resource, id, version, %error,
            "changes cannot be followed; trying again later"
        );
    }
}

/// What panics, or never ends, has failed, and nobody else has.
async fn guarded<T>(time: Duration, effects: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    match timeout(time, AssertUnwindSafe(effects).catch_unwind()).await {
        Ok(ended) => ended.unwrap_or(Err(Error::Inconsistent("what follows from a change panicked"))),
        Err(_elapsed) => Err(crm_database::Error::DeadlineExceeded.into()),
    }
}

fn is_expired(status: &Status) -> bool {
    status.get_error_details().error_info().is_some_and(|info| info.reason == CURSOR_EXPIRED.reason)
}

fn made_at(change: &Change) -> Option<SystemTime> {
    SystemTime::try_from(change.change_time?).ok()
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn effects_that_panic_or_never_end_have_failed() {
        assert!(matches!(guarded(PATIENCE, ready(Ok(1))).await, Ok(1)));
        let panicked = guarded(PATIENCE, async { if true { panic!("in effects") } else { Ok(()) } }).await;
        assert!(matches!(panicked, Err(Error::Inconsistent(_))), "{panicked:?}");
        let began = tokio::time::Instant::now();
        let hung = guarded(PATIENCE, pending::<Result<(), Error>>()).await;
        assert!(matches!(hung, Err(Error::Database(crm_database::Error::DeadlineExceeded))), "{hung:?}");
        assert_eq!(began.elapsed(), PATIENCE);
    }
}

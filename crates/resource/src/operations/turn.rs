//! A turn: one step after the other of an operation that this process has claimed.

use std::time::{Duration, SystemTime};

use crm_server::token::{Claims, Role};
use crm_telemetry::operation::step_span;
use prost::Message;
use prost_types::Any;
use serde_json::Value;
use sqlx::postgres::PgArguments;
use sqlx::query::Query;
use sqlx::{FromRow, Postgres, SqlStr};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;
use tracing::{Instrument, Span};
use uuid::Uuid;

use super::failure::{self, MOST_TRIES, Verdict};
use super::kind::{Next, Progress};
use super::metrics;
use crate::{Call, Error, Store, Write};

/// The longest that one step may take.
const STEP: Duration = Duration::from_secs(10);
/// How long a claim lasts beyond its last committed step. What a step writes is committed within it, or was given up.
pub(super) const LEASE: Duration = Duration::from_secs(20);
/// After so long others come before the next step.
const TURN: Duration = Duration::from_secs(10);

/// What whoever claims an operation is told of it.
#[derive(Debug, Clone, FromRow)]
pub(super) struct Claimed {
    #[sqlx(rename = "tenant_id")]
    pub(super) tenant: Uuid,
    id: Uuid,
    claim: i64,
    kind: String,
    subject: String,
    role: String,
    traceparent: Option<String>,
}

/// What a step begins with.
type Begin = (Vec<u8>, Option<Value>, i64, Option<i64>, i32, bool);

/// What a step has led to.
#[derive(Debug, PartialEq, Eq)]
enum After {
    /// Another one.
    Step,
    /// The operation's end.
    End,
    /// Nothing: somebody else has claimed it since.
    Lost,
}

#[derive(Clone)]
pub(super) struct Turn {
    store: Store,
    claimed: Claimed,
    until: Instant,
    shutdown: CancellationToken,
}

impl Turn {
    pub(super) fn new(store: Store, claimed: Claimed, shutdown: CancellationToken) -> Self {
        Self { store, claimed, until: Instant::now() + TURN, shutdown }
    }

    /// Steps until the operation ends, the turn is over or the process is to end.
    pub(super) async fn run(self) {
        loop {
            let span = self.span();
            let (result, tries) = self.guarded_step().instrument(span.clone()).await;
            match result {
                Ok(After::Step) if Instant::now() < self.until && !self.shutdown.is_cancelled() => {}
                Ok(After::Step) => return self.pause(Duration::ZERO, i32::MAX).instrument(span).await,
                Ok(After::End | After::Lost) => return,
                Err(error) => return self.fail(error, tries).instrument(span).await,
            }
        }
    }

    fn span(&self) -> Span {
        let Claimed { kind, id, traceparent, .. } = &self.claimed;
        step_span(kind, &id.to_string(), traceparent.as_deref())
    }

    /// A step in a task of its own, so that one that panics or takes too long is one that failed; and which try it was.
    async fn guarded_step(&self) -> (Result<After, Error>, i32) {
        let (turn, until) = (self.clone(), Instant::now() + STEP);
        let step = async move {
            let mut tries = 1;
            let step = timeout_at(until, turn.step(until, &mut tries)).await;
            (step.unwrap_or_else(|_| Err(crm_database::Error::DeadlineExceeded.into())), tries)
        };
        // Gone with whoever waits for it here, should that be dropped.
        let mut task = JoinSet::new();
        task.spawn(step.in_current_span());
        let panicked = || (Err(Error::Inconsistent("a step of an operation panicked")), 1);
        task.join_next().await.and_then(Result::ok).unwrap_or_else(panicked)
    }

    async fn step(&self, until: Instant, tried: &mut i32) -> Result<After, Error> {
        let mut write = self.begin(until).await?;
        let read = self.query(&self.store.operations.statements.read);
        let begin: Option<Begin> = write.fetch_optional("read_operation", read).await?;
        let Some((request, at, done, total, tries, is_cancelled)) = begin else { return Ok(After::Lost) };
        *tried = tries;
        let kind = self.store.operations.find(&self.claimed.kind);
        let kind = kind.ok_or(Error::Inconsistent("an operation of an unknown kind was claimed"))?;
        // Who asked while the first step was under way came too late.
        let goes_through = at.is_some() && kind.goes_through();
        if is_cancelled && !goes_through {
            return self.end(write, "cancelled", None, Ending::default()).await;
        }
        if tries > MOST_TRIES {
            return self.end(write, "failed", None, Ending::of_error(failure::stuck())).await;
        }
        let mut progress = Progress { done, total };
        match kind.any_step(&mut write, &mut progress, &request, at).await? {
            Next::Step(position) => self.advance(write, position, progress).await,
            Next::End(response) => self.end(write, "succeeded", Some(progress), Ending::of(&response)).await,
        }
    }

    /// In the name of whoever asked for the operation.
    async fn begin(&self, until: Instant) -> Result<Write, Error> {
        let Claimed { tenant, subject, role, .. } = &self.claimed;
        let role: Role = role.parse().map_err(|_| Error::Inconsistent("a role of an operation is unknown"))?;
        let (subject, tenant_name) = (subject.clone(), tenant.to_string());
        let caller = Claims { subject, tenant: *tenant, tenant_name, role, expires_at: SystemTime::now() + STEP };
        let call = Call { tenant: *tenant, caller: caller.into(), deadline: Some(until) };
        self.store.write(call).await
    }

    /// The end of a step that others follow.
    async fn advance(&self, mut write: Write, position: Value, progress: Progress) -> Result<After, Error> {
        let query = self.query(&self.store.operations.statements.advance).bind(position);
        let query = query.bind(progress.done).bind(progress.total).bind(LEASE.as_secs_f64());
        if write.execute("advance_operation", query).await? == 0 {
            return Ok(After::Lost);
        }
        write.commit().await?;
        Ok(After::Step)
    }

    async fn end(
        &self,
        mut write: Write,
        state: &'static str,
        progress: Option<Progress>,
        Ending { response, error }: Ending,
    ) -> Result<After, Error> {
        let query = self.query(&self.store.operations.statements.end).bind(state);
        let query =
            query.bind(progress.map(|progress| progress.done)).bind(progress.and_then(|progress| progress.total));
        let ended: Option<(f64,)> = write.fetch_optional("end_operation", query.bind(response).bind(error)).await?;
        let Some((seconds,)) = ended else { return Ok(After::Lost) };
        write.commit().await?;
        metrics::count_end(&self.claimed.kind, state, seconds);
        self.store.operations.waits.end(self.claimed.tenant, self.claimed.id);
        Ok(After::End)
    }

    /// What becomes of the operation now that a step has failed.
    async fn fail(&self, error: Error, tries: i32) {
        let verdict = failure::judge(&error, tries);
        let Claimed { id, kind, .. } = &self.claimed;
        tracing::info!(operation = %id, kind, tries, ?verdict, %error, "a step of an operation failed");
        match verdict {
            Verdict::Wait(pause) => self.pause(pause, 1).await,
            Verdict::Retry(pause) => self.pause(pause, 0).await,
            Verdict::End => {
                let ending = async {
                    let write = self.begin(Instant::now() + STEP).await?;
                    self.end(write, "failed", None, Ending::of_error(error)).await
                };
                self.note(ending.await.map(drop));
            }
        }
    }

    /// Gives the operation back, for whoever claims it after a pause; so many of its tries do not count.
    async fn pause(&self, pause: Duration, forgiven: i32) {
        let giving_back = async {
            let mut write = self.begin(Instant::now() + STEP).await?;
            let query = self.query(&self.store.operations.statements.give_back);
            write.execute("give_back_operation", query.bind(forgiven).bind(pause.as_secs_f64())).await?;
            write.commit().await
        };
        self.note(giving_back.await);
    }

    /// Somebody else goes on when the lease has run out.
    fn note(&self, result: Result<(), Error>) {
        if let Err(error) = result {
            tracing::warn!(operation = %self.claimed.id, %error, "an operation keeps its lease until that runs out");
        }
    }

    /// A statement about this claim.
    fn query(&self, sql: &SqlStr) -> Query<'static, Postgres, PgArguments> {
        let Claimed { tenant, id, claim, .. } = self.claimed;
        sqlx::query(sql.clone()).bind(tenant).bind(id).bind(claim)
    }
}

/// What an operation ends with, encoded.
#[derive(Default)]
struct Ending {
    response: Option<Vec<u8>>,
    error: Option<Vec<u8>>,
}

impl Ending {
    fn of(response: &Any) -> Self {
        Self { response: Some(response.encode_to_vec()), error: None }
    }

    fn of_error(error: Error) -> Self {
        Self { response: None, error: Some(failure::told(error)) }
    }
}

//! Tries again, elsewhere, where that can do no harm.
//!
//! Without limit of budget when the request provably was not processed; otherwise only for calls that the caller marked, on
//! UNAVAILABLE or a lost connection (probes and trials: on any failure), within the budget, and never once a response has
//! begun: its headers then belong to the caller.

use std::time::Duration;

use http::{Request, Response};
use tokio::time::{Instant, sleep};
use tonic::body::Body;
use tonic::{Code, Status};

use super::Attempted;
use super::attempt::{Attempts, Failure, Try};
use super::budget::Budget;
use super::refusal::{Pushback, exceeded, mark_passed_on, pass_on};
use super::replay::Replay;
use super::stage::{Call, Facts, Stage};
use super::tracker::{Tracked, early_code, is_failure};
use crate::replica::Outcome;
use crate::settings::{PerTry, RetrySettings};

/// Requests that did not leave are sent elsewhere this often even where retries are off.
const UNPROCESSED_ATTEMPTS: u32 = 3;
/// The next attempt is worth its price only if so much time is left for it.
const LEAST_TIME: Duration = Duration::from_millis(1);

pub(super) struct Retry {
    attempts: Attempts,
    budget: Budget,
    settings: RetrySettings,
}

type Answer = Result<Response<Tracked>, Failure>;

impl Retry {
    pub(super) fn new(attempts: Attempts, settings: RetrySettings) -> Self {
        let budget = Budget::new(attempts.upstream().clone(), &settings);
        Self { attempts, budget, settings }
    }

    /// How long attempt `tries` may wait for headers.
    fn give_up(&self, facts: &Facts, tries: u32) -> Instant {
        let left = self.settings.max_attempts.saturating_sub(tries);
        if !facts.retryable || left == 0 {
            return facts.deadline;
        }
        let now = Instant::now();
        match self.settings.per_try {
            PerTry::Off => facts.deadline,
            PerTry::Fixed(time) => facts.deadline.min(now + time),
            PerTry::Half => now + facts.deadline.saturating_duration_since(now) / 2,
        }
    }

    /// The pause before another attempt, or none if this answer stands.
    fn again(&self, answer: &Answer, facts: &Facts, replay: &Replay, tries: u32) -> Option<Duration> {
        let pushback = match answer {
            Ok(response) if is_worth_another(response) => Pushback::in_headers(response.headers()),
            Err(Failure::Reset { on_errand: true, .. }) => Pushback::Silent,
            Ok(_) | Err(Failure::NoEndpoint | Failure::Reset { .. } | Failure::Abandoned) => return None,
            Err(Failure::Unprocessed(_)) => {
                let may = tries < self.settings.max_attempts.max(UNPROCESSED_ATTEMPTS) && replay.is_replayable();
                return may.then_some(Duration::ZERO);
            }
            Err(Failure::Lost(_) | Failure::Slow(_)) => Pushback::Silent,
        };
        let asked = match pushback {
            Pushback::Never => return None,
            Pushback::After(pause) => Some(pause),
            Pushback::Silent => None,
        };
        let pause = asked.unwrap_or_else(|| self.backoff(tries));
        (self.may_retry(facts, replay, tries, pause)).then_some(pause)
    }

    fn may_retry(&self, facts: &Facts, replay: &Replay, tries: u32, pause: Duration) -> bool {
        let counters = &self.attempts.upstream().shared.counters;
        let now = Instant::now();
        if !self.is_allowed(facts, replay, tries) {
            counters.retries_not_allowed.add();
            return false;
        }
        if now + pause + LEAST_TIME > facts.deadline {
            return false;
        }
        let is_paid = self.budget.spend(now);
        if is_paid { &counters.retries_sent } else { &counters.retries_without_budget }.add();
        is_paid
    }

    /// Whether another attempt may follow attempt `tries` although that may have been processed.
    fn is_allowed(&self, facts: &Facts, replay: &Replay, tries: u32) -> bool {
        facts.retryable && tries < self.settings.max_attempts && replay.is_replayable()
    }

    /// Full jitter (Brooker, "Exponential Backoff and Jitter", 2015).
    fn backoff(&self, tries: u32) -> Duration {
        let grown = self.settings.base_backoff.saturating_mul(2_u32.saturating_pow(tries.min(16) - 1));
        grown.min(self.settings.max_backoff).mul_f64(self.attempts.upstream().shared.dice.unit())
    }

    /// Passes an answer on. A failure is marked: here was tried what could be tried, and whoever tries it again multiplies
    /// that. Three levels that each try three times make 27 attempts.
    fn finish(&self, answer: Answer, tries: u32) -> Result<Response<Tracked>, Status> {
        match answer {
            Ok(mut response) => {
                let replica = response.body().replica();
                response.extensions_mut().insert(Attempted { replica, tries });
                if early_code(&response).is_some_and(is_failure) {
                    mark_passed_on(response.headers_mut());
                }
                Ok(response)
            }
            Err(Failure::Abandoned) => Err(Failure::Abandoned.into_status(self.attempts.upstream().name())),
            Err(failure) => Err(pass_on(failure.into_status(self.attempts.upstream().name()))),
        }
    }
}

impl Stage for Retry {
    type Body = Tracked;

    async fn call(&self, call: &mut Call) -> Result<Response<Tracked>, Status> {
        self.budget.earn();
        let facts = call.facts;
        let (head, body) = std::mem::take(&mut call.request).into_parts();
        let replay = Replay::capture(body, self.settings.max_body_bytes).await?;
        let (mut tried, mut tries) = (Vec::new(), 1);
        loop {
            let request: Request<Body> = Request::from_parts(head.clone(), replay.body());
            let (give_up, may_fail) = (self.give_up(&facts, tries), self.is_allowed(&facts, &replay, tries));
            let attempt = Try { number: tries, avoid: &tried, give_up, may_fail, debt: replay.debt() };
            let answer = self.attempts.run(request, &facts, attempt).await;
            let Some(pause) = self.again(&answer, &facts, &replay, tries) else { return self.finish(answer, tries) };
            tried.extend(went_to(&answer));
            drop(answer);
            tries += 1;
            if !pause.is_zero() {
                sleep(pause).await;
            }
            if Instant::now() >= facts.deadline {
                return Err(exceeded(facts.deadline.saturating_duration_since(facts.started)));
            }
        }
    }
}

/// Whether a response says that another endpoint may do better. A call that tried a suspect one for the upstream's sake should
/// not suffer for it, however that failed.
fn is_worth_another(response: &Response<Tracked>) -> bool {
    let Some(code) = early_code(response) else { return false };
    code == Code::Unavailable || (response.body().is_on_errand() && Outcome::of(code) == Outcome::Failed)
}

fn went_to(answer: &Answer) -> Option<u32> {
    match answer {
        Ok(response) => Some(response.body().replica()),
        Err(failure) => failure.replica(),
    }
}

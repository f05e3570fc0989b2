//! Calls to replicas, on behalf of many tenants: open loop, timed from the moment each was due; as many as there can be; or
//! one, for its answer.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crm_balance::{Client, RetrySettings};
use crm_server::token::Role;
use crm_transcode::Transcoder;
use futures_util::future::join_all;
use parking_lot::Mutex;
use rand::SeedableRng;
use rand::rngs::StdRng;
use serde_json::Value;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::error::LabError;
use super::stage::{Replica, Stage};
use crate::load::{Options, Outcome, Pace, Ready, Scenario, Sender, Tally, keep, plain, transcoder};

/// Which replica is called, for which tenant, in which role.
pub(crate) type Whose<'a> = (usize, &'a str, Role);

/// Who calls replicas.
pub(crate) struct Callers<'a> {
    stage: &'a Stage,
    clients: Vec<Client>,
    transcoder: Transcoder,
    senders: HashMap<(usize, String, &'static str), Arc<Sender>>,
}

/// A call, and who makes it.
pub(crate) struct Asked {
    sender: Arc<Sender>,
    call: Ready,
}

impl Asked {
    /// The kind that it is counted as.
    pub(crate) fn index(&self) -> usize {
        self.call.index
    }
}

impl<'a> Callers<'a> {
    pub(crate) fn new(stage: &'a Stage, replicas: &[&Replica]) -> Result<Self, LabError> {
        let transcoder = transcoder().map_err(|error| LabError::Load(error.to_string()))?;
        let client =
            |replica: &&Replica| crate::load::client([replica.address().to_string().as_str()], RetrySettings::off());
        Ok(Self { stage, clients: replicas.iter().map(client).collect(), transcoder, senders: HashMap::new() })
    }

    /// A call; `index` is the kind that it is counted as.
    pub(crate) fn ask(
        &mut self,
        whose: Whose<'_>,
        index: usize,
        rpc: &str,
        request: &Value,
    ) -> Result<Asked, LabError> {
        let sender = self.sender(whose)?;
        let (body, _) = plain(&self.transcoder, rpc, request).map_err(|error| LabError::Load(error.to_string()))?;
        Ok(Asked { sender, call: Ready { index, path: format!("/{rpc}"), body } })
    }

    /// What one call is answered, and how long that took; or the name of its code.
    pub(crate) async fn answer(
        &mut self,
        whose: Whose<'_>,
        rpc: &str,
        request: &Value,
    ) -> Result<(Result<Value, String>, Duration), LabError> {
        let sender = self.sender(whose)?;
        let (body, answers) =
            plain(&self.transcoder, rpc, request).map_err(|error| LabError::Load(error.to_string()))?;
        let began = Instant::now();
        let answer = sender.message(&format!("/{rpc}"), body).await;
        let took = began.elapsed();
        let failed = |error: &dyn std::fmt::Display| LabError::Call(format!("{rpc}: {error}"));
        let message = match answer {
            Ok(message) => message,
            Err(code) => return Ok((Err(code), took)),
        };
        let json = self.transcoder.message_to_json(&answers, &message).map_err(|error| failed(&error))?;
        Ok((Ok(serde_json::from_slice(&json).map_err(|error| failed(&error))?), took))
    }

    /// As [`answer`](Self::answer), of a call that has to go well.
    pub(crate) async fn get(&mut self, whose: Whose<'_>, rpc: &str, request: &Value) -> Result<Value, LabError> {
        let (answer, _) = self.answer(whose, rpc, request).await?;
        answer.map_err(|code| LabError::Call(format!("{rpc}: {code}")))
    }

    /// Makes these calls, each when it is due, until there are no more or the time is over.
    pub(crate) async fn play(
        &self,
        calls: Vec<Asked>,
        kinds: usize,
        rate: u32,
        seconds: u32,
        seed: u64,
    ) -> Result<Tally, LabError> {
        let failed = |error: &dyn std::fmt::Display| LabError::Load(error.to_string());
        let mut tally = Tally::new(kinds).map_err(|error| failed(&error))?;
        let pace = Pace::new(&scenario(rate, seconds)?, false, StdRng::seed_from_u64(seed));
        let mut due = keep(pace).map_err(|error| failed(&error))?;
        let (outcomes, mut ended) = mpsc::unbounded_channel::<Outcome>();
        for Asked { sender, call } in calls {
            let Some(at) = due.recv().await else { break };
            start(sender, call, at, outcomes.clone());
        }
        drop(outcomes);
        while let Some(outcome) = ended.recv().await {
            tally.count(&outcome);
        }
        Ok(tally)
    }

    /// How many calls a second there can be: so many callers make one after the other, until there are no more or the time is
    /// over.
    pub(crate) async fn saturate(calls: Vec<Asked>, callers: usize, time: Duration) -> f64 {
        let (calls, began) = (Mutex::new(calls.into_iter()), Instant::now());
        let caller = async || {
            let mut made = 0_u32;
            while began.elapsed() < time {
                let Some(Asked { sender, call }) = calls.lock().next() else { break };
                made += u32::from(sender.timed(call, Instant::now()).await.failure.is_none());
            }
            made
        };
        let made: u32 = join_all((0..callers).map(|_| caller())).await.into_iter().sum();
        f64::from(made) / began.elapsed().as_secs_f64()
    }

    fn sender(&mut self, (replica, tenant, role): Whose<'_>) -> Result<Arc<Sender>, LabError> {
        let key = (replica, tenant.to_owned(), role.as_str());
        if let Some(sender) = self.senders.get(&key) {
            return Ok(Arc::clone(sender));
        }
        let failed = |error: &dyn std::fmt::Display| LabError::Load(error.to_string());
        let client = self.clients.get(replica).ok_or_else(|| failed(&"there is no such replica"))?.clone();
        let (token, stop) = (self.stage.token(tenant, role)?, CancellationToken::new());
        let options = Options { client, token, repeat: false, seed: 0, stop };
        let sender = Arc::new(Sender::new(&scenario(1, 1)?, &options).map_err(|error| failed(&error))?);
        self.senders.insert(key, Arc::clone(&sender));
        Ok(sender)
    }
}

/// A pace. What is called is filled in by who knows the records; a scenario has to have a call.
fn scenario(rate: u32, seconds: u32) -> Result<Scenario, LabError> {
    let text = format!(
        "name = 'scratch'\nrate = {rate}\nduration = '{seconds}s'\ntimeout = '30s'\n\
         [[calls]]\nname = 'any'\nrpc = 'crm.customers.v1.AccountService/GetAccount'"
    );
    Scenario::parse(&text).map_err(|error| LabError::Load(error.to_string()))
}

fn start(sender: Arc<Sender>, call: Ready, due: Instant, outcomes: mpsc::UnboundedSender<Outcome>) {
    tokio::spawn(async move {
        let _ = outcomes.send(sender.timed(call, due).await);
    });
}

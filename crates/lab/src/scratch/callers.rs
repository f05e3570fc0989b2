//! Calls to the replica: open loop, on behalf of many tenants, timed from the moment each was due.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use crm_balance::{Client, RetrySettings};
use crm_server::token::Role;
use crm_transcode::Transcoder;
use rand::SeedableRng;
use rand::rngs::StdRng;
use serde_json::Value;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::error::LabError;
use super::stage::{Replica, Stage};
use crate::load::{Options, Outcome, Pace, Ready, Scenario, Sender, Tally, keep, plain, transcoder};

/// Who calls a replica.
pub(super) struct Callers<'a> {
    stage: &'a Stage<'a>,
    client: Client,
    scenario: Scenario,
    transcoder: Transcoder,
    senders: HashMap<String, Arc<Sender>>,
}

/// A call, for whom.
pub(super) struct Asked {
    pub(super) tenant: String,
    pub(super) call: Ready,
}

impl<'a> Callers<'a> {
    /// So many calls a second, for so long.
    pub(super) fn new(stage: &'a Stage<'a>, replica: &Replica, rate: u32, seconds: u32) -> Result<Self, LabError> {
        // What is called is filled in by who knows the records; a scenario has to have a call.
        let text = format!(
            "name = 'journal'\nrate = {rate}\nduration = '{seconds}s'\ntimeout = '5s'\n\
             [[calls]]\nname = 'any'\nrpc = 'crm.customers.v1.AccountService/GetAccount'"
        );
        let scenario = Scenario::parse(&text).map_err(|error| LabError::Load(error.to_string()))?;
        let transcoder = transcoder().map_err(|error| LabError::Load(error.to_string()))?;
        let client = crate::load::client([replica.address().to_string().as_str()], RetrySettings::off());
        Ok(Self { stage, client, scenario, transcoder, senders: HashMap::new() })
    }

    /// A call of a tenant's; `index` is the kind that it is counted as.
    pub(super) fn ask(&mut self, tenant: &str, index: usize, rpc: &str, request: &Value) -> Result<Asked, LabError> {
        let failed = |error: crate::load::LoadError| LabError::Load(error.to_string());
        if !self.senders.contains_key(tenant) {
            let token = self.stage.token(tenant, Role::Viewer)?;
            let (client, stop) = (self.client.clone(), CancellationToken::new());
            let sender = Sender::new(&self.scenario, &Options { client, token, repeat: false, seed: 0, stop });
            self.senders.insert(tenant.to_owned(), Arc::new(sender.map_err(failed)?));
        }
        let (body, _) = plain(&self.transcoder, rpc, request).map_err(failed)?;
        Ok(Asked { tenant: tenant.to_owned(), call: Ready { index, path: format!("/{rpc}"), body } })
    }

    /// Makes these calls, each when it is due, until there are no more or the time is over.
    pub(super) async fn play(&self, calls: Vec<Asked>, kinds: usize) -> Result<Tally, LabError> {
        let failed = |error: &dyn std::fmt::Display| LabError::Load(error.to_string());
        let mut tally = Tally::new(kinds).map_err(|error| failed(&error))?;
        let pace = Pace::new(&self.scenario, false, StdRng::seed_from_u64(self.stage.seed));
        let mut due = keep(pace).map_err(|error| failed(&error))?;
        let (outcomes, mut ended) = mpsc::unbounded_channel::<Outcome>();
        for Asked { tenant, call } in calls {
            let (Some(at), Some(sender)) = (due.recv().await, self.senders.get(&tenant)) else { break };
            start(Arc::clone(sender), call, at, outcomes.clone());
        }
        drop(outcomes);
        while let Some(outcome) = ended.recv().await {
            tally.count(&outcome);
        }
        Ok(tally)
    }
}

fn start(sender: Arc<Sender>, call: Ready, due: Instant, outcomes: mpsc::UnboundedSender<Outcome>) {
    tokio::spawn(async move {
        let _ = outcomes.send(sender.timed(call, due).await);
    });
}

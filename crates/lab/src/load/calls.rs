//! From the scenario's templates to requests that can be sent.

use std::collections::HashMap;

use bytes::Bytes;
use crm_transcode::{Transcoder, frame};
use rand::Rng;
use serde_json::Value;
use uuid::Uuid;

use super::error::LoadError;
use super::keys::Keys;
use super::pace::unit;
use super::scenario::{Call, Scenario};
use super::template::fill;

/// The mix: which call comes next, and what it says.
pub(crate) struct Calls {
    transcoder: Transcoder,
    calls: Vec<Prepared>,
    total_weight: f64,
    keys: HashMap<String, Keys>,
    sent: u64,
}

struct Prepared {
    path: String,
    request_type: String,
    weight: f64,
    template: Value,
}

/// A call ready to be sent.
#[derive(Debug, Clone)]
pub(crate) struct Ready {
    /// Its place in the scenario.
    pub(crate) index: usize,
    /// `/package.Service/Method`.
    pub(crate) path: String,
    /// The message with its length prefix.
    pub(crate) body: Bytes,
}

impl Calls {
    pub(crate) fn new(calls: &[Call], keys: HashMap<String, Keys>) -> Result<Self, LoadError> {
        let transcoder = transcoder()?;
        let prepared = calls.iter().map(|call| prepare(&transcoder, call)).collect::<Result<Vec<_>, _>>()?;
        let total_weight = prepared.iter().map(|call| call.weight).sum();
        Ok(Self { transcoder, calls: prepared, total_weight, keys, sent: 0 })
    }

    /// Draws the next call.
    pub(crate) fn next(&mut self, rng: &mut impl Rng) -> Result<Ready, LoadError> {
        self.sent += 1;
        let index = self.draw(rng);
        let Some(call) = self.calls.get(index) else { return Err(LoadError::Request("no call".to_owned())) };
        let request = fill(&call.template, &mut |name| match name {
            "uuid" => Some(Uuid::new_v4().to_string()),
            "n" => Some(self.sent.to_string()),
            set => self.keys.get(set).map(|keys| keys.draw(rng).to_owned()),
        })?;
        let body = encode(&self.transcoder, &call.request_type, &request)?;
        Ok(Ready { index, path: call.path.clone(), body })
    }

    fn draw(&self, rng: &mut impl Rng) -> usize {
        let mut left = unit(rng) * self.total_weight;
        for (index, call) in self.calls.iter().enumerate() {
            left -= call.weight;
            if left < 0.0 {
                return index;
            }
        }
        self.calls.len() - 1
    }
}

/// Whether the API has every method that the scenario names: to be told before keys are fetched or waited for.
pub(super) fn check(scenario: &Scenario) -> Result<(), LoadError> {
    let transcoder = transcoder()?;
    let sets = scenario.keys.values().map(|set| &set.rpc);
    let mut all = scenario.calls.iter().map(|call| &call.rpc).chain(sets);
    all.try_for_each(|rpc| lookup(&transcoder, rpc).map(drop))
}

/// The APIs that calls can name.
pub(crate) fn transcoder() -> Result<Transcoder, LoadError> {
    Transcoder::new(crm_proto::DESCRIPTORS).map_err(|error| LoadError::Request(error.to_string()))
}

/// One request without placeholders, framed; and the types of its method.
pub(crate) fn plain(transcoder: &Transcoder, rpc: &str, request: &Value) -> Result<(Bytes, String), LoadError> {
    let method = lookup(transcoder, rpc)?;
    let body = encode(transcoder, method.request_type(), request)?;
    Ok((body, method.response_type().to_owned()))
}

fn lookup<'a>(transcoder: &'a Transcoder, rpc: &str) -> Result<&'a crm_transcode::Rpc, LoadError> {
    let method = transcoder.rpc(&format!("/{rpc}"));
    method.map(AsRef::as_ref).ok_or_else(|| LoadError::Request(format!("there is no method {rpc}")))
}

fn prepare(transcoder: &Transcoder, call: &Call) -> Result<Prepared, LoadError> {
    let method = lookup(transcoder, &call.rpc)?;
    Ok(Prepared {
        path: format!("/{}", call.rpc),
        request_type: method.request_type().to_owned(),
        weight: call.weight,
        template: call.request.clone(),
    })
}

fn encode(transcoder: &Transcoder, request_type: &str, request: &Value) -> Result<Bytes, LoadError> {
    let refused = |error: &dyn std::fmt::Display| LoadError::Request(format!("{request_type}: {error}"));
    let message = transcoder.json_to_message(request_type, request).map_err(|error| refused(&error))?;
    frame::encode(&message).ok_or_else(|| refused(&"the message is too long"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_method_that_is_not_there_is_the_scenario_s_fault() {
        let get = "crm.customers.v1.AccountService/GetAccount";
        let play = |call: &str, keys: &str| {
            let text = format!(
                "name = 't'\nrate = 1\nduration = '1s'\n[[calls]]\nname = 'c'\nrpc = '{call}'\n[keys.k]\nrpc = '{keys}'\nfield = 'id'"
            );
            check(&Scenario::parse(&text).unwrap()).map_err(|error| error.to_string())
        };
        assert_eq!(play(get, get), Ok(()));
        assert_eq!(play("a.B/C", get), Err("there is no method a.B/C".to_owned()));
        assert_eq!(play(get, "a.B/D"), Err("there is no method a.B/D".to_owned()));
    }
}

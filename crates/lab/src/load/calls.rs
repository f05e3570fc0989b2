//! From the scenario's templates to requests that can be sent.

use std::collections::HashMap;

use bytes::Bytes;
use crm_transcode::{Transcoder, frame};
use rand::Rng;
use serde_json::Value;
use uuid::Uuid;

use super::keys::Keys;
use super::pace::unit;
use super::run::LoadError;
use super::scenario::{Call, Scenario};

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

/// Names that stand between `${` and `}` in any string of a request.
pub(super) fn placeholders(template: &Value) -> Vec<String> {
    let mut names = Vec::new();
    let _ = fill(template, &mut |name| {
        names.push(name.to_owned());
        Some(String::new())
    });
    names
}

/// The APIs that calls can name.
pub(super) fn transcoder() -> Result<Transcoder, LoadError> {
    Transcoder::new(crm_proto::DESCRIPTORS).map_err(|error| LoadError::Request(error.to_string()))
}

/// One request without placeholders, framed; and the types of its method.
pub(super) fn plain(transcoder: &Transcoder, rpc: &str, request: &Value) -> Result<(Bytes, String), LoadError> {
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

/// The template with every `${name}` in its strings replaced.
fn fill(template: &Value, value_of: &mut impl FnMut(&str) -> Option<String>) -> Result<Value, LoadError> {
    Ok(match template {
        Value::String(text) => Value::String(fill_text(text, value_of)?),
        Value::Array(items) => Value::Array(items.iter().map(|item| fill(item, value_of)).collect::<Result<_, _>>()?),
        Value::Object(fields) => {
            let filled = fields.iter().map(|(name, value)| Ok((name.clone(), fill(value, value_of)?)));
            Value::Object(filled.collect::<Result<_, LoadError>>()?)
        }
        other => other.clone(),
    })
}

fn fill_text(text: &str, value_of: &mut impl FnMut(&str) -> Option<String>) -> Result<String, LoadError> {
    let (mut filled, mut rest) = (String::with_capacity(text.len()), text);
    while let Some((before, after)) = rest.split_once("${") {
        let Some((name, after)) = after.split_once('}') else { break };
        filled.push_str(before);
        let value = value_of(name).ok_or_else(|| LoadError::Request(format!("${{{name}}} names no set of keys")))?;
        filled.push_str(&value);
        rest = after;
    }
    filled.push_str(rest);
    Ok(filled)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn placeholders_are_replaced_wherever_a_string_stands() {
        let template = json!({"id": "${k}", "list": ["a-${k}-${n}", 3], "plain": "no ${ end"});
        let mut value_of = |name: &str| (name != "nothing").then(|| format!("<{name}>"));
        let filled = fill(&template, &mut value_of).unwrap();
        assert_eq!(filled, json!({"id": "<k>", "list": ["a-<k>-<n>", 3], "plain": "no ${ end"}));
        assert!(fill(&json!("${nothing}"), &mut value_of).is_err());
        assert_eq!(placeholders(&template), ["k", "k", "n"]);
    }

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

//! What a scenario file says, checked once, all faults reported together.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;

use super::template::placeholders;

/// A mix of calls, the keys they ask for, how many a second, for how long, and what must hold.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// Name for reports.
    pub name: String,
    /// What the scenario is for, in a sentence.
    #[serde(default)]
    pub about: String,
    /// Tenant whose data are read and written.
    #[serde(default = "default_tenant")]
    pub tenant: String,
    /// Length, if there are no steps.
    #[serde(default, deserialize_with = "duration")]
    pub duration: Duration,
    /// Calls a second, if there are no steps.
    #[serde(default)]
    pub rate: f64,
    /// Stretches of their own rate, one after the other; instead of `rate` and `duration`.
    #[serde(default)]
    pub steps: Vec<Step>,
    /// Repeated peaks on top of the rate.
    #[serde(default)]
    pub burst: Option<Burst>,
    /// How calls are spread over time.
    #[serde(default)]
    pub arrivals: Arrivals,
    /// Time each call may take; it travels as `grpc-timeout`.
    #[serde(default = "default_timeout", deserialize_with = "duration")]
    pub timeout: Duration,
    /// Calls outstanding at most; a call that would be one more is dropped and counted as such.
    #[serde(default = "default_max_in_flight")]
    pub max_in_flight: usize,
    /// Sets of keys that requests name as `${set}`.
    #[serde(default)]
    pub keys: BTreeMap<String, KeySet>,
    /// The calls and their weights.
    pub calls: Vec<Call>,
    /// Upper limits: `failed_ratio`, `dropped_ratio`, `p50_ms`, `p90_ms`, `p99_ms`, `p999_ms`, `max_ms`, `lag_p99_ms`.
    #[serde(default)]
    pub thresholds: BTreeMap<String, f64>,
}

/// A stretch of time at one rate, or moving evenly to another.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// Calls a second at its start.
    pub rate: f64,
    /// Calls a second at its end; left out: as at its start.
    pub to: Option<f64>,
    /// Length.
    #[serde(rename = "for", deserialize_with = "duration")]
    pub length: Duration,
}

/// A peak that comes again and again.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Burst {
    /// From the start of one to the start of the next.
    #[serde(deserialize_with = "duration")]
    pub every: Duration,
    /// How long it lasts.
    #[serde(rename = "for", deserialize_with = "duration")]
    pub length: Duration,
    /// How many times the rate.
    pub times: f64,
}

/// How calls are spread over time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Arrivals {
    /// Independent users: exponential gaps.
    #[default]
    Poisson,
    /// Equal gaps.
    Even,
}

/// Keys fetched by one call before the load begins.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeySet {
    /// A method that streams resources: `package.Service/Method`.
    pub rpc: String,
    /// Its request, as proto3 JSON.
    #[serde(default = "empty_object")]
    pub request: Value,
    /// Field of the streamed message.
    pub field: String,
    /// How many to take at most.
    #[serde(default = "default_take")]
    pub take: usize,
    /// Which keys are asked for how often.
    #[serde(default)]
    pub popularity: Popularity,
}

/// Which keys are asked for how often.
#[derive(Debug, Clone, Copy, Default, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Popularity {
    /// Each as often as any other.
    #[default]
    Uniform,
    /// The n-th most popular in proportion to 1/n^exponent.
    Zipf(f64),
}

/// One kind of call.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Call {
    /// Name for reports.
    pub name: String,
    /// `package.Service/Method`.
    pub rpc: String,
    /// Share of the mix.
    #[serde(default = "default_weight")]
    pub weight: f64,
    /// Its request, as proto3 JSON. `${set}` stands for a key, `${uuid}` for a fresh UUID, `${n}` for the call's number.
    #[serde(default = "empty_object")]
    pub request: Value,
}

/// What is wrong with a scenario: every fault, one a line.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{0}")]
pub struct ScenarioError(String);

/// Limits that a scenario may set.
pub(super) const LIMITS: [&str; 8] =
    ["failed_ratio", "dropped_ratio", "p50_ms", "p90_ms", "p99_ms", "p999_ms", "max_ms", "lag_p99_ms"];

/// What `${…}` can name without a set of keys.
const OF_EVERY_CALL: [&str; 2] = ["n", "uuid"];
/// Highest rate that is taken: a bound against typing errors.
const HIGHEST_RATE: f64 = 100_000.0;
/// `grpc-timeout` has 8 digits; a call is given no more than an hour.
const LONGEST_TIMEOUT_MS: u128 = 3_600_000;

impl Scenario {
    /// Reads a scenario from TOML.
    ///
    /// # Errors
    /// Names every field that breaks a rule.
    pub fn parse(text: &str) -> Result<Self, ScenarioError> {
        let scenario: Self = toml::from_str(text).map_err(|error| ScenarioError(error.to_string()))?;
        scenario.check().map(|()| scenario)
    }

    /// Whether it can be played: to be asked again after a change.
    ///
    /// # Errors
    /// Names every field that breaks a rule.
    pub fn check(&self) -> Result<(), ScenarioError> {
        let faults = self.faults();
        if faults.is_empty() { Ok(()) } else { Err(ScenarioError(faults.join("\n"))) }
    }

    /// The stretches of the load, whether given as steps or as one rate.
    #[must_use]
    pub fn stretches(&self) -> Vec<Step> {
        if self.steps.is_empty() {
            vec![Step { rate: self.rate, to: None, length: self.duration }]
        } else {
            self.steps.clone()
        }
    }

    fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        let mut check = |holds: bool, fault: String| {
            if !holds {
                faults.push(fault);
            }
        };
        let rate_ok = |rate: f64| (0.0..=HIGHEST_RATE).contains(&rate);
        let stretches = self.stretches();
        let is_idle = stretches.iter().all(|step| step.rate == 0.0 && step.to.unwrap_or_default() == 0.0);
        // A load that never calls would, repeated, look for its next call for ever.
        check(!is_idle, "rate: more than 0, at least in one step".to_owned());
        for (n, step) in stretches.iter().enumerate() {
            check(rate_ok(step.rate), format!("steps[{n}].rate: 0 to {HIGHEST_RATE} calls a second"));
            check(step.to.is_none_or(rate_ok), format!("steps[{n}].to: 0 to {HIGHEST_RATE} calls a second"));
            check(!step.length.is_zero(), format!("steps[{n}].for (or duration): more than nothing"));
        }
        check(
            self.steps.is_empty() || (self.rate == 0.0 && self.duration.is_zero()),
            "steps: take the place of rate and duration; give one or the other".to_owned(),
        );
        if let Some(burst) = &self.burst {
            check(burst.length < burst.every, "burst.for: shorter than burst.every".to_owned());
            check((1.0..=1000.0).contains(&burst.times), "burst.times: 1 to 1000".to_owned());
        }
        let timeout_ok = (1..=LONGEST_TIMEOUT_MS).contains(&self.timeout.as_millis());
        check(timeout_ok, format!("timeout: 1 to {LONGEST_TIMEOUT_MS} ms"));
        check(!self.calls.is_empty(), "calls: at least one".to_owned());
        check(self.max_in_flight > 0, "max_in_flight: at least 1".to_owned());
        for (n, call) in self.calls.iter().enumerate() {
            check(call.weight > 0.0 && call.weight.is_finite(), format!("calls[{n}].weight: more than 0"));
            check(call.rpc.matches('/').count() == 1, format!("calls[{n}].rpc: package.Service/Method"));
            for name in placeholders(&call.request) {
                let is_known = OF_EVERY_CALL.contains(&name.as_str()) || self.keys.contains_key(&name);
                check(is_known, format!("calls[{n}].request: ${{{name}}} names no set of keys"));
            }
        }
        for (name, set) in &self.keys {
            let is_free = !OF_EVERY_CALL.contains(&name.as_str());
            check(is_free, format!("keys.{name}: ${{{name}}} stands for something else in every call"));
            let exponent_ok = !matches!(set.popularity, Popularity::Zipf(e) if !(0.0..=10.0).contains(&e));
            check(exponent_ok, format!("keys.{name}.popularity.zipf: 0 to 10"));
            check(set.take > 0, format!("keys.{name}.take: at least 1"));
        }
        for name in self.thresholds.keys() {
            check(LIMITS.contains(&name.as_str()), format!("thresholds.{name}: one of {}", LIMITS.join(", ")));
        }
        faults
    }
}

fn duration<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
    let text = String::deserialize(from)?;
    super::duration::parse(&text).map_err(|error| serde::de::Error::custom(format!("{text:?}: {error}")))
}

fn default_tenant() -> String {
    "demo".to_owned()
}

fn default_timeout() -> Duration {
    Duration::from_secs(1)
}

fn default_max_in_flight() -> usize {
    2_000
}

fn default_take() -> usize {
    10_000
}

fn default_weight() -> f64 {
    1.0
}

fn empty_object() -> Value {
    Value::Object(serde_json::Map::new())
}

#[cfg(test)]
mod tests {
    use super::*;

    const CALL: &str = "[[calls]]\nname = 'c'\nrpc = 'a.B/C'\n";

    fn faults(text: &str) -> String {
        Scenario::parse(&format!("name = 't'\n{text}")).map_or_else(|error| error.to_string(), |_| String::new())
    }

    #[test]
    fn every_fault_is_reported_at_once() {
        let text = faults(&format!(
            "rate = -1\nduration = '0s'\ntimeout = '0s'\nmax_in_flight = 0\n{CALL}weight = 0\n[thresholds]\nspeed = 1\n[keys.k]\nrpc = 'a/b'\nfield = 'id'\npopularity = {{ zipf = 11 }}"
        ));
        let fields = ["rate", "duration", "timeout", "max_in_flight", "calls[0].weight", "thresholds.speed"];
        for field in fields.into_iter().chain(["keys.k.popularity"]) {
            assert!(text.contains(field), "{field} is not named in:\n{text}");
        }
    }

    #[test]
    fn a_load_without_a_call_is_refused_however_its_rate_came_about() {
        assert!(faults(&format!("rate = 0\nduration = '1s'\n{CALL}")).contains("rate"));
        let mut scenario = Scenario::parse(&format!("name = 't'\nrate = 5\nduration = '2s'\n{CALL}")).unwrap();
        for rate in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            scenario.rate = rate;
            assert!(scenario.check().is_err(), "{rate}");
        }
    }

    #[test]
    fn unknown_fields_and_bad_durations_are_refused() {
        assert!(faults(&format!("rate = 1\nduration = '1s'\nspeed = 2\n{CALL}")).contains("speed"));
        assert!(faults(&format!("rate = 1\nduration = '1 parsec'\n{CALL}")).contains("parsec"));
    }

    #[test]
    fn a_placeholder_without_its_keys_is_refused_before_anything_is_sent() {
        let call =
            format!("rate = 1\nduration = '1s'\n{CALL}request = {{ id = '${{k}}', note = '${{uuid}} ${{n}}' }}\n");
        assert!(faults(&call).contains("calls[0].request: ${k}"), "{}", faults(&call));
        let set = |name: &str| format!("{call}[keys.{name}]\nrpc = 'a.B/C'\nfield = 'id'\n");
        assert_eq!(faults(&set("k")), "");
        assert!(faults(&set("uuid")).contains("keys.uuid"));
    }

    #[test]
    fn a_plain_scenario_is_one_stretch() {
        let scenario = Scenario::parse(&format!("name = 't'\nrate = 5\nduration = '2s'\n{CALL}")).unwrap();
        assert_eq!(scenario.stretches().len(), 1);
        assert_eq!(scenario.timeout, Duration::from_secs(1));
    }
}

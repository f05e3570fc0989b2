//! Tours: predict, break, watch, read the trace, heal. Each is a file in `tours/`, for a person and for a program alike.
//!
//! The page plays them with buttons, a [`Player`] without anybody: it takes the actions of [`Tour::breaking`], waits until
//! each of [`Watch::expect`] holds (at most [`Watch::for_s`]), and takes those of [`Tour::heal`].

mod act;
mod check;
mod play;

use std::sync::LazyLock;

use crm_balance::{Phase, Policy};
use serde::Deserialize;

pub(crate) use act::{ask, command};
pub use check::Verdict;
pub(crate) use check::check;
pub use play::{PlayError, Played, Player};

/// One tour.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tour {
    /// Its file's name without the ending; set by [`all`].
    #[serde(skip)]
    pub name: String,
    /// What is broken, in a few words.
    pub title: String,
    /// One sentence for the list of tours.
    pub about: String,
    /// The upstream that it plays with.
    pub upstream: String,
    /// The replica that it plays with.
    #[serde(default)]
    pub replica: u32,
    /// First, a guess.
    pub predict: Predict,
    /// Then the fault.
    #[serde(rename = "break")]
    pub breaking: Step,
    /// What to look at while it lasts.
    pub watch: Watch,
    /// Which trace to read, and what stands in it.
    pub read: Read,
    /// Then everything as it was.
    pub heal: Step,
}

/// A question, before anything happens.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Predict {
    /// What will happen?
    pub question: String,
    /// The answers to choose from.
    pub options: Vec<String>,
    /// Which of them is right, from 0.
    pub right: usize,
    /// Why; told in the end.
    pub because: String,
}

/// Something to do.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// What, and why so.
    pub text: String,
    /// In this order.
    #[serde(rename = "do")]
    pub actions: Vec<Action>,
}

/// One thing to do.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Another policy for the upstream.
    Policy(Policy),
    /// A fault for the replica: the body of the control API's request.
    Fault(serde_json::Value),
    /// No more faults in the upstream.
    Heal(bool),
    /// What only whoever runs the processes can do: a line for the terminal.
    Command(String),
}

/// What to look at.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Watch {
    /// Where to look.
    pub text: String,
    /// How long it may take until everything expected is seen, in seconds. A program watches for six at least.
    pub for_s: u32,
    /// What should be seen.
    pub expect: Vec<Expect>,
}

/// One thing that should be seen.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expect {
    /// In words.
    pub say: String,
    /// Of what.
    pub metric: Metric,
    /// It lies below this.
    pub below: Option<f64>,
    /// It lies above this.
    pub above: Option<f64>,
    /// With [`Metric::State`]: the replica has been in this state.
    pub was: Option<Phase>,
    /// With [`Metric::Policy`]: this one chooses.
    pub policy: Option<Policy>,
}

/// What can be looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Metric {
    /// The replica's part of the attempts, 0 to 1.
    Share,
    /// Calls that failed for their callers, as a part of all, 0 to 1.
    Failed,
    /// The callers' p99 in milliseconds.
    P99Ms,
    /// The states of the replica since the tour was begun, for a minute at most.
    State,
    /// The upstream's policy.
    Policy,
}

/// Which trace to read.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Read {
    /// The slowest or the last failed call.
    pub find: Find,
    /// What stands in it.
    pub text: String,
}

/// Where a trace is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Find {
    /// Among the slowest calls.
    Slowest,
    /// Among the failed ones, those included that a retry made good.
    Failed,
}

/// Why a text is no tour.
#[derive(Debug, thiserror::Error)]
pub enum TourError {
    /// It does not follow the schema.
    #[error(transparent)]
    Syntax(#[from] toml::de::Error),
    /// The right answer is none of the options.
    #[error("predict.right is none of the {0} options")]
    Right(usize),
    /// Nothing is expected, or something without a bound.
    #[error("watch.expect: each needs one of below, above, was (for a state) or policy")]
    Expect,
}

/// Reads a tour from its file's text.
pub fn parse(name: &str, text: &str) -> Result<Tour, TourError> {
    let tour = Tour { name: name.to_owned(), ..toml::from_str(text)? };
    if tour.predict.right >= tour.predict.options.len() {
        return Err(TourError::Right(tour.predict.options.len()));
    }
    let is_bound = |expect: &Expect| match expect.metric {
        Metric::State => expect.was.is_some(),
        Metric::Policy => expect.policy.is_some(),
        Metric::Share | Metric::Failed | Metric::P99Ms => expect.below.is_some() || expect.above.is_some(),
    };
    let is_whole = !tour.watch.expect.is_empty() && tour.watch.expect.iter().all(is_bound);
    if is_whole { Ok(tour) } else { Err(TourError::Expect) }
}

const FILES: [(&str, &str); 4] = [
    ("slow-replica", include_str!("../../tours/slow-replica.toml")),
    ("failing-replica", include_str!("../../tours/failing-replica.toml")),
    ("killed-replica", include_str!("../../tours/killed-replica.toml")),
    ("policy-change", include_str!("../../tours/policy-change.toml")),
];

/// The tours that ship with the console.
pub fn all() -> &'static [Tour] {
    static TOURS: LazyLock<Vec<Tour>> =
        LazyLock::new(|| FILES.iter().filter_map(|(name, text)| parse(name, text).ok()).collect());
    &TOURS
}

pub(crate) fn find(name: &str) -> Option<&'static Tour> {
    all().iter().find(|tour| tour.name == name)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn every_tour_that_ships_can_be_played() {
        for (name, text) in FILES {
            let tour = parse(name, text).unwrap_or_else(|error| panic!("{name}: {error}"));
            assert!(!tour.breaking.actions.is_empty() && !tour.heal.actions.is_empty(), "{name}");
            assert!(tour.predict.options.len() >= 3 && tour.watch.for_s <= 60, "{name}");
        }
        assert_eq!(all().len(), FILES.len());
    }

    #[test]
    fn what_cannot_be_played_is_refused_with_a_reason() {
        let good = FILES[0].1;
        let check = |text: String, part: &str| {
            let error = parse("x", &text).unwrap_err().to_string();
            assert!(error.contains(part), "{error}");
        };
        check(good.replace("right = ", "right = 9 # "), "predict.right");
        check(good.replace("below = ", "# below = "), "watch.expect");
        check(good.replace("title = ", "titel = "), "titel");
    }
}

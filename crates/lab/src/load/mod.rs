//! The open-loop load generator.

mod calls;
mod client;
pub mod duration;
mod keys;
mod pace;
mod report;
mod run;
mod scenario;
mod tally;

pub(crate) use self::calls::{Calls, Ready};
pub use self::client::client;
pub(crate) use self::pace::{Pace, keep};
pub use self::report::{LatencyMs, LoadReport, Threshold};
pub(crate) use self::run::Sender;
pub use self::run::{LoadError, Options, Progress, run};
pub use self::scenario::{Call, Popularity, Scenario, ScenarioError};
pub(crate) use self::tally::{Outcome, Tally};

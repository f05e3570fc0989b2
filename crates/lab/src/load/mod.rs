//! The open-loop load generator.

mod calls;
mod keys;
mod pace;
mod report;
mod run;
mod scenario;
mod tally;

pub use self::report::{LatencyMs, LoadReport, Threshold};
pub use self::run::{LoadError, Options, Progress, run};
pub use self::scenario::{Call, Popularity, Scenario, ScenarioError};

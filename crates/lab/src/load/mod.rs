//! The open-loop load generator.

mod calls;
mod client;
pub mod duration;
mod error;
mod keys;
mod pace;
mod report;
mod run;
mod scenario;
mod tally;
mod template;

pub(crate) use self::calls::{Calls, Ready, plain, transcoder};
pub use self::client::client;
pub use self::error::LoadError;
pub(crate) use self::pace::{Pace, keep};
pub use self::report::{LatencyMs, LoadReport, Threshold};
pub(crate) use self::run::Sender;
pub use self::run::{Options, Progress, run};
pub use self::scenario::{Call, Popularity, Scenario, ScenarioError};
pub(crate) use self::tally::{Outcome, Tally};

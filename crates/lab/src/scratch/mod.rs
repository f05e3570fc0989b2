//! A scratch platform for experiments: private servers, the schema, replicas of customers, and who calls them.
//!
//! What is compared is measured in the same run and in turns, so that a minute's noise on the machine hits both sides, and
//! limits are ratios.

mod callers;
mod counters;
mod error;
mod part;
mod stage;

pub(crate) use self::callers::{Asked, Callers, Whose};
pub(crate) use self::counters::settled;
pub use self::error::LabError;
pub use self::part::{Figure, Metrics, Part, report};
pub(crate) use self::part::{as_f64, page, quantile, ratio};
pub use self::stage::{Programs, Servers};
pub(crate) use self::stage::{Replica, Stage, clean};

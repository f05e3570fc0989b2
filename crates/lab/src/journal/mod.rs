//! A large journal: what a page of a record's history, a follower's batch and the sweep cost when ten million changes are
//! kept.
//!
//! The platform is a scratch one: private servers, one replica, a table that is filled by statements instead of ten
//! million calls. What is compared is measured in the same run and in turns, so that a minute's noise on the machine hits
//! both sides, and limits are ratios.

mod batches;
mod counters;
mod error;
mod fill;
mod histories;
mod lab;
mod load;
mod page;
mod part;
mod plan;
mod stage;
mod sweep;

pub use self::batches::{Position, Read, Reader};
pub use self::error::LabError;
pub use self::lab::{Outcome, run};
pub use self::part::{Figure, Part};
pub use self::plan::Plan;
pub use self::stage::{Programs, Servers};

//! A large journal: what a page of a record's history, a follower's batch and the sweep cost when ten million changes are
//! kept.
//!
//! The table is filled by statements instead of ten million calls.

mod batches;
mod counters;
mod fill;
mod histories;
mod lab;
mod page;
mod plan;
mod sweep;

pub use self::batches::{Position, Read, Reader};
pub use self::lab::{Outcome, run};
pub use self::plan::Plan;

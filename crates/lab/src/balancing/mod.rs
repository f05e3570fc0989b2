//! Policies against faults: our gateway and its peers in front of the same four toy upstreams, one or all of which break.
//!
//! Each cell of the table is a story of its own, with fresh processes: calm, broken, healing. The load is open: a call
//! starts when it is due, whatever became of those before, and its latency counts from that moment.

mod act;
mod charts;
mod claims;
mod error;
mod fault_scenario;
mod group;
mod judge;
mod lab;
mod load;
mod metrics;
mod mix;
mod moments;
mod page;
mod plan;
mod proxy;
mod sampling;
mod story;
mod table;
mod tokens;
mod toys;
mod variant;
mod writes;

pub use self::error::LabError;
pub use self::fault_scenario::{FaultScenario, UnknownFault};
pub use self::group::GroupMetrics;
pub use self::lab::{Outcome, run};
pub use self::metrics::{Metrics, Second};
pub use self::plan::{Plan, Timing};
pub use self::story::{Cell, Programs};
pub use self::table::{heading, row};
pub use self::variant::{Defence, Peer, Variant};
pub use self::writes::{MethodMetrics, WriteMetrics};

//! Policies against faults: our gateway and its peers in front of the same four toy upstreams, one of which breaks.
//!
//! Each cell of the table is a story of its own, with fresh processes: calm, broken, healing. The load is open: a call
//! starts when it is due, whatever became of those before, and its latency counts from that moment.

mod charts;
mod fault;
mod judge;
mod lab;
mod load;
mod metrics;
mod page;
mod plan;
mod proxy;
mod sampling;
mod story;
mod table;
mod toys;
mod variant;

pub use self::fault::{Fault, UnknownFault};
pub use self::lab::{LabError, Outcome, Programs, run};
pub use self::metrics::{Metrics, Second};
pub use self::plan::{Plan, Timing};
pub use self::story::Cell;
pub use self::table::{heading, row};
pub use self::variant::{Peer, Variant};

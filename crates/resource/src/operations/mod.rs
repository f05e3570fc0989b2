//! Operations: work that goes on when its caller is gone (AIP-151).
//!
//! A kind of operation is a message that asks for it and a step: one bounded piece of work in a transaction of its own, in
//! which the operation's place in its work is kept as well. A row says how far it has come. Whatever dies, another replica
//! goes on where the last committed step ended, and nothing is done by halves or twice.
//!
//! **Who works on it** is whoever claims the row, for as long as a lease says, which each step prolongs. There is no leader.
//! Each claim has a number, and a step is committed only if its claim is still the last: a replica that slept through its
//! lease commits nothing more.
//!
//! **Turns.** A claim is given back after some seconds, and whose operation comes next is drawn by lot among the tenants that
//! have any: who has asked for a thousand keeps nobody else waiting.

mod failure;
mod kind;
mod metrics;
mod registry;
mod row;
mod runner;
mod serve;
mod statements;
mod turn;
mod waits;

use crm_database::migrate::Copied;

pub(crate) use failure::told;
pub use kind::{Next, Operation, Progress};
pub(crate) use registry::Registry;

/// The table, its policies and its functions, as a service's migration holds them.
pub const TABLE: Copied = Copied {
    what: "operations",
    sql: include_str!("../../sql/operations.sql"),
    relations: &["operations"],
    functions: &["claim_operation", "waiting_operations", "sweep_operations", "ended_operations"],
};

#![doc = include_str!("../README.md")]

mod access;
mod acquire;
mod elders;
mod error;
pub mod filter;
mod give_back;
pub mod idempotency;
mod lease;
mod metrics;
pub mod migrate;
mod name;
mod open;
pub mod order;
pub mod page;
pub mod pattern;
mod places;
#[cfg(feature = "testkit")]
pub mod plan;
mod pool;
mod pooler;
mod query;
mod settings;
mod shared;
mod sqlstate;
pub mod statement;
mod transaction;

pub use access::Access;
pub use error::{Constraint, ConstraintKind, Diagnostic, Error, REASONS};
pub use open::has_open_transaction;
pub use pool::Database;
pub use settings::Settings;
pub use shared::PoolState;
pub use transaction::TenantTransaction;

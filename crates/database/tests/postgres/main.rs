//! The crate against a real Postgres.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod failures;
mod given_up;
mod idempotency;
mod isolation;
mod migrate;
mod outage;
mod plan;
mod pooler;
mod refused;
mod shares;
mod statement;
mod support;
mod transaction;

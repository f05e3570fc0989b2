//! The crate against a real Postgres.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod idempotency;
mod isolation;
mod migrate;
mod outage;
mod plan;
mod statement;
mod support;
mod transaction;

//! The crate against a real Postgres.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod isolation;
mod support;
mod transaction;

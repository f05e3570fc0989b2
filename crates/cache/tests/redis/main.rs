//! The crate against a real Redis.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod many;
mod outage;
mod races;
mod refusals;
mod replicas;
mod single;
mod spans;
mod support;
mod tls;

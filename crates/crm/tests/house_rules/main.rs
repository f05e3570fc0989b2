//! Rules of the house that no other tool checks. `make check` runs them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod crates;
mod errors;
mod files;
mod licences;
mod metadata;
mod programs;
mod services;
mod settings;

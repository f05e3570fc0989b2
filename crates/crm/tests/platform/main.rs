//! The whole platform, started as a user starts it, on free ports and in a folder of its own.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod breaking;
mod cluster;
mod faults;
mod haste;
#[path = "../../src/http.rs"]
#[allow(dead_code, reason = "shared with the binary")]
mod http;
mod import;
mod life;
mod load;
mod metrics;
mod operate;
mod platform;
mod readme;
mod room;
mod tours;
mod trace;
mod turns;

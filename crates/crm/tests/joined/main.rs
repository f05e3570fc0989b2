//! The gateway in front of the services, all real and in this process: what only the two together can get wrong.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod activities;
mod asking;
mod attributes;
mod clients;
mod conditions;
mod described;
mod event_source;
mod following;
#[path = "../../src/http.rs"]
#[allow(dead_code, reason = "shared with the binary")]
mod http;
mod merging;
mod operations;
mod pages;
mod refusals;
mod round_trips;
mod samples;
mod searching;
mod standard;
mod support;
#[path = "../../src/services.rs"]
#[allow(dead_code, reason = "shared with the binary")]
mod table;
mod watching;

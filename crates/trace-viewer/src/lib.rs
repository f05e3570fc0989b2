#![doc = include_str!("../README.md")]

mod admin;
mod app;
mod clock;
mod config;
mod counters;
mod host;
mod ingest;
mod query;
mod refusal;
mod run;
mod span;
mod store;
mod ui;
mod web;

pub use config::{Config, ConfigError};
pub use crm_server::config::Origins;
pub use run::{Listeners, RunError, run, serve};

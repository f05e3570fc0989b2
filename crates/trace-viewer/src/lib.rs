#![doc = include_str!("../README.md")]

mod admin;
mod app;
mod config;
mod ingest;
mod listen;
mod run;
mod web;

pub use config::{Config, ConfigError};
pub use run::{Listeners, RunError, run, serve};

#![doc = include_str!("../README.md")]

mod app;
mod config;
mod control;
mod outbound;
mod page;
mod room;
pub mod tour;
mod watch;
mod web;

pub use app::{RunError, run, serve};
pub use config::{Config, Hosts, Link, Listeners};

#![doc = include_str!("../README.md")]

pub mod following;
pub mod metrics;
pub mod names;
pub mod operation;
pub mod process;
pub mod propagation;
pub mod rpc;
pub mod tasks;
pub mod testing;

mod export;
mod incoming;
mod logs;
mod settings;
mod start;
mod subscriber;

pub use metrics::metrics_text;
pub use start::{StartError, Telemetry, start};

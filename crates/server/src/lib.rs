#![doc = include_str!("../README.md")]

pub mod admin;
pub mod caller;
pub mod compression;
pub mod config;
pub mod document;
pub mod faults;
pub mod framing;
pub mod headers;
mod health;
pub mod host;
pub mod json;
pub mod methods;
pub mod problem;
pub mod process;
pub mod readiness;
mod reasons;
pub mod services;
pub mod shares;
pub mod stack;
pub mod token;

pub use reasons::{FIELD_REASONS, REASONS};

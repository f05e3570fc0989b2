#![doc = include_str!("../README.md")]

mod cache;
mod entry;
mod first_tier;
mod flight;
mod lookup;
mod metrics;
mod policy;
mod record;
mod redis;
mod switches;

pub use crate::redis::{Overhear, Redis, UrlError};
pub use cache::Cache;
pub use entry::Entry;
pub use policy::{Eviction, Policy};
pub use switches::{Switch, Switches};

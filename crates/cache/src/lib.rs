#![doc = include_str!("../README.md")]

mod cache;
mod entry;
mod policy;
mod redis;
mod switches;

pub use crate::redis::{Redis, UrlError};
pub use cache::Cache;
pub use entry::Entry;
pub use policy::Policy;
pub use switches::{Switch, Switches};

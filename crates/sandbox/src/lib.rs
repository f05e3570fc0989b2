#![doc = include_str!("../README.md")]

mod account;
mod binaries;
#[cfg(feature = "browser")]
pub mod browser;
pub mod child;
mod error;
pub mod fault_proxy;
mod folder;
mod pgbouncer;
pub mod ports;
mod postgres;
mod redis;
mod sockets;
pub mod testing;
pub mod toy;

pub use account::Account;
pub use binaries::{PostgresPrograms, find_pgbouncer, find_redis};
pub use error::Error;
pub use folder::TemporaryFolder;
pub use pgbouncer::Pgbouncer;
pub use postgres::{Postgres, PostgresSettings};
pub use redis::{Redis, RedisSettings};

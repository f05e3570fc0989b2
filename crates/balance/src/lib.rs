#![doc = include_str!("../README.md")]

mod client;
mod connection;
mod dice;
mod discovery;
mod ejection;
mod health;
mod picker;
mod policy;
mod replica;
mod settings;
mod snapshot;
mod state;
mod switch;
mod upstream;

pub use client::{Attempted, CalledFor, Client, Expires, HashKey, REASONS, Retryable, Waits, client};
pub use connection::{Connect, ConnectError, Connection, SendError, SendErrorKind};
pub use discovery::{Discovery, Endpoint, Resolve, SystemResolver, UnknownDiscovery};
pub use policy::{Policy, UnknownPolicy};
pub use settings::{
    ClientSettings, ConnectionSettings, EjectionSettings, HealthCheck, PerTry, RetrySettings, ShedSettings,
};
pub use snapshot::{CallsSnapshot, Event, Phase, ReplicaSnapshot};
pub use switch::Switch;
pub use upstream::{Builder, Upstream};

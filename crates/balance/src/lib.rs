//! Client-side load balancing for gRPC.

mod client;
mod connection;
mod discovery;
mod policy;
mod settings;
mod snapshot;
mod upstream;

pub use client::{Attempted, Client, HashKey, Retryable, client};
pub use connection::{Connect, ConnectError, Connection, SendError, SendErrorKind};
pub use discovery::{Discovery, Endpoint, Resolve, SystemResolver};
pub use policy::{Policy, UnknownPolicy};
pub use settings::{
    ClientSettings, ConnectionSettings, EjectionSettings, HealthCheck, PerTry, RetrySettings, ShedSettings,
};
pub use snapshot::{Event, Phase, ReplicaSnapshot};
pub use upstream::{Builder, Upstream};

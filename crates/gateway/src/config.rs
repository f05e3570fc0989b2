//! What a gateway needs to know, read from the environment once, with every fault reported together.

mod admins;
mod environment;
mod routes;

use std::{fmt, time::Duration};

use crm_server::{
    process::{Protocol, ServerSettings},
    services::MAX_MESSAGE_BYTES,
};

use crate::pace::PaceSettings;
pub use admins::Admins;
pub use crm_server::config::{Link, Origins};
pub(crate) use environment::Addresses;
pub use environment::worker_threads;
pub use routes::{Route, Routes, RoutesError, Target};

/// How a gateway is set up; [`Default`] has no routes and no keys.
#[derive(Debug, Clone)]
pub struct Config {
    /// Which upstream answers which package or service.
    pub routes: Routes,
    /// Keys that tokens are checked with; `None` lets nobody in where a route asks for a token.
    pub token_keys: Option<PublicKeys>,
    /// Bounds on a call.
    pub calls: CallLimits,
    /// Bounds on connections, and how they end.
    pub server: ServerSettings,
    /// What the start page points to.
    pub links: Links,
    /// Origins whose pages may read what the gateway answers; none unless said.
    pub origins: Origins,
    /// Whether the control API may break replicas that let themselves be broken. Never in production.
    pub faults: bool,
}

/// Text of a PEM file with one or more Ed25519 public keys.
#[derive(Clone, PartialEq, Eq)]
pub struct PublicKeys(pub String);

impl fmt::Debug for PublicKeys {
    /// Public, but nothing that a log should be filled with.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PublicKeys(…)")
    }
}

/// Bounds on a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CallLimits {
    /// Deadline of a unary call that brings none.
    pub default_timeout: Duration,
    /// Longest deadline; a later one is brought forward.
    pub max_timeout: Duration,
    /// The same for calls that stream, or may, for all that the gateway knows. Streams that bring none get it.
    pub max_stream_timeout: Duration,
    /// How fast a stream must be read.
    pub pace: PaceSettings,
    /// Calls at a time, from their headers to the last byte of their answers; more are refused at once.
    pub max_concurrent_calls: usize,
    /// Longest request body over REST, in bytes.
    pub max_body_bytes: usize,
    /// Longest single message of a request over gRPC, in bytes: what services read.
    pub max_message_bytes: usize,
    /// Requests that are being taken in, all together, in bytes; one tenant's are half of it at most.
    pub max_buffered_bytes: usize,
    /// Longest single message of an answer over REST, in bytes.
    pub max_answer_bytes: usize,
    /// Single answers over REST that have not been read yet, all together, in bytes; one tenant's are half of it at most.
    pub max_answer_bytes_in_all: usize,
}

/// What the start page and the control API point to.
#[derive(Debug, Clone, Default)]
pub struct Links {
    /// Address of the trace viewer's pages, such as `http://127.0.0.1:16686`.
    pub viewer: Option<Link>,
    /// Address of the live room, such as `http://127.0.0.1:8000`.
    pub console: Option<Link>,
    /// Where replicas have their metrics.
    pub admins: Admins,
}

impl Default for CallLimits {
    /// 10 s, at most 60 s, streams 30 min and 64 KiB/s; 2,048 calls; bodies of 1 MiB and messages of 4 MiB, 64 MiB of them
    /// at once; answers of 16 MiB, 256 MiB of them at once.
    fn default() -> Self {
        Self {
            default_timeout: Duration::from_secs(10),
            max_timeout: Duration::from_secs(60),
            max_stream_timeout: Duration::from_secs(30 * 60),
            pace: PaceSettings::default(),
            // What a slow reader's answer fills at most is a window of 256 KiB: so many of them take half a GiB.
            max_concurrent_calls: 2_048,
            max_body_bytes: 1 << 20,
            max_message_bytes: MAX_MESSAGE_BYTES,
            max_buffered_bytes: 64 << 20,
            max_answer_bytes: 16 << 20,
            max_answer_bytes_in_all: 256 << 20,
        }
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            routes: Routes::default(),
            token_keys: None,
            calls: CallLimits::default(),
            server: public_port(ServerSettings::default()),
            links: Links::default(),
            origins: Origins::default(),
            faults: false,
        }
    }
}

/// What the public port needs otherwise than a service's: both protocols, and clients with many calls on a connection.
fn public_port(mut settings: ServerSettings) -> ServerSettings {
    settings.protocol = Protocol::Any;
    settings.max_concurrent_streams = 1_000;
    settings
}

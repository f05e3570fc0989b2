//! Settings from the environment: read once, and every fault of them reported together.

mod env;
mod error;
mod secret;

pub use env::{Env, Slot};
pub use error::{ConfigError, Fault};
pub use secret::Secret;

//! Settings from the environment: read once, and every fault of them reported together.

mod env;
mod error;
mod link;
mod on_off;
mod origins;
mod secret;

pub use env::{Env, Slot};
pub use error::{BadSetting, ConfigError};
pub use link::{Link, NoLink};
pub use on_off::{NeitherOnNorOff, OnOff};
pub use origins::{NotAnOrigin, Origins};
pub use secret::Secret;

//! Tokens: who calls, for which tenant, in which role.
//!
//! JSON web tokens signed with Ed25519 (RFC 8037). The gateway verifies them, and so does each service with the
//! same token: a service does not believe the network that it stands in.
//!
//! Work that no caller waits for has tokens from a key of its own, which services know and the gateway does not: no key
//! of the one kind gives what the other gives.

mod admission;
mod body;
mod claims;
mod compact;
mod crypto;
mod error;
mod key;
mod rights;
mod service;
mod signer;
mod verifier;

pub use admission::says_service;
pub use claims::{Claims, Role, TENANT_NAMESPACE, UnknownRole, tenant_id};
pub use error::{KeyError, TokenError};
pub use service::ServiceSigner;
pub use signer::{Signer, TokenRequest};
pub use verifier::Verifier;

/// Who makes the tokens (`iss`).
pub const ISSUER: &str = "bellwether";
/// Whom they are for (`aud`).
pub const AUDIENCE: &str = "crm";

use std::fmt;
use std::str::FromStr;
use std::time::SystemTime;

use serde::{Deserialize, Serialize};
use thiserror::Error;
use uuid::Uuid;

/// The namespace in which a tenant's slug becomes a UUID (RFC 9562, version 5).
pub const TENANT_NAMESPACE: Uuid = Uuid::from_u128(0x6265_6c6c_7765_7468_8572_0000_7465_6e61);

/// What a verified token says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claims {
    /// The user, or the service as in `service:sales`: `sub`.
    pub subject: String,
    /// The tenant's id: the only source of it in the whole platform.
    pub tenant: Uuid,
    /// The tenant as the token names it, a UUID or a slug.
    pub tenant_name: String,
    /// What the user may do.
    pub role: Role,
    /// `exp`.
    pub expires_at: SystemTime,
}

/// What a user may do: what each may call stands in `proto/rights.md`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Reads and writes, settings included.
    Admin,
    /// Reads and writes.
    Manager,
    /// Reads and writes.
    Agent,
    /// Reads.
    Viewer,
    /// A contact of the tenant, who asks for help.
    Requester,
    /// Work that no caller waits for.
    Service,
}

impl Role {
    /// Every one.
    pub const ALL: [Self; 6] = [Self::Admin, Self::Manager, Self::Agent, Self::Viewer, Self::Requester, Self::Service];

    /// The name in tokens and on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Manager => "manager",
            Self::Agent => "agent",
            Self::Viewer => "viewer",
            Self::Requester => "requester",
            Self::Service => "service",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A role that there is not.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("a role is admin, manager, agent, viewer, requester or service")]
pub struct UnknownRole;

impl FromStr for Role {
    type Err = UnknownRole;

    fn from_str(text: &str) -> Result<Self, UnknownRole> {
        Self::ALL.into_iter().find(|role| role.as_str() == text).ok_or(UnknownRole)
    }
}

/// What the subjects of services begin with, and no user's.
const SERVICE: &str = "service:";

/// Whose key signed a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    Users,
    Services,
}

impl Origin {
    /// Whether a token of this origin may say so. A name of either kind tells the kind, too: what is written down of who
    /// did something cannot be mistaken.
    pub(super) fn may_say(self, role: Role, subject: &str) -> bool {
        let named = subject.strip_prefix(SERVICE);
        match self {
            Self::Users => role != Role::Service && named.is_none(),
            Self::Services => role == Role::Service && named.is_some_and(is_service_name),
        }
    }
}

/// The subject of a service.
pub(super) fn service_subject(name: &str) -> Option<String> {
    is_service_name(name).then(|| format!("{SERVICE}{name}"))
}

fn is_service_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
}

/// The id of the tenant that a token names: a UUID is itself, a slug gets the same UUID everywhere and always.
pub fn tenant_id(name: &str) -> Uuid {
    Uuid::parse_str(name).unwrap_or_else(|_| Uuid::new_v5(&TENANT_NAMESPACE, name.as_bytes()))
}

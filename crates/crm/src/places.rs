//! Where a platform keeps its files.

use std::path::{Path, PathBuf};

/// The folder of one platform. Two folders are two independent platforms.
#[derive(Debug, Clone)]
pub(crate) struct Places {
    root: PathBuf,
}

impl Places {
    /// The folder asked for, or one per user under `/var/tmp`, which survives a restart of the machine.
    pub(crate) fn new(asked_for: Option<PathBuf>) -> Self {
        let default = || PathBuf::from(format!("/var/tmp/bellwether-{}", nix::unistd::getuid()));
        Self { root: asked_for.unwrap_or_else(default) }
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// Ed25519 key that signs tokens, PKCS#8 PEM.
    pub(crate) fn private_key(&self) -> PathBuf {
        self.root.join("keys/token-private.pem")
    }

    /// What verifies them.
    pub(crate) fn public_key(&self) -> PathBuf {
        self.root.join("keys/token-public.pem")
    }

    /// Ed25519 key that signs the tokens of services, for work that no caller waits for.
    pub(crate) fn service_private_key(&self) -> PathBuf {
        self.root.join("keys/service-private.pem")
    }

    /// What verifies those.
    pub(crate) fn service_public_key(&self) -> PathBuf {
        self.root.join("keys/service-public.pem")
    }
}

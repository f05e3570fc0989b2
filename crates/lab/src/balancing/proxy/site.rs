//! What every proxy is told, however its configuration spells it.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::balancing::error::LabError;

/// How long a peer waits for one attempt: half of the deadline, as our gateway does, so that there is time for another.
pub(super) const PER_TRY: Duration = Duration::from_millis(500);
/// How long a peer waits for a connection.
pub(super) const CONNECT: Duration = Duration::from_millis(250);

/// Where a proxy listens, what is behind it, and where its files may be.
pub(super) struct Site<'a> {
    pub(super) public: SocketAddr,
    pub(super) control: SocketAddr,
    pub(super) admin: SocketAddr,
    pub(super) upstreams: &'a [SocketAddr],
    pub(super) folder: &'a Path,
}

impl Site<'_> {
    /// Writes a configuration into the proxy's folder.
    pub(super) fn write(&self, name: &str, text: &str) -> Result<PathBuf, LabError> {
        let path = self.folder.join(name);
        std::fs::write(&path, text)
            .map_err(|error| LabError::Start(format!("cannot write {}: {error}", path.display())))?;
        Ok(path)
    }
}

//! Certificates for servers that tests start on this machine: for `localhost` and 127.0.0.1, until 2126.
//!
//! The key is no secret, as everybody has it; so nobody but a test may trust the authority, whose own key was thrown away.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// PEM files, readable by whatever account a server runs as.
#[derive(Debug, Clone)]
pub struct Certificates {
    /// What a client must trust.
    pub authority: PathBuf,
    /// What a server shows.
    pub server: PathBuf,
    /// The server's private key.
    pub server_key: PathBuf,
}

impl Certificates {
    /// Writes them into the folder.
    ///
    /// # Errors
    /// The file system's.
    pub fn write(folder: &Path) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        fs::set_permissions(folder, Permissions::from_mode(0o755))?;
        let write = |name: &str, text: &str| {
            let path = folder.join(name);
            fs::write(&path, text)?;
            fs::set_permissions(&path, Permissions::from_mode(0o644))?;
            io::Result::Ok(path)
        };
        Ok(Self {
            authority: write("authority.pem", include_str!("tls/authority.pem"))?,
            server: write("server.pem", include_str!("tls/server.pem"))?,
            server_key: write("server-key.pem", include_str!("tls/server-key.pem"))?,
        })
    }
}

//! A log file of bounded size that the child writes to directly, so that a busy or dead parent never blocks it.

use std::{
    fs::{self, File, OpenOptions},
    io,
    path::{Path, PathBuf},
    process::Stdio,
};

/// Where a child's output goes, and how large that may become.
#[derive(Debug, Clone)]
pub struct LogFile {
    path: PathBuf,
    max_bytes: u64,
}

impl LogFile {
    /// A file that is kept below `max_bytes`; what was in it before goes to `<path>.1`.
    #[must_use]
    pub fn new(path: PathBuf, max_bytes: u64) -> Self {
        Self { path, max_bytes }
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Two handles for standard output and error. Opened for appending: the child goes on at the start after a trim.
    pub(super) fn open(&self) -> io::Result<(Stdio, Stdio)> {
        if let Some(folder) = self.path.parent() {
            fs::create_dir_all(folder)?;
        }
        let file: File = OpenOptions::new().create(true).append(true).open(&self.path)?;
        Ok((Stdio::from(file.try_clone()?), Stdio::from(file)))
    }

    /// Moves the content aside when the file has grown too large. A line written in that moment may be lost; the
    /// alternative, a pipe through the parent, would stop the child whenever the parent is slow.
    pub(super) fn trim(&self) -> io::Result<()> {
        if fs::metadata(&self.path)?.len() <= self.max_bytes {
            return Ok(());
        }
        let mut older = self.path.clone().into_os_string();
        older.push(".1");
        fs::copy(&self.path, &older)?;
        OpenOptions::new().write(true).open(&self.path)?.set_len(0)
    }
}

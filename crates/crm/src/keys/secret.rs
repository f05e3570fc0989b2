//! One secret in a file: read whole, put there once, never written over.

use std::fmt::Display;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use anyhow::Context;
use uuid::Uuid;

use crate::failure::Failure;

/// What is there; `None` where there is nothing. An empty file is something: it was a secret, or is going to be one.
pub(super) fn read(path: &Path) -> Result<Option<String>, Failure> {
    match fs::read_to_string(path) {
        Ok(text) if text.trim().is_empty() => Err(useless(path, "is empty")),
        Ok(text) => Ok(Some(text)),
        // A link that leads nowhere is there, too.
        Err(error) if error.kind() == ErrorKind::NotFound && !path.is_symlink() => Ok(None),
        Err(error) => Err(useless(path, format_args!("cannot be read: {error}"))),
    }
}

/// What to tell whose secret is there and no good.
pub(super) fn useless(path: &Path, why: impl Display) -> Failure {
    let path = path.display();
    let advice = "it is left as it is: put the right one back, or move it away and run this again";
    Failure::Check(format!("{path} {why}; {advice}"))
}

/// Puts the text there unless somebody else has been faster; a reader sees all of it or nothing, whatever happens meanwhile.
pub(super) fn put(path: &Path, text: &str, mode: u32) -> Result<(), Failure> {
    let put = || {
        let folder = path.parent().unwrap_or(Path::new("."));
        fs::create_dir_all(folder)?;
        let beside = beside(path);
        let written = write(&beside, text, mode).and_then(|()| link(&beside, path));
        let _ = fs::remove_file(beside);
        written?;
        // Else the name could be gone after a crash, and what was made with it would not be.
        File::open(folder)?.sync_all()
    };
    let put: io::Result<()> = put();
    put.with_context(|| format!("cannot write {}", path.display())).map_err(Failure::Other)
}

/// A name that nobody else takes at the same time.
fn beside(path: &Path) -> PathBuf {
    path.with_extension(format!("{}.new", Uuid::new_v4().simple()))
}

fn write(path: &Path, text: &str, mode: u32) -> io::Result<()> {
    let mut file = OpenOptions::new().create_new(true).write(true).mode(mode).open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

/// A second name for the file, which unlike a new name for it never takes the place of what is there.
fn link(from: &Path, to: &Path) -> io::Result<()> {
    match fs::hard_link(from, to) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        linked => linked,
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use crm_sandbox::TemporaryFolder;

    use super::*;

    #[test]
    fn what_is_there_is_not_written_over_and_nothing_is_left_beside_it() {
        let folder = TemporaryFolder::new("crm-secret").unwrap();
        let path = folder.path().join("deep/secret.pem");
        put(&path, "first", 0o400).unwrap();
        put(&path, "second", 0o444).unwrap();
        assert_eq!(read(&path).unwrap().as_deref(), Some("first"));
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o400);
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
    }

    #[test]
    fn what_cannot_be_read_is_told_and_not_taken_for_missing() {
        let folder = TemporaryFolder::new("crm-secret").unwrap();
        let path = |name: &str| folder.path().join(name);
        assert!(read(&path("missing")).unwrap().is_none());
        fs::write(path("empty"), "").unwrap();
        fs::write(path("binary"), [0xff, 0xfe]).unwrap();
        fs::create_dir(path("folder")).unwrap();
        std::os::unix::fs::symlink("nowhere", path("link")).unwrap();
        for name in ["empty", "binary", "folder", "link", "binary/below"] {
            let told = read(&path(name)).unwrap_err();
            assert!(matches!(&told, Failure::Check(text) if text.contains(name)), "{name}: {told}");
        }
    }
}

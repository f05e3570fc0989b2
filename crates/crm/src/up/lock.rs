//! One supervisor a folder.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;

use anyhow::Context;

use crate::failure::Failure;
use crate::places::Places;

/// The lock's file; it holds the supervisor's process id.
const FILE: &str = "lock";

/// Held as long as the supervisor lives, however it ends: the kernel lets go of it.
#[derive(Debug)]
pub(super) struct Lock {
    _file: File,
}

/// Makes the folder if need be, and takes it.
pub(super) fn take(places: &Places) -> Result<Lock, Failure> {
    let root = places.root();
    make_root(places).with_context(|| format!("cannot use {}", root.display()))?;
    match try_take(places)? {
        Some(mut file) => {
            let written = file.set_len(0).and_then(|()| writeln!(file, "{}", std::process::id()));
            written.with_context(|| format!("cannot write to {}", root.display()))?;
            Ok(Lock { _file: file })
        }
        None => {
            let by = holder(places).map_or_else(String::new, |pid| format!(" (process {pid})"));
            let folder = root.display();
            Err(Failure::Usage(format!(
                "a platform runs in {folder} already{by}: `crm status` shows it, `crm down` stops it, `--dir` names another folder"
            )))
        }
    }
}

/// The process id of the supervisor that has the folder; `None` when none has.
pub(super) fn holder(places: &Places) -> Option<u32> {
    if !places.root().join(FILE).exists() || try_take(places).ok()?.is_some() {
        return None;
    }
    fs::read_to_string(places.root().join(FILE)).ok()?.trim().parse().ok()
}

/// Whether nobody has the folder.
pub(super) fn is_free(places: &Places) -> bool {
    !places.root().join(FILE).exists() || try_take(places).is_ok_and(|taken| taken.is_some())
}

fn try_take(places: &Places) -> Result<Option<File>, Failure> {
    let path = places.root().join(FILE);
    let file = OpenOptions::new().create(true).truncate(false).write(true).open(&path);
    let file = file.with_context(|| format!("cannot open {}", path.display()))?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => {
            Err(Failure::Other(anyhow::Error::new(error).context(format!("cannot lock {}", path.display()))))
        }
    }
}

/// Others may pass through, not look: Postgres runs as another account when the supervisor is root.
fn make_root(places: &Places) -> std::io::Result<()> {
    const PASS_THROUGH: u32 = 0o711;
    if !places.root().is_dir() {
        fs::create_dir_all(places.root())?;
        fs::set_permissions(places.root(), fs::Permissions::from_mode(PASS_THROUGH))?;
    }
    fs::create_dir_all(places.root().join("logs"))
}

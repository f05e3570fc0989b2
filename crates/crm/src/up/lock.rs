//! One supervisor a folder.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::Write;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use nix::unistd::{Uid, geteuid};
use tokio::time::{Instant, sleep};

use crate::failure::Failure;
use crate::places::Places;

/// The lock's file; it holds the supervisor's process id.
const FILE: &str = "lock";
/// Looking takes the lock as well, for a moment: who wants it for good lets others finish looking.
const LOOKERS_TAKE_AT_MOST: Duration = Duration::from_millis(200);
const TRY_EVERY: Duration = Duration::from_millis(10);

/// Held as long as the supervisor lives, however it ends: the kernel lets go of it.
#[derive(Debug)]
pub(super) struct Lock {
    _file: File,
}

/// Makes the folder if need be, and takes it.
pub(super) async fn take(places: &Places) -> Result<Lock, Failure> {
    let root = places.root();
    make_root(root).with_context(|| format!("cannot use {}", root.display()))?;
    refuse_a_stranger_s(root, geteuid())?;
    fs::create_dir_all(root.join("logs")).with_context(|| format!("cannot use {}", root.display()))?;
    let deadline = Instant::now() + LOOKERS_TAKE_AT_MOST;
    loop {
        if let Some(file) = open(places, File::try_lock)? {
            return sign(file).with_context(|| format!("cannot write to {}", root.display())).map_err(Failure::Other);
        }
        if Instant::now() > deadline {
            return Err(taken(places));
        }
        sleep(TRY_EVERY).await;
    }
}

fn sign(mut file: File) -> std::io::Result<Lock> {
    file.set_len(0)?;
    writeln!(file, "{}", std::process::id())?;
    Ok(Lock { _file: file })
}

fn taken(places: &Places) -> Failure {
    let by = holder(places).map_or_else(String::new, |pid| format!(" (process {pid})"));
    let folder = places.root().display();
    Failure::Usage(format!(
        "a platform runs in {folder} already{by}: `crm status` shows it, `crm down` stops it, `--dir` names another folder"
    ))
}

/// The process id of the supervisor that has the folder; `None` when none has.
pub(super) fn holder(places: &Places) -> Option<u32> {
    if !places.root().join(FILE).exists() || look(places).ok()?.is_some() {
        return None;
    }
    fs::read_to_string(places.root().join(FILE)).ok()?.trim().parse().ok()
}

/// Whether nobody has the folder.
pub(super) fn is_free(places: &Places) -> bool {
    !places.root().join(FILE).exists() || look(places).is_ok_and(|free| free.is_some())
}

/// The lock as many may have it: two who look do not take each other for a supervisor.
fn look(places: &Places) -> Result<Option<File>, Failure> {
    open(places, File::try_lock_shared)
}

fn open(places: &Places, lock: impl Fn(&File) -> Result<(), TryLockError>) -> Result<Option<File>, Failure> {
    let path = places.root().join(FILE);
    let file = OpenOptions::new().create(true).truncate(false).write(true).open(&path);
    let file = file.with_context(|| format!("cannot open {}", path.display()))?;
    match lock(&file) {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => {
            Err(Failure::Other(anyhow::Error::new(error).context(format!("cannot lock {}", path.display()))))
        }
    }
}

/// Others may pass through, not look: Postgres runs as another account when the supervisor is root.
fn make_root(root: &Path) -> std::io::Result<()> {
    const PASS_THROUGH: u32 = 0o711;
    if !root.is_dir() {
        fs::create_dir_all(root)?;
        fs::set_permissions(root, fs::Permissions::from_mode(PASS_THROUGH))?;
    }
    Ok(())
}

/// The usual folder has a name that anybody can foresee, in a place where anybody can make it: its maker could read the
/// keys, or put others in their place. A link is judged by who made it, not by where it leads.
fn refuse_a_stranger_s(root: &Path, ours: Uid) -> Result<(), Failure> {
    let owner = fs::symlink_metadata(root).with_context(|| format!("cannot look at {}", root.display()))?.uid();
    if owner == ours.as_raw() {
        return Ok(());
    }
    let folder = root.display();
    Err(Failure::Usage(format!("{folder} belongs to user {owner}, not to you ({ours}): `--dir` names another folder")))
}

#[cfg(test)]
mod tests {
    use crm_sandbox::TemporaryFolder;

    use super::*;

    fn folder() -> (TemporaryFolder, Places) {
        let folder = TemporaryFolder::new("crm-lock").unwrap();
        let places = Places::new(Some(folder.path().join("platform")));
        (folder, places)
    }

    #[tokio::test]
    async fn a_folder_is_taken_once() {
        let (_folder, places) = folder();
        let lock = take(&places).await.unwrap();
        assert_eq!(holder(&places), Some(std::process::id()));
        let refused = take(&places).await.unwrap_err().to_string();
        assert!(refused.contains("crm down"), "{refused}");
        drop(lock);
        // A child that another test starts holds what this process had open until it is another program.
        for _ in 0..500 {
            if is_free(&places) {
                break;
            }
            sleep(Duration::from_millis(10)).await;
        }
        assert!(is_free(&places) && holder(&places).is_none());
    }

    #[tokio::test]
    async fn who_looks_keeps_nobody_from_starting_and_is_no_platform() {
        let (_folder, places) = folder();
        drop(take(&places).await.unwrap());
        let looking = look(&places).unwrap().unwrap();
        assert!(is_free(&places) && holder(&places).is_none(), "to another one who looks");
        let looks = async {
            sleep(LOOKERS_TAKE_AT_MOST / 4).await;
            drop(looking);
        };
        let (taken, ()) = tokio::join!(take(&places), looks);
        taken.unwrap();
    }

    #[test]
    fn a_folder_that_somebody_else_has_made_is_not_used() {
        let (folder, _) = folder();
        refuse_a_stranger_s(folder.path(), geteuid()).unwrap();
        let link = folder.path().join("link");
        std::os::unix::fs::symlink("/", &link).unwrap();
        refuse_a_stranger_s(&link, geteuid()).unwrap();
        let stranger = Uid::from_raw(geteuid().as_raw() + 1);
        for path in [folder.path(), &link] {
            let refused = refuse_a_stranger_s(path, stranger).unwrap_err();
            assert!(matches!(&refused, Failure::Usage(text) if text.contains("--dir")), "{refused}");
        }
    }
}

//! A data folder of Postgres as `initdb` leaves it, made once for all platforms of a run: that is what takes longest when a
//! platform starts for the first time.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use crm_sandbox::{Postgres, PostgresSettings};

use crate::platform::folder;

const PREFIX: &str = "cluster-";

static MADE: LazyLock<PathBuf> = LazyLock::new(make);

/// Puts it where a platform in this folder looks for its data.
pub(crate) fn put_into(dir: &Path) {
    fs::create_dir_all(dir).unwrap();
    copy(&MADE, &dir.join("postgres"));
}

fn make() -> PathBuf {
    let place = Path::new(env!("CARGO_TARGET_TMPDIR"));
    forget_ended_runs(place);
    let (folder, made) = (folder(), place.join(format!("{PREFIX}{}", std::process::id())));
    let home = folder.path().join("postgres");
    Postgres::start(&home, PostgresSettings::durable()).unwrap().stop();
    copy(&home, &made);
    made
}

/// With owners and modes: Postgres is somebody else where this is root.
fn copy(from: &Path, to: &Path) {
    let status = Command::new("cp").arg("-a").args([from, to]).status().unwrap();
    assert!(status.success(), "cp -a {} {}: {status}", from.display(), to.display());
}

/// A test program has no last moment in which to tidy up.
fn forget_ended_runs(place: &Path) {
    for entry in fs::read_dir(place).unwrap().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let Some(run) = name.strip_prefix(PREFIX) else { continue };
        if !Path::new("/proc").join(run).exists() {
            fs::remove_dir_all(entry.path()).unwrap();
        }
    }
}

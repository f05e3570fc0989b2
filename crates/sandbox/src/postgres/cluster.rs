//! The data folder: made once, reused afterwards, refused when another major version wrote it.

use std::{
    fs, io,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use super::PostgresSettings;
use crate::{Account, Error, binaries::PostgresPrograms};

pub(super) fn data_folder(home: &Path) -> PathBuf {
    home.join("data")
}

/// Makes sure that there is a data folder that the installed programs can run.
pub(super) fn ensure(
    programs: &PostgresPrograms,
    home: &Path,
    settings: &PostgresSettings,
    account: Account,
) -> Result<(), Error> {
    match fs::read_to_string(data_folder(home).join("PG_VERSION")) {
        Ok(found) => check_version(programs, &data_folder(home), found.trim()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => create(programs, home, settings, account),
        Err(error) => Err(Error::path("cannot read the version of", &data_folder(home))(error)),
    }
}

fn check_version(programs: &PostgresPrograms, folder: &Path, found: &str) -> Result<(), Error> {
    match programs.major_version() {
        Some(installed) if installed != found => {
            Err(Error::OtherVersion { folder: folder.to_owned(), found: found.to_owned(), installed })
        }
        _ => Ok(()),
    }
}

/// Works beside the final place and renames, so that an interrupted attempt never looks like a finished one.
fn create(
    programs: &PostgresPrograms,
    home: &Path,
    settings: &PostgresSettings,
    account: Account,
) -> Result<(), Error> {
    let unfinished = home.join("data.unfinished");
    // Accents fold under this character type, while plain byte order serves prefix searches from ordinary indexes.
    let mut output = initdb(programs, &unfinished, settings, account, "C.UTF-8")?;
    if !output.status.success() {
        output = initdb(programs, &unfinished, settings, account, "C")?;
    }
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        return Err(Error::Io { doing: "initdb failed".to_owned(), source: io::Error::other(said) });
    }
    fs::rename(&unfinished, data_folder(home)).map_err(Error::path("cannot rename", &unfinished))
}

fn initdb(
    programs: &PostgresPrograms,
    folder: &Path,
    settings: &PostgresSettings,
    account: Account,
    character_type: &str,
) -> Result<Output, Error> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            return Err(Error::path("cannot remove", folder)(error));
        }
        _ => {}
    }
    let mut command = Command::new(programs.program("initdb"));
    command.arg("-D").arg(folder).args(["-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C"]);
    command.arg(format!("--lc-ctype={character_type}")).env("LC_ALL", "C").current_dir("/");
    if !settings.is_durable() {
        command.arg("--no-sync");
    }
    account.apply(&mut command);
    command.output().map_err(Error::path("cannot run", &programs.program("initdb")))
}

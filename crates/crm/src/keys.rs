//! `crm keys`: what must be secret and the same after a restart, written once.
//!
//! `crm up` needs the token's pair of keys only, as its private Postgres takes no passwords.
//! In containers the variables below place each file on a volume that only its readers see.

use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use anyhow::Context;
use crm_server::token::Signer;
use uuid::Uuid;

use crate::failure::Failure;
use crate::places::Places;
use crate::token::PRIVATE_KEY_FILE;

/// Where the public key goes, if not into the platform's folder.
const PUBLIC_KEY_FILE: &str = "CRM_TOKEN_PUBLIC_KEY_FILE";
/// Files that each get a password of their own, if the variable is set.
const PASSWORD_FILES: [&str; 2] = ["CRM_DATABASE_PASSWORD_FILE", "CRM_CUSTOMERS_DATABASE_PASSWORD_FILE"];

/// Writes what is missing, and touches nothing that is there.
pub(crate) fn write_missing(places: &Places) -> Result<(), Failure> {
    let place = |variable: &str, default: PathBuf| std::env::var_os(variable).map_or(default, PathBuf::from);
    let private = place(PRIVATE_KEY_FILE, places.private_key());
    let public = place(PUBLIC_KEY_FILE, places.public_key());
    if !private.exists() || !public.exists() {
        let (private_pem, public_pem) = Signer::generate_pem().context("cannot make a key")?;
        write(&private, &private_pem, 0o400)?;
        write(&public, &public_pem, 0o444)?;
    }
    for variable in PASSWORD_FILES {
        match std::env::var_os(variable).map(PathBuf::from) {
            // Postgres reads its own before it has given up being root, so no more than its owner need see it.
            Some(path) if !path.exists() => write(&path, &password(), 0o400)?,
            _ => {}
        }
    }
    Ok(())
}

/// 244 random bits.
pub(crate) fn password() -> String {
    format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple())
}

/// Writes beside, then renames, so that a reader never sees half a file.
pub(crate) fn write(path: &Path, text: &str, mode: u32) -> Result<(), Failure> {
    let result = (|| {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        let beside = path.with_extension("new");
        let _ = std::fs::remove_file(&beside);
        let mut file = std::fs::OpenOptions::new().create_new(true).write(true).mode(mode).open(&beside)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        std::fs::rename(beside, path)
    })();
    result.with_context(|| format!("cannot write {}", path.display())).map_err(Failure::Other)
}

//! Which operating-system account servers run as: Postgres refuses root.

use nix::unistd::{Uid, User};
use std::{
    fs,
    os::unix::{
        fs::{PermissionsExt, chown},
        process::CommandExt,
    },
    path::Path,
    process::Command,
};

use crate::Error;

/// The account that a private server runs as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Account {
    uid: u32,
    gid: u32,
    switch: bool,
}

impl Account {
    /// The caller's own account, or `postgres`, else `nobody`, when the caller is root.
    #[must_use]
    pub fn for_servers() -> Self {
        let own = Self { uid: Uid::effective().as_raw(), gid: nix::unistd::getegid().as_raw(), switch: false };
        if own.uid != 0 {
            return own;
        }
        let find = |name| User::from_name(name).ok().flatten();
        find("postgres").or_else(|| find("nobody")).map_or(own, |user| Self {
            uid: user.uid.as_raw(),
            gid: user.gid.as_raw(),
            switch: true,
        })
    }

    /// Makes the command run as this account.
    pub fn apply(self, command: &mut Command) {
        if self.switch {
            command.uid(self.uid).gid(self.gid);
        }
    }

    /// User and group id when they differ from the caller's.
    pub(crate) fn switched(self) -> Option<(u32, u32)> {
        self.switch.then_some((self.uid, self.gid))
    }

    /// Makes a folder that only this account (and root) can enter; its parents as needed, traversable.
    ///
    /// # Errors
    /// The operating system's, naming the folder.
    pub fn private_folder(self, folder: &Path) -> Result<(), Error> {
        fs::create_dir_all(folder).map_err(Error::path("cannot make", folder))?;
        fs::set_permissions(folder, fs::Permissions::from_mode(0o700))
            .map_err(Error::path("cannot restrict", folder))?;
        if self.switch {
            chown(folder, Some(self.uid), Some(self.gid)).map_err(Error::path("cannot hand over", folder))?;
        }
        Ok(())
    }
}

//! Which operating-system account servers run as: Postgres refuses root.

use nix::unistd::{Uid, User};
use std::{
    fs,
    os::unix::{
        fs::{MetadataExt, PermissionsExt, chown},
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
        self.check_reachable(folder)?;
        fs::create_dir_all(folder).map_err(Error::path("cannot make", folder))?;
        fs::set_permissions(folder, fs::Permissions::from_mode(0o700))
            .map_err(Error::path("cannot restrict", folder))?;
        if self.switch {
            chown(folder, Some(self.uid), Some(self.gid)).map_err(Error::path("cannot hand over", folder))?;
        }
        Ok(())
    }

    /// Root's own folders, such as its home, are closed to the account that servers run as.
    fn check_reachable(self, folder: &Path) -> Result<(), Error> {
        const OTHERS_MAY_ENTER: u32 = 0o001;
        let open = |ancestor: &Path| match fs::metadata(ancestor) {
            Ok(found) => found.mode() & OTHERS_MAY_ENTER != 0 || found.uid() == self.uid,
            Err(_) => true,
        };
        match folder.ancestors().skip(1).find(|ancestor| self.switch && !open(ancestor)) {
            Some(ancestor) => Err(Error::Closed { folder: folder.to_owned(), ancestor: ancestor.to_owned() }),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folder_below_a_closed_one_is_refused_with_a_hint() {
        let account = Account { uid: 65_534, gid: 65_534, switch: true };
        let closed = std::env::temp_dir().join(format!("crm-closed-{}", uuid::Uuid::new_v4()));
        fs::create_dir(&closed).unwrap();
        fs::set_permissions(&closed, fs::Permissions::from_mode(0o700)).unwrap();
        let error = account.private_folder(&closed.join("postgres")).unwrap_err();
        fs::remove_dir(&closed).unwrap();
        assert!(matches!(&error, Error::Closed { ancestor, .. } if *ancestor == closed), "{error}");
    }
}

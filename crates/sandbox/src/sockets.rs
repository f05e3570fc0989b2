//! Where a server's unix socket is: the kernel allows its path no more than 107 bytes.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, PercentEncode, percent_encode};

use crate::{Account, Error};

/// `sun_path` holds 108 bytes, the last one a zero.
const MAX_PATH_BYTES: usize = 107;

/// A folder for sockets that only the servers' account and root can enter; removed on drop when it is outside the home.
#[derive(Debug)]
pub(crate) struct SocketFolder {
    path: PathBuf,
    outside: bool,
}

impl SocketFolder {
    /// `<home>/socket`, or a short folder named after the home where that path would be too long for `file_name`.
    pub(crate) fn make(home: &Path, file_name: &str, account: Account) -> Result<Self, Error> {
        let inside = home.join("socket");
        let outside = inside.join(file_name).as_os_str().as_bytes().len() > MAX_PATH_BYTES;
        let path =
            if outside { Path::new("/tmp").join(format!("bellwether-{:016x}", fingerprint(home))) } else { inside };
        account.private_folder(&path)?;
        Ok(Self { path, outside })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for SocketFolder {
    fn drop(&mut self) {
        if self.outside {
            let _ = std::fs::remove_dir_all(&self.path);
        }
    }
}

fn fingerprint(home: &Path) -> u64 {
    let mut hasher = DefaultHasher::new();
    home.hash(&mut hasher);
    hasher.finish()
}

/// A path as the value of a URL's query parameter.
pub(crate) fn encoded(path: &Path) -> PercentEncode<'_> {
    const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'_').remove(b'.').remove(b'~');
    percent_encode(path.as_os_str().as_bytes(), ESCAPED)
}

/// A role's URL of a database whose server listens in this folder.
pub(crate) fn postgres_url(role: &str, port: u16, database: &str, folder: &Path) -> String {
    format!("postgres://{role}@localhost:{port}/{database}?host={}&sslmode=disable", encoded(folder))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_home_gets_a_short_socket_folder_that_goes_with_it() {
        let home = std::env::temp_dir().join("x".repeat(MAX_PATH_BYTES));
        let folder = SocketFolder::make(&home, ".s.PGSQL.5432", Account::for_servers()).unwrap();
        let path = folder.path().to_owned();
        assert!(path.join(".s.PGSQL.5432").as_os_str().len() <= MAX_PATH_BYTES);
        assert!(path.is_dir());
        drop(folder);
        assert!(!path.exists());
    }

    #[test]
    fn awkward_bytes_are_encoded() {
        assert_eq!(encoded(Path::new("/a b&c/%")).to_string(), "/a%20b%26c/%25");
    }
}

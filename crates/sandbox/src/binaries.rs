//! Where the servers' programs are, or what to install when they are nowhere.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::Error;

const INSTALL_POSTGRES: &str = "apt-get install -y --no-install-recommends postgresql (or your system's package)";
const INSTALL_REDIS: &str = "apt-get install -y --no-install-recommends redis-server (or your system's package)";

const INSTALL_PGBOUNCER: &str = "apt-get install -y --no-install-recommends pgbouncer (or your system's package)";

/// The programs of one PostgreSQL installation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostgresPrograms {
    folder: PathBuf,
}

impl PostgresPrograms {
    /// Looks at `CRM_POSTGRES_BIN`, then `pg_config --bindir`, the newest of `/usr/lib/postgresql/*/bin`, and `PATH`.
    ///
    /// # Errors
    /// [`Error::Missing`] with the command that installs them.
    pub fn find() -> Result<Self, Error> {
        let candidates = postgres_folders();
        let complete = |folder: &&PathBuf| ["initdb", "postgres"].iter().all(|name| folder.join(name).is_file());
        match candidates.iter().find(complete) {
            Some(folder) => Ok(Self { folder: folder.clone() }),
            None => Err(Error::Missing {
                program: "postgres",
                looked_in: "CRM_POSTGRES_BIN, pg_config --bindir, /usr/lib/postgresql/*/bin and PATH".to_owned(),
                install: INSTALL_POSTGRES,
            }),
        }
    }

    /// One of the programs, such as `initdb`.
    #[must_use]
    pub fn program(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// The major version, such as `15`; `None` when the program does not say.
    #[must_use]
    pub fn major_version(&self) -> Option<String> {
        let output = Command::new(self.program("postgres")).arg("--version").output().ok()?;
        let text = String::from_utf8(output.stdout).ok()?;
        let version = text.split_whitespace().find(|word| word.starts_with(|c: char| c.is_ascii_digit()))?;
        let digits: String = version.chars().take_while(char::is_ascii_digit).collect();
        Some(digits)
    }
}

/// The Redis server's program: `CRM_REDIS_SERVER`, else on `PATH`, else in the usual folders.
///
/// # Errors
/// [`Error::Missing`] with the command that installs it.
pub fn find_redis() -> Result<PathBuf, Error> {
    find_program("redis-server", "CRM_REDIS_SERVER", INSTALL_REDIS)
}

/// PgBouncer's program: `CRM_PGBOUNCER`, else on `PATH`, else in the usual folders.
///
/// # Errors
/// [`Error::Missing`] with the command that installs it.
pub fn find_pgbouncer() -> Result<PathBuf, Error> {
    find_program("pgbouncer", "CRM_PGBOUNCER", INSTALL_PGBOUNCER)
}

fn find_program(program: &'static str, variable: &str, install: &'static str) -> Result<PathBuf, Error> {
    let named = env::var_os(variable).map(PathBuf::from);
    let usual = ["/usr/bin", "/usr/local/bin", "/usr/sbin"].map(PathBuf::from);
    let in_folders = search_path().into_iter().chain(usual).map(|folder| folder.join(program));
    named.into_iter().chain(in_folders).find(|path| path.is_file()).ok_or_else(|| Error::Missing {
        program,
        looked_in: format!("{variable}, PATH, /usr/bin, /usr/local/bin and /usr/sbin"),
        install,
    })
}

fn postgres_folders() -> Vec<PathBuf> {
    if let Some(named) = env::var_os("CRM_POSTGRES_BIN") {
        return vec![PathBuf::from(named)];
    }
    let configured = Command::new("pg_config").arg("--bindir").output().ok();
    let configured = configured.and_then(|output| String::from_utf8(output.stdout).ok());
    let mut folders: Vec<PathBuf> = configured.iter().map(|text| PathBuf::from(text.trim())).collect();
    folders.extend(versioned_folders(Path::new("/usr/lib/postgresql")));
    folders.extend(search_path());
    folders
}

/// `<root>/<version>/bin`, newest version first.
fn versioned_folders(root: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(root) else { return Vec::new() };
    let number =
        |path: &Path| path.file_name().and_then(|name| name.to_str()).and_then(|name| name.parse::<u32>().ok());
    let mut found: Vec<(u32, PathBuf)> =
        entries.flatten().filter_map(|entry| Some((number(&entry.path())?, entry.path().join("bin")))).collect();
    found.sort_by_key(|(version, _)| std::cmp::Reverse(*version));
    found.into_iter().map(|(_, folder)| folder).collect()
}

fn search_path() -> Vec<PathBuf> {
    env::var_os("PATH").map(|path| env::split_paths(&path).collect()).unwrap_or_default()
}

//! A private PostgreSQL server: its own data folder, a unix socket in a folder nobody else can enter, no network.

mod cluster;
pub(crate) mod database;
mod ready;
mod settings;

use std::{
    path::{Path, PathBuf},
    process::{Command, ExitStatus},
    thread,
    time::{Duration, Instant},
};

use crate::{
    Account, Error,
    binaries::PostgresPrograms,
    child::{Child, ChildSignal, Program},
    sockets::{SocketFolder, postgres_url},
};

pub use settings::PostgresSettings;

/// The name of the socket is derived from this number, even though nothing listens on the network.
const PORT: u16 = 5432;
const MAX_LOG_BYTES: u64 = 16 * 1024 * 1024;
/// Crash recovery may take a while on a slow disk, and to interrupt it is to begin it anew.
const START_TIMEOUT: Duration = Duration::from_secs(300);
const PAUSE_BETWEEN_TRIES: Duration = Duration::from_millis(100);
/// Backends of a killed postmaster hold its shared memory for a moment.
const TRIES: u32 = 50;

/// A running private PostgreSQL; stopped on drop.
#[derive(Debug)]
pub struct Postgres {
    programs: PostgresPrograms,
    home: PathBuf,
    settings: PostgresSettings,
    account: Account,
    socket: SocketFolder,
    child: Child,
}

impl Postgres {
    /// Starts a server on `<home>/data`, creating that when there is none. Blocks until it accepts connections.
    ///
    /// The caller sees to it that only one process uses `home` at a time.
    ///
    /// # Errors
    /// What is missing, what holds the folder, or how the server's log ended.
    pub fn start(home: &Path, settings: PostgresSettings) -> Result<Self, Error> {
        let programs = PostgresPrograms::find()?;
        let account = Account::for_servers();
        account.private_folder(home)?;
        let socket = SocketFolder::make(home, &format!(".s.PGSQL.{PORT}"), account)?;
        cluster::ensure(&programs, home, &settings, account)?;
        let child = launch(&programs, home, &settings, account, socket.path())?;
        Ok(Self { programs, home: home.to_owned(), settings, account, socket, child })
    }

    /// The superuser's URL of a database over the unix socket.
    #[must_use]
    pub fn url(&self, database: &str) -> String {
        self.url_as("postgres", database)
    }

    /// A role's URL of a database; the socket trusts whoever can reach it, so there is no password.
    #[must_use]
    pub fn url_as(&self, role: &str, database: &str) -> String {
        postgres_url(role, PORT, database, self.socket.path())
    }

    /// Creates an empty database unless there is one of this name.
    ///
    /// # Errors
    /// The server's.
    pub async fn ensure_database(&self, name: &str) -> Result<(), Error> {
        database::ensure(&self.url("postgres"), name).await
    }

    /// The socket itself, for a [`crate::fault_proxy`] in front of the server.
    #[must_use]
    pub fn socket_path(&self) -> PathBuf {
        self.socket.path().join(format!(".s.PGSQL.{PORT}"))
    }

    /// The server's process: to watch it, pause it, or kill it in a test.
    #[must_use]
    pub fn process(&self) -> &Child {
        &self.child
    }

    /// Waits until the server has ended by itself.
    pub async fn wait(&self) -> ExitStatus {
        self.child.wait().await
    }

    /// Stops the server if it still runs, and starts it on the same data and socket. Blocks until it is ready.
    ///
    /// # Errors
    /// As [`Postgres::start`].
    pub fn restart(&mut self) -> Result<(), Error> {
        self.shut_down();
        self.child = launch(&self.programs, &self.home, &self.settings, self.account, self.socket.path())?;
        Ok(())
    }

    /// Stops the server: no new work, running statements cancelled, everything written. Blocks until it is gone.
    pub fn stop(self) {
        self.shut_down();
    }

    fn shut_down(&self) {
        const FAST: Duration = Duration::from_secs(15);
        const IMMEDIATE: Duration = Duration::from_secs(6);
        if self.child.exit_status().is_none() {
            // SIGINT is a fast shutdown; SIGQUIT an immediate one, which the next start recovers from.
            self.child.signal(ChildSignal::SIGCONT);
            self.child.signal(ChildSignal::SIGINT);
            if self.child.wait_for(FAST).is_none() {
                self.child.stop(ChildSignal::SIGQUIT, IMMEDIATE);
            }
        }
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.shut_down();
    }
}

/// Starts the postmaster and waits until it is ready; again when what an earlier, killed one left is still in the way.
fn launch(
    programs: &PostgresPrograms,
    home: &Path,
    settings: &PostgresSettings,
    account: Account,
    socket: &Path,
) -> Result<Child, Error> {
    let deadline = Instant::now() + START_TIMEOUT;
    let log = settings.log_path(home);
    let mut reason = String::new();
    for _ in 0..TRIES {
        let mut command = Command::new(programs.program("postgres"));
        settings.arguments(&mut command, &cluster::data_folder(home), socket);
        command.env("LC_ALL", "C").current_dir("/");
        account.apply(&mut command);
        let program = Program::new("postgres", command).log(&log, MAX_LOG_BYTES).death_signal(settings.death_signal());
        let child = program.spawn()?;
        match ready::wait(&child, &cluster::data_folder(home), deadline) {
            Ok(()) => return Ok(child),
            Err(why) => reason = why,
        }
        if Instant::now() >= deadline {
            break;
        }
        thread::sleep(PAUSE_BETWEEN_TRIES);
    }
    Err(Error::NotReady { server: "PostgreSQL", reason, log })
}

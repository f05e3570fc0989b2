//! A private PgBouncer before a PostgreSQL: what many put between a service and its database.

use std::{
    fs,
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use crate::{
    Account, Error, binaries,
    child::{Child, ChildSignal, Program},
    sockets::{SocketFolder, postgres_url},
};

/// Names the socket, even though nothing listens on the network.
const PORT: u16 = 6432;
const MAX_LOG_BYTES: u64 = 4 * 1024 * 1024;
const START_TIMEOUT: Duration = Duration::from_secs(10);
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// A running private PgBouncer; stopped on drop.
#[derive(Debug)]
pub struct Pgbouncer {
    socket: SocketFolder,
    child: Child,
}

impl Pgbouncer {
    /// Starts one in transaction mode, before the server whose socket is in the folder `server`, with `sessions` for each
    /// database and role, and `settings` as they stand in its configuration. It trusts whoever says to be one of `roles`.
    ///
    /// # Errors
    /// What is missing, or how its log ended.
    pub fn start(home: &Path, server: &Path, sessions: u16, roles: &[&str], settings: &[&str]) -> Result<Self, Error> {
        let program = binaries::find_pgbouncer()?;
        let account = Account::for_servers();
        account.private_folder(home)?;
        let socket = SocketFolder::make(home, &socket_name(), account)?;
        let configuration = write_configuration(home, &socket, server, sessions, roles, settings)?;
        let mut command = Command::new(program);
        command.arg(&configuration).current_dir("/").env("LC_ALL", "C");
        account.apply(&mut command);
        let log = home.join("pgbouncer.log");
        let child = Program::new("pgbouncer", command).log(&log, MAX_LOG_BYTES).spawn()?;
        match wait_until_ready(&child, &socket.path().join(socket_name())) {
            Ok(()) => Ok(Self { socket, child }),
            Err(reason) => Err(Error::NotReady { server: "PgBouncer", reason, log }),
        }
    }

    /// A role's URL of a database.
    #[must_use]
    pub fn url_as(&self, role: &str, database: &str) -> String {
        postgres_url(role, PORT, database, self.socket.path())
    }
}

impl Drop for Pgbouncer {
    fn drop(&mut self) {
        const PATIENCE: Duration = Duration::from_secs(3);
        self.child.stop(ChildSignal::SIGTERM, PATIENCE);
    }
}

fn socket_name() -> String {
    format!(".s.PGSQL.{PORT}")
}

fn write_configuration(
    home: &Path,
    socket: &SocketFolder,
    server: &Path,
    sessions: u16,
    roles: &[&str],
    settings: &[&str],
) -> Result<PathBuf, Error> {
    let (path, users) = (home.join("pgbouncer.ini"), home.join("users.txt"));
    let mut lines = vec![
        "[databases]".to_owned(),
        format!("* = host={} port=5432", server.display()),
        "[pgbouncer]".to_owned(),
        // Empty: on the socket alone.
        "listen_addr =".to_owned(),
        format!("listen_port = {PORT}"),
        format!("unix_socket_dir = {}", socket.path().display()),
        format!("auth_type = trust\nauth_file = {}", users.display()),
        format!("pool_mode = transaction\ndefault_pool_size = {sessions}"),
    ];
    lines.extend(settings.iter().map(|setting| (*setting).to_owned()));
    let listed: Vec<String> = roles.iter().map(|role| format!("\"{role}\" \"\"")).collect();
    fs::write(&users, listed.join("\n") + "\n").map_err(Error::path("cannot write", &users))?;
    fs::write(&path, lines.join("\n") + "\n").map_err(Error::path("cannot write", &path))?;
    Ok(path)
}

fn wait_until_ready(child: &Child, socket: &Path) -> Result<(), String> {
    let deadline = Instant::now() + START_TIMEOUT;
    while Instant::now() < deadline {
        if UnixStream::connect(socket).is_ok() {
            return Ok(());
        }
        if let Some(status) = child.wait_for(LOOK_EVERY) {
            return Err(format!("it ended with {status}"));
        }
    }
    Err("not ready in time".to_owned())
}

//! A private Redis server: unix socket and, when asked, a loopback port with a password; nothing kept on disk.

mod wire;

use std::{
    fs,
    os::unix::fs::{PermissionsExt, chown},
    path::{Path, PathBuf},
    process::{Command, ExitStatus},
    time::{Duration, Instant},
};

use crate::{
    Account, Error, binaries,
    child::{Child, ChildSignal, Program},
    sockets::{SocketFolder, encoded},
};

pub(crate) use wire::ask;

const SOCKET: &str = "redis.sock";
const MAX_LOG_BYTES: u64 = 4 * 1024 * 1024;
const START_TIMEOUT: Duration = Duration::from_secs(10);
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// Settings of a private Redis.
#[derive(Debug, Clone)]
pub struct RedisSettings {
    port: Option<u16>,
    max_memory_mb: u32,
    databases: u32,
    log: Option<PathBuf>,
}

impl Default for RedisSettings {
    /// A unix socket alone, 256 MB with the least frequently used keys given up first.
    fn default() -> Self {
        Self { port: None, max_memory_mb: 256, databases: 16, log: None }
    }
}

impl RedisSettings {
    /// Many numbered databases, so that each test can have its own.
    #[must_use]
    pub fn for_tests() -> Self {
        Self { databases: 10_000, ..Self::default() }
    }

    /// Listens on this loopback port as well, with a password that [`Redis::tcp_url`] holds.
    #[must_use]
    pub fn port(mut self, port: u16) -> Self {
        self.port = Some(port);
        self
    }

    /// How much it may hold, in MiB.
    #[must_use]
    pub fn max_memory_mb(mut self, mebibytes: u32) -> Self {
        self.max_memory_mb = mebibytes;
        self
    }

    /// Writes the server's log here instead of to `<home>/redis.log`.
    #[must_use]
    pub fn log(mut self, path: impl Into<PathBuf>) -> Self {
        self.log = Some(path.into());
        self
    }
}

/// A running private Redis; stopped on drop.
#[derive(Debug)]
pub struct Redis {
    program: PathBuf,
    home: PathBuf,
    settings: RedisSettings,
    account: Account,
    password: Option<String>,
    socket: SocketFolder,
    child: Child,
}

impl Redis {
    /// Starts a server that uses `home` for its socket, configuration and log. Blocks until it answers.
    ///
    /// # Errors
    /// What is missing, or how the server's log ended.
    pub fn start(home: &Path, settings: RedisSettings) -> Result<Self, Error> {
        let program = binaries::find_redis()?;
        let account = Account::for_servers();
        account.private_folder(home)?;
        let socket = SocketFolder::make(home, SOCKET, account)?;
        let password = settings.port.map(|_| uuid::Uuid::new_v4().simple().to_string());
        write_configuration(home, &settings, &socket, password.as_deref(), account)?;
        let child = launch(&program, home, &settings, &socket, password.as_deref(), account)?;
        Ok(Self { program, home: home.to_owned(), settings, account, password, socket, child })
    }

    /// The URL over the unix socket.
    #[must_use]
    pub fn url(&self) -> String {
        let password = self.password.as_ref().map(|password| format!("?pass={password}")).unwrap_or_default();
        format!("redis+unix://{}{password}", encoded(&self.socket_path()))
    }

    /// The URL over the loopback port, when one was asked for.
    #[must_use]
    pub fn tcp_url(&self) -> Option<String> {
        let password = self.password.as_ref()?;
        Some(format!("redis://:{password}@127.0.0.1:{}", self.settings.port?))
    }

    /// The socket itself, for a [`crate::fault_proxy`] in front of the server.
    #[must_use]
    pub fn socket_path(&self) -> PathBuf {
        self.socket.path().join(SOCKET)
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

    /// Stops the server if it still runs, and starts it empty on the same socket. Blocks until it answers.
    ///
    /// # Errors
    /// As [`Redis::start`].
    pub fn restart(&mut self) -> Result<(), Error> {
        self.shut_down();
        let password = self.password.as_deref();
        self.child = launch(&self.program, &self.home, &self.settings, &self.socket, password, self.account)?;
        Ok(())
    }

    /// Stops the server; blocks until it is gone.
    pub fn stop(self) {
        self.shut_down();
    }

    fn shut_down(&self) {
        const PATIENCE: Duration = Duration::from_secs(3);
        if self.child.exit_status().is_none() {
            self.child.stop(ChildSignal::SIGTERM, PATIENCE);
        }
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        self.shut_down();
    }
}

/// A file instead of arguments: everybody may read a process's arguments, and one of them is the password.
fn write_configuration(
    home: &Path,
    settings: &RedisSettings,
    socket: &SocketFolder,
    password: Option<&str>,
    account: Account,
) -> Result<(), Error> {
    let path = configuration_path(home);
    let quoted = |path: &Path| format!("\"{}\"", path.display().to_string().replace('\\', "\\\\").replace('"', "\\\""));
    let mut lines = vec![
        format!("unixsocket {}", quoted(&socket.path().join(SOCKET))),
        "unixsocketperm 700".to_owned(),
        "bind 127.0.0.1".to_owned(),
        format!("port {}", settings.port.unwrap_or(0)),
        format!("dir {}", quoted(home)),
        "daemonize no\nsave \"\"\nappendonly no\nprotected-mode yes".to_owned(),
        format!("databases {}", settings.databases),
        format!("maxmemory {}mb\nmaxmemory-policy allkeys-lfu", settings.max_memory_mb),
    ];
    lines.extend(password.map(|password| format!("requirepass {password}")));
    fs::write(&path, lines.join("\n") + "\n").map_err(Error::path("cannot write", &path))?;
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).map_err(Error::path("cannot restrict", &path))?;
    match account.switched() {
        Some((uid, gid)) => chown(&path, Some(uid), Some(gid)).map_err(Error::path("cannot hand over", &path)),
        None => Ok(()),
    }
}

fn configuration_path(home: &Path) -> PathBuf {
    home.join("redis.conf")
}

fn launch(
    program: &Path,
    home: &Path,
    settings: &RedisSettings,
    socket: &SocketFolder,
    password: Option<&str>,
    account: Account,
) -> Result<Child, Error> {
    let log = settings.log.clone().unwrap_or_else(|| home.join("redis.log"));
    let mut command = Command::new(program);
    command.arg(configuration_path(home)).current_dir("/").env("LC_ALL", "C");
    account.apply(&mut command);
    let child = Program::new("redis", command).log(&log, MAX_LOG_BYTES).spawn()?;
    match wait_until_ready(&child, &socket.path().join(SOCKET), password) {
        Ok(()) => Ok(child),
        Err(reason) => Err(Error::NotReady { server: "Redis", reason, log }),
    }
}

fn wait_until_ready(child: &Child, socket: &Path, password: Option<&str>) -> Result<(), String> {
    let deadline = Instant::now() + START_TIMEOUT;
    while Instant::now() < deadline {
        if ask(socket, password, &["PING"]).is_ok_and(|answer| answer == "+PONG") {
            return Ok(());
        }
        if let Some(status) = child.wait_for(LOOK_EVERY) {
            return Err(format!("it ended with {status}"));
        }
    }
    Err("not ready in time".to_owned())
}

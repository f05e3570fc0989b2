//! `with-servers -- COMMAND…`: runs a command with a private PostgreSQL and Redis, and exits with its exit code.

use crm_sandbox::{
    Error, Postgres, PostgresSettings, Redis, RedisSettings, TemporaryFolder,
    child::{Child, ChildSignal, Program},
    testing,
};
use std::{
    env,
    ffi::OsString,
    io::{self, IsTerminal, Write},
    os::unix::process::ExitStatusExt,
    process::{Command, ExitCode, ExitStatus},
    thread,
};
use tokio::signal::unix::{Signal, SignalKind, signal};

const WRONG_USAGE: u8 = 2;
const SOMETHING_MISSING: u8 = 3;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let mut words: Vec<OsString> = env::args_os().skip(1).collect();
    if words.first().is_some_and(|word| word == "--") {
        words.remove(0);
    }
    if words.is_empty() {
        return complain("usage: with-servers -- COMMAND [ARGUMENT…]", WRONG_USAGE);
    }
    match run(&words).await {
        Ok(status) => ExitCode::from(code_of(status)),
        Err(error) => complain(&error.to_string(), SOMETHING_MISSING),
    }
}

/// The folder is the last to go, the servers before it, the command before them.
async fn run(words: &[OsString]) -> Result<ExitStatus, Error> {
    let mut signals = Signals::listen()?;
    let folder = TemporaryFolder::new("crm-with-servers")?;
    let (postgres, redis) = start_servers(&folder)?;
    let mut command = Command::new(&words[0]);
    command.args(&words[1..]);
    command.env(testing::POSTGRES_VARIABLE, postgres.url("postgres")).env(testing::REDIS_VARIABLE, redis.url());
    let child =
        Program::new(words[0].to_string_lossy(), command).attached().death_signal(ChildSignal::SIGTERM).spawn()?;
    let status = signals.forward_until_ended(&child).await;
    thread::scope(|scope| {
        scope.spawn(|| redis.stop());
        postgres.stop();
    });
    Ok(status)
}

fn start_servers(folder: &TemporaryFolder) -> Result<(Postgres, Redis), Error> {
    let home = |name| folder.path().join(name);
    thread::scope(|scope| {
        let redis = scope.spawn(|| Redis::start(&home("redis"), RedisSettings::for_tests()));
        let postgres = Postgres::start(&home("postgres"), PostgresSettings::for_tests());
        let redis = redis.join().unwrap_or_else(|_| Err(io_error("a thread ended early")));
        Ok((postgres?, redis?))
    })
}

struct Signals {
    interrupt: Signal,
    terminate: Signal,
    hang_up: Signal,
}

impl Signals {
    fn listen() -> Result<Self, Error> {
        let listen = |kind| signal(kind).map_err(|error| io_error(&error.to_string()));
        Ok(Self {
            interrupt: listen(SignalKind::interrupt())?,
            terminate: listen(SignalKind::terminate())?,
            hang_up: listen(SignalKind::hangup())?,
        })
    }

    /// A terminal's Ctrl-C has reached the command already, being in the same process group.
    async fn forward_until_ended(&mut self, child: &Child) -> ExitStatus {
        let typed = io::stdin().is_terminal();
        loop {
            let forwarded = tokio::select! {
                status = child.wait() => return status,
                _ = self.interrupt.recv() => (!typed).then_some(ChildSignal::SIGINT),
                _ = self.terminate.recv() => Some(ChildSignal::SIGTERM),
                _ = self.hang_up.recv() => Some(ChildSignal::SIGHUP),
            };
            forwarded.map(|signal| child.signal(signal));
        }
    }
}

fn io_error(reason: &str) -> Error {
    Error::Io { doing: "cannot start the servers".to_owned(), source: io::Error::other(reason.to_owned()) }
}

/// As shells do: 128 and the signal's number when a signal ended it.
fn code_of(status: ExitStatus) -> u8 {
    let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal));
    code.and_then(|code| u8::try_from(code).ok()).unwrap_or(1)
}

fn complain(message: &str, code: u8) -> ExitCode {
    // With standard error closed there is nobody to tell.
    let _ = writeln!(io::stderr(), "with-servers: {message}");
    ExitCode::from(code)
}

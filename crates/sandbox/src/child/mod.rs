//! Child processes that never outlive their parent.
//!
//! The kernel's parent-death signal is tied to the *thread* that spawned, so all children come from one thread that
//! lives as long as the process. Each child leads a process group of its own: Ctrl-C in a terminal reaches only the
//! parent, which then stops its children in the order it wants. The kernel's signal reaches children only, not what
//! these start in turn: a child that starts others has to see to them itself, as a postmaster does.

mod exit;
mod log;
mod spawner;

use nix::{
    sys::signal::{Signal, kill, killpg},
    unistd::Pid,
};
use std::{
    path::PathBuf,
    process::{Command, ExitStatus},
    sync::Arc,
    time::Duration,
};

use crate::Error;
use exit::Exit;

pub use log::LogFile;
pub use nix::sys::signal::Signal as ChildSignal;

/// What to run, and how it is tied to this process.
#[derive(Debug)]
pub struct Program {
    name: String,
    command: Command,
    log: Option<LogFile>,
    death_signal: Signal,
    attached: bool,
}

impl Program {
    /// A program under a name for messages; killed with this process, its output discarded unless [`Program::log`].
    #[must_use]
    pub fn new(name: impl Into<String>, command: Command) -> Self {
        Self { name: name.into(), command, log: None, death_signal: Signal::SIGKILL, attached: false }
    }

    /// Appends standard output and error to this file, which is kept below `max_bytes` (plus one older generation).
    #[must_use]
    pub fn log(mut self, path: impl Into<PathBuf>, max_bytes: u64) -> Self {
        self.log = Some(LogFile::new(path.into(), max_bytes));
        self
    }

    /// Lets it share this process's terminal: standard streams and process group, so that Ctrl-C reaches both.
    #[must_use]
    pub fn attached(mut self) -> Self {
        self.attached = true;
        self
    }

    /// The signal it gets when this process dies, however that happens; SIGKILL unless set.
    #[must_use]
    pub fn death_signal(mut self, signal: Signal) -> Self {
        self.death_signal = signal;
        self
    }

    /// Starts it.
    ///
    /// # Errors
    /// The operating system's answer to opening the log or executing the program.
    pub fn spawn(self) -> Result<Child, Error> {
        spawner::spawn(self)
    }
}

/// A running child process; dropped, it is killed together with its process group.
#[derive(Debug)]
pub struct Child {
    name: String,
    pid: u32,
    attached: bool,
    exit: Arc<Exit>,
}

impl Child {
    /// The name given to [`Program::new`].
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The process id, which is the process group's id as well unless it is attached.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// How it ended; `None` while it runs.
    #[must_use]
    pub fn exit_status(&self) -> Option<ExitStatus> {
        self.exit.get()
    }

    /// Sends a signal to the process alone; false when it has ended already.
    pub fn signal(&self, signal: Signal) -> bool {
        self.exit.while_running(|| kill(self.raw_pid(), signal).is_ok()).unwrap_or(false)
    }

    /// Sends a signal to the process and all it started; false when it has ended already.
    pub fn signal_group(&self, signal: Signal) -> bool {
        if self.attached {
            return self.signal(signal);
        }
        self.exit.while_running(|| killpg(self.raw_pid(), signal).is_ok()).unwrap_or(false)
    }

    /// Waits until it has ended.
    pub async fn wait(&self) -> ExitStatus {
        self.exit.wait().await
    }

    /// Blocks until it has ended, at most for `patience`.
    #[must_use]
    pub fn wait_for(&self, patience: Duration) -> Option<ExitStatus> {
        self.exit.wait_for(patience)
    }

    /// Asks it to end with `signal`, kills its whole group when it has not after `patience`; blocks until it is gone.
    pub fn stop(&self, signal: Signal, patience: Duration) -> Option<ExitStatus> {
        // A paused process would keep even SIGTERM for later.
        self.signal(signal);
        self.signal(Signal::SIGCONT);
        self.wait_for(patience).or_else(|| self.kill())
    }

    /// Kills its whole group and blocks until it is gone.
    pub fn kill(&self) -> Option<ExitStatus> {
        const KERNEL_TAKES_AT_MOST: Duration = Duration::from_secs(5);
        self.signal_group(Signal::SIGKILL);
        self.wait_for(KERNEL_TAKES_AT_MOST)
    }

    fn raw_pid(&self) -> Pid {
        Pid::from_raw(i32::try_from(self.pid).unwrap_or(i32::MAX))
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        self.signal_group(Signal::SIGKILL);
    }
}

//! How a child ended, for those who wait on a thread, those who wait on a task, and those who only ask.

use nix::{
    sys::{
        signal::{Signal, killpg},
        wait::{Id, WaitPidFlag, waitid},
    },
    unistd::Pid,
};
use std::{
    process::{Child, ExitStatus},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
    time::Duration,
};
use tokio::sync::Notify;

/// The end of one child.
#[derive(Debug, Default)]
pub(super) struct Exit {
    status: Mutex<Option<ExitStatus>>,
    ended: Condvar,
    notify: Notify,
}

impl Exit {
    pub(super) fn get(&self) -> Option<ExitStatus> {
        *self.lock()
    }

    /// Runs `f` while the process id is certain to be the child's: a reaped id may belong to a stranger.
    pub(super) fn while_running<T>(&self, f: impl FnOnce() -> T) -> Option<T> {
        let status = self.lock();
        status.is_none().then(f)
    }

    pub(super) async fn wait(&self) -> ExitStatus {
        loop {
            let notified = self.notify.notified();
            if let Some(status) = self.get() {
                return status;
            }
            notified.await;
        }
    }

    pub(super) fn wait_for(&self, patience: Duration) -> Option<ExitStatus> {
        let running = |status: &mut Option<ExitStatus>| status.is_none();
        let waited = self.ended.wait_timeout_while(self.lock(), patience, running);
        *waited.unwrap_or_else(PoisonError::into_inner).0
    }

    fn lock(&self) -> MutexGuard<'_, Option<ExitStatus>> {
        self.status.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, reap: impl FnOnce() -> ExitStatus) {
        let mut status = self.lock();
        *status = Some(reap());
        drop(status);
        self.ended.notify_all();
        self.notify.notify_waiters();
    }
}

/// Watches the child from a thread of its own and reaps it.
pub(super) fn watch(name: &str, mut child: Child) -> std::io::Result<Arc<Exit>> {
    const STACK_BYTES: usize = 64 * 1024;
    let exit = Arc::new(Exit::default());
    let shared = Arc::clone(&exit);
    let body = move || {
        let pid = Pid::from_raw(i32::try_from(child.id()).unwrap_or(i32::MAX));
        // Seen ended but not yet reaped: its id is still ours, so the rest of its group can be swept away safely.
        while waitid(Id::Pid(pid), WaitPidFlag::WEXITED | WaitPidFlag::WNOWAIT) == Err(nix::errno::Errno::EINTR) {}
        shared.set(|| {
            let _ = killpg(pid, Signal::SIGKILL);
            child.wait().unwrap_or_default()
        });
    };
    thread::Builder::new().name(format!("reap {name}")).stack_size(STACK_BYTES).spawn(body)?;
    Ok(exit)
}

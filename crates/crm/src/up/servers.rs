//! Keeps a private PostgreSQL or Redis running, as [`super::keeper`] does with this program's own roles.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use crm_sandbox::child::{Child, ChildSignal};
use crm_sandbox::{Postgres, Redis};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::backoff::Backoff;
use super::notice::say;
use super::orders::{Desk, End, Ward};
use super::state::{Board, Condition, Process};

/// A private server, as [`keep`] sees it.
pub(super) trait Server: Send + 'static {
    fn process(&self) -> &Child;
    fn restart(&mut self) -> Result<(), crm_sandbox::Error>;
    fn stop(self);
    fn socket(&self) -> PathBuf;
    /// What asks it to end well.
    const FAREWELL: ChildSignal;
    /// Why it cannot be paused, if it cannot.
    const NEVER_PAUSES: Option<&'static str>;
}

macro_rules! server {
    ($server:ty, $farewell:expr, $never_pauses:expr) => {
        impl Server for $server {
            const FAREWELL: ChildSignal = $farewell;
            const NEVER_PAUSES: Option<&'static str> = $never_pauses;
            fn process(&self) -> &Child {
                self.process()
            }
            fn restart(&mut self) -> Result<(), crm_sandbox::Error> {
                self.restart()
            }
            fn stop(self) {
                self.stop();
            }
            fn socket(&self) -> PathBuf {
                self.socket_path()
            }
        }
    };
}

// SIGTERM would wait until every client has left.
server!(Postgres, ChildSignal::SIGINT, Some("its first process alone would stop, and no query with it"));
server!(Redis, ChildSignal::SIGTERM, None);

/// Keeps a private server running until `stop`.
pub(super) async fn keep<S: Server>(
    mut server: S,
    role: &'static str,
    (board, desk): (Arc<Board>, Desk),
    stop: CancellationToken,
) {
    board.add(process(&server, role));
    let name = format!("{role}/0");
    let mut ward = Ward {
        name: name.clone(),
        board: Arc::clone(&board),
        errands: desk.open(&name),
        farewell: S::FAREWELL,
        never_pauses: S::NEVER_PAUSES,
    };
    let (mut backoff, mut restarts, mut started) = (Backoff::default(), 0, Instant::now());
    loop {
        let end = tokio::select! {
            end = ward.attend(server.process()) => end,
            () = stop.cancelled() => break,
        };
        board.ended(&name);
        match end {
            End::Ordered(hold) => tokio::select! { () = ward.hold(hold) => {} () = stop.cancelled() => break },
            End::ByItself(status) => {
                say(format!("{name} ended ({status}); starting it again"));
                tokio::select! { () = sleep(backoff.after(started.elapsed())) => {} () = stop.cancelled() => break }
            }
        }
        started = Instant::now();
        // Who starts while it is told to stop, stops as soon as it has started: nobody waits for that here.
        let Some(Some(restarted)) = stop.run_until_cancelled(restart(server)).await else { return };
        server = restarted;
        restarts += 1;
        if server.process().exit_status().is_none() {
            board.started(&name, server.process().pid(), restarts);
            say(format!("{name} is ready again after {:.1} s", started.elapsed().as_secs_f64()));
        }
    }
    // Blocking, and at the end: PostgreSQL writes a checkpoint.
    let _ = tokio::task::spawn_blocking(move || server.stop()).await;
    board.ended(&name);
}

/// A failed attempt leaves the dead process in place, whose end is seen again by the loop above.
async fn restart<S: Server>(mut server: S) -> Option<S> {
    let restarting = tokio::task::spawn_blocking(move || {
        if let Err(error) = server.restart() {
            say(error.to_string());
        }
        server
    });
    restarting.await.ok()
}

fn process(server: &impl Server, role: &str) -> Process {
    Process {
        name: format!("{role}/0"),
        role: role.to_owned(),
        replica: 0,
        pid: Some(server.process().pid()),
        address: Some(server.socket().display().to_string()),
        admin: None,
        restarts: 0,
        condition: Condition::Running,
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;
    use std::sync::mpsc;
    use std::time::Duration;

    use crm_sandbox::TemporaryFolder;
    use crm_sandbox::child::Program;
    use tokio::sync::Notify;
    use tokio::time::timeout;

    use super::*;
    use crate::places::Places;
    use crate::up::state::State;

    /// It has ended, and does not come up again until the gate opens.
    struct Stuck {
        child: Child,
        starting: Arc<Notify>,
        gate: mpsc::Receiver<()>,
    }

    impl Server for Stuck {
        const FAREWELL: ChildSignal = ChildSignal::SIGTERM;
        const NEVER_PAUSES: Option<&'static str> = None;

        fn process(&self) -> &Child {
            &self.child
        }

        fn restart(&mut self) -> Result<(), crm_sandbox::Error> {
            self.starting.notify_one();
            let _ = self.gate.recv();
            Ok(())
        }

        fn stop(self) {}

        fn socket(&self) -> PathBuf {
            PathBuf::new()
        }
    }

    #[tokio::test]
    async fn a_store_that_does_not_come_up_again_does_not_hold_up_the_end() {
        let folder = TemporaryFolder::new("crm-servers").unwrap();
        let board = Arc::new(Board::new(&Places::new(Some(folder.path().to_owned())), State::empty()));
        let child = Program::new("stuck", Command::new("true")).spawn().unwrap();
        let (starting, stop) = (Arc::new(Notify::new()), CancellationToken::new());
        // Dropped, it opens: the thread in there would else hold up the test's runtime.
        let (_opens, gate) = mpsc::channel();
        let stuck = Stuck { child, starting: Arc::clone(&starting), gate };
        let keeping = tokio::spawn(keep(stuck, "redis", (board, Desk::default()), stop.clone()));
        starting.notified().await;
        stop.cancel();
        timeout(Duration::from_secs(20), keeping).await.unwrap().unwrap();
    }
}

//! Keeps one child running: starts it, tells when it is ready, starts it again when it dies, stops it when asked.

use std::convert::Infallible;
use std::process::ExitStatus;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crm_sandbox::child::{Child, ChildSignal};
use tokio::sync::watch;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::backoff::Backoff;
use super::notice::say;
use super::orders::{Desk, End, Ward};
use super::ready::until_ready;
use super::state::Board;
use super::unit::Unit;

/// Longer than a process takes to drain.
const STOP_PATIENCE: Duration = Duration::from_secs(20);
/// So many deaths without having been ready once, and it never will be.
const HOPELESS_DEATHS: u32 = 3;

/// How far a child has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Progress {
    Starting,
    /// It has been ready, whatever happened since.
    Ready,
    /// It has never been ready, and is not started again.
    Hopeless(String),
}

/// Starts keeping the unit; returns how far it has come, and the task that ends after `stop` has been cancelled.
pub(super) fn keep(
    unit: Unit,
    board: Arc<Board>,
    desk: &Desk,
    stop: CancellationToken,
) -> (watch::Receiver<Progress>, impl Future<Output = ()> + use<>) {
    let (progress, seen) = watch::channel(Progress::Starting);
    board.add(unit.process());
    let ward = Ward {
        name: unit.name(),
        board: Arc::clone(&board),
        errands: desk.open(&unit.name()),
        farewell: ChildSignal::SIGTERM,
        never_pauses: None,
    };
    (seen, Keeper { unit, board, progress, ward }.run(stop))
}

struct Keeper {
    unit: Unit,
    board: Arc<Board>,
    progress: watch::Sender<Progress>,
    ward: Ward,
}

impl Keeper {
    async fn run(mut self, stop: CancellationToken) {
        let mut backoff = Backoff::default();
        for restarts in 0.. {
            let started = Instant::now();
            let ended = match self.unit.spawn() {
                Ok(child) => {
                    self.board.started(&self.unit.name(), child.pid(), restarts);
                    let end = tokio::select! {
                        end = self.watch(&child, started, restarts) => end,
                        () = stop.cancelled() => return self.stop(child).await,
                    };
                    match end {
                        End::ByItself(status) => describe(status),
                        End::Ordered(hold) => {
                            self.board.ended(&self.unit.name());
                            tokio::select! { () = self.ward.hold(hold) => continue, () = stop.cancelled() => return }
                        }
                    }
                }
                Err(error) => format!("{error:#}"),
            };
            self.board.ended(&self.unit.name());
            if !self.has_been_ready() && restarts + 1 >= HOPELESS_DEATHS {
                return self.give_up(&ended);
            }
            let pause = backoff.after(started.elapsed());
            say(format!("{} ended ({ended}); starting it again{}", self.unit.name(), after(pause)));
            tokio::select! { () = sleep(pause) => {} () = stop.cancelled() => return }
        }
    }

    /// Waits for its end; on the way it becomes ready.
    async fn watch(&mut self, child: &Child, started: Instant, restarts: u32) -> End {
        let Self { unit, progress, ward, .. } = self;
        tokio::select! {
            end = ward.attend(child) => end,
            never = become_ready(unit, progress, started, restarts) => match never {},
        }
    }

    async fn stop(&self, child: Child) {
        let stopping = tokio::task::spawn_blocking(move || child.stop(ChildSignal::SIGTERM, STOP_PATIENCE));
        let _ = stopping.await;
        self.board.ended(&self.unit.name());
    }

    fn has_been_ready(&self) -> bool {
        *self.progress.borrow() == Progress::Ready
    }

    fn give_up(&self, ended: &str) {
        let reason = format!("{} ended again and again ({ended}){}", self.unit.name(), last_lines(&self.unit));
        self.progress.send_replace(Progress::Hopeless(reason));
    }
}

/// Tells when it is ready, and does nothing more.
async fn become_ready(unit: &Unit, progress: &watch::Sender<Progress>, started: Instant, restarts: u32) -> Infallible {
    until_ready(unit.admin).await;
    progress.send_replace(Progress::Ready);
    if restarts > 0 {
        say(format!("{} is ready again after {:.1} s", unit.name(), started.elapsed().as_secs_f64()));
    }
    std::future::pending().await
}

/// `exit status: 1`, `signal: 9 (SIGKILL)`.
fn describe(status: ExitStatus) -> String {
    status.to_string()
}

fn after(pause: Duration) -> String {
    if pause.is_zero() { String::new() } else { format!(" in {:.1} s", pause.as_secs_f64()) }
}

/// The end of its log, where the reason stands.
fn last_lines(unit: &Unit) -> String {
    const LINES: usize = 3;
    let text = std::fs::read_to_string(&unit.log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    let last = &lines[lines.len().saturating_sub(LINES)..];
    format!("; {} ends:\n  {}", unit.log.display(), last.join("\n  "))
}

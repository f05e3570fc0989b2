//! Keeps a private PostgreSQL or Redis running, as [`super::keeper`] does with this program's own roles.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use crm_sandbox::child::Child;
use crm_sandbox::{Postgres, Redis};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::backoff::Backoff;
use super::notice::say;
use super::state::{Board, Process};

/// A private server, as [`keep`] sees it.
pub(super) trait Server: Send + 'static {
    fn process(&self) -> &Child;
    fn restart(&mut self) -> Result<(), crm_sandbox::Error>;
    fn stop(self);
    fn socket(&self) -> PathBuf;
}

macro_rules! server {
    ($server:ty) => {
        impl Server for $server {
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

server!(Postgres);
server!(Redis);

/// Keeps a private server running until `stop`.
pub(super) async fn keep<S: Server>(mut server: S, role: &'static str, board: Arc<Board>, stop: CancellationToken) {
    board.add(process(&server, role));
    let name = format!("{role}/0");
    let (mut backoff, mut restarts, mut started) = (Backoff::default(), 0, Instant::now());
    loop {
        tokio::select! {
            status = server.process().wait() => say(format!("{name} ended ({status}); starting it again")),
            () = stop.cancelled() => break,
        }
        board.ended(&name);
        sleep(backoff.after(started.elapsed())).await;
        started = Instant::now();
        server = match restart(server).await {
            Some(server) => server,
            None => return,
        };
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
    }
}

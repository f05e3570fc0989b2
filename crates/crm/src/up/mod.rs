//! `crm up`: the whole platform on one machine, as children of one supervisor.
//!
//! Started as much at once as the order of needs allows, and stopped in the order of needs:
//!
//! ```text
//! postgres ─ migrations ─┐
//! redis ─────────────────┴─ services, gateways ─┬─ ready ─ seed ─ load ─ table
//! trace-viewer, console ───────────────────────┘
//! ```
//! A child that dies is started again ([`keeper`]), unless somebody asked for its death ([`orders`]); all die with the supervisor, and what runs where stands in
//! `state.json` ([`state`]), which every other command reads.

mod addresses;
mod backoff;
mod detach;
mod down;
mod environment;
mod keeper;
mod lock;
mod notice;
mod orders;
mod platform;
mod ready;
mod servers;
mod stages;
mod state;
mod status;
mod stores;
mod table;
mod unit;

use std::time::Instant;

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

pub(crate) use self::down::down;
pub(crate) use self::orders::{Hold, Order, Request, ask};
pub(crate) use self::ready::is_connected;
pub(crate) use self::status::{Health, ProcessStatus, Status, status};

use crate::cli;
use crate::failure::Failure;
use crate::places::Places;

/// Runs the platform until a signal or `crm down` ends it; detached, only until it is ready.
pub(crate) async fn run(places: &Places, options: cli::Up) -> Result<(), Failure> {
    let started = Instant::now();
    if options.detach && !detach::is_background() {
        return detach::start(places).await;
    }
    if options.detach {
        detach::leave_terminal();
    }
    // Let go of by the kernel only: a server that was still starting when told to stop ends after this function.
    std::mem::forget(lock::take(places).await?);
    platform::run(places, &options, started, stop_signal()?).await
}

/// Cancelled by Ctrl-C, a service manager, or the end of the terminal. A second time, everything is killed at once.
fn stop_signal() -> Result<CancellationToken, Failure> {
    let listen = |kind| signal(kind).map_err(|error| Failure::Other(error.into()));
    let (mut interrupt, mut terminate) = (listen(SignalKind::interrupt())?, listen(SignalKind::terminate())?);
    let mut hang_up = listen(SignalKind::hangup())?;
    let stop = CancellationToken::new();
    let token = stop.clone();
    tokio::spawn(async move {
        loop {
            tokio::select! { _ = interrupt.recv() => {} _ = terminate.recv() => {} _ = hang_up.recv() => {} }
            if token.is_cancelled() {
                notice::say("killed instead of stopped");
                // The kernel kills the children with us; PostgreSQL stops by itself and recovers if need be.
                std::process::exit(1);
            }
            token.cancel();
        }
    });
    Ok(stop)
}

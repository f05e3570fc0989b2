//! What stands between the load and the toys, as a process of its own.

pub(super) mod control;
pub(super) mod durations;
mod envoy;
mod gateway;
mod haproxy;
mod nginx;
mod site;

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crm_sandbox::child::{Child, ChildSignal, Program};
use crm_sandbox::ports::{self, Reserved};
use tokio::time::{Instant, sleep};

use self::durations::Durations;
use self::site::Site;
use super::error::LabError;
use super::load::Callers;
use super::tokens::Tokens;
use super::variant::{Peer, Variant};

const MAX_LOG_BYTES: u64 = 4 << 20;

/// A running proxy; gone when dropped.
pub(super) struct Proxy {
    child: Child,
    address: SocketAddr,
    control: Option<SocketAddr>,
    admin: SocketAddr,
    _reserved: [Reserved; 3],
}

impl Proxy {
    /// Starts it; it may not answer yet.
    pub(super) async fn start(
        variant: &Variant,
        upstreams: &[SocketAddr],
        folder: &Path,
        gateway: fn() -> Command,
        tokens: &Tokens,
    ) -> Result<Self, LabError> {
        let reserve = || ports::reserve().map_err(|error| LabError::Start(format!("no free port: {error}")));
        let reserved = [reserve()?, reserve()?, reserve()?];
        let [public, control, admin] = reserved.each_ref().map(Reserved::address);
        let site = Site { public, control, admin, upstreams, folder };
        let (command, end) = match variant {
            Variant::Ours(_) | Variant::Without(_) => {
                (gateway::command(gateway(), &site, tokens)?, ChildSignal::SIGKILL)
            }
            // Its workers outlive a master that is killed, but not one that is asked to end.
            Variant::Peer(Peer::Nginx, program) => (nginx::command(program, &site)?, ChildSignal::SIGTERM),
            Variant::Peer(Peer::Haproxy, program) => (haproxy::command(program, &site)?, ChildSignal::SIGKILL),
            Variant::Peer(Peer::Envoy, program) => (envoy::command(program, &site)?, ChildSignal::SIGKILL),
        };
        let program = Program::new(variant.name(), command).log(folder.join("log"), MAX_LOG_BYTES).death_signal(end);
        let child = program.spawn()?;
        let control = (!variant.is_peer()).then_some(control);
        let proxy = Self { child, address: public, control, admin, _reserved: reserved };
        match variant {
            Variant::Ours(policy) => {
                proxy.wait_for_control(folder).await?;
                control::set_policy(site.control, *policy).await?;
            }
            Variant::Without(defence) => {
                proxy.wait_for_control(folder).await?;
                control::switch_off(site.control, *defence).await?;
            }
            Variant::Peer(..) => {}
        }
        Ok(proxy)
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its control API; peers have none that is asked.
    pub(super) fn control(&self) -> Option<SocketAddr> {
        self.control
    }

    /// How long calls took since it began, by its own clock; `None` for peers, and if it does not answer.
    pub(super) async fn durations(&self) -> Option<Durations> {
        self.control?;
        Durations::of(self.admin).await.ok()
    }

    /// Until calls get through on every connection, again and again: all replicas are connected then, as a rule.
    pub(super) async fn wait_until_calls_succeed(&self, callers: &Callers, folder: &Path) -> Result<(), LabError> {
        const IN_A_ROW: u32 = 5;
        let mut successes = 0;
        self.wait(folder, async || {
            successes = if callers.try_once().await { successes + 1 } else { 0 };
            successes >= IN_A_ROW
        })
        .await
    }

    async fn wait_for_control(&self, folder: &Path) -> Result<(), LabError> {
        let Some(control) = self.control else { return Ok(()) };
        self.wait(folder, async || control::is_ready(control).await).await
    }

    async fn wait(&self, folder: &Path, mut ready: impl AsyncFnMut() -> bool) -> Result<(), LabError> {
        const PATIENCE: Duration = Duration::from_secs(20);
        const LOOK_EVERY: Duration = Duration::from_millis(20);
        let deadline = Instant::now() + PATIENCE;
        while !ready().await {
            if self.child.exit_status().is_some() || Instant::now() > deadline {
                return Err(LabError::Start(format!("{} did not become ready{}", self.child.name(), tail(folder))));
            }
            sleep(LOOK_EVERY).await;
        }
        Ok(())
    }
}

/// The last lines of its log.
fn tail(folder: &Path) -> String {
    const LINES: usize = 8;
    let text = std::fs::read_to_string(folder.join("log")).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    let last = lines[lines.len().saturating_sub(LINES)..].join("\n  ");
    if last.is_empty() { String::new() } else { format!("; its log ends:\n  {last}") }
}

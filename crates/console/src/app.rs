//! Puts the console together, and takes it down.

use std::net::SocketAddr;

use crm_server::{
    admin,
    config::{ConfigError, Env},
    process::{self, ServerSettings},
    readiness::Readiness,
};
use crm_telemetry::Telemetry;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::{
    config::{self, Addresses, Config, Listeners},
    control::Controls,
    outbound::Outbound,
    room::Room,
    watch,
    web::{self, Web},
};

/// Why the console could not start or go on.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The environment has faults; all of them are told.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// An address is taken or not of this machine.
    #[error("cannot listen on {address}: {error}")]
    Bind {
        /// The address.
        address: SocketAddr,
        /// What the system says.
        error: std::io::Error,
    },
    /// The port cannot be served.
    #[error("cannot serve: {0}")]
    Serve(#[from] std::io::Error),
}

/// Runs the console as its environment says, until SIGTERM or SIGINT.
///
/// # Errors
/// When the environment is wrong or a port is taken.
pub async fn run(telemetry: Telemetry) -> Result<(), RunError> {
    let result = run_until_stopped().await;
    telemetry.shutdown().await;
    result
}

async fn run_until_stopped() -> Result<(), RunError> {
    let (config, Addresses { page, admin }) = config::read(Env::from_process())?;
    if !page.ip().is_loopback() {
        warn!("the live room asks for no token and can be reached from other machines");
    }
    let admin = match admin {
        Some(address) => Some(bind(address).await?),
        None => None,
    };
    let listeners = Listeners { page: bind(page).await?, admin };
    info!(%page, "listening");
    Ok(serve(config, listeners, process::shutdown_signal()).await?)
}

async fn bind(address: SocketAddr) -> Result<TcpListener, RunError> {
    TcpListener::bind(address).await.map_err(|error| RunError::Bind { address, error })
}

/// Serves until `shutdown`; open pages are told by the end of their stream, and try again by themselves.
///
/// # Errors
/// When the page's socket cannot be served.
pub async fn serve(config: Config, listeners: Listeners, shutdown: CancellationToken) -> std::io::Result<()> {
    let outbound = Outbound::new();
    let controls = Controls::new(outbound.clone(), config.controls.clone());
    let room = Room::of(&config);
    watch::start(&config, &controls, &outbound, &room, &shutdown);
    let readiness = Readiness::alone();
    if let Some(listener) = listeners.admin {
        let serving = admin::serve_admin(listener, readiness.clone(), shutdown.clone());
        tokio::spawn(async move {
            if let Err(error) = serving.await {
                warn!(%error, "admin port ended");
            }
        });
    }
    let service = web::service(Web::new(config, controls, room, shutdown.clone()));
    process::serve(&ServerSettings::beside(), listeners.page, service, readiness, shutdown).await
}

//! The viewer as a process: environment in, ports open, drain on a signal.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use crm_server::{
    process::{self, ServerSettings, routes_service},
    readiness::Readiness,
    stack::BoxService,
};
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
};
use tokio_util::sync::CancellationToken;
use tracing_subscriber::EnvFilter;

use crate::{
    admin,
    app::App,
    config::{Config, ConfigError, Settings},
    ingest::Ingest,
    web,
};

/// Why the viewer could not start or go on.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The environment holds values that cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// An address cannot be listened on.
    #[error("cannot listen on {address} ({variable}): {source}")]
    Listen {
        /// The variable that names the address.
        variable: &'static str,
        /// The address asked for.
        address: SocketAddr,
        /// What the system said.
        source: std::io::Error,
    },
    /// The process's signals cannot be listened to.
    #[error("cannot wait for signals: {0}")]
    Signal(std::io::Error),
}

/// Bound sockets, one per purpose; tests bind free ports and pass them in.
#[derive(Debug)]
pub struct Listeners {
    /// Pages and query API.
    pub web: TcpListener,
    /// OTLP over gRPC (and `POST /v1/traces`).
    pub otlp: TcpListener,
    /// A second port for OTLP, by custom 4318 for HTTP.
    pub otlp_http: Option<TcpListener>,
    /// `/healthz`, `/readyz`, `/metrics`.
    pub admin: Option<TcpListener>,
}

/// Runs the viewer until SIGTERM or SIGINT, configured by the environment (see the crate's first page).
///
/// # Errors
/// When the environment is wrong or a port is taken.
pub async fn run() -> Result<(), RunError> {
    start_logs();
    let settings = Settings::read(|name| std::env::var(name).ok())?;
    let shutdown = shutdown_signal()?;
    let listeners = bind(&settings).await?;
    tracing::info!(web = %settings.listen, otlp = %settings.otlp_listen, "trace viewer is ready");
    serve(settings.config, listeners, shutdown).await;
    Ok(())
}

/// Serves on the given sockets until `shutdown` is cancelled and open requests have ended, or 5 s later.
pub async fn serve(config: Config, listeners: Listeners, shutdown: CancellationToken) {
    let app = Arc::new(App::new(config));
    let ready = shutdown.clone();
    let mut ports = tokio::task::JoinSet::new();
    let web = web::service(Arc::clone(&app), is_local(&listeners.web));
    ports.spawn(serve_port(listeners.web, web, shutdown.clone()));
    let ingest = Ingest::new(Arc::clone(&app));
    for listener in [Some(listeners.otlp), listeners.otlp_http].into_iter().flatten() {
        let router = ingest.clone().router(is_local(&listener));
        ports.spawn(serve_port(listener, routes_service(router), shutdown.clone()));
    }
    if let Some(listener) = listeners.admin {
        let admin = routes_service(admin::router(Arc::clone(&app), ready));
        ports.spawn(serve_port(listener, admin, shutdown));
    }
    ports.join_all().await;
}

async fn serve_port(listener: TcpListener, service: BoxService, shutdown: CancellationToken) {
    let settings = ServerSettings {
        max_concurrent_streams: 64,
        drain_timeout: Duration::from_secs(5),
        ..ServerSettings::beside()
    };
    if let Err(error) = process::serve(&settings, listener, service, Readiness::alone(), shutdown).await {
        tracing::warn!(%error, "a port ended");
    }
}

/// Whether only this machine reaches the port.
fn is_local(listener: &TcpListener) -> bool {
    listener.local_addr().is_ok_and(|address| address.ip().is_loopback())
}

/// JSON on standard error; a second call in one process keeps the first subscriber.
fn start_logs() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let _ = tracing_subscriber::fmt().json().with_env_filter(filter).with_writer(std::io::stderr).try_init();
}

async fn bind(settings: &Settings) -> Result<Listeners, RunError> {
    Ok(Listeners {
        web: listen("CRM_LISTEN", settings.listen).await?,
        otlp: listen("CRM_OTLP_LISTEN", settings.otlp_listen).await?,
        otlp_http: listen_if("CRM_OTLP_HTTP_LISTEN", settings.otlp_http_listen).await?,
        admin: listen_if("CRM_ADMIN_LISTEN", settings.admin_listen).await?,
    })
}

async fn listen_if(variable: &'static str, address: Option<SocketAddr>) -> Result<Option<TcpListener>, RunError> {
    match address {
        Some(address) => listen(variable, address).await.map(Some),
        None => Ok(None),
    }
}

async fn listen(variable: &'static str, address: SocketAddr) -> Result<TcpListener, RunError> {
    TcpListener::bind(address).await.map_err(|source| RunError::Listen { variable, address, source })
}

fn shutdown_signal() -> Result<CancellationToken, RunError> {
    let mut terminate = signal(SignalKind::terminate()).map_err(RunError::Signal)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(RunError::Signal)?;
    let token = CancellationToken::new();
    let cancelled = token.clone();
    tokio::spawn(async move {
        tokio::select! { _ = terminate.recv() => {}, _ = interrupt.recv() => {} }
        cancelled.cancel();
    });
    Ok(token)
}

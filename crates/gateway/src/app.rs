//! Puts a gateway together, and takes it down in order.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use crm_server::{
    admin,
    config::ConfigError,
    process,
    readiness::Readiness,
    stack::BoxService,
    token::{KeyError, Verifier},
};
use crm_telemetry::Telemetry;
use crm_transcode::Transcoder;
use tokio::net::TcpListener;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower::service_fn;
use tracing::{info, warn};

use crate::{
    access::Access,
    config::{Addresses, Config, PublicKeys},
    control::{self, Control},
    desk::Desk,
    entry,
    faults::Faults,
    gateway::{Gateway, PageLinks, telemetry_layer},
    grpc::deflate::Packer,
    intake::Intake,
    own::{OwnServices, ReflectionError},
    pages::Pages,
    switches::Switches,
    table::Table,
};

/// Sockets that a gateway answers on.
#[derive(Debug)]
pub struct Listeners {
    /// gRPC, REST and pages.
    pub public: TcpListener,
    /// The control API.
    pub control: Option<TcpListener>,
    /// `/healthz`, `/readyz`, `/metrics`.
    pub admin: Option<TcpListener>,
}

impl Listeners {
    /// No control API and no metrics.
    pub fn public_only(public: TcpListener) -> Self {
        Self { public, control: None, admin: None }
    }

    /// Binds every address that is set.
    async fn bind(addresses: &Addresses) -> Result<Self, RunError> {
        Ok(Self {
            public: bind(addresses.public).await?,
            control: bind_optional(addresses.control).await?,
            admin: bind_optional(addresses.admin).await?,
        })
    }
}

/// Why a gateway cannot be put together.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The services' descriptors cannot be used.
    #[error("the services' descriptors cannot be used: {0}")]
    Descriptors(#[from] crm_transcode::Error),
    /// Reflection cannot serve the descriptors.
    #[error(transparent)]
    Reflection(#[from] ReflectionError),
    /// The keys that tokens are checked with cannot be read.
    #[error("CRM_TOKEN_PUBLIC_KEY_FILE: {0}")]
    Keys(#[from] KeyError),
    /// A socket has no address.
    #[error("a listener has no address: {0}")]
    Listener(#[from] std::io::Error),
}

/// Why a gateway process ends at once.
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
    /// The gateway cannot be put together.
    #[error(transparent)]
    Serve(#[from] ServeError),
}

/// Runs a gateway as its environment says, until SIGTERM or SIGINT; then sends the last spans.
pub async fn run(telemetry: Telemetry) -> Result<(), RunError> {
    let result = run_until_stopped().await;
    telemetry.shutdown().await;
    result
}

async fn run_until_stopped() -> Result<(), RunError> {
    let (config, addresses) = Config::from_process()?;
    if addresses.control.is_some_and(|control| !control.ip().is_loopback()) {
        warn!("the control API asks for no token and can be reached from other machines");
    }
    let listeners = Listeners::bind(&addresses).await?;
    Ok(serve(config, listeners, process::shutdown_signal()).await?)
}

/// Serves until `shutdown`, then says no to health checks, waits the grace, and lets running calls finish.
pub async fn serve(config: Config, listeners: Listeners, shutdown: CancellationToken) -> Result<(), ServeError> {
    let (gateway, readiness) = assemble(&config, &listeners)?;
    let stopped = CancellationToken::new();
    let beside = TaskTracker::new();
    if let Some(listener) = listeners.control {
        beside.spawn(watch("control API", control::serve(listener, Control::new(&gateway, stopped.clone()))));
    }
    if let Some(listener) = listeners.admin {
        beside.spawn(watch("admin port", admin::serve_admin(listener, readiness.clone(), stopped.clone())));
    }
    info!(public = %listeners.public.local_addr()?, "listening");
    let answer = service_fn(move |request| {
        let gateway = Arc::clone(&gateway);
        async move { Ok(entry::answer(&gateway, request).await) }
    });
    process::serve(&config.server, listeners.public, BoxService::new(answer), readiness, shutdown).await?;
    stopped.cancel();
    beside.close();
    // Nothing of value runs there: a scrape or a stream of events that takes longer than this is cut.
    let _ = tokio::time::timeout(Duration::from_secs(1), beside.wait()).await;
    Ok(())
}

fn assemble(config: &Config, listeners: &Listeners) -> Result<(Arc<Gateway>, Readiness), ServeError> {
    let transcoder = Arc::new(Transcoder::new(crm_proto::DESCRIPTORS)?);
    let switches = Arc::new(Switches::default());
    let table = Arc::new(Table::connect(&config.routes.0, &config.calls, &switches));
    let routed = |service: &&str| table.find_service(service).is_some();
    let mut services: Vec<&str> = transcoder.methods().map(|rpc| rpc.service.as_str()).filter(routed).collect();
    services.sort_unstable();
    services.dedup();
    let verifier = config.token_keys.as_ref().map(|PublicKeys(pem)| Verifier::from_pem(pem)).transpose()?;
    let (own, readiness) = OwnServices::new(&services)?;
    let gateway = Gateway {
        access: Access::new(verifier, config.calls.max_concurrent_calls),
        telemetry: telemetry_layer(&transcoder),
        own,
        pages: Pages::new(Arc::clone(&transcoder), Arc::clone(&table), Arc::clone(&switches)),
        switches,
        faults: Arc::new(Faults::new(config.faults)),
        limits: config.calls,
        intake: Intake::new(config.calls.max_buffered_bytes, "bytes of requests at once"),
        outlet: Intake::new(config.calls.max_answer_bytes_in_all, "bytes of answers at once"),
        desk: Desk::new(tokio::runtime::Handle::current().metrics().num_workers()),
        packer: Packer::new(),
        max_header_bytes: config.server.max_header_bytes,
        links: page_links(config, listeners)?,
        origins: config.origins.clone(),
        table,
        transcoder,
    };
    Ok((Arc::new(gateway), readiness))
}

fn page_links(config: &Config, listeners: &Listeners) -> std::io::Result<PageLinks> {
    let address = |listener: &Option<TcpListener>| listener.as_ref().map(TcpListener::local_addr).transpose();
    Ok(PageLinks {
        configured: config.links.clone(),
        control: address(&listeners.control)?,
        metrics: address(&listeners.admin)?,
    })
}

async fn watch<E: std::fmt::Display>(what: &'static str, serving: impl Future<Output = Result<(), E>>) {
    if let Err(error) = serving.await {
        warn!(%error, "{what} ended");
    }
}

async fn bind(address: SocketAddr) -> Result<TcpListener, RunError> {
    TcpListener::bind(address).await.map_err(|error| RunError::Bind { address, error })
}

async fn bind_optional(address: Option<SocketAddr>) -> Result<Option<TcpListener>, RunError> {
    match address {
        Some(address) => bind(address).await.map(Some),
        None => Ok(None),
    }
}

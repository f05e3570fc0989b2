use std::io;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use axum::Router;
use axum::response::Response;
use crm_telemetry::{metrics, names};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tonic::body::Body;
use tower::ServiceBuilder;

use super::{Protocol, ServerSettings, connection};
use crate::readiness::Readiness;
use crate::stack::BoxService;

/// How long to wait when the process has run out of descriptors, instead of asking again in a tight loop.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

static CONNECTIONS: AtomicI64 = AtomicI64::new(0);
static GAUGE: LazyLock<()> = LazyLock::new(|| {
    #[allow(clippy::cast_precision_loss, reason = "connections stay far below 2^53")]
    metrics::observe_gauge(&names::SERVER_CONNECTIONS, |gauge| {
        gauge.observe(CONNECTIONS.load(Ordering::Relaxed) as f64, &[]);
    });
});

/// Serves gRPC until `shutdown`, then drains. See [`serve`].
pub async fn serve_grpc(
    settings: &ServerSettings,
    listener: TcpListener,
    service: BoxService,
    readiness: Readiness,
    shutdown: CancellationToken,
) -> io::Result<()> {
    let settings = ServerSettings { protocol: Protocol::Http2, ..settings.clone() };
    serve(&settings, listener, service, readiness, shutdown).await
}

/// Serves a port for operators or for people, beside what callers use, until `shutdown`.
pub async fn serve_routes(
    settings: &ServerSettings,
    listener: TcpListener,
    routes: Router,
    shutdown: CancellationToken,
) -> io::Result<()> {
    serve(settings, listener, routes_service(routes), Readiness::alone(), shutdown).await
}

/// Routes as a port serves them.
pub fn routes_service(routes: Router) -> BoxService {
    BoxService::new(ServiceBuilder::new().map_response(|response: Response| response.map(Body::new)).service(routes))
}

/// Serves a port until `shutdown`, then ends without losing a call:
///
/// 1. Health and `/readyz` say no, so that balancers look elsewhere; calls are still taken.
/// 2. After `drain_grace` the port closes, health watches end, and each connection is told to go away (GOAWAY).
/// 3. Calls in flight have `drain_timeout` to finish. What remains then is cut off.
pub async fn serve(
    settings: &ServerSettings,
    listener: TcpListener,
    service: BoxService,
    readiness: Readiness,
    shutdown: CancellationToken,
) -> io::Result<()> {
    LazyLock::force(&GAUGE);
    let mut port = Port::new(settings, listener, service);
    readiness.set(true);
    port.accept_until(shutdown.cancelled()).await;
    readiness.set(false);
    port.accept_until(sleep(settings.drain_grace)).await;
    readiness.close();
    port.drain().await;
    Ok(())
}

struct Port {
    settings: Arc<ServerSettings>,
    listener: TcpListener,
    service: BoxService,
    slots: Arc<Semaphore>,
    connections: JoinSet<()>,
    draining: CancellationToken,
}

impl Port {
    fn new(settings: &ServerSettings, listener: TcpListener, service: BoxService) -> Self {
        let slots = settings.max_connections.min(Semaphore::MAX_PERMITS);
        Self {
            settings: Arc::new(settings.clone()),
            listener,
            service,
            slots: Arc::new(Semaphore::new(slots)),
            connections: JoinSet::new(),
            draining: CancellationToken::new(),
        }
    }

    async fn accept_until(&mut self, end: impl Future<Output = ()>) {
        let mut end = std::pin::pin!(end);
        loop {
            tokio::select! {
                () = end.as_mut() => return,
                accepted = next(&self.listener, &self.slots) => match accepted {
                    Ok((stream, slot)) => self.open(stream, slot),
                    Err(error) => {
                        tracing::warn!(%error, "cannot accept a connection");
                        sleep(ACCEPT_PAUSE).await;
                    }
                },
                // Finished connections give their memory back while the others go on.
                Some(_) = self.connections.join_next() => (),
            }
        }
    }

    fn open(&mut self, stream: TcpStream, slot: OwnedSemaphorePermit) {
        let settings = Arc::clone(&self.settings);
        let (service, draining) = (self.service.clone(), self.draining.clone());
        let open = Open::new(slot);
        self.connections.spawn(async move {
            let _open = open;
            connection::serve(connection::builder(&settings), stream, service, &settings, draining).await;
        });
    }

    async fn drain(mut self) {
        drop(self.listener);
        self.draining.cancel();
        let all = async { while self.connections.join_next().await.is_some() {} };
        if timeout(self.settings.drain_timeout, all).await.is_err() {
            tracing::warn!(connections = self.connections.len(), "calls in flight are cut off");
            self.connections.shutdown().await;
        }
    }
}

/// A slot before a connection: without one, peers wait in the kernel's queue and cost us nothing.
async fn next(listener: &TcpListener, slots: &Arc<Semaphore>) -> io::Result<(TcpStream, OwnedSemaphorePermit)> {
    let slot = Arc::clone(slots).acquire_owned().await.map_err(io::Error::other)?;
    let (stream, _) = listener.accept().await?;
    Ok((stream, slot))
}

/// Counts an open connection, however it ends.
struct Open {
    _slot: OwnedSemaphorePermit,
}

impl Open {
    fn new(slot: OwnedSemaphorePermit) -> Self {
        CONNECTIONS.fetch_add(1, Ordering::Relaxed);
        Self { _slot: slot }
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        CONNECTIONS.fetch_sub(1, Ordering::Relaxed);
    }
}

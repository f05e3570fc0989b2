//! The toy upstream in this process.

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::BodyExt;
use hyper::{body::Incoming, server::conn::http2, service::service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo};
use std::{
    collections::BTreeMap,
    convert::Infallible,
    io,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
};
use tokio::{
    net::{TcpListener, TcpStream},
    task::{JoinHandle, JoinSet},
};

use super::{
    FailureMode, ToySettings,
    answer::Body,
    orders::{is_order, obey},
    state::State,
};
use crate::ports::{self, Reserved};

/// A toy upstream on a loopback port; gone on drop, together with its connections.
#[derive(Debug)]
pub struct Toy {
    address: SocketAddr,
    state: Arc<State>,
    task: Mutex<JoinHandle<()>>,
    /// Held for as long as the toy lives.
    reserved: Option<Reserved>,
}

impl Toy {
    /// Starts one on a free port, which stays its own while it is [stopped](Toy::stop).
    ///
    /// # Errors
    /// The operating system's, when it has no port left.
    pub async fn start(settings: ToySettings) -> io::Result<Self> {
        let reserved = ports::reserve()?;
        let listener = TcpListener::bind(reserved.address()).await?;
        let mut toy = Self::serve(settings, listener)?;
        toy.reserved = Some(reserved);
        Ok(toy)
    }

    /// Starts one on a listener of the caller's.
    ///
    /// # Errors
    /// The operating system's, when it cannot say the listener's address or open the ledger.
    pub fn serve(settings: ToySettings, listener: TcpListener) -> io::Result<Self> {
        let address = listener.local_addr()?;
        let state = Arc::new(State::new(settings)?);
        let task = Mutex::new(tokio::spawn(accept(listener, Arc::clone(&state))));
        Ok(Self { address, state, task, reserved: None })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Sets what is wrong with it, for the calls that arrive from now on.
    pub fn set_fault(&self, fault: FailureMode) {
        self.state.set_fault(fault);
    }

    /// Ends every fault.
    pub fn heal(&self) {
        self.set_fault(FailureMode::default());
    }

    /// What its health service says from now on.
    pub fn set_serving(&self, serving: bool) {
        self.state.serving.send_replace(serving);
    }

    /// How many calls of a method (`/package.Service/Method`) have arrived.
    #[must_use]
    pub fn calls(&self, method: &str) -> u64 {
        self.state.counts().of(method)
    }

    /// How many calls have arrived, per method, without health checks.
    #[must_use]
    pub fn counts(&self) -> BTreeMap<String, u64> {
        self.state.counts().all()
    }

    /// Counts from zero again.
    pub fn reset_counts(&self) {
        self.state.counts().reset();
    }

    /// Cuts every connection and refuses new ones, as a process does that was killed.
    pub async fn stop(&self) {
        let task = { std::mem::replace(&mut *self.lock(), tokio::spawn(async {})) };
        task.abort();
        // Only once the task has ended is its listener closed.
        let _ = task.await;
    }

    /// Listens again on the same port after [`Toy::stop`].
    ///
    /// # Errors
    /// `AddrInUse`, when it has not been stopped.
    pub async fn start_again(&self) -> io::Result<()> {
        let listener = TcpListener::bind(self.address).await?;
        *self.lock() = tokio::spawn(accept(listener, Arc::clone(&self.state)));
        Ok(())
    }

    /// Serves until the task ends, which it does not by itself.
    pub(super) async fn until_ended(self) {
        let task = { std::mem::replace(&mut *self.lock(), tokio::spawn(async {})) };
        let _ = task.await;
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, JoinHandle<()>> {
        self.task.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Toy {
    fn drop(&mut self) {
        self.lock().abort();
    }
}

/// The connections' tasks end with this one.
async fn accept(listener: TcpListener, state: Arc<State>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => if let Ok((stream, _)) = accepted {
                connections.spawn(serve_connection(stream, Arc::clone(&state)));
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn serve_connection(stream: TcpStream, state: Arc<State>) {
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request| serve_call(request, Arc::clone(&state)));
    let mut builder = http2::Builder::new(TokioExecutor::new());
    // However a connection ends, the caller has seen it.
    let _ = builder.max_concurrent_streams(None).serve_connection(TokioIo::new(stream), service).await;
}

async fn serve_call(request: Request<Incoming>, state: Arc<State>) -> Result<Response<Body>, Infallible> {
    let path = request.uri().path().to_owned();
    let ordered = is_order(&path);
    let is_kept = ordered || state.ledger.is_some();
    let body = if is_kept { collect(request.into_body()).await } else { drain(request.into_body()).await };
    Ok(if ordered { obey(&path, &body, &state) } else { state.respond(&path, unframed(&body)).await })
}

async fn collect(body: Incoming) -> Bytes {
    body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default()
}

/// The message of a unary call, without its prefix of five bytes; none, if its caller broke it off.
fn unframed(body: &[u8]) -> Option<&[u8]> {
    body.get(5..)
}

/// Read to its end, as a real service does, but not kept.
async fn drain(mut body: Incoming) -> Bytes {
    while let Some(Ok(_)) = body.frame().await {}
    Bytes::new()
}

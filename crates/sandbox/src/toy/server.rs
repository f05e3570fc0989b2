//! The toy upstream in this process.

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::BodyExt;
use hyper::{body::Incoming, server::conn::http2, service::service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo};
use std::{
    collections::BTreeMap,
    convert::Infallible,
    hash::{BuildHasher, RandomState},
    io,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{Semaphore, watch},
    task::{JoinHandle, JoinSet},
};

use super::{
    FailureMode, ToySettings,
    answer::{self, Body},
    counts::Counts,
    health,
    ledger::Ledger,
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
        self.state.counts.of(method)
    }

    /// How many calls have arrived, per method, without health checks.
    #[must_use]
    pub fn counts(&self) -> BTreeMap<String, u64> {
        self.state.counts.all()
    }

    /// Counts from zero again.
    pub fn reset_counts(&self) {
        self.state.counts.reset();
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

#[derive(Debug)]
pub(super) struct State {
    settings: ToySettings,
    slots: Semaphore,
    fault: Mutex<FailureMode>,
    serving: watch::Sender<bool>,
    counts: Counts,
    dice: RandomState,
    ledger: Option<Ledger>,
}

impl State {
    fn new(settings: ToySettings) -> io::Result<Self> {
        let ledger = settings.ledger.as_deref().map(Ledger::open).transpose()?;
        let slots = Semaphore::new(settings.slots.min(Semaphore::MAX_PERMITS));
        Ok(Self {
            slots,
            serving: watch::Sender::new(true),
            settings,
            fault: Mutex::default(),
            counts: Counts::default(),
            dice: RandomState::new(),
            ledger,
        })
    }

    pub(super) fn set_fault(&self, fault: FailureMode) {
        *self.fault.lock().unwrap_or_else(PoisonError::into_inner) = fault;
    }

    pub(super) fn counts(&self) -> &Counts {
        &self.counts
    }

    fn fault(&self) -> FailureMode {
        *self.fault.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn respond(&self, path: &str, message: Option<&[u8]>) -> Response<Body> {
        let fault = self.fault();
        if fault.hang {
            return std::future::pending().await;
        }
        if health::is_health(path) {
            return health::respond(path, self.settings.health, self.serving.subscribe());
        }
        let number = self.counts.add(path);
        if let (Some(ledger), Some(message)) = (&self.ledger, message) {
            ledger.enter(path, message);
        }
        if fault.fail_fast {
            return answer::status(fault.code);
        }
        self.hold_a_slot(self.settings.service_time + Duration::from_millis(fault.delay_ms)).await;
        if fault.fails(number, self.luck(number)) {
            answer::status(fault.code)
        } else {
            answer::message(&self.settings.answer)
        }
    }

    /// From [0, 1), another in each process.
    fn luck(&self, number: u64) -> f64 {
        let hash = u32::try_from(self.dice.hash_one(number) >> 32).unwrap_or(u32::MAX);
        f64::from(hash) / (f64::from(u32::MAX) + 1.0)
    }

    async fn hold_a_slot(&self, for_how_long: Duration) {
        let _slot = self.slots.acquire().await;
        if !for_how_long.is_zero() {
            tokio::time::sleep(for_how_long).await;
        }
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
    let is_order = super::process::is_order(&path);
    let is_kept = is_order || state.ledger.is_some();
    let body = if is_kept { collect(request.into_body()).await } else { drain(request.into_body()).await };
    Ok(if is_order { super::process::obey(&path, &body, &state) } else { state.respond(&path, unframed(&body)).await })
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn luck_is_even() {
        let state = State::new(ToySettings::default()).unwrap();
        for share in [0.005, 0.3] {
            let lucky = (0..200_000).filter(|n| state.luck(*n) < share).count();
            let expected = 200_000.0 * share;
            // Nine standard deviations.
            let room = 9.0 * expected.sqrt();
            assert!((lucky as f64 - expected).abs() < room, "{lucky} of 200,000 at {share}");
        }
    }
}

//! Connections made of TCP and HTTP/2.
//!
//! h2 is used directly: a general client on top of it spawns a task and passes a channel for every call, which costs more
//! than all that this crate does to choose an endpoint.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_util::future::BoxFuture;
use h2::client::{ResponseFuture, SendRequest};
use h2::{Ping, PingPong, Reason};
use http::{Request, Response};
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;
use tonic::body::Body;

use super::broken::code_of;
use super::received::Received;
use super::upload::Upload;
use super::{Connect, ConnectError, Connection, SendError, SendErrorKind};
use crate::settings::ConnectionSettings;

/// What an endpoint may send ahead of one reader; it bounds the memory that a slow one costs.
const STREAM_WINDOW: u32 = 256 * 1024;
/// The most there is, which is no bound: one that slow readers' streams could use up would stall all others, too.
const CONNECTION_WINDOW: u32 = (1 << 31) - 1;

type Driver = h2::client::Connection<TcpStream, Bytes>;

/// Connects by TCP, without TLS: the platform's network is trusted or wrapped by its own means.
pub(crate) struct H2Connector {
    pub(crate) settings: ConnectionSettings,
}

impl Connect for H2Connector {
    fn connect(&self, address: &str) -> BoxFuture<'static, Result<Arc<dyn Connection>, ConnectError>> {
        let (address, settings) = (address.to_owned(), self.settings.clone());
        Box::pin(async move { establish(&address, settings).await.map(|link| Arc::new(link) as Arc<dyn Connection>) })
    }
}

async fn establish(address: &str, settings: ConnectionSettings) -> Result<H2Connection, ConnectError> {
    let socket = TcpStream::connect(address).await.map_err(refused)?;
    socket.set_nodelay(true).map_err(refused)?;
    let (sender, mut connection) = h2::client::Builder::new()
        .initial_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .enable_push(false)
        .handshake::<_, Bytes>(socket)
        .await
        .map_err(refused)?;
    let mut pings = connection.ping_pong();
    greet(&mut connection, pings.as_mut()).await?;
    let gone = Arc::new(Gone::default());
    tokio::spawn(drive(connection, pings, settings, Arc::clone(&gone)));
    Ok(H2Connection { sender, gone })
}

/// Waits for the peer's first word. The kernel accepts connections for a process that is stopped, and HTTP/2 lets a client
/// talk before it was answered: without this, such a peer would look ready each time it is connected to.
async fn greet(connection: &mut Driver, pings: Option<&mut PingPong>) -> Result<(), ConnectError> {
    let Some(pings) = pings else { return Ok(()) };
    tokio::select! {
        ended = connection => Err(refused(ended.err().map_or("closed at once".to_owned(), |error| error.to_string()))),
        pong = pings.ping(Ping::opaque()) => pong.map(drop).map_err(refused),
    }
}

fn refused(error: impl std::fmt::Display) -> ConnectError {
    ConnectError::Refused(error.to_string())
}

/// Moves the connection's bytes until it ends, by itself or because its peer no longer answers pings.
async fn drive(connection: Driver, pings: Option<PingPong>, settings: ConnectionSettings, gone: Arc<Gone>) {
    tokio::select! {
        ended = connection => if let Err(error) = ended { tracing::debug!(%error, "connection ended") },
        () = silent(pings, &settings) => tracing::debug!("connection ended: its peer no longer answers pings"),
    }
    gone.mark();
}

/// Resolves when a ping was not answered in time.
async fn silent(pings: Option<PingPong>, settings: &ConnectionSettings) {
    let Some(mut pings) = pings else { return std::future::pending().await };
    loop {
        tokio::time::sleep(settings.keep_alive_every).await;
        let answer = tokio::time::timeout(settings.keep_alive_timeout, pings.ping(Ping::opaque())).await;
        if answer.is_err() {
            return;
        }
    }
}

/// Whether the connection still takes requests. The flag is what the hot path reads, the token what tasks wait for.
#[derive(Default)]
struct Gone {
    flag: AtomicBool,
    token: CancellationToken,
}

impl Gone {
    fn mark(&self) {
        if !self.flag.swap(true, Ordering::AcqRel) {
            self.token.cancel();
        }
    }
}

struct H2Connection {
    sender: SendRequest<Bytes>,
    gone: Arc<Gone>,
}

impl Connection for H2Connection {
    fn send(&self, request: Request<Body>) -> BoxFuture<'static, Result<Response<Body>, SendError>> {
        Box::pin(send(self.sender.clone(), request, Arc::clone(&self.gone)))
    }

    fn is_closed(&self) -> bool {
        self.gone.flag.load(Ordering::Acquire)
    }

    fn closed(&self) -> BoxFuture<'static, ()> {
        Box::pin(self.gone.token.clone().cancelled_owned())
    }
}

async fn send(
    mut sender: SendRequest<Bytes>,
    request: Request<Body>,
    gone: Arc<Gone>,
) -> Result<Response<Body>, SendError> {
    // Fails when the connection is dead, and from the peer's GOAWAY on: nothing has left then.
    if let Err(error) = poll_fn(|cx| sender.poll_ready(cx)).await {
        gone.mark();
        return Err(SendError { kind: SendErrorKind::NotSent, message: error.to_string() });
    }
    let (head, body) = request.into_parts();
    let ends_with_headers = http_body::Body::is_end_stream(&body);
    let (response, stream) = sender
        .send_request(Request::from_parts(head, ()), ends_with_headers)
        .map_err(|error| SendError { kind: SendErrorKind::NotSent, message: error.to_string() })?;
    let upload = (!ends_with_headers).then(|| Upload::new(stream, body));
    let (response, upload) = Exchange { response, upload }.await?;
    Ok(response.map(|stream| Body::new(Received::new(stream, upload))))
}

/// Sends the body and waits for the response's headers, in one future: no task of its own.
struct Exchange {
    response: ResponseFuture,
    upload: Option<Upload>,
}

impl Future for Exchange {
    type Output = Result<(Response<h2::RecvStream>, Option<Upload>), SendError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        // The body first: small ones then leave in the same packet as their headers.
        if let Some(upload) = &mut self.upload
            && let Poll::Ready(sent) = upload.poll_send(cx)
        {
            self.upload = None;
            sent?;
        }
        let answered = std::task::ready!(Pin::new(&mut self.response).poll(cx));
        Poll::Ready(answered.map(|response| (response, self.upload.take())).map_err(|error| unanswered(&error)))
    }
}

/// How far a request came whose stream ended without headers.
///
/// A GOAWAY from the peer reaches only streams above its last processed one; those below it that were cut off end with an
/// I/O error instead.
fn unanswered(error: &h2::Error) -> SendError {
    let unprocessed = error.is_remote() && (error.is_go_away() || error.reason() == Some(Reason::REFUSED_STREAM));
    let kind = if unprocessed {
        SendErrorKind::Refused
    } else if error.is_reset() {
        SendErrorKind::Reset(code_of(error))
    } else {
        SendErrorKind::Lost
    };
    SendError { kind, message: error.to_string() }
}

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
use crm_telemetry::tasks::guarded;
use futures_util::future::BoxFuture;
use h2::client::{ResponseFuture, SendRequest};
use h2::{Ping, PingPong, Reason};
use http::{Request, Response};
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;
use tonic::body::Body;

use super::broken::code_of;
use super::places::{Place, Places};
use super::received::Received;
use super::resets::{Left, Resets};
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
        // Answers cross resets on their way; h2 would count those of streams that it has forgotten, and never forgive: under
        // steady cancelling every connection would come to its end.
        .max_local_error_reset_streams(None)
        .handshake::<_, Bytes>(socket)
        .await
        .map_err(refused)?;
    let mut pings = connection.ping_pong();
    greet(&mut connection, pings.as_mut()).await?;
    let link = Arc::new(Link::new(sender.current_max_send_streams()));
    tokio::spawn(drive(connection, pings, settings, Arc::clone(&link)));
    Ok(H2Connection { sender, link })
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
async fn drive(connection: Driver, pings: Option<PingPong>, settings: ConnectionSettings, link: Arc<Link>) {
    let driven = async {
        tokio::select! {
            ended = connection => if let Err(error) = ended { tracing::debug!(%error, "connection ended") },
            () = silent(pings, &settings, &link.resets) => {
                tracing::debug!("connection ended: its peer no longer answers pings");
            }
        }
    };
    guarded("connection", driven).await;
    link.retire();
}

/// Resolves when a ping was not answered in time.
async fn silent(pings: Option<PingPong>, settings: &ConnectionSettings, resets: &Resets) {
    let Some(mut pings) = pings else { return std::future::pending().await };
    let mut behind = 0;
    loop {
        resets.rest(settings.keep_alive_every).await;
        let opened = resets.mark();
        let answer = tokio::time::timeout(settings.keep_alive_timeout, pings.ping(Ping::opaque())).await;
        if answer.is_err() {
            return;
        }
        resets.ponged(std::mem::replace(&mut behind, opened));
    }
}

/// What the calls on one connection share.
struct Link {
    /// Whether it takes no more requests. The flag is what the hot path reads, the token what tasks wait for.
    is_gone: AtomicBool,
    gone: CancellationToken,
    places: Places,
    resets: Resets,
}

impl Link {
    fn new(most_streams: usize) -> Self {
        let places = Places::new(most_streams);
        Self { is_gone: AtomicBool::new(false), gone: CancellationToken::new(), places, resets: Resets::default() }
    }

    fn retire(&self) {
        if !self.is_gone.swap(true, Ordering::AcqRel) {
            self.gone.cancel();
            self.places.close();
        }
    }
}

struct H2Connection {
    sender: SendRequest<Bytes>,
    link: Arc<Link>,
}

impl Connection for H2Connection {
    fn send(&self, request: Request<Body>) -> BoxFuture<'static, Result<Response<Body>, SendError>> {
        Box::pin(send(self.sender.clone(), request, Arc::clone(&self.link)))
    }

    fn is_closed(&self) -> bool {
        self.link.is_gone.load(Ordering::Acquire)
    }

    fn closed(&self) -> BoxFuture<'static, ()> {
        Box::pin(self.link.gone.clone().cancelled_owned())
    }
}

async fn send(
    mut sender: SendRequest<Bytes>,
    request: Request<Body>,
    link: Arc<Link>,
) -> Result<Response<Body>, SendError> {
    let not_sent = |message: String| SendError { kind: SendErrorKind::NotSent, message };
    let place = link.places.enter().await.map_err(|_| not_sent("the connection has ended".to_owned()))?;
    // Fails when the connection is dead, and from the peer's GOAWAY on: nothing has left then.
    if let Err(error) = poll_fn(|cx| sender.poll_ready(cx)).await {
        link.retire();
        return Err(not_sent(error.to_string()));
    }
    let (head, body) = request.into_parts();
    let ends_with_headers = http_body::Body::is_end_stream(&body);
    let (response, stream) = sender
        .send_request(Request::from_parts(head, ()), ends_with_headers)
        .map_err(|error| not_sent(error.to_string()))?;
    let upload = (!ends_with_headers).then(|| Upload::new(stream, body));
    Exchange::new(response, upload, place, link).await
}

/// Sends the body and waits for the response's headers, in one future: no task of its own.
struct Exchange {
    /// None once it was answered.
    pending: Option<Left>,
    upload: Option<Upload>,
    link: Arc<Link>,
}

impl Exchange {
    fn new(response: ResponseFuture, upload: Option<Upload>, place: Option<Place>, link: Arc<Link>) -> Self {
        let stream = response.stream_id().as_u32();
        link.resets.opened(stream);
        Self { pending: Some(Left { stream, response, place }), upload, link }
    }

    fn answered(&mut self, response: Response<h2::RecvStream>) -> Response<Body> {
        let (upload, pending) = (self.upload.take(), self.pending.take());
        if let Some(pending) = &pending {
            self.link.resets.answered(pending.stream);
        }
        response.map(|stream| Body::new(Received::new(stream, upload, pending.and_then(|pending| pending.place))))
    }
}

impl Future for Exchange {
    type Output = Result<Response<Body>, SendError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        // The body first: small ones then leave in the same packet as their headers.
        if let Some(upload) = &mut self.upload
            && let Poll::Ready(sent) = upload.poll_send(cx)
        {
            sent?;
            self.upload = None;
        }
        let Some(pending) = &mut self.pending else { return Poll::Pending };
        let answer = std::task::ready!(Pin::new(&mut pending.response).poll(cx));
        Poll::Ready(match answer {
            Ok(response) => Ok(self.answered(response)),
            Err(error) => {
                self.pending = None;
                Err(unanswered(&error))
            }
        })
    }
}

impl Drop for Exchange {
    /// Its caller has left.
    fn drop(&mut self) {
        if let Some(left) = self.pending.take()
            && !self.link.resets.leave(left)
        {
            tracing::debug!("connection retired: its peer takes up no calls");
            self.link.retire();
        }
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

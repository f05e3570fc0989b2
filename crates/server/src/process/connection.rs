use std::pin::pin;
use std::time::Duration;

use http::Request;
use hyper::body::Incoming;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpStream;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tonic::body::Body;
use tower::ServiceExt;

use super::first_bytes::FirstBytes;
use super::unread::{self, Tasks};
use super::write_stall::WriteStall;
use super::{Protocol, ServerSettings};
use crate::stack::BoxService;

/// What HTTP/1 buffers, which bounds its headers, too: a smaller buffer would slow down bodies.
const HTTP1_BUFFER_BYTES: usize = 64 * 1024;

/// hyper with the settings' bounds.
pub(super) fn builder(settings: &ServerSettings) -> Builder<Tasks> {
    let mut builder = Builder::new(Tasks);
    builder
        .http1()
        // Without a timer the time-out below would be ignored.
        .timer(TokioTimer::new())
        .header_read_timeout(settings.header_timeout)
        .max_buf_size(HTTP1_BUFFER_BYTES);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(settings.max_concurrent_streams)
        .max_header_list_size(settings.max_header_bytes)
        .keep_alive_interval(settings.keepalive)
        .keep_alive_timeout(settings.keepalive);
    if settings.protocol == Protocol::Http2 { builder.http2_only() } else { builder }
}

/// Serves one connection to its end. `drain` asks it to finish what it has begun and to accept nothing new.
pub(super) async fn serve(
    builder: Builder<Tasks>,
    stream: TcpStream,
    service: BoxService,
    settings: &ServerSettings,
    drain: CancellationToken,
) {
    // Small answers go out at once instead of waiting for an acknowledgement.
    let _ = stream.set_nodelay(true);
    let stall = settings.stall_timeout;
    let io = TokioIo::new(FirstBytes::new(WriteStall::new(stream, stall), settings.header_timeout));
    let service = service
        .map_request(|request: Request<Incoming>| request.map(Body::new))
        .map_response(move |response| unread::watch(response, stall));
    let mut connection = pin!(builder.serve_connection(io, TowerToHyperService::new(service)));
    let mut ending = pin!(ending(settings.max_connection_age, drain));
    let result = tokio::select! {
        result = connection.as_mut() => result,
        () = ending.as_mut() => {
            // GOAWAY on HTTP/2, `connection: close` on HTTP/1.
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = result {
        // A peer that goes away in the middle is everyday life.
        tracing::debug!(%error, "connection ended early");
    }
}

async fn ending(max_age: Option<Duration>, drain: CancellationToken) {
    match max_age {
        Some(age) => tokio::select! { () = drain.cancelled() => (), () = sleep(age) => () },
        None => drain.cancelled().await,
    }
}

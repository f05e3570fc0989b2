use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::etiquette::{self, Bounds};
use super::header_limit;
use super::silence::{Call, Calls, Silence};
use super::unread::Tasks;
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
        .timer(TokioTimer::new())
        // What is silent too long is told by `Silence`. That is asked only while hyper reads, which it does between two
        // requests only if it has a clock of its own: one that is never the first to strike.
        .header_read_timeout(settings.idle_timeout.max(settings.header_timeout) + settings.header_timeout)
        .max_buf_size(HTTP1_BUFFER_BYTES);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(settings.max_concurrent_streams)
        .max_header_list_size(header_limit::read_at_most(settings))
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
    serve_stream(builder, stream, service, settings, drain).await;
}

async fn serve_stream(
    builder: Builder<Tasks>,
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    service: BoxService,
    settings: &ServerSettings,
    drain: CancellationToken,
) {
    let (stall, calls) = (settings.stall_timeout, Arc::new(Calls::default()));
    let io = TokioIo::new(Silence::new(WriteStall::new(stream, stall), settings, Arc::clone(&calls)));
    let bounds = Bounds { stall, most_header_bytes: settings.max_header_bytes };
    let answer = service_fn(move |request| etiquette::answer(service.clone(), request, Call::begin(&calls), bounds));
    let mut connection = pin!(builder.serve_connection(io, answer));
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

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use http::{Request, Response};
    use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
    use tokio::time::{Instant, sleep};
    use tonic::body::Body;
    use tower::service_fn;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// A client of a connection whose calls take so long.
    fn open(each: Duration) -> DuplexStream {
        let (ours, theirs) = duplex(64 * 1024);
        let settings = ServerSettings { protocol: Protocol::Any, ..ServerSettings::default() };
        let service = service_fn(move |_: Request<Body>| async move {
            sleep(each).await;
            Ok::<_, Infallible>(Response::new(Body::empty()))
        });
        tokio::spawn(async move {
            let (service, endless) = (BoxService::new(service), CancellationToken::new());
            serve_stream(builder(&settings), ours, service, &settings, endless).await;
        });
        theirs
    }

    /// Sends a request in pieces with pauses of so many seconds between them, and reads its answer.
    async fn ask(client: &mut DuplexStream, pause: u32) -> String {
        client.write_all(b"GET / HTTP").await.unwrap();
        for piece in ["/1.1\r\nhost: here\r\n", "\r\n"] {
            sleep(SECOND * pause).await;
            client.write_all(piece.as_bytes()).await.unwrap();
        }
        let mut answer = Vec::new();
        while !answer.ends_with(b"\r\n\r\n") {
            let Ok(byte) = client.read_u8().await else { break };
            answer.push(byte);
        }
        String::from_utf8(answer).unwrap()
    }

    /// Seconds until the server hangs up.
    async fn hangs_up_after(client: &mut DuplexStream) -> u64 {
        let (begun, mut rest) = (Instant::now(), Vec::new());
        let _ = client.read_to_end(&mut rest).await;
        (begun.elapsed() + SECOND / 2).as_secs()
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_is_kept_for_its_next_request() {
        let mut client = open(Duration::ZERO);
        for wait in [0, 30, 74] {
            sleep(SECOND * wait).await;
            assert!(ask(&mut client, 0).await.starts_with("HTTP/1.1 200"), "{wait}");
        }
        assert_eq!(hangs_up_after(&mut client).await, 75);
    }

    #[tokio::test(start_paused = true)]
    async fn a_head_has_its_time_from_its_first_byte() {
        let mut client = open(Duration::ZERO);
        assert!(ask(&mut client, 4).await.starts_with("HTTP/1.1 200"));
        sleep(SECOND * 74).await;
        assert!(ask(&mut client, 4).await.starts_with("HTTP/1.1 200"), "slow, long after the one before");
        client.write_all(b"GET / HTTP").await.unwrap();
        assert_eq!(hangs_up_after(&mut client).await, 10);
    }

    #[tokio::test(start_paused = true)]
    async fn a_first_head_has_its_time_as_well() {
        assert_eq!(hangs_up_after(&mut open(Duration::ZERO)).await, 10);
        let mut client = open(Duration::ZERO);
        sleep(SECOND * 9).await;
        assert!(ask(&mut client, 4).await.starts_with("HTTP/1.1 200"));
        let mut trickling = open(Duration::ZERO);
        let begun = Instant::now();
        while trickling.write_all(b"x").await.is_ok() {
            sleep(SECOND).await;
        }
        assert!((10..=12).contains(&begun.elapsed().as_secs()), "{:?}", begun.elapsed());
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_that_takes_long_is_no_silence() {
        let mut client = open(SECOND * 200);
        assert!(ask(&mut client, 0).await.starts_with("HTTP/1.1 200"));
        assert_eq!(hangs_up_after(&mut client).await, 75);
    }
}

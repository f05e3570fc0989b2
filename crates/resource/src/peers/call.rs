//! One call to a peer: what is said to it, and what is taken of its answer.

use std::future::ready;
use std::pin::Pin;
use std::sync::LazyLock;
use std::task::{Context, Poll};

use bytes::Bytes;
use crm_balance::{CalledFor, Client, HashKey, Retryable, Waits};
use crm_database::has_open_transaction;
use crm_server::methods::MethodTable;
use crm_telemetry::rpc::{read_timeout, write_timeout};
use futures_util::future::BoxFuture;
use http::{HeaderMap, HeaderName, Request, Response, header};
use http_body::{Frame, SizeHint};
use tonic::Status;
use tonic::body::Body;
use tower::Service;

use super::Asking;
use crate::Error;

/// What the descriptors say of every method.
static METHODS: LazyLock<MethodTable> =
    LazyLock::new(|| MethodTable::from_descriptors(crm_proto::DESCRIPTORS).unwrap_or_default());

/// What of an answer's headers and trailers is about the answer. A failure takes them along wherever it is passed on to, and
/// the rest (lengths, dates, traces) would be said of another message there.
const KEPT: [HeaderName; 6] = [
    header::CONTENT_TYPE,
    HeaderName::from_static("grpc-status"),
    HeaderName::from_static("grpc-message"),
    HeaderName::from_static("grpc-status-details-bin"),
    HeaderName::from_static("grpc-encoding"),
    HeaderName::from_static("grpc-retry-pushback-ms"),
];

/// What generated clients call a peer through.
///
/// While the task that calls has a transaction open, nothing is called, and nothing more is read of a stream: what waits for
/// another process must not hold locks and a connection meanwhile.
#[derive(Clone)]
pub struct PeerCall {
    client: Client,
    asking: Asking,
}

impl PeerCall {
    pub(super) fn new(client: Client, asking: Asking) -> Self {
        Self { client, asking }
    }

    fn address(&self, request: &mut Request<Body>) {
        self.asking.write(request.headers_mut());
        let left = self.asking.left();
        // A handler may allow less than is left, and no more. What is malformed the client refuses.
        if let Ok(asked) = read_timeout(request.headers()) {
            write_timeout(request.headers_mut(), asked.map_or(left, |asked| asked.min(left)));
        }
        let path = request.uri().path();
        let (may_repeat, waits) = (METHODS.may_repeat(path), METHODS.waits(path));
        let (high, low) = self.asking.tenant.as_u64_pair();
        let extensions = request.extensions_mut();
        extensions.insert(Retryable(may_repeat));
        extensions.insert(CalledFor(self.asking.tenant.as_u128()));
        extensions.insert(HashKey(high ^ low));
        if waits {
            extensions.insert(Waits);
        }
    }
}

impl std::fmt::Debug for PeerCall {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PeerCall").field("asking", &self.asking).finish_non_exhaustive()
    }
}

impl Service<Request<Body>> for PeerCall {
    type Response = Response<Answer>;
    type Error = Status;
    type Future = BoxFuture<'static, Result<Response<Answer>, Status>>;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), Status>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        if let Err(error) = check_no_transaction() {
            return Box::pin(ready(Err(error.into())));
        }
        self.address(&mut request);
        let answer = self.client.call(request);
        Box::pin(async move {
            let mut response = answer.await?.map(Answer);
            keep_its_own(response.headers_mut());
            Ok(response)
        })
    }
}

fn check_no_transaction() -> Result<(), Error> {
    if has_open_transaction() {
        return Err(Error::Inconsistent("another service was asked with a transaction open"));
    }
    Ok(())
}

fn keep_its_own(headers: &mut HeaderMap) {
    let others: Vec<HeaderName> = headers.keys().filter(|name| !KEPT.contains(name)).cloned().collect();
    for name in others {
        headers.remove(name);
    }
}

/// A peer's answer.
#[derive(Debug)]
pub struct Answer(Body);

impl http_body::Body for Answer {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        if let Err(error) = check_no_transaction() {
            self.0 = Body::empty();
            return Poll::Ready(Some(Err(error.into())));
        }
        let mut frame = std::task::ready!(Pin::new(&mut self.0).poll_frame(cx));
        if let Some(trailers) = frame.as_mut().and_then(|frame| frame.as_mut().ok()?.trailers_mut()) {
            keep_its_own(trailers);
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.0.size_hint()
    }
}

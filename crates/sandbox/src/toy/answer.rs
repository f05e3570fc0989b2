//! gRPC answers at the level of HTTP/2: framed messages and trailers.

use bytes::{BufMut, Bytes, BytesMut};
use futures_util::Stream;
use http::{HeaderMap, HeaderValue, Response};
use http_body_util::{BodyExt, Empty, Full, StreamBody, combinators::UnsyncBoxBody};
use hyper::body::Frame;
use std::convert::Infallible;

pub(super) type Body = UnsyncBoxBody<Bytes, Infallible>;

pub(super) const UNIMPLEMENTED: u16 = 12;

/// One message, then status OK in the trailers.
pub(super) fn message(bytes: &[u8]) -> Response<Body> {
    let mut trailers = HeaderMap::new();
    trailers.insert("grpc-status", HeaderValue::from_static("0"));
    let body = Full::new(frame(bytes)).with_trailers(std::future::ready(Some(Ok(trailers))));
    response(body.boxed_unsync())
}

/// Messages for as long as the stream goes on, then the connection decides.
pub(super) fn messages(stream: impl Stream<Item = Vec<u8>> + Send + 'static) -> Response<Body> {
    use futures_util::StreamExt;
    let frames = stream.map(|bytes| Ok(Frame::data(frame(&bytes))));
    response(StreamBody::new(frames).boxed_unsync())
}

/// A status alone, in the headers.
pub(super) fn status(code: u16) -> Response<Body> {
    let mut response = response(Empty::new().boxed_unsync());
    response.headers_mut().insert("grpc-status", HeaderValue::from(code));
    response
}

/// Uncompressed: a zero, the length in four bytes, the message.
fn frame(bytes: &[u8]) -> Bytes {
    let mut framed = BytesMut::with_capacity(bytes.len() + 5);
    framed.put_u8(0);
    framed.put_u32(u32::try_from(bytes.len()).unwrap_or(u32::MAX));
    framed.put_slice(bytes);
    framed.freeze()
}

fn response(body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    response.headers_mut().insert("content-type", HeaderValue::from_static("application/grpc"));
    response
}

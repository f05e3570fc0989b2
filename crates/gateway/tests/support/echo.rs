//! A service that no descriptor knows: every byte that comes in goes out again, as it comes.

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use http::{HeaderMap, Request, Response};
use http_body::Frame;
use http_body_util::{BodyExt, BodyStream, StreamBody};
use tonic::body::Body;

/// Answers before the request has ended, piece by piece.
pub async fn echo(request: Request<hyper::body::Incoming>) -> Result<Response<Body>, std::convert::Infallible> {
    let body = request.into_body().map_err(|error| tonic::Status::from_error(error.into()));
    let pieces = BodyStream::new(body).filter(|frame| {
        let is_data = frame.as_ref().is_ok_and(Frame::is_data);
        async move { is_data }
    });
    let mut trailers = HeaderMap::new();
    trailers.insert("grpc-status", "0".parse().unwrap());
    trailers.insert("x-echo-bin", "AAEC".parse().unwrap());
    let end = stream::iter([Ok(Frame::<Bytes>::trailers(trailers))]);
    let body = Body::new(StreamBody::new(pieces.chain(end)));
    Ok(Response::builder().header("content-type", "application/grpc+proto").header("x-head", "1").body(body).unwrap())
}

/// Name of a header that asks for [`with_metadata`] instead of a service.
pub const ASKED: &str = "ask-for-metadata";

/// One account, with metadata before and behind it.
pub fn with_metadata() -> Response<Body> {
    let account = prost::Message::encode_to_vec(&super::fake::account("7"));
    let message = crm_transcode::frame::encode(&account).unwrap();
    let mut trailers = HeaderMap::new();
    for (name, value) in [("grpc-status", "0"), ("x-cost", "237"), ("x-echo-bin", "AAEC")] {
        trailers.insert(name, value.parse().unwrap());
    }
    let frames = stream::iter([Ok::<_, tonic::Status>(Frame::data(message)), Ok(Frame::trailers(trailers))]);
    let head = Response::builder().header("content-type", "application/grpc").header("grpc-encoding", "identity");
    head.header("x-head", "1").header("date", "then").body(Body::new(StreamBody::new(frames))).unwrap()
}

//! Plain HTTP requests to chromedriver, whole bodies.

use ::http::{Request, header};
use http_body_util::{BodyExt, Full};
use hyper_util::{client::legacy::Client, rt::TokioExecutor};

/// A whole answer.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: bytes::Bytes,
}

pub(super) async fn get(url: &str) -> Answer {
    send(Request::get(url).body(Full::default()).unwrap()).await
}

pub(super) async fn post(url: &str, content_type: &str, body: Vec<u8>) -> Answer {
    send(Request::post(url).header(header::CONTENT_TYPE, content_type).body(Full::from(body)).unwrap()).await
}

pub(super) async fn send(request: Request<Full<bytes::Bytes>>) -> Answer {
    let client = Client::builder(TokioExecutor::new()).build_http();
    let response = client.request(request).await.unwrap();
    let (head, body) = response.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    Answer { status: head.status.as_u16(), body }
}

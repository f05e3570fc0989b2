//! Plain HTTP requests, whole bodies.

use http::{Request, header};
use http_body_util::{BodyExt, Full};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};

/// A whole answer.
pub struct Answer {
    pub status: u16,
    pub headers: http::HeaderMap,
    pub trailers: http::HeaderMap,
    pub body: bytes::Bytes,
}

impl Answer {
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

pub async fn get(url: &str) -> Answer {
    send(Request::get(url).body(Full::default()).unwrap()).await
}

pub async fn post(url: &str, content_type: &str, body: Vec<u8>) -> Answer {
    send(Request::post(url).header(header::CONTENT_TYPE, content_type).body(Full::from(body)).unwrap()).await
}

pub async fn send(request: Request<Full<bytes::Bytes>>) -> Answer {
    send_by(&Client::builder(TokioExecutor::new()).build_http(), request).await
}

pub async fn send_h2(request: Request<Full<bytes::Bytes>>) -> Answer {
    send_by(&Client::builder(TokioExecutor::new()).http2_only(true).build_http(), request).await
}

async fn send_by(client: &Client<HttpConnector, Full<bytes::Bytes>>, request: Request<Full<bytes::Bytes>>) -> Answer {
    let (head, body) = client.request(request).await.unwrap().into_parts();
    let body = body.collect().await.unwrap();
    let trailers = body.trailers().cloned().unwrap_or_default();
    Answer { status: head.status.as_u16(), headers: head.headers, trailers, body: body.to_bytes() }
}

//! Clients of both protocols, as plain as they can be: nothing between the test and the bytes.

use std::{
    net::SocketAddr,
    task::{Context, Poll},
};

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::{HeaderMap, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::{
    body::Incoming,
    client::conn::{http1, http2},
};
use hyper_util::rt::{TokioExecutor, TokioIo};
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tonic::body::Body;

/// A whole answer over HTTP.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {:?}", self.body))
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// `ErrorInfo.reason` among the details of an error.
    pub fn reason(&self) -> String {
        let json = self.json();
        let details = json["details"].as_array().cloned().unwrap_or_default();
        let info =
            details.iter().find(|detail| detail["@type"].as_str().is_some_and(|kind| kind.ends_with("ErrorInfo")));
        info.and_then(|info| info["reason"].as_str()).unwrap_or_default().to_owned()
    }
}

/// One call on an HTTP/1.1 connection of its own.
pub async fn rest(
    to: SocketAddr,
    method: Method,
    path: &str,
    headers: &[(&str, &str)],
    body: impl Into<Bytes>,
) -> Answer {
    let mut sender = http1_connection(to).await;
    rest_on(&mut sender, method, path, headers, body).await
}

/// Sends these bytes and reads one answer: what a client library would not send, or would not show.
pub async fn raw(to: SocketAddr, request: &[u8]) -> Answer {
    let mut stream = TcpStream::connect(to).await.unwrap();
    raw_on(&mut stream, request).await
}

/// The same on an open connection.
pub async fn raw_on(stream: &mut TcpStream, request: &[u8]) -> Answer {
    stream.write_all(request).await.unwrap();
    let read = tokio::time::timeout(std::time::Duration::from_secs(20), read_answer(stream)).await;
    read.unwrap_or_else(|_| panic!("no answer to {:?}", String::from_utf8_lossy(request)))
}

async fn read_answer(stream: &mut TcpStream) -> Answer {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    let head = String::from_utf8(head).unwrap();
    let mut lines = head.lines();
    let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    let fields = lines.filter_map(|line| line.split_once(": "));
    let headers: HeaderMap =
        fields.map(|(name, value)| (name.parse::<http::HeaderName>().unwrap(), value.parse().unwrap())).collect();
    let length = headers.get("content-length").map_or(0, |length| length.to_str().unwrap().parse().unwrap());
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.unwrap();
    Answer { status, headers, body: body.into() }
}

pub async fn http1_connection(to: SocketAddr) -> http1::SendRequest<Full<Bytes>> {
    let stream = TcpStream::connect(to).await.unwrap();
    let (sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    sender
}

pub async fn rest_on(
    sender: &mut http1::SendRequest<Full<Bytes>>,
    method: Method,
    path: &str,
    headers: &[(&str, &str)],
    body: impl Into<Bytes>,
) -> Answer {
    let response = start_on(sender, method, path, headers, body).await;
    let (parts, body) = response.into_parts();
    Answer { status: parts.status, headers: parts.headers, body: body.collect().await.unwrap().to_bytes() }
}

/// As [`rest_on`], with the body still to be read.
pub async fn start_on(
    sender: &mut http1::SendRequest<Full<Bytes>>,
    method: Method,
    path: &str,
    headers: &[(&str, &str)],
    body: impl Into<Bytes>,
) -> Response<Incoming> {
    let mut request = Request::builder().method(method).uri(path).header("host", "gateway.localhost");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    sender.send_request(request.body(Full::new(body.into())).unwrap()).await.unwrap()
}

/// An HTTP/2 connection; works under generated clients.
#[derive(Clone)]
pub struct Grpc {
    sender: http2::SendRequest<Body>,
    to: SocketAddr,
}

impl Grpc {
    pub async fn connect(to: SocketAddr) -> Self {
        let stream = TcpStream::connect(to).await.unwrap();
        stream.set_nodelay(true).unwrap();
        let (sender, connection) = http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        Self { sender, to }
    }

    /// A call with a body of bytes that are sent as they are.
    pub async fn raw(&self, path: &str, headers: &[(&str, &str)], body: Bytes) -> Response<Incoming> {
        self.stream(path, headers, Body::new(Full::new(body))).await
    }

    /// Any request of HTTP/2.
    pub async fn send(&self, method: Method, path: &str, headers: &[(&str, &str)], body: impl Into<Bytes>) -> Answer {
        let mut request = Request::builder().method(method).uri(format!("http://{}{path}", self.to));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Body::new(Full::new(body.into()))).unwrap();
        let (parts, body) = self.sender.clone().send_request(request).await.unwrap().into_parts();
        Answer { status: parts.status, headers: parts.headers, body: body.collect().await.unwrap().to_bytes() }
    }

    /// A call with a body that may still be growing.
    pub async fn stream(&self, path: &str, headers: &[(&str, &str)], body: Body) -> Response<Incoming> {
        let mut request = Request::post(format!("http://{}{path}", self.to))
            .header("content-type", "application/grpc")
            .header("te", "trailers");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(body).unwrap();
        self.sender.clone().send_request(request).await.unwrap()
    }
}

impl tower::Service<Request<Body>> for Grpc {
    type Response = Response<Incoming>;
    type Error = hyper::Error;
    type Future = BoxFuture<'static, Result<Response<Incoming>, hyper::Error>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), hyper::Error>> {
        self.sender.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        let uri = format!("http://{}{}", self.to, request.uri().path());
        *request.uri_mut() = uri.parse().unwrap();
        Box::pin(self.sender.send_request(request))
    }
}

/// gRPC's spelling of a time, in milliseconds.
pub fn millis(grpc_timeout: &str) -> u64 {
    let (number, unit) = grpc_timeout.split_at(grpc_timeout.len() - 1);
    let number: u64 = number.parse().unwrap();
    match unit {
        "S" => number * 1000,
        "m" => number,
        "u" => number / 1000,
        "n" => number / 1_000_000,
        _ => panic!("unit of {grpc_timeout}"),
    }
}

/// A connection whose streams take one byte and then nothing until they are read.
pub async fn narrow(to: SocketAddr) -> http2::SendRequest<Body> {
    let stream = TcpStream::connect(to).await.unwrap();
    let mut builder = http2::Builder::new(TokioExecutor::new());
    let (sender, connection) = builder.initial_stream_window_size(1).handshake(TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    sender
}

//! A browser that watches changes by itself (`EventSource`), through a proxy that cuts it off.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use ::http::{HeaderName, HeaderValue, Method, Request, Response};
use bytes::Bytes;
use crm_sandbox::browser::Browser;
use futures_util::{StreamExt, TryStreamExt};
use http_body_util::{BodyStream, Full, StreamBody};
use hyper::body::Incoming;
use hyper::client::conn::http1 as client;
use hyper::{server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use serde_json::json;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tonic::body::Body;

use crate::support::Joined;

/// Collects the names that changes tell, as they come.
const PAGE: &str = r#"<!doctype html><meta charset="utf-8"><title>Watching</title><body><script>
const names = [];
let opened = 0;
const show = () => (document.body.textContent = JSON.stringify({ opened, names }));
const events = new EventSource("/v1/changes/customers:watch?cursor=now");
events.onopen = () => { opened += 1; show(); };
events.onmessage = ({ data }) => {
    for (const change of JSON.parse(data).changes) names.push(JSON.stringify(change).match(/Watched \w+/)[0]);
    show();
};
</script>"#;

const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// Stands before the gateway, brings the token along that a browser cannot send, and cuts off whoever listens when told to.
struct Proxy {
    gateway: String,
    authorization: HeaderValue,
    cut: Notify,
    came_with: Mutex<Vec<String>>,
}

impl Proxy {
    async fn answer(self: Arc<Self>, mut request: Request<Incoming>) -> Result<Response<Body>, Infallible> {
        if !request.uri().path().starts_with("/v1/") {
            let mut page = Response::new(Body::new(Full::new(Bytes::from_static(PAGE.as_bytes()))));
            page.headers_mut().insert("content-type", HeaderValue::from_static("text/html"));
            return Ok(page);
        }
        let last = request.headers().get(LAST_EVENT_ID).map(|id| id.to_str().unwrap().to_owned());
        self.came_with.lock().unwrap().push(last.unwrap_or_default());
        request.headers_mut().insert("authorization", self.authorization.clone());
        let stream = TcpStream::connect(self.gateway.trim_start_matches("http://")).await.unwrap();
        let (mut sender, connection) = client::handshake(TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        let response = sender.send_request(request).await.unwrap();
        let cut = Arc::clone(&self);
        Ok(response.map(|body| {
            let frames = BodyStream::new(body).map_err(|error| tonic::Status::internal(error.to_string()));
            // The way to the gateway lasts as long as what comes over it.
            let frames = frames.inspect(move |_| {
                let _keep = &sender;
            });
            Body::new(StreamBody::new(frames.take_until(async move { cut.cut.notified().await }).boxed()))
        }))
    }
}

async fn serve(proxy: &Arc<Proxy>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (address, proxy) = (listener.local_addr().unwrap(), Arc::clone(proxy));
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let proxy = Arc::clone(&proxy);
            let answer = service_fn(move |request| Arc::clone(&proxy).answer(request));
            tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), answer));
        }
    });
    address
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_browser_that_was_cut_off_goes_on_where_it_was_and_hears_of_nothing_twice() {
    let joined = Joined::start().await;
    let authorization = HeaderValue::try_from(format!("Bearer {}", joined.token())).unwrap();
    let (cut, came_with) = (Notify::new(), Mutex::default());
    let proxy = Arc::new(Proxy { gateway: joined.url(), authorization, cut, came_with });
    let make = async |name: &str| {
        let path = format!("/v1/accounts?requestId={}", uuid::Uuid::now_v7());
        joined.json(Method::POST, &path, json!({"name": name})).await
    };
    make("Watched Before").await;
    let browser = Browser::start().await;
    browser.open(&format!("http://{}/", serve(&proxy).await)).await;
    browser.wait_for_text(&[r#""opened":1"#]).await;
    make("Watched One").await;
    browser.wait_for_text(&["Watched One"]).await;
    proxy.cut.notify_one();
    // Whether it is made before the browser has noticed, or while it waits, or later.
    make("Watched Two").await;
    browser.wait_for_text(&[r#""opened":2"#]).await;
    make("Watched Three").await;
    let told = browser.wait_for_text(&["Watched Three"]).await;
    assert_eq!(told.trim(), r#"{"opened":2,"names":["Watched One","Watched Two","Watched Three"]}"#);
    let came_with = proxy.came_with.lock().unwrap().clone();
    assert!(matches!(&came_with[..], [first, second] if first.is_empty() && !second.is_empty()), "{came_with:?}");
    browser.close().await;
}

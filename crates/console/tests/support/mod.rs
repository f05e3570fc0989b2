//! A console between a gateway's control API and a trace viewer that do as the test says, and a client for its pages.
#![allow(dead_code, unreachable_pub)]

mod fakes;

use std::{net::SocketAddr, time::Duration};

use bytes::Bytes;
use crm_console::{Config, Listeners, serve};
use http::{HeaderMap, Method, Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use tokio::{net::TcpListener, task::JoinHandle, time::timeout};
use tokio_util::sync::CancellationToken;

pub use fakes::{Gateway, replica, start_viewer};

/// Bound on everything that is waited for.
pub const PATIENCE: Duration = Duration::from_secs(20);

pub struct Room {
    pub address: SocketAddr,
    pub gateway: Gateway,
    stop: CancellationToken,
    running: JoinHandle<std::io::Result<()>>,
}

pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub text: String,
}

impl Room {
    /// With two replicas that are ready, and a viewer that knows a slow and a failed call.
    pub async fn open() -> Self {
        let gateway = Gateway::start(vec![replica(0, "ready"), replica(1, "ready")]).await;
        let viewer = start_viewer().await;
        Self::open_with(gateway, Some(viewer)).await
    }

    pub async fn open_with(gateway: Gateway, viewer: Option<SocketAddr>) -> Self {
        let page = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = page.local_addr().unwrap();
        let viewer = viewer.map(|viewer| viewer.to_string().parse().unwrap());
        let public = Some("http://gateway.example:8080".parse().unwrap());
        let config =
            Config { viewer, gateway: public, ..Config::of(vec![gateway.address.to_string().parse().unwrap()]) };
        let stop = CancellationToken::new();
        let running = tokio::spawn(serve(config, Listeners { page, admin: None }, stop.clone()));
        Self { address, gateway, stop, running }
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub async fn get(&self, path: &str) -> Answer {
        whole(self.send(Method::GET, path, &[], "").await).await
    }

    /// As the page's forms do it, with whatever else the browser says.
    pub async fn post(&self, path: &str, form: &str, headers: &[(&str, &str)]) -> Answer {
        whole(self.send(Method::POST, path, headers, form).await).await
    }

    pub async fn send(&self, method: Method, path: &str, headers: &[(&str, &str)], form: &str) -> Response<Incoming> {
        let headers = [&[("content-type", "application/x-www-form-urlencoded")], headers].concat();
        self.send_as(method, path, &headers, form).await
    }

    /// Without a word about the body but the caller's.
    pub async fn send_as(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Response<Incoming> {
        let request = Request::builder().method(method).uri(self.url(path));
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        let client = Client::builder(TokioExecutor::new()).build_http();
        client.request(request.body(Full::new(Bytes::from(body.to_owned()))).unwrap()).await.unwrap()
    }

    /// Asks for the page until it shows something.
    pub async fn page_with(&self, part: &str) -> String {
        self.page_at("/", part).await
    }

    /// The same of another page.
    pub async fn page_at(&self, path: &str, part: &str) -> String {
        let mut text = String::new();
        let wait = async {
            loop {
                text = self.get(path).await.text;
                if text.contains(part) {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        let seen = timeout(PATIENCE, wait).await.is_ok();
        assert!(seen, "{part} is not in {text}");
        text
    }

    /// Ends the console, which must not wait for open pages.
    pub async fn close(self) {
        self.stop.cancel();
        timeout(Duration::from_secs(5), self.running).await.expect("ended in time").unwrap().unwrap();
    }
}

async fn whole(response: Response<Incoming>) -> Answer {
    let (head, body) = response.into_parts();
    let bytes = body.collect().await.unwrap().to_bytes();
    Answer { status: head.status.as_u16(), headers: head.headers, text: String::from_utf8(bytes.into()).unwrap() }
}

/// Messages of a stream, read as they come.
pub struct Stream {
    body: Incoming,
    text: String,
}

impl Stream {
    pub fn of(response: Response<Incoming>) -> Self {
        assert_eq!(response.status(), 200);
        Self { body: response.into_body(), text: String::new() }
    }

    /// The next part: its id and its HTML. `None` when the stream has ended.
    pub async fn next(&mut self) -> Option<(String, String)> {
        loop {
            if let Some((message, rest)) = self.text.split_once("\n\n") {
                let data = message.lines().find_map(|line| line.strip_prefix("data: ")).map(str::to_owned);
                self.text = rest.to_owned();
                let Some(data) = data else { continue };
                let json: serde_json::Value = serde_json::from_str(&data).unwrap();
                return Some((json["id"].as_str().unwrap().to_owned(), json["html"].as_str().unwrap().to_owned()));
            }
            let frame = timeout(PATIENCE, self.body.frame()).await.expect("something came")?;
            self.text.push_str(std::str::from_utf8(&frame.ok()?.into_data().ok()?).unwrap());
        }
    }

    /// Reads on until a part of this id shows something.
    pub async fn until(&mut self, id: &str, part: &str) -> String {
        loop {
            let (found, html) = self.next().await.expect("the stream goes on");
            if found == id && html.contains(part) {
                return html;
            }
        }
    }
}

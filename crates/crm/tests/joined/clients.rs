//! gRPC-Web and Connect by clients that are not ours, in Node and in a browser; there from a page of another origin.
//!
//! `deploy/ensure rpc-clients` installs them; where they cannot be had, a person is told what is left out, and CI fails.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use ::http::{HeaderValue, Request, Response, StatusCode};
use bytes::Bytes;
use crm_sandbox::TemporaryFolder;
use crm_sandbox::browser::Browser;
use http_body_util::Full;
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

use crate::described::{in_background, succeed};
use crate::support::Joined;

fn crate_dir() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Where the packages are, or none on a machine that could not get them.
fn packages() -> Option<PathBuf> {
    let folder = crate_dir().join("../../target/tools/rpc-clients");
    if folder.join("installed").exists() {
        return Some(folder);
    }
    assert!(std::env::var_os("CI").is_none(), "clients of gRPC-Web and Connect are missing: deploy/ensure rpc-clients");
    eprintln!("left out: gRPC-Web and Connect by clients that are not ours. deploy/ensure rpc-clients installs them.");
    None
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_of_grpc_web_and_connect_create_list_change_and_export() {
    let Some(packages) = packages() else { return };
    let joined = Joined::start().await;
    let (url, token) = (joined.url(), joined.token());
    in_background(move || {
        let folder = TemporaryFolder::new("crm-clients").unwrap();
        let descriptors = folder.path().join("descriptors.bin");
        std::fs::write(&descriptors, crm_proto::DESCRIPTORS).unwrap();
        let mut node = Command::new(crate_dir().join("../../target/tools/bin/node"));
        node.arg(crate_dir().join("tests/joined/clients/node.mjs")).env("RPC_CLIENTS", packages);
        node.env("CRM_DESCRIPTORS", descriptors).env("CRM_URL", url).env("CRM_TOKEN", token);
        let output = succeed(&mut node);
        assert!(String::from_utf8_lossy(&output.stdout).contains("finished"), "{output:?}");
    })
    .await;
}

/// What a page is made of.
async fn file(packages: PathBuf, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let path = request.uri().path();
    let here = crate_dir().join("tests/joined/clients");
    let read = match path {
        "/descriptors.bin" => Ok(crm_proto::DESCRIPTORS.to_vec()),
        _ if path.starts_with("/node_modules/") => std::fs::read(packages.join(&path[1..])),
        _ => std::fs::read(here.join(&path[1..])),
    };
    let kind = if path.ends_with("html") { "text/html" } else { "text/javascript" };
    let mut response = Response::new(Full::default());
    match read {
        Ok(bytes) => *response.body_mut() = Full::from(bytes),
        Err(_) => *response.status_mut() = StatusCode::NOT_FOUND,
    }
    response.headers_mut().insert("content-type", HeaderValue::from_static(kind));
    Ok(response)
}

/// Serves the page, until the test ends; each address is an origin of its own.
async fn serve_page(packages: &Path) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (address, packages) = (listener.local_addr().unwrap(), packages.to_owned());
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let packages = packages.clone();
            let answer = service_fn(move |request| file(packages.clone(), request));
            tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), answer));
        }
    });
    address
}

/// On one thread, for what it does is recorded there: only recorded calls name their traces.
#[tokio::test]
async fn pages_of_configured_origins_use_every_protocol_and_others_none() {
    let Some(packages) = packages() else { return };
    let (_recorder, _guard) = crm_telemetry::testing::record();
    let (ours, other) = (serve_page(&packages).await, serve_page(&packages).await);
    let joined = Joined::start_with(|config| config.origins = format!("http://{ours}").parse().unwrap()).await;
    let browser = Browser::start().await;
    let asked = format!("page.html?gateway={}&token={}", joined.url(), joined.token());
    for (origin, expected) in [(ours, "finished"), (other, "failed: Failed to fetch")] {
        browser.open(&format!("http://{origin}/{asked}")).await;
        browser.wait_for_script("return document.body.textContent.trim() !== 'under way'").await;
        assert_eq!(browser.text().await.trim(), expected, "{origin}");
    }
    browser.close().await;
}

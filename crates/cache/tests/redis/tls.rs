//! Redis over TLS (`rediss`), with an authority that the system does not know.

use std::time::Duration;

use crm_cache::Redis;
use crm_sandbox::TemporaryFolder;
use crm_sandbox::ports::reserve;
use crm_sandbox::testing::Certificates;
use crm_telemetry::testing::record;
use tokio::process::Command;

use crate::outage::{OwnRedis, command};
use crate::support::{SERVICE, Store, replica, until, until_stored};

/// Set in the child process, which trusts the authority: the URLs over TLS and over the socket.
const CHILD: &str = "CRM_CACHE_TEST_TLS";

/// The server's URL over TLS.
async fn listen(server: &OwnRedis, files: &Certificates) -> String {
    let path = |path: &std::path::Path| path.to_str().unwrap().to_owned();
    let (authority, certificate, key) = (path(&files.authority), path(&files.server), path(&files.server_key));
    let address = reserve().unwrap();
    let port = address.address().port().to_string();
    let files = ["CONFIG", "SET", "tls-cert-file", &certificate, "tls-key-file", &key, "tls-ca-cert-file", &authority];
    command(server, &files).await;
    command(server, &["CONFIG", "SET", "tls-auth-clients", "no"]).await;
    command(server, &["CONFIG", "SET", "tls-port", &port]).await;
    format!("rediss://localhost:{port}")
}

#[tokio::test]
async fn redis_over_tls_is_used_by_whom_its_authority_convinces_and_told_by_others() {
    let folder = TemporaryFolder::new("crm-cache-tls").unwrap();
    let files = Certificates::write(folder.path()).unwrap();
    let server = OwnRedis::start();
    let url = listen(&server, &files).await;

    let (recorder, _guard) = record();
    let _stranger = Redis::connect_with(SERVICE, &url, Duration::from_secs(2)).unwrap();
    let causes = || recorder.log().iter().map(|line| line["cause"].as_str().unwrap_or_default().to_owned()).collect();
    until("told", async || !recorder.log().is_empty()).await;
    let causes: Vec<String> = causes();
    assert!(causes.iter().all(|cause| cause.contains("invalid peer certificate")), "{causes:?}");

    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "tls::child", "--nocapture", "--test-threads=1"])
        .env(CHILD, format!("{url} {}", server.url()))
        .env("SSL_CERT_FILE", &files.authority)
        .kill_on_drop(true)
        .output();
    let output = child.await.unwrap();
    assert!(output.status.success(), "{output:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn child() {
    let Ok(urls) = std::env::var(CHILD) else { return };
    let (url, plain_url) = urls.split_once(' ').unwrap();
    let (writer, reader, store) = (replica(url).await, replica(url).await, Store::default());
    store.write("a", 1);
    assert_eq!(store.version(&writer, "a").await, 1);
    until_stored(plain_url, "a", b'v').await;
    assert_eq!((store.version(&reader, "a").await, store.loads()), (1, 1));
    store.write("a", 2);
    writer.invalidate("a", 2).await;
    until("heard", async || store.version(&reader, "a").await == 2).await;
}

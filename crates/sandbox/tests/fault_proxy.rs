//! The fault proxy in front of an echo.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use crm_sandbox::fault_proxy::{FaultProxy, Impairment, Target};
use std::{
    io,
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    time::timeout,
};

const SHORT: Duration = Duration::from_millis(60);
const LONG: Duration = Duration::from_secs(5);

async fn proxy() -> FaultProxy {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let (mut read, mut write) = stream.split();
                tokio::io::copy(&mut read, &mut write).await
            });
        }
    });
    FaultProxy::start(Target::Tcp(address)).await.unwrap()
}

async fn echo(stream: &mut TcpStream) -> io::Result<()> {
    stream.write_all(b"hello").await?;
    let mut answer = [0; 5];
    stream.read_exact(&mut answer).await?;
    assert_eq!(&answer, b"hello");
    Ok(())
}

async fn connect(proxy: &FaultProxy) -> TcpStream {
    TcpStream::connect(proxy.address()).await.unwrap()
}

#[tokio::test]
async fn healthy_proxy_passes_everything_on_and_counts_connections() {
    let proxy = proxy().await;
    let mut stream = connect(&proxy).await;
    echo(&mut stream).await.unwrap();
    assert_eq!(proxy.connections(), 1);
    drop(stream);
    let closed = async {
        while proxy.connections() > 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    timeout(LONG, closed).await.unwrap();
}

#[tokio::test]
async fn delay_holds_each_direction() {
    let proxy = proxy().await;
    let mut stream = connect(&proxy).await;
    proxy.set(Impairment::Delay(SHORT));
    let started = Instant::now();
    echo(&mut stream).await.unwrap();
    assert!(started.elapsed() >= 2 * SHORT);
}

#[tokio::test]
async fn hang_freezes_connections_old_and_new_and_they_thaw() {
    let proxy = proxy().await;
    let mut old = connect(&proxy).await;
    echo(&mut old).await.unwrap();
    proxy.set(Impairment::Hang);
    let mut new = connect(&proxy).await;
    for stream in [&mut old, &mut new] {
        stream.write_all(b"hello").await.unwrap();
        timeout(SHORT, stream.read_u8()).await.expect_err("frozen");
    }
    proxy.heal();
    for stream in [&mut old, &mut new] {
        let mut answer = [0; 5];
        timeout(LONG, stream.read_exact(&mut answer)).await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn cut_ends_what_is_connected_and_welcomes_new_ones() {
    let proxy = proxy().await;
    let mut stream = connect(&proxy).await;
    echo(&mut stream).await.unwrap();
    proxy.cut();
    assert!(timeout(LONG, stream.read_u8()).await.unwrap().is_err());
    echo(&mut connect(&proxy).await).await.unwrap();
}

#[tokio::test]
async fn refuse_turns_connections_away_until_healed_on_the_same_port() {
    let proxy = proxy().await;
    let mut stream = connect(&proxy).await;
    echo(&mut stream).await.unwrap();
    proxy.set(Impairment::Refuse);
    assert!(timeout(LONG, stream.read_u8()).await.unwrap().is_err());
    until(|address| async move { TcpStream::connect(address).await.is_err() }, &proxy).await;
    proxy.heal();
    until(|address| async move { TcpStream::connect(address).await.is_ok() }, &proxy).await;
    echo(&mut connect(&proxy).await).await.unwrap();
}

async fn until<F: Future<Output = bool>>(condition: impl Fn(std::net::SocketAddr) -> F, proxy: &FaultProxy) {
    let polling = async {
        while !condition(proxy.address()).await {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    timeout(LONG, polling).await.unwrap();
}

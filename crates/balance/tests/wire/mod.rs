//! A peer that speaks HTTP/2 by hand: it counts what it is sent, and does only what it is told to.

#![allow(dead_code, unreachable_pub)]

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const ACK: u8 = 1;
const END_STREAM_AND_HEADERS: u8 = 5;
/// `:status: 200`, by its place in HPACK's static table.
const STATUS_200: [u8; 1] = [0x88];

/// What it does beside reading.
#[derive(Clone, Copy, Default)]
pub struct Ways {
    /// Pings that it answers; the first is the client's greeting.
    pub pongs: u32,
    /// It answers a stream whose reset has come, as if both had crossed on their way.
    pub late: bool,
}

/// A request body that it answers, whatever else it does.
pub const PLEASE: &[u8] = b"please";

pub struct Wire {
    pub address: SocketAddr,
    counts: Arc<Counts>,
}

#[derive(Default)]
struct Counts {
    connections: AtomicU64,
    opened: AtomicU64,
    resets: AtomicU64,
}

impl Wire {
    pub async fn listen(ways: Ways) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, counts) = (listener.local_addr().unwrap(), Arc::<Counts>::default());
        let told = Arc::clone(&counts);
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                told.connections.fetch_add(1, Ordering::Relaxed);
                tokio::spawn(speak(socket, ways, Arc::clone(&told)));
            }
        });
        Self { address, counts }
    }

    pub fn connections(&self) -> u64 {
        self.counts.connections.load(Ordering::Relaxed)
    }

    pub fn opened(&self) -> u64 {
        self.counts.opened.load(Ordering::Relaxed)
    }

    pub fn resets(&self) -> u64 {
        self.counts.resets.load(Ordering::Relaxed)
    }
}

async fn speak(mut socket: TcpStream, mut ways: Ways, counts: Arc<Counts>) -> Option<()> {
    let mut preface = [0; 24];
    socket.read_exact(&mut preface).await.ok()?;
    write(&mut socket, SETTINGS, 0, 0, &[]).await?;
    loop {
        let mut head = [0; 9];
        socket.read_exact(&mut head).await.ok()?;
        let mut payload = vec![0; u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize];
        socket.read_exact(&mut payload).await.ok()?;
        let (kind, flags) = (head[3], head[4]);
        let stream = u32::from_be_bytes([head[5], head[6], head[7], head[8]]);
        match kind {
            SETTINGS if flags & ACK == 0 => write(&mut socket, SETTINGS, ACK, 0, &[]).await?,
            PING if flags & ACK == 0 && ways.pongs > 0 => {
                ways.pongs -= 1;
                write(&mut socket, PING, ACK, 0, &payload).await?;
            }
            HEADERS => drop(counts.opened.fetch_add(1, Ordering::Relaxed)),
            RST_STREAM => {
                counts.resets.fetch_add(1, Ordering::Relaxed);
                if ways.late {
                    write(&mut socket, HEADERS, END_STREAM_AND_HEADERS, stream, &STATUS_200).await?;
                }
            }
            DATA if payload == PLEASE => {
                write(&mut socket, HEADERS, END_STREAM_AND_HEADERS, stream, &STATUS_200).await?;
            }
            _ => {}
        }
    }
}

async fn write(socket: &mut TcpStream, kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Option<()> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let mut frame = vec![length[1], length[2], length[3], kind, flags];
    frame.extend(stream.to_be_bytes());
    frame.extend(payload);
    socket.write_all(&frame).await.ok()
}

//! A TCP proxy whose connections can be slowed, frozen, cut and refused: what networks and overloaded peers do.

use std::{
    io,
    net::SocketAddr,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpListener, TcpStream, UnixStream},
    sync::watch,
    task::{JoinHandle, JoinSet},
};

use crate::ports::{self, Reserved};

/// What is behind the proxy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// A TCP server.
    Tcp(SocketAddr),
    /// A server on a unix socket, such as a private PostgreSQL or Redis.
    Unix(PathBuf),
}

/// What the proxy does with connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Impairment {
    /// Passes everything on at once.
    None,
    /// Holds each chunk for this long, in both directions.
    Delay(Duration),
    /// Accepts and passes nothing on, as a frozen peer does; what is waiting flows again afterwards.
    Hang,
    /// Cuts what is connected and refuses new connections, as a machine without that server does.
    Refuse,
}

/// A running proxy on a free loopback port; gone on drop, together with its connections.
#[derive(Debug)]
pub struct FaultProxy {
    reserved: Reserved,
    control: watch::Sender<Control>,
    open: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

#[derive(Debug, Clone, Copy)]
struct Control {
    fault: Impairment,
    /// Connections of an earlier generation have been cut.
    generation: u64,
}

impl FaultProxy {
    /// Starts a proxy without a fault.
    ///
    /// # Errors
    /// The operating system's, when it has no port left.
    pub async fn start(target: Target) -> io::Result<Self> {
        let reserved = ports::reserve()?;
        let (control, watched) = watch::channel(Control { fault: Impairment::None, generation: 0 });
        let open = Arc::new(AtomicUsize::new(0));
        let listener = TcpListener::bind(reserved.address()).await?;
        let proxy = Proxy { target, address: reserved.address(), control: watched, open: Arc::clone(&open) };
        let task = tokio::spawn(proxy.run(listener));
        Ok(Self { reserved, control, open, task })
    }

    /// Where to connect to instead of the target; the same for the proxy's whole life.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.reserved.address()
    }

    /// Sets the fault from now on, for connections old and new.
    pub fn set(&self, fault: Impairment) {
        self.control.send_modify(|control| {
            control.fault = fault;
            control.generation += u64::from(fault == Impairment::Refuse);
        });
    }

    /// Ends every fault.
    pub fn heal(&self) {
        self.set(Impairment::None);
    }

    /// Cuts the connections of this moment; new ones are welcome.
    pub fn cut(&self) {
        self.control.send_modify(|control| control.generation += 1);
    }

    /// How many connections are open.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.open.load(Ordering::SeqCst)
    }
}

impl Drop for FaultProxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Counted while it exists, so that a cut connection is counted out as well.
struct Open(Arc<AtomicUsize>);

impl Open {
    fn new(counter: &Arc<AtomicUsize>) -> Self {
        counter.fetch_add(1, Ordering::SeqCst);
        Self(Arc::clone(counter))
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

struct Proxy {
    target: Target,
    address: SocketAddr,
    control: watch::Receiver<Control>,
    open: Arc<AtomicUsize>,
}

impl Proxy {
    async fn run(mut self, listener: TcpListener) {
        let mut connections = JoinSet::new();
        let mut listener = Some(listener);
        loop {
            let refusing = self.control.borrow_and_update().fault == Impairment::Refuse;
            listener = if refusing { None } else { self.listen_again(listener).await };
            tokio::select! {
                changed = self.control.changed() => if changed.is_err() { return },
                Some(Ok((client, _))) = accept(listener.as_ref()) => {
                    connections.spawn(connect(client, self.target.clone(), self.control.clone(), Open::new(&self.open)));
                }
                Some(_) = connections.join_next() => {}
            }
        }
    }

    /// The port is reserved, so that binding it again succeeds but for a shortage of file handles.
    async fn listen_again(&self, listener: Option<TcpListener>) -> Option<TcpListener> {
        match listener {
            Some(listener) => Some(listener),
            None => TcpListener::bind(self.address).await.ok(),
        }
    }
}

async fn accept(listener: Option<&TcpListener>) -> Option<io::Result<(TcpStream, SocketAddr)>> {
    Some(listener?.accept().await)
}

async fn connect(client: TcpStream, target: Target, control: watch::Receiver<Control>, _open: Open) {
    let generation = control.borrow().generation;
    let mut until_cut = control.clone();
    let passing = async {
        let _ = client.set_nodelay(true);
        match target {
            Target::Tcp(address) => {
                let server = TcpStream::connect(address).await?;
                server.set_nodelay(true)?;
                pass_both_ways(client, server, control).await
            }
            Target::Unix(path) => pass_both_ways(client, UnixStream::connect(path).await?, control).await,
        }
    };
    // The peers see a closed connection whichever side ended it, and why.
    tokio::select! {
        _ = passing => {}
        _ = until_cut.wait_for(|now| now.generation != generation) => {}
    }
}

async fn pass_both_ways<C, S>(client: C, server: S, control: watch::Receiver<Control>) -> io::Result<()>
where
    C: AsyncRead + AsyncWrite,
    S: AsyncRead + AsyncWrite,
{
    let (from_client, to_client) = tokio::io::split(client);
    let (from_server, to_server) = tokio::io::split(server);
    let up = pass(from_client, to_server, control.clone());
    let down = pass(from_server, to_client, control);
    tokio::try_join!(up, down).map(drop)
}

/// Copies until the reader ends, then tells the writer so: half-closed connections stay half-closed.
async fn pass(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    mut control: watch::Receiver<Control>,
) -> io::Result<()> {
    const CHUNK_BYTES: usize = 16 * 1024;
    let mut chunk = vec![0; CHUNK_BYTES];
    loop {
        let read = from.read(&mut chunk).await?;
        let flowing = control.wait_for(|now| now.fault != Impairment::Hang).await.map(|now| now.fault);
        if let Ok(Impairment::Delay(delay)) = flowing {
            tokio::time::sleep(delay).await;
        }
        if read == 0 {
            return to.shutdown().await;
        }
        to.write_all(&chunk[..read]).await?;
    }
}

//! The way to the supervisor: a socket in the platform's folder that only its owner can use. One line there, one back.

use std::convert::Infallible;
use std::fs::{self, File, Permissions};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::time::timeout;

use super::{Desk, Reply, Request};
use crate::failure::Failure;
use crate::places::Places;
use crate::up::notice::say;

/// In the platform's folder.
pub(in crate::up) const FILE: &str = "orders.sock";
/// Longest request or answer.
const MAX_BYTES: u64 = 4096;
/// For one exchange. An order is only taken, not waited for.
const PATIENCE: Duration = Duration::from_secs(10);

/// Takes orders until it is dropped.
pub(in crate::up) async fn serve(places: &Places, desk: Desk) -> Infallible {
    match listen(places.root()) {
        Ok(listener) => accept(listener, desk).await,
        // The platform is of use without it.
        Err(error) => say(format!("takes no orders: {} cannot be made: {error}", places.root().join(FILE).display())),
    }
    std::future::pending().await
}

fn listen(root: &Path) -> io::Result<UnixListener> {
    const OWNER_ONLY: u32 = 0o600;
    let way = Way::to(root)?;
    // What a killed supervisor left; the folder is ours alone, by its lock.
    let _ = fs::remove_file(way.path());
    let listener = UnixListener::bind(way.path())?;
    fs::set_permissions(way.path(), Permissions::from_mode(OWNER_ONLY))?;
    Ok(listener)
}

async fn accept(listener: UnixListener, desk: Desk) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) if is_ours(&stream) => {
                let desk = desk.clone();
                tokio::spawn(async move { timeout(PATIENCE, answer(stream, desk)).await });
            }
            Ok(_) => {}
            Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
        }
    }
}

/// The file's mode says the same; this holds from the first moment on, and in any folder.
fn is_ours(stream: &UnixStream) -> bool {
    let ours = nix::unistd::geteuid().as_raw();
    stream.peer_cred().is_ok_and(|peer| peer.uid() == ours || peer.uid() == 0)
}

async fn answer(mut stream: UnixStream, desk: Desk) -> io::Result<()> {
    let request = read_line(&mut stream).await?;
    let reply: Reply = match serde_json::from_str(&request) {
        Ok(request) => desk.pass_on(request).await,
        Err(error) => Err(format!("not an order: {error}")),
    };
    write_line(&mut stream, &reply).await
}

/// Gives the supervisor of the folder one order; answers what it did.
pub(crate) async fn ask(places: &Places, request: &Request) -> Result<String, Failure> {
    let exchange = async {
        let way = Way::to(places.root())?;
        let mut stream = UnixStream::connect(way.path()).await?;
        write_line(&mut stream, request).await?;
        read_line(&mut stream).await
    };
    let answered = timeout(PATIENCE, exchange).await.context("the supervisor does not answer")?;
    let line = answered.context("the supervisor cannot be asked")?;
    let reply: Reply = serde_json::from_str(&line).context("the supervisor's answer cannot be read")?;
    reply.map_err(Failure::Check)
}

async fn read_line(stream: &mut UnixStream) -> io::Result<String> {
    let mut line = String::new();
    BufReader::new(stream.take(MAX_BYTES)).read_line(&mut line).await?;
    Ok(line)
}

async fn write_line(stream: &mut UnixStream, value: &impl serde::Serialize) -> io::Result<()> {
    let mut line = serde_json::to_vec(value)?;
    line.push(b'\n');
    stream.write_all(&line).await
}

/// The socket through an open folder: a socket's name may have 107 bytes, a folder's may be longer.
struct Way {
    folder: File,
}

impl Way {
    fn to(root: &Path) -> io::Result<Self> {
        Ok(Self { folder: File::open(root)? })
    }

    fn path(&self) -> PathBuf {
        PathBuf::from(format!("/proc/self/fd/{}", self.folder.as_raw_fd())).join(FILE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::up::orders::{Hold, Order};

    #[tokio::test]
    async fn orders_reach_the_supervisor_of_a_folder_with_a_long_name() {
        let folder = crm_sandbox::TemporaryFolder::new("crm-test-socket").unwrap();
        let long = folder.path().join("x".repeat(150));
        fs::create_dir(&long).unwrap();
        let places = Places::new(Some(long.clone()));
        let request = Request { process: "customers/0".to_owned(), order: Order::Kill(Hold::NONE) };
        assert!(ask(&places, &request).await.is_err());

        let desk = Desk::default();
        let mut errands = desk.open("customers/0");
        let serving = places.clone();
        let served = tokio::spawn(async move { serve(&serving, desk).await });
        let obeying = tokio::spawn(async move {
            let errand = errands.recv().await.unwrap();
            errand.reply.send(Ok(format!("{:?}", errand.order))).unwrap();
        });
        while !long.join(FILE).exists() {
            tokio::task::yield_now().await;
        }
        assert_eq!(ask(&places, &request).await.unwrap(), format!("{:?}", request.order));
        obeying.await.unwrap();
        assert_eq!(fs::metadata(long.join(FILE)).unwrap().permissions().mode() & 0o777, 0o600);
        let unknown = Request { process: "nobody/0".to_owned(), ..request };
        assert!(matches!(ask(&places, &unknown).await, Err(Failure::Check(_))));
        served.abort();
    }
}

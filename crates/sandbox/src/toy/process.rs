//! The toy upstream as a child process, which can be killed and paused, and is told what to do over its own port.

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, env, io, net::SocketAddr, process::Command, time::Duration};
use tokio::{
    net::{TcpListener, TcpStream},
    time::{Instant, sleep},
};

use super::{
    FailureMode, Toy, ToySettings,
    orders::{GET_COUNTS, SET_FAULT},
};
use crate::{
    Error,
    child::{Child, Program},
    ports::{self, Reserved},
};

/// Holds how the child starts, as JSON.
const VARIABLE: &str = "CRM_SANDBOX_TOY";

#[derive(Debug, Serialize, Deserialize)]
struct Startup {
    address: SocketAddr,
    settings: ToySettings,
}

/// Serves as the toy that the environment describes, until killed. To be called by the command that is given to
/// [`ToyProcess::start`]: a hidden role of a binary, or an ignored test of a test program.
///
/// # Errors
/// `NotFound` when the environment describes none: this process is not such a child.
pub async fn serve_from_environment() -> io::Result<()> {
    let text =
        env::var(VARIABLE).map_err(|_| io::Error::new(io::ErrorKind::NotFound, format!("{VARIABLE} is not set")))?;
    let startup: Startup = serde_json::from_str(&text)?;
    let listener = TcpListener::bind(startup.address).await?;
    Toy::serve(startup.settings, listener)?.until_ended().await;
    Ok(())
}

/// A toy upstream in a process of its own; killed on drop.
#[derive(Debug)]
pub struct ToyProcess {
    reserved: Reserved,
    make_command: fn() -> Command,
    settings: ToySettings,
    child: Child,
}

impl ToyProcess {
    /// Starts one on a free port, by a command that ends up in [`serve_from_environment`]. Ready when it returns.
    ///
    /// # Errors
    /// When the command cannot be run, ends early, or does not listen in time.
    pub async fn start(make_command: fn() -> Command, settings: ToySettings) -> Result<Self, Error> {
        let reserved = ports::reserve().map_err(Error::io("cannot reserve a port"))?;
        let child = launch(make_command, &settings, reserved.address()).await?;
        Ok(Self { reserved, make_command, settings, child })
    }

    /// Where it listens, across restarts.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.reserved.address()
    }

    /// The process: to kill, pause (`SIGSTOP`) and resume (`SIGCONT`).
    #[must_use]
    pub fn process(&self) -> &Child {
        &self.child
    }

    /// Kills it if it still runs, and starts it anew on the same port, without a fault and with counts of zero.
    ///
    /// # Errors
    /// As [`ToyProcess::start`].
    pub async fn restart(&mut self) -> Result<(), Error> {
        self.child.kill();
        self.child = launch(self.make_command, &self.settings, self.address()).await?;
        Ok(())
    }

    /// A way to tell and to ask it that can be passed on while the process is killed and restarted.
    #[must_use]
    pub fn remote(&self) -> ToyRemote {
        ToyRemote { address: self.address() }
    }

    /// As [`Toy::set_fault`]; reaches a hanging toy, but not a paused one. Answers [`Toy::counts`] of that moment: what
    /// arrived before it met no fault.
    ///
    /// # Errors
    /// When the process does not answer.
    pub async fn set_fault(&self, fault: FailureMode) -> io::Result<BTreeMap<String, u64>> {
        self.remote().set_fault(fault).await
    }

    /// As [`Toy::counts`].
    ///
    /// # Errors
    /// When the process does not answer.
    pub async fn counts(&self) -> io::Result<BTreeMap<String, u64>> {
        self.remote().counts().await
    }
}

/// Talks to a [`ToyProcess`] over its port, whoever holds it.
#[derive(Debug, Clone, Copy)]
pub struct ToyRemote {
    address: SocketAddr,
}

impl ToyRemote {
    /// As [`ToyProcess::set_fault`].
    ///
    /// # Errors
    /// When the process does not answer.
    pub async fn set_fault(&self, fault: FailureMode) -> io::Result<BTreeMap<String, u64>> {
        Ok(serde_json::from_slice(&self.ask(SET_FAULT, serde_json::to_vec(&fault)?).await?)?)
    }

    /// As [`ToyProcess::counts`].
    ///
    /// # Errors
    /// When the process does not answer.
    pub async fn counts(&self) -> io::Result<BTreeMap<String, u64>> {
        Ok(serde_json::from_slice(&self.ask(GET_COUNTS, Vec::new()).await?)?)
    }

    async fn ask(&self, path: &str, body: Vec<u8>) -> io::Result<Bytes> {
        const PATIENCE: Duration = Duration::from_secs(5);
        let asked = tokio::time::timeout(PATIENCE, ask(self.address, path, body)).await;
        asked.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))?
    }
}

async fn launch(make_command: fn() -> Command, settings: &ToySettings, address: SocketAddr) -> Result<Child, Error> {
    const PATIENCE: Duration = Duration::from_secs(20);
    const LOOK_EVERY: Duration = Duration::from_millis(5);
    let startup = Startup { address, settings: settings.clone() };
    let startup =
        serde_json::to_string(&startup).map_err(|error| Error::io("cannot encode how a toy starts")(error.into()))?;
    let mut command = make_command();
    command.env(VARIABLE, startup);
    let child = Program::new(format!("toy on {address}"), command).spawn()?;
    let deadline = Instant::now() + PATIENCE;
    while TcpStream::connect(address).await.is_err() {
        if child.exit_status().is_some() || Instant::now() > deadline {
            return Err(Error::io("a toy upstream did not listen")(io::ErrorKind::TimedOut.into()));
        }
        sleep(LOOK_EVERY).await;
    }
    Ok(child)
}

async fn ask(address: SocketAddr, path: &str, body: Vec<u8>) -> io::Result<Bytes> {
    let stream = TcpStream::connect(address).await?;
    let handshake = http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await;
    let (mut sender, connection) = handshake.map_err(io::Error::other)?;
    let driver = tokio::spawn(connection);
    let request = Request::post(format!("http://{address}{path}")).body(Full::new(Bytes::from(body)));
    let answered = async {
        let response = sender.send_request(request.map_err(io::Error::other)?).await.map_err(io::Error::other)?;
        response.into_body().collect().await.map_err(io::Error::other)
    };
    let answer = answered.await;
    driver.abort();
    Ok(answer?.to_bytes())
}

//! Free ports on the loopback interface.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr, TcpListener},
};

/// A port that nobody listens on at this moment.
///
/// Hand a bound listener on wherever that is possible; for a child process there is [`reserve`].
///
/// # Errors
/// The operating system's, when it has no port left.
pub fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

/// A loopback port that stays this process's until the value is dropped.
#[derive(Debug)]
pub struct Reserved {
    listener: TcpListener,
    address: SocketAddr,
}

impl Reserved {
    /// The address that is held.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The listener itself, for a server in this process: no moment in which the port is free.
    #[must_use]
    pub fn into_listener(self) -> TcpListener {
        self.listener
    }
}

/// Reserves `wanted` free loopback ports at once, all different. Released one by one as late as possible, they leave
/// the shortest gap in which another process could take one.
///
/// # Errors
/// The operating system's, when it has no port left.
pub fn reserve(wanted: usize) -> io::Result<Vec<Reserved>> {
    (0..wanted).map(|_| reserve_port(0)).collect()
}

/// Reserves this very port.
///
/// # Errors
/// `AddrInUse` when somebody has it.
pub fn reserve_port(port: u16) -> io::Result<Reserved> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
    let address = listener.local_addr()?;
    Ok(Reserved { listener, address })
}

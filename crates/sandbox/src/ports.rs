//! Free ports on the loopback interface, and how to keep them.
//!
//! A reserved port is a socket that is bound but does not listen. Linux gives such a port to nobody who asks for any
//! free one, yet lets a server with `SO_REUSEADDR` (every listener of std and tokio) bind this very port and listen. So
//! a parent holds the port for as long as it lives, and its child can come and go on it.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
};
use tokio::net::{TcpListener, TcpSocket};

/// How many connections may wait to be accepted.
const BACKLOG: u32 = 1024;

/// A loopback port that stays reserved until the value is dropped.
#[derive(Debug)]
pub struct Reserved {
    socket: TcpSocket,
    address: SocketAddr,
}

impl Reserved {
    /// The address that is held; `127.0.0.1` and the port.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Makes the reservation itself listen, for a server in this process.
    ///
    /// # Errors
    /// The operating system's; no runtime running.
    pub fn listen(self) -> io::Result<TcpListener> {
        self.socket.listen(BACKLOG)
    }
}

/// Reserves a free loopback port.
///
/// # Errors
/// The operating system's, when it has none left.
pub fn reserve() -> io::Result<Reserved> {
    reserve_port(0)
}

/// Reserves this very loopback port.
///
/// # Errors
/// `AddrInUse` when somebody listens on it.
pub fn reserve_port(port: u16) -> io::Result<Reserved> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.bind((Ipv4Addr::LOCALHOST, port).into())?;
    let address = socket.local_addr()?;
    Ok(Reserved { socket, address })
}

/// A port that nobody uses at this moment; prefer [`reserve`], which keeps it.
///
/// # Errors
/// The operating system's, when it has none left.
pub fn free_port() -> io::Result<u16> {
    Ok(reserve()?.address().port())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{collections::HashSet, net};

    #[test]
    fn reserved_port_is_given_to_nobody_else_but_can_be_listened_on() {
        let reserved = reserve().unwrap();
        let first = net::TcpListener::bind(reserved.address()).unwrap();
        assert!(net::TcpListener::bind(reserved.address()).is_err());
        drop(first);
        net::TcpListener::bind(reserved.address()).expect("a restarted server gets its port back");
    }

    #[test]
    fn many_reservations_are_all_different() {
        let reserved: Vec<Reserved> = (0..200).map(|_| reserve().unwrap()).collect();
        let ports: HashSet<u16> = reserved.iter().map(|one| one.address().port()).collect();
        assert_eq!(ports.len(), reserved.len());
    }

    #[test]
    fn port_that_somebody_listens_on_is_refused() {
        let taken = net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let error = reserve_port(taken.local_addr().unwrap().port()).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AddrInUse);
    }
}

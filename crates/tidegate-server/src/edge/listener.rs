//! Listeners: accepting, TLS, and handing connections over.

use super::connections::{Connections, Seat};
use super::{Names, Site, Timeouts, http, tls};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tidegate_types::key::Origin;
use tidegate_venues::Venue;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;

/// How long accepting pauses when the machine has no descriptor or memory for a connection.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// How many connections wait to be accepted; the system may allow fewer. A caller that finds no room comes back
/// after a second, by itself, so that a crowd of others would delay everybody who comes anew.
const BACKLOG: u32 = 4096;

/// Which venues a listener serves, and where.
#[derive(Clone)]
pub enum Mount {
    /// Every one under `/NAME/`, and administration under `/admin/v1`.
    Prefixes(Vec<&'static dyn Venue>),
    /// One, at the root.
    Root(&'static dyn Venue),
}

/// What every connection of a listener needs.
pub struct Door<S> {
    /// What stands behind it.
    pub site: Arc<S>,
    /// Which venues it serves.
    pub mount: Mount,
    /// What requests may be for.
    pub names: Names,
    /// TLS, unless plain HTTP was asked for.
    pub tls: Option<TlsAcceptor>,
    /// How long callers may take.
    pub timeouts: Timeouts,
    /// Requests a second and at once, for each connection.
    pub rate: (u32, u32),
    /// How many connections there may be, over all listeners.
    pub connections: Arc<Connections>,
}

/// A listener at work; it stops accepting when dropped or aborted.
#[derive(Debug)]
pub struct Listening {
    /// Where.
    pub address: SocketAddr,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Listens at `address` until `stop` turns true or the result is dropped. Connections then end
/// after the request they are at.
pub async fn listen<S: Site>(
    address: SocketAddr,
    door: Door<S>,
    stop: watch::Receiver<bool>,
) -> io::Result<Listening> {
    let listener = bind(address)?;
    let address = listener.local_addr()?;
    let task = tokio::spawn(accept(listener, Arc::new(door), stop));
    Ok(Listening { address, task })
}

fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    // A gateway that starts again listens where connections of the one before are still remembered.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

async fn accept<S: Site>(listener: TcpListener, door: Arc<Door<S>>, stop: watch::Receiver<bool>) {
    let mut stopped = stop.clone();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stopped.wait_for(|stop| *stop) => return,
        };
        match accepted {
            Ok((stream, peer)) => {
                // Over the limit the connection is dropped at once: an answer would cost a
                // handshake, which is what somebody who opens too many is after.
                if let Some(seat) = door.connections.enter(peer.ip()) {
                    let (door, stop) = (Arc::clone(&door), stop.clone());
                    tokio::spawn(connection(stream, peer.ip(), seat, door, stop));
                }
            }
            // Out of descriptors or memory: others will free some. A connection that broke while
            // it waited is nobody's trouble, and the pause does not matter there.
            Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
        }
    }
}

async fn connection<S: Site>(
    stream: TcpStream,
    peer: IpAddr,
    seat: Seat,
    door: Arc<Door<S>>,
    stop: watch::Receiver<bool>,
) {
    if stream.set_nodelay(true).is_err() {
        return;
    }
    match door.tls.clone() {
        None => {
            http::serve(stream, Origin::from(peer), seat, door, stop).await;
        }
        Some(tls) => {
            match tokio::time::timeout(door.timeouts.handshake, tls.accept(stream)).await {
                Ok(Ok(stream)) => {
                    let origin = Origin { peer, certificate: tls::shown(stream.get_ref().1) };
                    http::serve(stream, origin, seat, door, stop).await;
                }
                Ok(Err(error)) => door.connections.note_handshake(peer, &error.to_string()),
                Err(_) => door.connections.note_handshake(peer, "it took too long"),
            }
        }
    }
}

//! The connection to the collector: TLS 1.3, blocking, on the worker's thread alone.

use super::worker::Pace;
use crate::config::Log;
use crate::upstream::{Roots, client_config};
use nix::sys::socket::{setsockopt, sockopt::TcpUserTimeout};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, StreamOwned};
use std::io::{self, ErrorKind, Write as _};
use std::net::{TcpStream, ToSocketAddrs as _};
use std::sync::Arc;

/// The port of syslog over TLS.
const PORT: u16 = 6514;

/// Who takes the events.
pub(super) struct Target {
    host: String,
    port: u16,
    name: ServerName<'static>,
    tls: Arc<ClientConfig>,
}

/// Whether a text is `tls://HOST` or `tls://HOST:PORT`.
pub fn is_address(text: &str) -> bool {
    split(text).is_some()
}

/// Host, port, and the name that the certificate must have.
fn split(text: &str) -> Option<(String, u16, ServerName<'static>)> {
    let authority: http::uri::Authority = text.strip_prefix("tls://")?.parse().ok()?;
    let host = authority.host().trim_matches(['[', ']']).to_owned();
    let port = match authority.port() {
        None => PORT,
        Some(port) => port.as_str().parse().ok()?,
    };
    let name = ServerName::try_from(host.clone()).ok()?;
    (!authority.as_str().contains('@')).then_some((host, port, name))
}

impl Target {
    pub(super) fn configured(settings: &Log) -> Result<Target, String> {
        let (host, port, name) =
            split(&settings.syslog).ok_or("log.syslog: an address is tls://HOST:PORT")?;
        let roots = settings.syslog_ca.clone().map_or(Roots::System, Roots::File);
        let tls = client_config(&roots).map_err(|e| format!("log.syslog_ca: {e}"))?;
        Ok(Target { host, port, name, tls: Arc::new(tls) })
    }

    /// Connects, and finds out that it is the collector.
    pub(super) fn connect(&self, pace: &Pace) -> io::Result<Wire> {
        let mut last = io::Error::new(ErrorKind::NotFound, "the name has no address");
        for address in (self.host.as_str(), self.port).to_socket_addrs()? {
            match TcpStream::connect_timeout(&address, pace.patience) {
                Ok(stream) => return self.greet(stream, pace),
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    fn greet(&self, mut tcp: TcpStream, pace: &Pace) -> io::Result<Wire> {
        tcp.set_nodelay(true)?;
        tcp.set_read_timeout(Some(pace.patience))?;
        tcp.set_write_timeout(Some(pace.patience))?;
        // A collector that is gone without a word is given up as soon as one that does not read.
        let ms = u32::try_from(pace.patience.as_millis()).unwrap_or(u32::MAX);
        setsockopt(&tcp, TcpUserTimeout, &ms)?;
        let connection = ClientConnection::new(Arc::clone(&self.tls), self.name.clone());
        let mut connection = connection.map_err(io::Error::other)?;
        while connection.is_handshaking() {
            connection.complete_io(&mut tcp)?;
        }
        Ok(Wire(StreamOwned::new(connection, tcp)))
    }
}

/// A connection that stands.
pub(super) struct Wire(StreamOwned<ClientConnection, TcpStream>);

impl Wire {
    /// Writes a frame, unless the collector has closed.
    pub(super) fn write(&mut self, frame: &[u8]) -> io::Result<()> {
        self.look()?;
        self.0.write_all(frame)?;
        self.0.flush()
    }

    /// Reads what has come, which is nothing but the end: collectors have nothing to say.
    pub(super) fn look(&mut self) -> io::Result<()> {
        self.0.sock.set_nonblocking(true)?;
        let seen = self.read();
        self.0.sock.set_nonblocking(false)?;
        seen
    }

    fn read(&mut self) -> io::Result<()> {
        let closed = || io::Error::new(ErrorKind::ConnectionAborted, "the collector closed");
        loop {
            match self.0.conn.read_tls(&mut self.0.sock) {
                Ok(0) => return Err(closed()),
                Ok(_) => {
                    let state = self.0.conn.process_new_packets().map_err(io::Error::other)?;
                    if state.peer_has_closed() {
                        return Err(closed());
                    }
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error),
            }
        }
    }

    /// Says that nothing more comes.
    pub(super) fn close(mut self) {
        self.0.conn.send_close_notify();
        // It may be gone.
        let _ = self.0.flush();
    }
}

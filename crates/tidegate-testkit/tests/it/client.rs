//! A caller of the Binance dialect, written from the venue's documentation: HTTP/1.1 over TLS,
//! HMAC-SHA256 over the query.

use aws_lc_rs::hmac;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use serde_json::Value;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// A key at an address.
#[derive(Clone)]
pub(crate) struct Access {
    pub(crate) address: String,
    pub(crate) key: String,
    secret: String,
    config: Arc<ClientConfig>,
}

/// A connection that is kept.
pub(crate) struct Line {
    access: Access,
    stream: BufReader<StreamOwned<ClientConnection, TcpStream>>,
}

/// TLS that trusts what a ready line names.
pub(crate) fn trusting(ready: &Value) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    let ca = CertificateDer::from_pem_file(ready["ca"].as_str().unwrap()).unwrap();
    roots.add(ca).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    Arc::new(config)
}

/// A connection of TLS to an address of this machine.
pub(crate) fn secured(
    address: &str,
    config: &Arc<ClientConfig>,
) -> io::Result<StreamOwned<ClientConnection, TcpStream>> {
    let socket = TcpStream::connect(address)?;
    socket.set_nodelay(true)?;
    socket.set_read_timeout(Some(Duration::from_secs(15)))?;
    let name = ServerName::try_from("localhost").unwrap();
    let tls = ClientConnection::new(Arc::clone(config), name).unwrap();
    Ok(StreamOwned::new(tls, socket))
}

impl Access {
    /// The access that a ready line gives to a venue.
    pub(crate) fn of(ready: &Value, venue: &str) -> Access {
        let text = |path: &str| ready.pointer(path).and_then(Value::as_str).unwrap().to_owned();
        Access {
            address: text(&format!("/venues/{venue}/rest")).replace("https://", ""),
            key: text(&format!("/venues/{venue}/key")),
            secret: text(&format!("/venues/{venue}/secret")),
            config: trusting(ready),
        }
    }

    pub(crate) fn secret(&self) -> &str {
        &self.secret
    }

    pub(crate) fn connect(&self) -> io::Result<Line> {
        let stream = BufReader::new(secured(&self.address, &self.config)?);
        Ok(Line { access: self.clone(), stream })
    }

    /// One signed request on a connection of its own.
    pub(crate) fn ask(&self, method: &str, path: &str, query: &str) -> (u16, Value) {
        self.connect().and_then(|mut line| line.ask(method, path, query)).unwrap()
    }
}

impl Line {
    /// Sends a signed request and reads the answer.
    pub(crate) fn ask(
        &mut self,
        method: &str,
        path: &str,
        query: &str,
    ) -> io::Result<(u16, Value)> {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_millis();
        let join = if query.is_empty() { "" } else { "&" };
        let text = format!("{query}{join}timestamp={now}&recvWindow=5000");
        let key = hmac::Key::new(hmac::HMAC_SHA256, self.access.secret.as_bytes());
        let tag = hmac::sign(&key, text.as_bytes());
        let tag: String = tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        write!(
            self.stream.get_mut(),
            "{method} {path}?{text}&signature={tag} HTTP/1.1\r\nhost: localhost\r\nx-mbx-apikey: {}\r\ncontent-length: 0\r\n\r\n",
            self.access.key
        )?;
        self.stream.get_mut().flush()?;
        let mut line = String::new();
        self.stream.read_line(&mut line)?;
        let status = line.split(' ').nth(1).and_then(|word| word.parse().ok());
        let status = status.ok_or(io::ErrorKind::UnexpectedEof)?;
        let mut length = 0;
        loop {
            let mut line = String::new();
            self.stream.read_line(&mut line)?;
            if line.trim().is_empty() {
                break;
            }
            if let Some((name, value)) = line.split_once(':')
                && name.eq_ignore_ascii_case("content-length")
            {
                length = value.trim().parse().unwrap_or(0);
            }
        }
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body)?;
        Ok((status, serde_json::from_slice(&body).unwrap_or_default()))
    }
}

//! A venue's address, and connecting to it.

use super::watched::Wire;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::net::{TcpSocket, TcpStream, lookup_host};
use tokio_rustls::TlsConnector;

/// Where the system keeps the authorities it trusts.
const SYSTEM_BUNDLES: &[&str] = &[
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

/// Whom to believe that a server is who it says.
#[derive(Clone, Debug)]
pub enum Roots {
    /// The authorities that the machine trusts.
    System,
    /// Those of a PEM file alone.
    File(PathBuf),
}

/// Why a base URL cannot be used. The text says what to mend.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UrlError(pub String);

/// Scheme, host, port and base path of a venue's interface.
pub(super) struct Origin {
    host: String,
    port: u16,
    /// What `Host` says.
    pub(super) authority: String,
    /// What comes before every target; without a slash at its end.
    pub(super) base: String,
    tls: Option<(TlsConnector, ServerName<'static>)>,
    /// The local address that connections leave from; none: the machine chooses.
    pub(super) leaves_from: Option<IpAddr>,
}

impl Origin {
    /// The origin that `url` names, whose schemes are `secure` and, on loopback alone, `plain`.
    pub(super) fn parse(
        url: &str,
        secure: &str,
        plain: &str,
        roots: &Roots,
    ) -> Result<Origin, UrlError> {
        let wrong = |why: &str| UrlError(format!("`{url}`: {why}"));
        let uri: http::Uri = url.parse().map_err(|_| wrong("not a URL"))?;
        let scheme = uri.scheme_str().unwrap_or_default();
        let authority = uri.authority().ok_or_else(|| wrong("no host"))?;
        let host = authority.host().trim_matches(['[', ']']).to_owned();
        if uri.query().is_some() || authority.as_str().contains('@') {
            return Err(wrong("a base URL has no query and no user"));
        }
        let (tls, default_port) = if scheme == secure {
            let name = ServerName::try_from(host.clone()).map_err(|_| wrong("bad host"))?;
            (Some((connector(roots)?, name)), 443)
        } else if scheme == plain && is_loopback(&host) {
            (None, 80)
        } else {
            return Err(wrong(&format!(
                "must begin with {secure}://, or with {plain}:// on a loopback address"
            )));
        };
        Ok(Origin {
            port: authority.port_u16().unwrap_or(default_port),
            authority: authority.as_str().to_owned(),
            base: uri.path().trim_end_matches('/').to_owned(),
            host,
            tls,
            leaves_from: None,
        })
    }

    /// Connects. Nothing of any request is written yet.
    pub(super) async fn connect(&self) -> Result<Box<dyn Wire>, String> {
        let failed =
            |error: std::io::Error| format!("cannot connect to {}: {error}", self.authority);
        let tcp = self.reach().await.map_err(failed)?;
        tcp.set_nodelay(true).map_err(failed)?;
        match &self.tls {
            None => Ok(Box::new(tcp)),
            Some((connector, name)) => {
                Ok(Box::new(connector.connect(name.clone(), tcp).await.map_err(failed)?))
            }
        }
    }

    async fn reach(&self) -> io::Result<TcpStream> {
        let place = (self.host.as_str(), self.port);
        let Some(local) = self.leaves_from else { return TcpStream::connect(place).await };
        let mut failed = io::Error::other(format!("it has no address that {local} reaches"));
        for remote in lookup_host(place).await?.filter(|at| at.is_ipv4() == local.is_ipv4()) {
            let socket = if local.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
            let from_there = |error: io::Error| {
                io::Error::new(error.kind(), format!("from {local} (egress): {error}"))
            };
            socket.bind(SocketAddr::new(local, 0)).map_err(from_there)?;
            match socket.connect(remote).await {
                Ok(stream) => return Ok(stream),
                Err(error) => failed = from_there(error),
            }
        }
        Err(failed)
    }
}

fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse().is_ok_and(|ip: std::net::IpAddr| ip.is_loopback())
}

/// TLS 1.3 to servers that these authorities vouch for.
pub(crate) fn client_config(roots: &Roots) -> Result<ClientConfig, UrlError> {
    let provider = Arc::new(crate::edge::tls::provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .map_err(|error| UrlError(error.to_string()))?;
    Ok(config.with_root_certificates(trusted(roots)?).with_no_client_auth())
}

fn connector(roots: &Roots) -> Result<TlsConnector, UrlError> {
    let mut config = client_config(roots)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsConnector::from(Arc::new(config)))
}

/// The authorities themselves.
///
/// # Errors
/// When there are none, or the file cannot be read.
pub fn trusted(roots: &Roots) -> Result<RootCertStore, UrlError> {
    let path = match roots {
        Roots::File(path) => path.as_path(),
        Roots::System => {
            SYSTEM_BUNDLES.iter().map(Path::new).find(|path| path.exists()).ok_or_else(|| {
                UrlError(
                    "this machine has no bundle of authorities; name a file of them".to_owned(),
                )
            })?
        }
    };
    let wrong = |why: &dyn std::fmt::Display| UrlError(format!("{}: {why}", path.display()));
    let certificates = CertificateDer::pem_file_iter(path).map_err(|error| wrong(&error))?;
    let mut store = RootCertStore::empty();
    // System bundles hold certificates that no strict parser takes; the others still count.
    for certificate in certificates {
        let _ = store.add(certificate.map_err(|error| wrong(&error))?);
    }
    if store.is_empty() { Err(wrong(&"holds no authority")) } else { Ok(store) }
}

impl std::fmt::Display for UrlError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for UrlError {}

//! One kept-alive connection to the gateway or a venue, opened anew when it breaks. Nothing is ever resent.

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::http::response::Parts;
use hyper::{Request, Uri};
use hyper_util::rt::TokioIo;
use rustls::client::WantsClientCert;
use rustls::pki_types::ServerName;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tidegate_server::upstream::{Roots, trusted};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

const TIMEOUT: Duration = Duration::from_secs(15);

/// A client of one address.
pub struct Client {
    host: String,
    port: u16,
    prefix: String,
    tls: Option<Arc<rustls::ClientConfig>>,
    open: Option<SendRequest<Full<Bytes>>>,
}

impl Client {
    /// A client of `url`, trusting the authorities of `ca`; without one, those that the machine trusts.
    pub fn new(url: &str, ca: Option<&Path>) -> io::Result<Client> {
        Client::over(url, || trust(ca).map(Arc::new))
    }

    /// A client of `url`, which speaks TLS as `tls` says if it speaks it at all.
    #[cfg(feature = "tools")]
    pub fn with(url: &str, tls: Arc<rustls::ClientConfig>) -> io::Result<Client> {
        Client::over(url, || Ok(tls))
    }

    fn over(
        url: &str,
        tls: impl FnOnce() -> io::Result<Arc<rustls::ClientConfig>>,
    ) -> io::Result<Client> {
        let uri: Uri = url.parse().map_err(io::Error::other)?;
        let host = uri.host().ok_or(io::ErrorKind::InvalidInput)?.to_owned();
        let secure = uri.scheme_str() == Some("https");
        let port = uri.port_u16().unwrap_or(if secure { 443 } else { 80 });
        let tls = secure.then(tls).transpose()?;
        let prefix = uri.path().trim_end_matches('/').to_owned();
        Ok(Client { host, port, prefix, tls, open: None })
    }

    /// Sends a request whose `target` is the venue's own path and query.
    pub async fn send(
        &mut self,
        method: &str,
        target: &str,
        headers: &[(&str, String)],
        body: String,
    ) -> io::Result<(u16, String)> {
        let (head, body) = self.exchange(method, target, headers, body).await?;
        Ok((head.status.as_u16(), body))
    }

    /// The same, with everything that came before the body.
    pub async fn exchange(
        &mut self,
        method: &str,
        target: &str,
        headers: &[(&str, String)],
        body: String,
    ) -> io::Result<(Parts, String)> {
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{}{target}", self.prefix))
            .header("host", format!("{}:{}", self.host, self.port));
        for (name, value) in headers {
            request = request.header(*name, value);
        }
        let request = request.body(Full::from(body)).map_err(io::Error::other)?;
        let mut connection = self.connection().await?;
        let exchange = async {
            let response = connection.send_request(request).await.map_err(io::Error::other)?;
            let (head, body) = response.into_parts();
            let body = body.collect().await.map_err(io::Error::other)?;
            Ok((head, String::from_utf8_lossy(&body.to_bytes()).into_owned()))
        };
        let answer: io::Result<(Parts, String)> =
            tokio::time::timeout(TIMEOUT, exchange).await.map_err(io::Error::other)?;
        if answer.is_ok() {
            self.open = Some(connection);
        }
        answer
    }

    async fn connection(&mut self) -> io::Result<SendRequest<Full<Bytes>>> {
        if let Some(mut open) = self.open.take()
            && open.ready().await.is_ok()
        {
            return Ok(open);
        }
        let tcp = TcpStream::connect((self.host.as_str(), self.port)).await?;
        tcp.set_nodelay(true)?;
        match &self.tls {
            None => start(tcp).await,
            Some(tls) => {
                let name = ServerName::try_from(self.host.clone()).map_err(io::Error::other)?;
                start(TlsConnector::from(Arc::clone(tls)).connect(name, tcp).await?).await
            }
        }
    }
}

async fn start<S>(stream: S) -> io::Result<SendRequest<Full<Bytes>>>
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
{
    let (sender, connection) = handshake(TokioIo::new(stream)).await.map_err(io::Error::other)?;
    tokio::spawn(connection);
    Ok(sender)
}

/// TLS 1.3 that trusts the authorities of `ca`, or without one those that the machine trusts, and shows no
/// certificate.
pub fn trust(ca: Option<&Path>) -> io::Result<rustls::ClientConfig> {
    Ok(trusting(ca)?.with_no_client_auth())
}

/// The same, and shows a certificate.
#[cfg(feature = "tools")]
pub fn trust_as(
    ca: Option<&Path>,
    certificate: rustls::pki_types::CertificateDer<'static>,
    key: rustls::pki_types::PrivateKeyDer<'static>,
) -> io::Result<rustls::ClientConfig> {
    trusting(ca)?.with_client_auth_cert(vec![certificate], key).map_err(io::Error::other)
}

fn trusting(
    ca: Option<&Path>,
) -> io::Result<rustls::ConfigBuilder<rustls::ClientConfig, WantsClientCert>> {
    let roots = ca.map_or(Roots::System, |path| Roots::File(path.to_owned()));
    let roots = trusted(&roots).map_err(io::Error::other)?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .map_err(io::Error::other)?;
    Ok(config.with_root_certificates(roots))
}

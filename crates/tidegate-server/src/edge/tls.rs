//! TLS 1.3 and nothing older, by one cryptographic provider.

use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::path::Path;
use std::sync::Arc;
use tokio_rustls::TlsAcceptor;

/// What the certificate files may be wrong with, in words that name the file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TlsError(pub String);

impl std::fmt::Display for TlsError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for TlsError {}

/// Makes aws-lc-rs the provider of the whole process. May be called again.
pub fn install_provider() {
    // The only failure is that one is installed already, and no other is ever installed here.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
}

/// Accepts TLS 1.3 with the certificate chain and key of these PEM files.
pub fn acceptor(chain: &Path, key: &Path) -> Result<TlsAcceptor, TlsError> {
    let wrong = |path: &Path, why: &dyn std::fmt::Display| {
        TlsError(format!("{}: {why}; `tidegate init` makes a new one", path.display()))
    };
    let certificates = CertificateDer::pem_file_iter(chain)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|e| wrong(chain, &e))?;
    let private = PrivateKeyDer::from_pem_file(key).map_err(|e| wrong(key, &e))?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .map_err(|e| wrong(chain, &e))?
        .with_no_client_auth()
        .with_single_cert(certificates, private)
        .map_err(|e| wrong(chain, &e))?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

#[cfg(test)]
mod tests;

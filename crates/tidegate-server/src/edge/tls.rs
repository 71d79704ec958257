//! TLS 1.3 and nothing older, by one cryptographic provider.

use aws_lc_rs::digest;
use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::{CryptoProvider, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{
    DigitallySignedStruct, DistinguishedName, PeerIncompatible, ServerConfig, ServerConnection,
    SignatureScheme,
};
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

/// Accepts TLS 1.3 with the certificate chain and key of these PEM files. With `ask`, clients are
/// asked for a certificate of their own, and may have none.
pub fn acceptor(chain: &Path, key: &Path, ask: bool) -> Result<TlsAcceptor, TlsError> {
    let wrong = |path: &Path, why: &dyn std::fmt::Display| {
        TlsError(format!("{}: {why}; `tidegate init` makes a new one", path.display()))
    };
    let certificates = CertificateDer::pem_file_iter(chain)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|e| wrong(chain, &e))?;
    let private = PrivateKeyDer::from_pem_file(key).map_err(|e| wrong(key, &e))?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(&[&rustls::version::TLS13])
        .map_err(|e| wrong(chain, &e))?;
    let config = match ask {
        true => config.with_client_cert_verifier(Arc::new(AnyCertificate { provider })),
        false => config.with_no_client_auth(),
    };
    let mut config =
        config.with_single_cert(certificates, private).map_err(|e| wrong(chain, &e))?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// SHA-256 of the client's certificate, in DER, if it showed one.
pub fn shown(connection: &ServerConnection) -> Option<[u8; 32]> {
    let own = connection.peer_certificates()?.first()?;
    let digest = digest::digest(&digest::SHA256, own);
    digest.as_ref().try_into().ok()
}

/// Takes any client certificate whose key the client holds. Who issued it says nothing here: a key
/// is bound to one certificate by its digest (RFC 8705, 2.2), and one that nothing is bound to opens
/// nothing.
#[derive(Debug)]
struct AnyCertificate {
    provider: Arc<CryptoProvider>,
}

impl ClientCertVerifier for AnyCertificate {
    fn client_auth_mandatory(&self) -> bool {
        false
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Err(PeerIncompatible::Tls12NotOffered.into())
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests;

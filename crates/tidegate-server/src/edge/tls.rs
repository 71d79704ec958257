//! TLS 1.3 and nothing older, by one cryptographic provider.

use aws_lc_rs::digest;
use rustls::client::danger::HandshakeSignatureValid;
use rustls::client::verify_server_name;
use rustls::crypto::aws_lc_rs::kx_group;
use rustls::crypto::{CryptoProvider, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::server::{ClientHello, ParsedCertificate, ResolvesServerCert};
use rustls::sign::CertifiedKey;
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
    let _ = provider().install_default();
}

/// aws-lc-rs, with the key exchange first that a quantum computer of a later day does not open either: what is
/// sent today may be kept until then.
pub(crate) fn provider() -> CryptoProvider {
    let kx_groups =
        vec![kx_group::X25519MLKEM768, kx_group::X25519, kx_group::SECP256R1, kx_group::SECP384R1];
    CryptoProvider { kx_groups, ..rustls::crypto::aws_lc_rs::default_provider() }
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
    let provider = Arc::new(provider());
    let config = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(&[&rustls::version::TLS13])
        .map_err(|e| wrong(chain, &e))?;
    let config = match ask {
        true => config.with_client_cert_verifier(Arc::new(AnyCertificate {
            provider: Arc::clone(&provider),
        })),
        false => config.with_no_client_auth(),
    };
    let certified = CertifiedKey::from_der(certificates, private, &provider);
    let own = OwnNames(Arc::new(certified.map_err(|e| wrong(chain, &e))?));
    let mut config = config.with_cert_resolver(Arc::new(own));
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    // The provider's order begins with AES-256.
    config.ignore_client_order = true;
    // What comes early may come again.
    config.max_early_data_size = 0;
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// Answers to the names of the certificate alone, and to who gives none: an address has no name to give.
#[derive(Debug)]
struct OwnNames(Arc<CertifiedKey>);

impl ResolvesServerCert for OwnNames {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let Some(name) = hello.server_name() else { return Some(Arc::clone(&self.0)) };
        let own = ParsedCertificate::try_from(self.0.cert.first()?).ok()?;
        let name = ServerName::try_from(name).ok()?;
        verify_server_name(&own, &name).is_ok().then(|| Arc::clone(&self.0))
    }
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

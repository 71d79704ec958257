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
    CertificateError, DigitallySignedStruct, DistinguishedName, PeerIncompatible, ServerConfig,
    ServerConnection, SignatureScheme,
};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::SystemTime;
use tidegate_identity::RsaBits;
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

/// The listeners' certificate, from a file for the chain and one for the key. It may be replaced there while
/// connections stand: those that come later are shown the new one.
///
/// Answers to its names alone, and to who gives none: an address has no name to give.
#[derive(Debug)]
pub struct Certificate {
    chain: PathBuf,
    key: PathBuf,
    now: RwLock<(Arc<CertifiedKey>, Stamp)>,
}

/// What tells the files from those that take their place: inode, time and length of each.
type Stamp = [Option<(u64, SystemTime, u64)>; 2];

impl Certificate {
    /// The certificate that lies there.
    ///
    /// # Errors
    /// When a file cannot be read or the two do not belong together.
    pub fn read(chain: &Path, key: &Path) -> Result<Certificate, TlsError> {
        let stamp = stamp(chain, key);
        let now = RwLock::new((Arc::new(certified(chain, key)?), stamp));
        Ok(Certificate { chain: chain.to_owned(), key: key.to_owned(), now })
    }

    /// Reads the files anew if they are others than before; whether they were. What cannot be used changes
    /// nothing, and is tried again.
    ///
    /// # Errors
    /// As `read`.
    pub fn read_again(&self) -> Result<bool, TlsError> {
        let stamp = stamp(&self.chain, &self.key);
        if self.held().1 == stamp {
            return Ok(false);
        }
        let read = certified(&self.chain, &self.key)?;
        *self.now.write().unwrap_or_else(PoisonError::into_inner) = (Arc::new(read), stamp);
        Ok(true)
    }

    /// Whether this name or address is one of the certificate's.
    pub fn is_for(&self, name: &str) -> bool {
        let held = self.held().0;
        let own = held.cert.first().and_then(|own| ParsedCertificate::try_from(own).ok());
        let name = ServerName::try_from(name).ok();
        own.zip(name).is_some_and(|(own, name)| verify_server_name(&own, &name).is_ok())
    }

    fn held(&self) -> (Arc<CertifiedKey>, Stamp) {
        self.now.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl ResolvesServerCert for Certificate {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let ours = hello.server_name().is_none_or(|name| self.is_for(name));
        ours.then(|| self.held().0)
    }
}

fn stamp(chain: &Path, key: &Path) -> Stamp {
    [chain, key].map(|path| {
        let seen = std::fs::metadata(path).ok()?;
        Some((seen.ino(), seen.modified().ok()?, seen.len()))
    })
}

fn certified(chain: &Path, key: &Path) -> Result<CertifiedKey, TlsError> {
    let wrong = |path: &Path, why: &dyn std::fmt::Display| {
        TlsError(format!("{}: {why}; `tidegate init` makes a new one", path.display()))
    };
    let certificates = CertificateDer::pem_file_iter(chain)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|e| wrong(chain, &e))?;
    let private = PrivateKeyDer::from_pem_file(key).map_err(|e| wrong(key, &e))?;
    CertifiedKey::from_der(certificates, private, &provider()).map_err(|e| wrong(chain, &e))
}

/// Accepts TLS 1.3 with this certificate. With `ask`, clients are asked for a certificate of their own, and
/// may have none; one with an RSA key has so many bits.
///
/// # Errors
/// When the provider cannot do it.
pub fn acceptor(
    certificate: Arc<Certificate>,
    ask: Option<RsaBits>,
) -> Result<TlsAcceptor, TlsError> {
    let provider = Arc::new(provider());
    let config = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(&[&rustls::version::TLS13])
        .map_err(|e| TlsError(e.to_string()))?;
    let config = match ask {
        Some(rsa) => config.with_client_cert_verifier(Arc::new(AnyCertificate { provider, rsa })),
        None => config.with_no_client_auth(),
    };
    let mut config = config.with_cert_resolver(certificate);
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    // The provider's order begins with AES-256.
    config.ignore_client_order = true;
    // What comes early may come again.
    config.max_early_data_size = 0;
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
    rsa: RsaBits,
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
        own: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        match self.rsa.are_in_certificate(own) {
            true => Ok(ClientCertVerified::assertion()),
            false => Err(CertificateError::ApplicationVerificationFailure.into()),
        }
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

use super::*;
use crate::folder::DataFolder;
use crate::setup::{make_authority, make_certificate};
use rustls::{
    CipherSuite, ClientConfig, ClientConnection, HandshakeKind, NamedGroup, ProtocolVersion,
    RootCertStore,
};
use std::net::SocketAddr;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsConnector;

struct Listening {
    address: SocketAddr,
    folder: DataFolder,
    certificate: Arc<Certificate>,
    acceptor: TlsAcceptor,
    _dir: tempfile::TempDir,
}

/// Answers a byte over TLS with the first of the digest of the certificate that was shown, or with
/// the byte itself where there was none.
async fn listening(ask: Option<RsaBits>) -> Listening {
    install_provider();
    let dir = tempfile::tempdir().unwrap();
    let folder = DataFolder::new(dir.path());
    make_authority(&folder, &[]).unwrap();
    make_certificate(&folder, &[]).unwrap();
    let certificate = Arc::new(Certificate::read(&folder.chain(), &folder.tls_key()).unwrap());
    let acceptor = acceptor(Arc::clone(&certificate), ask).unwrap();
    let accepting = acceptor.clone();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = accepting.clone();
            tokio::spawn(async move {
                let Ok(mut stream) = acceptor.accept(stream).await else { return };
                let byte = stream.read_u8().await.unwrap();
                let byte = shown(stream.get_ref().1).map_or(byte, |digest| digest[0]);
                stream.write_u8(byte).await.unwrap();
                stream.shutdown().await.unwrap();
            });
        }
    });
    Listening { address, folder, certificate, acceptor, _dir: dir }
}

fn roots(listening: &Listening) -> RootCertStore {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(listening.folder.ca()).unwrap()).unwrap();
    roots
}

/// What a client with this configuration is answered.
async fn answer(listening: &Listening, config: ClientConfig) -> u8 {
    let stream = TcpStream::connect(listening.address).await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    let mut stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await.unwrap();
    stream.write_u8(7).await.unwrap();
    stream.read_u8().await.unwrap()
}

#[tokio::test]
async fn a_client_certificate_is_known_by_its_digest_and_nobody_must_have_one() {
    let key = rcgen::KeyPair::generate().unwrap();
    let own =
        rcgen::CertificateParams::new(vec!["bot".to_owned()]).unwrap().self_signed(&key).unwrap();
    let digest = digest::digest(&digest::SHA256, own.der());
    let private = || PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    for (ask, told) in [(Some(RsaBits::DEFAULT), digest.as_ref()[0]), (None, 7)] {
        let listening = listening(ask).await;
        let config = || ClientConfig::builder().with_root_certificates(roots(&listening));
        let with = config().with_client_auth_cert(vec![own.der().clone()], private()).unwrap();
        assert_eq!(answer(&listening, with).await, told);
        assert_eq!(answer(&listening, config().with_no_client_auth()).await, 7);
    }
}

#[tokio::test]
async fn an_rsa_key_of_a_client_s_certificate_is_as_long_as_the_desk_asks() {
    use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
    use aws_lc_rs::rsa::{KeyPair, KeySize};
    let pair = KeyPair::generate(KeySize::Rsa2048).unwrap();
    let der: Pkcs8V1Der<'_> = AsDer::as_der(&pair).unwrap();
    let private = || PrivateKeyDer::try_from(der.as_ref().to_vec()).unwrap();
    let key = rcgen::KeyPair::from_der_and_sign_algo(&private(), &rcgen::PKCS_RSA_SHA256).unwrap();
    let own =
        rcgen::CertificateParams::new(vec!["bot".to_owned()]).unwrap().self_signed(&key).unwrap();
    for (bits, taken) in [(RsaBits::DEFAULT, false), (RsaBits::FEWEST, true)] {
        let listening = listening(Some(bits)).await;
        let config = ClientConfig::builder().with_root_certificates(roots(&listening));
        let config = config.with_client_auth_cert(vec![own.der().clone()], private()).unwrap();
        let stream = TcpStream::connect(listening.address).await.unwrap();
        let name = ServerName::try_from("localhost").unwrap();
        let mut stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await.unwrap();
        stream.write_u8(7).await.unwrap();
        assert_eq!(stream.read_u8().await.is_ok(), taken, "{bits}");
    }
}

#[tokio::test]
async fn tls_1_3_is_spoken() {
    let listening = listening(None).await;
    let roots = roots(&listening);
    let config = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    let stream = TcpStream::connect(listening.address).await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    let mut stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await.unwrap();
    assert_eq!(stream.get_ref().1.protocol_version(), Some(ProtocolVersion::TLSv1_3));
    let group = stream.get_ref().1.negotiated_key_exchange_group().map(|group| group.name());
    assert_eq!(group, Some(NamedGroup::X25519MLKEM768));
    stream.write_u8(7).await.unwrap();
    assert_eq!(stream.read_u8().await.unwrap(), 7);
}

/// A greeting of TLS 1.2 at most, with what every client of that age offers.
fn hello_1_2() -> Vec<u8> {
    let mut body = vec![3, 3];
    body.extend([9; 32]);
    body.extend([0, 0, 4, 0xc0, 0x2f, 0xc0, 0x2b, 1, 0]);
    let extensions = [
        0, 10, 0, 4, 0, 2, 0, 23, // supported groups: P-256
        0, 11, 0, 2, 1, 0, // uncompressed points
        0, 13, 0, 6, 0, 4, 4, 3, 4, 1, // ECDSA and RSA with SHA-256
    ];
    body.extend([0, extensions.len() as u8]);
    body.extend(extensions);
    let mut hello = vec![1, 0, 0, body.len() as u8];
    hello.extend(body);
    let mut record = vec![22, 3, 1, 0, hello.len() as u8];
    record.extend(hello);
    record
}

#[tokio::test]
async fn anything_older_is_turned_away() {
    let listening = listening(None).await;
    let mut stream = TcpStream::connect(listening.address).await.unwrap();
    stream.write_all(&hello_1_2()).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    // A fatal alert: the version is not supported.
    assert_eq!(answer, [21, 3, 3, 0, 2, 2, 70]);
}

/// How a handshake with this configuration, for this name, ends: the suite, or nothing.
async fn suite(
    listening: &Listening,
    config: ClientConfig,
    name: &'static str,
) -> Option<CipherSuite> {
    let stream = TcpStream::connect(listening.address).await.unwrap();
    let name = ServerName::try_from(name).unwrap();
    let mut stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await.ok()?;
    // A server that will not have it says so after the client's part is over.
    stream.write_u8(7).await.ok()?;
    stream.read_u8().await.ok()?;
    Some(stream.get_ref().1.negotiated_cipher_suite()?.suite())
}

#[tokio::test]
async fn the_strongest_suite_is_taken_whatever_the_client_prefers() {
    let listening = listening(None).await;
    let mut provider = rustls::crypto::aws_lc_rs::default_provider();
    provider.cipher_suites.reverse();
    let last = provider.cipher_suites.last().unwrap().suite();
    assert_eq!(last, CipherSuite::TLS13_AES_256_GCM_SHA384);
    let config = ClientConfig::builder_with_provider(Arc::new(provider))
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .with_root_certificates(roots(&listening))
        .with_no_client_auth();
    let agreed = suite(&listening, config, "localhost").await;
    assert_eq!(agreed, Some(CipherSuite::TLS13_AES_256_GCM_SHA384));
}

#[tokio::test]
async fn names_and_protocols_that_are_not_ours_are_refused() {
    let listening = listening(None).await;
    let config = || {
        ClientConfig::builder()
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(Believing))
            .with_no_client_auth()
    };
    for (name, protocols, good) in [
        ("localhost", vec![], true),
        ("127.0.0.1", vec![], true),
        ("localhost", vec![b"http/1.1".to_vec()], true),
        ("localhost", vec![b"h2".to_vec()], false),
        ("elsewhere.example", vec![], false),
    ] {
        let mut config = config();
        config.alpn_protocols = protocols.clone();
        let agreed = suite(&listening, config, name).await;
        assert_eq!(agreed.is_some(), good, "{name} {protocols:?}");
    }
}

/// Believes any server, so that it is the server who refuses.
#[derive(Debug)]
struct Believing;

impl rustls::client::danger::ServerCertVerifier for Believing {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<rustls::client::danger::ServerCertVerified, rustls::Error> {
        Ok(rustls::client::danger::ServerCertVerified::assertion())
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
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        rustls::crypto::aws_lc_rs::default_provider()
            .signature_verification_algorithms
            .supported_schemes()
    }
}

#[tokio::test]
async fn plain_http_is_answered_by_no_page_and_sent_nowhere() {
    let listening = listening(None).await;
    let mut stream = TcpStream::connect(listening.address).await.unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    // An alert of TLS, and not a word of HTTP.
    assert_eq!(answer.first(), Some(&21), "{answer:?}");
    assert!(!answer.windows(4).any(|part| part == b"HTTP"));
}

#[tokio::test]
async fn nothing_is_taken_before_the_handshake_is_over() {
    let listening = listening(None).await;
    let mut config =
        ClientConfig::builder().with_root_certificates(roots(&listening)).with_no_client_auth();
    config.enable_early_data = true;
    let config = Arc::new(config);
    let name = || ServerName::try_from("localhost").unwrap();
    let mut resumed = false;
    for _ in 0..2 {
        let stream = TcpStream::connect(listening.address).await.unwrap();
        let connector = TlsConnector::from(Arc::clone(&config));
        let mut stream = connector.connect(name(), stream).await.unwrap();
        stream.write_u8(7).await.unwrap();
        assert_eq!(stream.read_u8().await.unwrap(), 7);
        resumed = stream.get_ref().1.handshake_kind() == Some(HandshakeKind::Resumed);
        // What the server said of the next connection: nothing may come before its handshake.
        let mut next = ClientConnection::new(Arc::clone(&config), name()).unwrap();
        assert!(next.early_data().is_none());
    }
    assert!(resumed, "the second had a ticket, and could have tried");
}

#[tokio::test]
async fn tls_10_a_certificate_that_was_replaced_is_shown_from_then_on_and_open_sockets_stay() {
    let listening = listening(None).await;
    let Listening { folder, certificate, .. } = &listening;
    let config =
        |roots| ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    let before = roots(&listening);
    let stream = TcpStream::connect(listening.address).await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    let connector = TlsConnector::from(Arc::new(config(before.clone())));
    let mut open = connector.connect(name, stream).await.unwrap();
    assert!(!certificate.read_again().unwrap(), "nothing is new");

    // Half of it: the key that lies there is not the chain's.
    let chain = std::fs::read(folder.chain()).unwrap();
    make_authority(folder, &["new.example".to_owned()]).unwrap();
    make_certificate(folder, &["new.example".to_owned()]).unwrap();
    let renewed = std::fs::read(folder.chain()).unwrap();
    std::fs::write(folder.chain(), chain).unwrap();
    assert!(certificate.read_again().is_err());
    assert!(suite(&listening, config(before.clone()), "localhost").await.is_some());
    assert!(!certificate.is_for("new.example"));

    std::fs::write(folder.chain(), renewed).unwrap();
    assert!(certificate.read_again().unwrap());
    assert!(suite(&listening, config(before), "localhost").await.is_none());
    assert!(suite(&listening, config(roots(&listening)), "new.example").await.is_some());
    open.write_u8(7).await.unwrap();
    assert_eq!(open.read_u8().await.unwrap(), 7, "who was connected notices nothing");
}

#[tokio::test]
async fn tls_12_no_configuration_writes_keys_down_whatever_the_environment_says() {
    let listening = listening(None).await;
    let upstream =
        crate::upstream::client_config(&crate::upstream::Roots::File(listening.folder.ca()));
    let (here, there) = (listening.acceptor.config(), upstream.unwrap());
    for label in ["CLIENT_HANDSHAKE_TRAFFIC_SECRET", "SERVER_TRAFFIC_SECRET_0", "EXPORTER_SECRET"] {
        assert!(!here.key_log.will_log(label) && !there.key_log.will_log(label), "{label}");
    }
    // As one that follows `SSLKEYLOGFILE` would.
    assert!(rustls::KeyLog::will_log(&rustls::KeyLogFile::new(), "EXPORTER_SECRET"));
}

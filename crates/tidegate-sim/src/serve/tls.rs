//! TLS 1.3 with a CA of its own, made once and kept in the data folder.

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, KeyUsagePurpose,
};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use std::fs;
use std::io::Write as _;
use std::net::IpAddr;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Names and addresses the certificate is good for, beside the one that is listened at.
const NAMES: [&str; 14] = [
    "localhost",
    "127.0.0.1",
    "::1",
    "api.binance.com",
    "fapi.binance.com",
    "dapi.binance.com",
    "eapi.binance.com",
    "fstream.binance.com",
    "ws-fapi.binance.com",
    "www.binance.com",
    "www.deribit.com",
    "deribit.com",
    "streams.deribit.com",
    "history.deribit.com",
];

/// Where the CA's certificate is.
pub(super) fn ca_path(folder: &Path) -> PathBuf {
    folder.join("ca.pem")
}

/// The server's side of TLS, with a fresh certificate of the folder's CA.
pub(super) fn acceptor(folder: &Path, at: IpAddr) -> Result<Arc<rustls::ServerConfig>, String> {
    make(folder, at).map_err(|error| error.to_string())
}

fn make(
    folder: &Path,
    at: IpAddr,
) -> Result<Arc<rustls::ServerConfig>, Box<dyn std::error::Error>> {
    fs::create_dir_all(folder)?;
    let key_path = folder.join("ca.key");
    let key = if key_path.exists() && ca_path(folder).exists() {
        KeyPair::from_pem(&fs::read_to_string(&key_path)?)?
    } else {
        let key = KeyPair::generate()?;
        let mut options = fs::OpenOptions::new();
        let mut file =
            options.write(true).create(true).truncate(true).mode(0o600).open(&key_path)?;
        file.write_all(key.serialize_pem().as_bytes())?;
        fs::write(ca_path(folder), ca_params()?.self_signed(&key)?.pem())?;
        key
    };
    let issuer = Issuer::new(ca_params()?, key);
    let names = NAMES.iter().map(|name| (*name).to_owned()).chain([at.to_string()]);
    let mut leaf = CertificateParams::new(names.collect::<Vec<_>>())?;
    leaf.distinguished_name = name("tidegate simulator");
    leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    leaf.use_authority_key_identifier_extension = true;
    let leaf_key = KeyPair::generate()?;
    let certificate = leaf.signed_by(&leaf_key, &issuer)?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let private = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(leaf_key.serialize_der()));
    let mut config = rustls::ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], private)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

fn ca_params() -> Result<CertificateParams, rcgen::Error> {
    let mut params = CertificateParams::new(Vec::new())?;
    params.distinguished_name = name("tidegate simulator CA");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    Ok(params)
}

fn name(common: &str) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    name.push(DnType::CommonName, common);
    name
}

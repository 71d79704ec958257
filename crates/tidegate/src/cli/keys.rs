//! Keys that people bring along.

use super::output::Failure;
use rustls::pki_types::SubjectPublicKeyInfoDer;
use rustls::pki_types::pem::PemObject as _;
use std::fmt::Write as _;
use std::path::Path;

/// What comes before the 32 bytes of an Ed25519 public key in its DER form (RFC 8410).
const ED25519_SPKI: [u8; 12] =
    [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

/// The Ed25519 public key in a PEM file, in hex.
pub fn public_key_hex(path: &Path) -> Result<String, Failure> {
    let bad = |what: String| {
        let hint = "give the public key as `openssl pkey -in KEY -pubout` writes it";
        Failure::new("bad-key", format!("{}: {what}", path.display()), hint)
    };
    let der = SubjectPublicKeyInfoDer::from_pem_file(path).map_err(|e| bad(e.to_string()))?;
    let key = der
        .strip_prefix(&ED25519_SPKI)
        .filter(|key| key.len() == 32)
        .ok_or_else(|| bad("not an Ed25519 public key".to_owned()))?;
    Ok(key.iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    }))
}

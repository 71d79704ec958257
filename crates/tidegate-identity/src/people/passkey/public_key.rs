//! Public keys of passkeys: COSE in (RFC 9053), three algorithms.

use super::cbor::{Map, integer};
use aws_lc_rs::rsa::PublicKeyComponents;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ED25519, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey,
};
use ciborium::value::Value;
use tidegate_types::codec_enum;

/// What a passkey's signatures are checked with.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum PublicKey {
    /// ECDSA on P-256 with SHA-256.
    Es256 {
        /// The point, uncompressed.
        point: [u8; 65],
    },
    /// EdDSA on Ed25519.
    EdDsa {
        /// The key.
        key: [u8; 32],
    },
    /// RSASSA-PKCS1-v1_5 with SHA-256, 2048 bits and more.
    Rs256 {
        /// The modulus.
        n: Vec<u8>,
        /// The exponent.
        e: Vec<u8>,
    },
}
codec_enum!(PublicKey { 0 => Es256 { point }, 1 => EdDsa { key }, 2 => Rs256 { n, e } });

/// COSE's numbers of the algorithms that are offered, the best first.
pub(super) const OFFERED: [i64; 3] = [ED_DSA, ES256, RS256];
const ES256: i64 = -7;
const ED_DSA: i64 = -8;
const RS256: i64 = -257;

// Labels of COSE_Key (RFC 9052, section 7; RFC 9053, sections 7.1 and 7.2; RFC 8230, section 4).
const KEY_TYPE: i64 = 1;
const ALGORITHM: i64 = 3;
const CURVE: i64 = -1;
const X: i64 = -2;
const Y: i64 = -3;
const MODULUS: i64 = -1;
const EXPONENT: i64 = -2;

impl PublicKey {
    /// The key that a COSE_Key is, if it is one of those offered.
    pub(super) fn from_cose(map: &Map) -> Option<PublicKey> {
        let number = |label| map.number(label).and_then(integer);
        let bytes = |label| map.number(label).and_then(Value::as_bytes);
        match (number(KEY_TYPE)?, number(ALGORITHM)?) {
            (2, ES256) if number(CURVE) == Some(1) => {
                let (x, y) = (bytes(X)?, bytes(Y)?);
                let point: [u8; 65] = [&[4], x.as_slice(), y].concat().try_into().ok()?;
                (x.len() == 32).then_some(())?;
                ParsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, point).ok()?;
                Some(PublicKey::Es256 { point })
            }
            (1, ED_DSA) if number(CURVE) == Some(6) => {
                let key: [u8; 32] = bytes(X)?.as_slice().try_into().ok()?;
                Some(PublicKey::EdDsa { key })
            }
            (3, RS256) => {
                let (n, e) = (bytes(MODULUS)?.clone(), bytes(EXPONENT)?.clone());
                let fits = (256..=1024).contains(&n.len()) && (1..=4).contains(&e.len());
                fits.then_some(PublicKey::Rs256 { n, e })
            }
            _ => None,
        }
    }

    /// COSE's number of its algorithm.
    pub(super) fn algorithm(&self) -> i64 {
        match self {
            PublicKey::Es256 { .. } => ES256,
            PublicKey::EdDsa { .. } => ED_DSA,
            PublicKey::Rs256 { .. } => RS256,
        }
    }

    /// Whether `signature` is the key's over `message`.
    pub(super) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        match self {
            PublicKey::Es256 { point } => UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, point)
                .verify(message, signature)
                .is_ok(),
            PublicKey::EdDsa { key } => {
                UnparsedPublicKey::new(&ED25519, key).verify(message, signature).is_ok()
            }
            PublicKey::Rs256 { n, e } => PublicKeyComponents { n, e }
                .verify(&RSA_PKCS1_2048_8192_SHA256, message, signature)
                .is_ok(),
        }
    }
}

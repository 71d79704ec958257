//! JSON Web Signatures and Keys, as little of them as FAPI 2.0 leaves: compact form, PS256, ES256
//! and EdDSA, one algorithm for each key.
//!
//! A strict layer on aws-lc-rs rather than a library: what matters (a member twice, `crit`, `typ`,
//! the algorithm of the key, sizes) would have to be checked around any of them.

pub mod client_keys;
pub mod jwk;
pub mod jws;
pub mod kept;
pub mod keys;
pub mod sign;

pub use client_keys::ClientKeys;
pub use jwk::{Jwk, Thumbprint};
pub use jws::Compact;
pub use kept::KeptKeys;
pub use keys::Keys;
pub use sign::SigningKey;

use std::fmt;

/// Longest token, proof or assertion; an access token of ours with many instruments is about 2 kB.
pub const MAX_JWS_BYTES: usize = 8 * 1024;

/// How something is signed: what FAPI 2.0 (5.4.1) allows.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Alg {
    /// RSASSA-PSS with SHA-256, a modulus of 2048 to 4096 bits.
    Ps256,
    /// ECDSA on P-256 with SHA-256.
    Es256,
    /// Ed25519; `Ed25519` (RFC 9864) and the older `EdDSA` name the same.
    EdDsa,
}

impl Alg {
    /// The algorithms' names, as metadata lists them.
    pub const NAMES: &'static [&'static str] = &["PS256", "ES256", "EdDSA", "Ed25519"];

    /// The algorithm that a header or key names.
    pub fn named(name: &str) -> Option<Alg> {
        match name {
            "PS256" => Some(Alg::Ps256),
            "ES256" => Some(Alg::Es256),
            "EdDSA" | "Ed25519" => Some(Alg::EdDsa),
            _ => None,
        }
    }

    /// The name that we write.
    pub const fn name(self) -> &'static str {
        match self {
            Alg::Ps256 => "PS256",
            Alg::Es256 => "ES256",
            Alg::EdDsa => "EdDSA",
        }
    }
}

/// Why a key or a signed text is not taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum JoseError {
    /// Not the compact form, not base64url, not JSON, a member twice, or too long.
    Malformed,
    /// An algorithm that is not taken here, or not the key's.
    Algorithm,
    /// A `crit` extension: none is known here.
    Critical,
    /// Not of the type that is wanted here.
    Type,
    /// The key is not a public signature key that is taken here.
    Key,
    /// No key fits, or more than one does.
    NoKey,
    /// The signature is not by the key over these bytes.
    Signature,
}

impl fmt::Display for JoseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            JoseError::Malformed => "not a compact signature over JSON, or too long",
            JoseError::Algorithm => {
                "signed by an algorithm other than the key's PS256, ES256 or EdDSA"
            }
            JoseError::Critical => "names a critical extension, and none is known",
            JoseError::Type => "of another type than is wanted here",
            JoseError::Key => "not a public key for signatures that is taken here",
            JoseError::NoKey => "no single key of the signer fits",
            JoseError::Signature => "the signature does not fit",
        })
    }
}

impl std::error::Error for JoseError {}

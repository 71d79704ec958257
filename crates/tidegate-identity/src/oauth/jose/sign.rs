//! Our own signatures.

use super::jws::Typ;
use super::{Alg, JoseError, Jwk};
use crate::oauth::json;
use aws_lc_rs::encoding::{AsBigEndian, EcPublicKeyUncompressedBin};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeyPair as RsaKeyPair;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair, RSA_PSS_SHA256,
};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use std::fmt;
use tidegate_types::secret::Secret;

/// A private key with its public half. The name of both is the public half's thumbprint.
pub struct SigningKey {
    pair: Pair,
    public: Jwk,
}

enum Pair {
    Ed25519(Ed25519KeyPair),
    P256(EcdsaKeyPair),
    Rsa(RsaKeyPair),
}

impl SigningKey {
    /// The Ed25519 key that 32 fresh random bytes are the seed of.
    ///
    /// # Errors
    /// When there are not 32 of them.
    pub fn from_seed(seed: &Secret) -> Result<SigningKey, JoseError> {
        let pair =
            Ed25519KeyPair::from_seed_unchecked(seed.expose()).map_err(|_| JoseError::Key)?;
        SigningKey::new(Pair::Ed25519(pair))
    }

    /// The key of `alg` that a PKCS #8 document holds.
    ///
    /// # Errors
    /// When it does not hold one.
    pub fn from_pkcs8(alg: Alg, document: &Secret) -> Result<SigningKey, JoseError> {
        let bytes = document.expose();
        let pair = match alg {
            Alg::EdDsa => Ed25519KeyPair::from_pkcs8(bytes).map(Pair::Ed25519),
            Alg::Es256 => {
                EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, bytes).map(Pair::P256)
            }
            Alg::Ps256 => RsaKeyPair::from_pkcs8(bytes).map(Pair::Rsa),
        };
        SigningKey::new(pair.map_err(|_| JoseError::Key)?)
    }

    /// The public half.
    pub fn public(&self) -> &Jwk {
        &self.public
    }

    /// `claims` signed, of type `typ`.
    ///
    /// # Errors
    /// When the key cannot sign; no fault of the claims.
    pub fn sign(&self, typ: Typ, claims: &Value) -> Result<String, JoseError> {
        let header = json!({
            "alg": self.public.alg().name(), "typ": typ.name(), "kid": self.public.kid(),
        });
        self.sign_with(&header, claims.to_string().as_bytes())
    }

    /// A DPoP proof (RFC 9449 §4.2) over `claims`: the public half travels in the header.
    ///
    /// # Errors
    /// As `sign`.
    pub fn prove(&self, claims: &Value) -> Result<String, JoseError> {
        let mut key = self.public.to_json();
        if let Some(key) = key.as_object_mut() {
            key.retain(|name, _| !matches!(name.as_str(), "alg" | "use" | "kid"));
        }
        let alg = self.public.alg().name();
        let header = json!({ "typ": Typ::DpopProof.name(), "alg": alg, "jwk": key });
        self.sign_with(&header, claims.to_string().as_bytes())
    }

    /// The signature over bytes that are no JWS.
    ///
    /// # Errors
    /// As `sign`.
    pub fn sign_bytes(&self, message: &[u8]) -> Result<Vec<u8>, JoseError> {
        self.pair.sign(message)
    }

    /// Any header and payload, signed.
    pub(crate) fn sign_with(&self, header: &Value, payload: &[u8]) -> Result<String, JoseError> {
        let head = URL_SAFE_NO_PAD.encode(header.to_string());
        let mut text = format!("{head}.{}", URL_SAFE_NO_PAD.encode(payload));
        let signature = self.pair.sign(text.as_bytes())?;
        text.push('.');
        text.push_str(&URL_SAFE_NO_PAD.encode(signature));
        Ok(text)
    }

    fn new(pair: Pair) -> Result<SigningKey, JoseError> {
        let object = json::object(pair.public()?.to_string().as_bytes());
        let public = Jwk::from_object(&object.map_err(|_| JoseError::Key)?)?;
        let kid = public.thumbprint().to_string();
        Ok(SigningKey { pair, public: public.with_kid(kid) })
    }
}

impl Pair {
    fn public(&self) -> Result<Value, JoseError> {
        let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        Ok(match self {
            Pair::Ed25519(pair) => {
                json!({ "kty": "OKP", "crv": "Ed25519", "x": text(pair.public_key().as_ref()) })
            }
            Pair::P256(pair) => {
                let point: EcPublicKeyUncompressedBin<'_> =
                    pair.public_key().as_be_bytes().map_err(|_| JoseError::Key)?;
                let (_, xy) = point.as_ref().split_first().ok_or(JoseError::Key)?;
                let (x, y) = xy.split_at_checked(32).ok_or(JoseError::Key)?;
                json!({ "kty": "EC", "crv": "P-256", "x": text(x), "y": text(y) })
            }
            Pair::Rsa(pair) => {
                let (n, e) = integers(pair.public_key().as_ref()).ok_or(JoseError::Key)?;
                json!({ "kty": "RSA", "n": text(n), "e": text(e) })
            }
        })
    }

    /// The library draws what a signature needs of chance by itself.
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, JoseError> {
        let failed = |_| JoseError::Signature;
        match self {
            Pair::Ed25519(pair) => Ok(pair.try_sign(message).map_err(failed)?.as_ref().to_vec()),
            Pair::P256(pair) => {
                let signature = pair.sign(&SystemRandom::new(), message).map_err(failed)?;
                Ok(signature.as_ref().to_vec())
            }
            Pair::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PSS_SHA256, &SystemRandom::new(), message, &mut signature)
                    .map_err(failed)?;
                Ok(signature)
            }
        }
    }
}

/// Modulus and exponent of an RSAPublicKey (RFC 8017 A.1.1), without the zero byte of their sign.
fn integers(der: &[u8]) -> Option<(&[u8], &[u8])> {
    let (sequence, rest) = element(0x30, der)?;
    let (n, after) = element(0x02, sequence)?;
    let (e, end) = element(0x02, after)?;
    let unsigned = |bytes| <[u8]>::strip_prefix(bytes, &[0]).unwrap_or(bytes);
    (rest.is_empty() && end.is_empty()).then_some((unsigned(n), unsigned(e)))
}

/// The contents of the DER element of `tag` that `input` begins with, and what follows it.
fn element(tag: u8, input: &[u8]) -> Option<(&[u8], &[u8])> {
    let (header, rest) = input.split_first_chunk::<2>()?;
    let [found, length] = *header;
    let (length, rest) = match length {
        0x81 => rest.split_first_chunk::<1>().map(|(l, rest)| (usize::from(l[0]), rest))?,
        0x82 => rest
            .split_first_chunk::<2>()
            .map(|(l, rest)| (usize::from(u16::from_be_bytes(*l)), rest))?,
        short if short < 0x80 => (usize::from(short), rest),
        _ => return None,
    };
    if found == tag { rest.split_at_checked(length) } else { None }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({:?}, {})", self.public.alg(), self.public.thumbprint())
    }
}

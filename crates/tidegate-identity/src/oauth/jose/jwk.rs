//! Public keys (RFC 7517, 7518, 8037) and their thumbprints (RFC 7638).

use super::{Alg, JoseError};
use crate::oauth::json::{Members, Object};
use crate::rsa::RsaBits;
use aws_lc_rs::digest;
use aws_lc_rs::rsa::PublicKeyComponents;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ED25519, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256,
    RSA_PSS_2048_8192_SHA256, RsaParameters,
};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use std::fmt;
use tidegate_types::codec_newtype;

/// SHA-256 over a key's required members, or over a certificate: who holds the private key.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Thumbprint(pub [u8; 32]);
codec_newtype!(Thumbprint);

/// A public key with the one algorithm that it may be used by.
#[derive(Clone, Debug)]
pub struct Jwk {
    kid: Option<String>,
    members: Material,
    thumbprint: Thumbprint,
    key: ParsedPublicKey,
}

/// The required members by kind, in the encoding they came in.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Material {
    Ec { x: String, y: String },
    Okp { x: String },
    Rsa { e: String, n: String },
}

/// Members that only a private or symmetric key has.
const PRIVATE: &[&str] = &["d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"];
/// Longest name of a key.
const MAX_KID_BYTES: usize = 128;
/// Most bits of an RSA modulus: the cost of a check grows with it.
const MAX_RSA_BYTES: usize = 512;
const MIN_RSA_BYTES: usize = 256;

impl Jwk {
    /// The key that `object` describes.
    ///
    /// # Errors
    /// When it is private or symmetric, weak, off its curve, not for signatures, or names another
    /// algorithm than PS256, ES256 or EdDSA for its kind.
    pub fn from_object(object: &Object) -> Result<Jwk, JoseError> {
        if PRIVATE.iter().any(|name| object.contains_key(*name)) {
            return Err(JoseError::Key);
        }
        let (members, key) = parse(object)?;
        let named = text_or_absent(object, "alg")?.map(Alg::named);
        if named.is_some_and(|named| named != Some(members.alg())) {
            return Err(JoseError::Algorithm);
        }
        if !for_signatures(object) {
            return Err(JoseError::Key);
        }
        let kid = text_or_absent(object, "kid")?;
        if kid.is_some_and(|kid| kid.is_empty() || kid.len() > MAX_KID_BYTES) {
            return Err(JoseError::Key);
        }
        let kid = kid.map(str::to_owned);
        Ok(Jwk { kid, thumbprint: members.thumbprint(), members, key })
    }

    /// The RSA key that `object` describes, for RS256: what outside providers of people sign by, and nobody
    /// else here.
    pub(crate) fn rs256(object: &Object) -> Result<ParsedPublicKey, JoseError> {
        let named = text_or_absent(object, "alg")?.is_none_or(|alg| alg == "RS256");
        let private = PRIVATE.iter().any(|name| object.contains_key(*name));
        if !named || private || !for_signatures(object) || object.text("kty") != Some("RSA") {
            return Err(JoseError::Key);
        }
        rsa(object, &RSA_PKCS1_2048_8192_SHA256).map(|(_, key)| key)
    }

    /// The algorithm that its signatures are by.
    pub fn alg(&self) -> Alg {
        self.members.alg()
    }

    /// Whether it has as many bits as are asked for, if it is an RSA key; others always do.
    pub fn is_as_long_as(&self, fewest: RsaBits) -> bool {
        match &self.members {
            Material::Rsa { n, .. } => {
                URL_SAFE_NO_PAD.decode(n).is_ok_and(|modulus| fewest.are_in(&modulus))
            }
            Material::Ec { .. } | Material::Okp { .. } => true,
        }
    }

    /// Its name in its owner's set.
    pub fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    /// Its thumbprint.
    pub fn thumbprint(&self) -> Thumbprint {
        self.thumbprint
    }

    /// The key for a set of public keys.
    pub fn to_json(&self) -> Value {
        let mut value = match &self.members {
            Material::Ec { x, y } => json!({ "kty": "EC", "crv": "P-256", "x": x, "y": y }),
            Material::Okp { x } => json!({ "kty": "OKP", "crv": "Ed25519", "x": x }),
            Material::Rsa { e, n } => json!({ "kty": "RSA", "n": n, "e": e }),
        };
        if let Some(object) = value.as_object_mut() {
            object.insert("alg".into(), self.alg().name().into());
            object.insert("use".into(), "sig".into());
            if let Some(kid) = &self.kid {
                object.insert("kid".into(), kid.as_str().into());
            }
        }
        value
    }

    /// Whether `signature` is this key's over `message`.
    ///
    /// # Errors
    /// When it is not.
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), JoseError> {
        self.key.verify_sig(message, signature).map_err(|_| JoseError::Signature)
    }

    /// The same key under another name.
    pub(crate) fn with_kid(mut self, kid: String) -> Jwk {
        self.kid = Some(kid);
        self
    }
}

impl Material {
    const fn alg(&self) -> Alg {
        match self {
            Material::Ec { .. } => Alg::Es256,
            Material::Okp { .. } => Alg::EdDsa,
            Material::Rsa { .. } => Alg::Ps256,
        }
    }

    /// RFC 7638 §3: the required members in the order of their names, without spaces. The values are
    /// base64url, so nothing needs escaping.
    fn thumbprint(&self) -> Thumbprint {
        let text = match self {
            Material::Ec { x, y } => {
                format!(r#"{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}"#)
            }
            Material::Okp { x } => format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}"#),
            Material::Rsa { e, n } => format!(r#"{{"e":"{e}","kty":"RSA","n":"{n}"}}"#),
        };
        Thumbprint::of(text.as_bytes())
    }
}

impl Thumbprint {
    /// The SHA-256 of `bytes`.
    pub fn of(bytes: &[u8]) -> Thumbprint {
        let mut out = [0; 32];
        for (to, from) in out.iter_mut().zip(digest::digest(&digest::SHA256, bytes).as_ref()) {
            *to = *from;
        }
        Thumbprint(out)
    }

    /// The thumbprint that base64url without padding spells.
    pub fn parse(text: &str) -> Option<Thumbprint> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        bytes.try_into().ok().map(Thumbprint)
    }
}

impl fmt::Display for Thumbprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&URL_SAFE_NO_PAD.encode(self.0))
    }
}

impl fmt::Debug for Thumbprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

fn parse(object: &Object) -> Result<(Material, ParsedPublicKey), JoseError> {
    let bad = JoseError::Key;
    match (object.text("kty"), object.text("crv")) {
        (Some("EC"), Some("P-256")) => {
            let (x, x_bytes) = field(object, "x", 32..=32)?;
            let (y, y_bytes) = field(object, "y", 32..=32)?;
            let point = [&[4], x_bytes.as_slice(), y_bytes.as_slice()].concat();
            let key = ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).map_err(|_| bad)?;
            Ok((Material::Ec { x, y }, key))
        }
        (Some("OKP"), Some("Ed25519")) => {
            let (x, bytes) = field(object, "x", 32..=32)?;
            let key = ParsedPublicKey::new(&ED25519, bytes).map_err(|_| bad)?;
            Ok((Material::Okp { x }, key))
        }
        (Some("RSA"), None) => rsa(object, &RSA_PSS_2048_8192_SHA256),
        _ => Err(bad),
    }
}

fn rsa(
    object: &Object,
    parameters: &'static RsaParameters,
) -> Result<(Material, ParsedPublicKey), JoseError> {
    let (n, modulus) = field(object, "n", MIN_RSA_BYTES..=MAX_RSA_BYTES)?;
    let (e, exponent) = field(object, "e", 3..=4)?;
    let odd = exponent.last().is_some_and(|last| last & 1 == 1);
    // The highest bit must be set, so that as many bits are there as bytes promise.
    let full = modulus.first().is_some_and(|first| first & 0x80 != 0);
    if !odd || !full {
        return Err(JoseError::Key);
    }
    let parts = PublicKeyComponents { n: modulus, e: exponent };
    let key = parts.to_parsed_public_key(parameters).map_err(|_| JoseError::Key)?;
    Ok((Material::Rsa { e, n }, key))
}

/// The bytes of a member, of a length in `lengths`. Integers of RSA have no zero byte before them.
fn field(
    object: &Object,
    name: &str,
    lengths: std::ops::RangeInclusive<usize>,
) -> Result<(String, Vec<u8>), JoseError> {
    let text = object.text(name).ok_or(JoseError::Key)?;
    let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| JoseError::Key)?;
    let padded = matches!(name, "n" | "e") && bytes.first() == Some(&0);
    if !lengths.contains(&bytes.len()) || padded {
        return Err(JoseError::Key);
    }
    Ok((text.to_owned(), bytes))
}

fn text_or_absent<'a>(object: &'a Object, name: &str) -> Result<Option<&'a str>, JoseError> {
    match object.get(name) {
        None => Ok(None),
        Some(value) => value.as_str().map(Some).ok_or(JoseError::Key),
    }
}

fn for_signatures(object: &Object) -> bool {
    let use_fits = object.get("use").is_none_or(|value| value.as_str() == Some("sig"));
    let ops_fit = object.get("key_ops").is_none_or(|ops| {
        ops.as_array().is_some_and(|ops| ops.iter().any(|op| op.as_str() == Some("verify")))
    });
    use_fits && ops_fit
}

#[cfg(test)]
mod tests;

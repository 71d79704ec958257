//! The provider's public keys, and what it signed by them.
//!
//! RS256 is taken here and nowhere else. OpenID Connect makes every provider able to sign ID tokens by
//! it, and large ones sign by nothing else; PKCS #1 v1.5 is sound for signatures when the padding is
//! checked whole, which aws-lc does, and the token comes from the provider itself over TLS.

use super::OidcError;
use crate::oauth::jose::{Alg, JoseError, Jwk, jws};
use crate::oauth::json::{self, Members, Object};
use aws_lc_rs::signature::ParsedPublicKey;
use serde_json::Value;

/// Most keys that are looked at in a provider's set.
const MAX_KEYS: usize = 64;

/// The keys of a provider's set that are taken here. Others, for encryption or of other kinds, are
/// passed over: a set is for all of a provider's clients.
#[derive(Clone, Debug)]
pub struct ProviderKeys(Vec<Entry>);

/// A key with one algorithm that it may be used by; an RSA key that does not say which has two entries.
#[derive(Clone, Debug)]
struct Entry {
    kid: Option<String>,
    key: Key,
}

#[derive(Clone, Debug)]
enum Key {
    Jose(Jwk),
    Rs256(ParsedPublicKey),
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum TokenAlg {
    Jose(Alg),
    Rs256,
}

impl ProviderKeys {
    /// The keys of a JWK set's text.
    ///
    /// # Errors
    /// When it is no set, or holds no key that is taken here.
    pub fn parse(text: &[u8]) -> Result<ProviderKeys, OidcError> {
        let bad = OidcError::Metadata("its set of keys cannot be read");
        let set = json::object(text).map_err(|_| bad)?;
        let keys = set.get("keys").and_then(Value::as_array).ok_or(bad)?;
        let objects = keys.iter().take(MAX_KEYS).filter_map(Value::as_object);
        let entries: Vec<Entry> = objects.flat_map(entries).collect();
        match entries.is_empty() {
            true => Err(OidcError::Metadata("its set of keys holds none for signatures")),
            false => Ok(ProviderKeys(entries)),
        }
    }

    /// Header and claims of a token that one of the keys signed.
    pub(super) fn open(&self, text: &str) -> Result<(Object, Object), OidcError> {
        let (head, signed, payload, signature) = jws::split(text).map_err(refused)?;
        let header = jws::header(head).map_err(refused)?;
        let alg = header.text("alg").and_then(TokenAlg::named).ok_or(OidcError::Algorithm)?;
        let key = self.find(header.text("kid"), alg)?;
        let signature = jws::decode(signature).map_err(refused)?;
        key.verify(signed.as_bytes(), &signature)?;
        let payload = jws::decode(payload).map_err(refused)?;
        let claims = json::object(&payload).map_err(|_| OidcError::Malformed)?;
        Ok((header, claims))
    }

    fn find(&self, kid: Option<&str>, alg: TokenAlg) -> Result<&Key, OidcError> {
        let named = |entry: &&Entry| kid.is_none() || entry.kid.as_deref() == kid;
        let mut fits = self.0.iter().filter(named).filter(|entry| entry.key.alg() == alg);
        match (fits.next(), fits.next()) {
            (Some(entry), None) => Ok(&entry.key),
            _ => Err(OidcError::NoKey),
        }
    }
}

fn entries(object: &Object) -> Vec<Entry> {
    let kid = object.text("kid").map(str::to_owned);
    let jose = Jwk::from_object(object).ok().map(Key::Jose);
    let rs256 = Jwk::rs256(object).ok().map(Key::Rs256);
    let entry = |key| Entry { kid: kid.clone(), key };
    [jose, rs256].into_iter().flatten().map(entry).collect()
}

impl TokenAlg {
    fn named(name: &str) -> Option<TokenAlg> {
        match name {
            "RS256" => Some(TokenAlg::Rs256),
            name => Alg::named(name).map(TokenAlg::Jose),
        }
    }
}

impl Key {
    fn alg(&self) -> TokenAlg {
        match self {
            Key::Jose(jwk) => TokenAlg::Jose(jwk.alg()),
            Key::Rs256(_) => TokenAlg::Rs256,
        }
    }

    fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), OidcError> {
        let good = match self {
            Key::Jose(jwk) => jwk.verify(message, signature).is_ok(),
            Key::Rs256(key) => key.verify_sig(message, signature).is_ok(),
        };
        if good { Ok(()) } else { Err(OidcError::Signature) }
    }
}

fn refused(error: JoseError) -> OidcError {
    match error {
        JoseError::Critical => OidcError::Critical,
        JoseError::Algorithm => OidcError::Algorithm,
        _ => OidcError::Malformed,
    }
}

#[cfg(test)]
mod tests;

//! The compact form of a signature (RFC 7515), read once and checked against one key.

use super::{Alg, JoseError, Jwk, MAX_JWS_BYTES};
use crate::oauth::json::{self, Members, Object};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// A signed text, taken apart. Nothing in it is true until `verify` says so.
#[derive(Debug)]
pub struct Compact<'a> {
    alg: Alg,
    header: Object,
    signed: &'a str,
    payload: &'a str,
    signature: &'a str,
}

impl<'a> Compact<'a> {
    /// Takes `text` apart.
    ///
    /// # Errors
    /// When it is not the compact form, has a header member twice, an algorithm that is not taken
    /// here, or a critical extension.
    pub fn parse(text: &'a str) -> Result<Compact<'a>, JoseError> {
        let (head, signed, payload, signature) = split(text)?;
        let header = header(head)?;
        let alg = header.text("alg").and_then(Alg::named).ok_or(JoseError::Algorithm)?;
        Ok(Compact { alg, header, signed, payload, signature })
    }

    /// The algorithm that it says it is signed by.
    pub fn alg(&self) -> Alg {
        self.alg
    }

    /// The key that it says it is signed by.
    pub fn kid(&self) -> Option<&str> {
        self.header.text("kid")
    }

    /// The protected header.
    pub fn header(&self) -> &Object {
        &self.header
    }

    /// Whom it says it is of, so that the key can be found that it is to be checked with.
    pub(crate) fn unverified_subject(&self) -> Option<String> {
        let claims = json::object(&decode(self.payload).ok()?).ok()?;
        claims.text("sub").map(str::to_owned)
    }

    /// Its claims, once type, algorithm and signature are found good.
    ///
    /// # Errors
    /// When any of the three is not, or the payload is not one JSON object.
    pub fn verify(&self, key: &Jwk, typ: Typ) -> Result<Object, JoseError> {
        if !typ.fits(&self.header) {
            return Err(JoseError::Type);
        }
        json::object(&self.verify_bytes(key)?).map_err(|_| JoseError::Malformed)
    }

    /// Its payload, once algorithm and signature are found good, whatever its type.
    pub(crate) fn verify_bytes(&self, key: &Jwk) -> Result<Vec<u8>, JoseError> {
        if self.alg != key.alg() {
            return Err(JoseError::Algorithm);
        }
        key.verify(self.signed.as_bytes(), &decode(self.signature)?)?;
        decode(self.payload)
    }
}

/// What a signed text is for. Each place takes one, so that none passes for another (RFC 8725 §3.11).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Typ {
    /// RFC 9068: `at+jwt`.
    AccessToken,
    /// RFC 7523: no type, `JWT`, or `client-authentication+jwt`.
    ClientAssertion,
    /// RFC 9449: `dpop+jwt`.
    DpopProof,
    /// RFC 9701: `token-introspection+jwt`.
    Introspection,
    /// RFC 9101 §10.8: `oauth-authz-req+jwt`. Without it an assertion might pass for a request.
    RequestObject,
}

impl Typ {
    /// The type as we write it.
    pub const fn name(self) -> &'static str {
        match self {
            Typ::AccessToken => "at+jwt",
            Typ::ClientAssertion => "client-authentication+jwt",
            Typ::DpopProof => "dpop+jwt",
            Typ::Introspection => "token-introspection+jwt",
            Typ::RequestObject => "oauth-authz-req+jwt",
        }
    }

    pub(crate) fn fits(self, header: &Object) -> bool {
        let Some(value) = header.get("typ") else { return self == Typ::ClientAssertion };
        let Some(text) = value.as_str() else { return false };
        // RFC 7515 §4.1.9: the prefix may be left out, and media types know no case.
        let short = match text.get(..12) {
            Some(prefix) if prefix.eq_ignore_ascii_case("application/") => {
                text.get(12..).unwrap_or_default()
            }
            _ => text,
        };
        match self {
            Typ::DpopProof => text == "dpop+jwt",
            Typ::ClientAssertion => {
                short.eq_ignore_ascii_case("jwt") || short.eq_ignore_ascii_case(self.name())
            }
            Typ::AccessToken | Typ::Introspection | Typ::RequestObject => {
                short.eq_ignore_ascii_case(self.name())
            }
        }
    }
}

/// Header, signed part, payload and signature of `text`.
pub(crate) fn split(text: &str) -> Result<(&str, &str, &str, &str), JoseError> {
    if text.len() > MAX_JWS_BYTES {
        return Err(JoseError::Malformed);
    }
    let (signed, signature) = text.rsplit_once('.').ok_or(JoseError::Malformed)?;
    let (head, payload) = signed.split_once('.').ok_or(JoseError::Malformed)?;
    if payload.contains('.') {
        return Err(JoseError::Malformed);
    }
    Ok((head, signed, payload, signature))
}

/// The header that `head` spells, without extensions that change what it means.
pub(crate) fn header(head: &str) -> Result<Object, JoseError> {
    let header = json::object(&decode(head)?).map_err(|_| JoseError::Malformed)?;
    if header.contains_key("crit") || header.contains_key("b64") || header.contains_key("zip") {
        return Err(JoseError::Critical);
    }
    Ok(header)
}

/// base64url without padding, in the one form that each sequence of bytes has.
pub(crate) fn decode(text: &str) -> Result<Vec<u8>, JoseError> {
    URL_SAFE_NO_PAD.decode(text).map_err(|_| JoseError::Malformed)
}

#[cfg(test)]
mod tests;

//! Proofs of possession (RFC 9449): the caller signs each request with the key that its token names.

pub mod nonces;
pub mod uri;

pub use nonces::Nonces;

use super::error::{ErrorCode, OAuthError};
use super::jose::jws::{self, Typ};
use super::jose::{Alg, JoseError, Jwk, Thumbprint};
use super::json::{self, Members, Object};
use super::once::{NotOnce, Once};
use crate::rsa::RsaBits;
use std::collections::HashMap;
use std::sync::Arc;
use tidegate_types::time::{Span, Time};

/// How far ahead of our clock a proof may be stamped: FAPI 2.0 wants 10 s taken and 60 s refused.
pub const MAX_AHEAD: Span = Span::from_secs(15);
/// How old a proof may be.
pub const MAX_AGE: Span = Span::from_secs(60);
/// Most proofs remembered: one client alone has half of it, 75 s of 4,000 requests a second.
pub const MAX_PROOFS: usize = 600_000;
/// Most keys kept ready for use.
const MAX_READY_KEYS: usize = 1024;
/// Longest identifier of a proof.
const MAX_JTI_BYTES: usize = 128;

/// The request that a proof must be for.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// Its method, as sent.
    pub method: &'a str,
    /// Its address without query, as we are reached at; never taken from a header that the caller sends.
    pub uri: &'a str,
    /// Every `DPoP` header of it.
    pub proofs: &'a [&'a str],
    /// The token that it carries, if it carries one.
    pub token: Option<&'a str>,
}

/// A proof that was found good, but for whether it was used before.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Proven {
    /// Whose key signed it.
    pub jkt: Thumbprint,
    jti: String,
    stamped: Time,
}

/// Checks proofs, and remembers what that takes: proofs seen, keys read, nonces given.
#[derive(Debug)]
pub struct Proofs {
    seen: Once,
    nonces: Nonces,
    nonce_needed: bool,
    /// Keys that verified a proof, by the header they came in: clients send the same one every time.
    ready: HashMap<String, Arc<Jwk>>,
    rsa: RsaBits,
}

impl Proofs {
    /// Checks against `seen` and `nonces`; with `nonce_needed` a proof without a nonce of ours is
    /// answered with one.
    pub fn new(seen: Once, nonces: Nonces, nonce_needed: bool) -> Proofs {
        Proofs { seen, nonces, nonce_needed, ready: HashMap::new(), rsa: RsaBits::DEFAULT }
    }

    /// The same, by RSA keys of as many bits and more.
    pub fn taking(self, rsa: RsaBits) -> Proofs {
        Proofs { rsa, ..self }
    }

    /// The nonce to hand out now.
    pub fn nonce(&self, now: Time) -> String {
        self.nonces.current(now)
    }

    /// The proofs remembered, to be kept over a restart.
    pub fn seen(&self) -> &Once {
        &self.seen
    }

    /// Checks the one proof of `request` (RFC 9449 §4.3), but for whether it was used before: that is asked last,
    /// of `admit`, once it is known that the key is whose it must be.
    ///
    /// # Errors
    /// `invalid_dpop_proof`, or `use_dpop_nonce` when all that is wrong is the nonce.
    pub fn verify(&mut self, request: &Request<'_>, now: Time) -> Result<Proven, OAuthError> {
        let [text] = request.proofs else { return Err(bad("exactly one DPoP header is needed")) };
        let (head, signed, payload, signature) = jws::split(text).map_err(of_jose)?;
        let (key, fresh) = self.key(head)?;
        let signature = jws::decode(signature).map_err(of_jose)?;
        key.verify(signed.as_bytes(), &signature).map_err(of_jose)?;
        let payload = jws::decode(payload).map_err(of_jose)?;
        let claims = json::object(&payload).map_err(|_| bad("the proof's claims are not JSON"))?;
        check_request(&claims, request)?;
        let stamped = check_times(&claims, now)?;
        self.check_nonce(&claims, now)?;
        let jti = claims.text("jti").filter(|jti| !jti.is_empty() && jti.len() <= MAX_JTI_BYTES);
        let jti = jti.ok_or_else(|| bad("the proof needs a jti of 1 to 128 bytes"))?;
        let proven = Proven { jkt: key.thumbprint(), jti: jti.to_owned(), stamped };
        if fresh {
            self.keep(head, key);
        }
        Ok(proven)
    }

    /// Takes a proof, once, at the expense of the client that `sharer` names.
    ///
    /// # Errors
    /// `invalid_dpop_proof` when it was used before, `temporarily_unavailable` when the client sent too many.
    pub fn admit(&mut self, proven: &Proven, sharer: &str, now: Time) -> Result<(), OAuthError> {
        let Proven { jkt, jti, stamped } = proven;
        match self.seen.admit(sharer, &jkt.0, jti, *stamped, stamped.plus(MAX_AGE), now) {
            Ok(()) => Ok(()),
            Err(NotOnce::Seen) => Err(bad("the proof was used before; make a new one")),
            Err(NotOnce::Full) => {
                let text = "too many proofs at once; try again in a minute";
                Err(OAuthError::new(ErrorCode::TemporarilyUnavailable, text))
            }
        }
    }

    fn key(&self, head: &str) -> Result<(Arc<Jwk>, bool), OAuthError> {
        if let Some(key) = self.ready.get(head) {
            return Ok((Arc::clone(key), false));
        }
        let header = jws::header(head).map_err(of_jose)?;
        if !Typ::DpopProof.fits(&header) {
            return Err(bad("the proof's typ is not dpop+jwt"));
        }
        let alg = header.text("alg").and_then(Alg::named);
        let alg = alg.ok_or_else(|| of_jose(JoseError::Algorithm))?;
        let jwk = header.get("jwk").and_then(serde_json::Value::as_object);
        let jwk = jwk.ok_or_else(|| bad("the proof's header has no jwk"))?;
        let key = Jwk::from_object(jwk).map_err(of_jose)?;
        if key.alg() != alg {
            return Err(of_jose(JoseError::Algorithm));
        }
        if !key.is_as_long_as(self.rsa) {
            return Err(bad("the proof's RSA key has fewer bits than are taken here"));
        }
        Ok((Arc::new(key), true))
    }

    fn keep(&mut self, head: &str, key: Arc<Jwk>) {
        if self.ready.len() >= MAX_READY_KEYS {
            self.ready.clear();
        }
        self.ready.insert(head.to_owned(), key);
    }

    fn check_nonce(&self, claims: &Object, now: Time) -> Result<(), OAuthError> {
        let good = match claims.get("nonce") {
            None => !self.nonce_needed,
            Some(nonce) => nonce.as_str().is_some_and(|nonce| self.nonces.is_good(nonce, now)),
        };
        let refused =
            OAuthError::new(ErrorCode::UseDpopNonce, "repeat with the nonce of this answer");
        if good { Ok(()) } else { Err(refused) }
    }
}

/// What a proof says of the token it goes with: the SHA-256 of its text.
pub fn ath(token: &str) -> String {
    Thumbprint::of(token.as_bytes()).to_string()
}

fn check_request(claims: &Object, request: &Request<'_>) -> Result<(), OAuthError> {
    if claims.text("htm") != Some(request.method) {
        return Err(bad("the proof's htm is not the request's method"));
    }
    let said = claims.text("htu").ok_or_else(|| bad("the proof has no htu"))?;
    let same = said == request.uri
        || matches!(
            (uri::normal(said), uri::normal(request.uri)),
            (Some(said), Some(asked)) if said == asked
        );
    if !same {
        return Err(bad("the proof's htu is not the request's address"));
    }
    match (request.token, claims.get("ath")) {
        (None, _) => Ok(()),
        (Some(token), Some(said)) if said.as_str() == Some(&ath(token)) => Ok(()),
        (Some(_), _) => Err(bad("the proof's ath is not the token's digest")),
    }
}

fn check_times(claims: &Object, now: Time) -> Result<Time, OAuthError> {
    let time = |name| claims.time(name).map_err(|_| bad("a time of the proof is not in seconds"));
    let stamped = time("iat")?.ok_or_else(|| bad("the proof has no iat"))?;
    if stamped > now.plus(MAX_AHEAD) || now.since(stamped) > MAX_AGE {
        return Err(bad("the proof's iat is too far from the time here"));
    }
    if time("nbf")?.is_some_and(|from| from > now.plus(MAX_AHEAD)) {
        return Err(bad("the proof is not good yet"));
    }
    if time("exp")?.is_some_and(|until| until <= now) {
        return Err(bad("the proof is good no more"));
    }
    Ok(stamped)
}

const fn bad(description: &'static str) -> OAuthError {
    OAuthError::new(ErrorCode::InvalidDpopProof, description)
}

fn of_jose(error: JoseError) -> OAuthError {
    bad(match error {
        JoseError::Malformed => "the proof is not a compact JWT, or too long",
        JoseError::Algorithm => "the proof's alg is not its key's PS256, ES256 or EdDSA",
        JoseError::Critical => "the proof names a critical extension",
        JoseError::Type => "the proof's typ is not dpop+jwt",
        JoseError::Key | JoseError::NoKey => "the proof's jwk is no public key that is taken here",
        JoseError::Signature => "the proof's signature does not fit",
    })
}

#[cfg(test)]
mod tests;

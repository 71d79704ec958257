//! The resource server's side: a request's token and proof become a `TokenBearer`, or a challenge.

pub mod challenge;

pub use challenge::{Challenge, Problem};

use super::acr::Acr;
use super::authority::Authority;
use super::bearer::TokenBearer;
use super::client::PeerCertificate;
use super::dpop::{self, Proofs, Proven};
use super::error::{ErrorCode, OAuthError};
use super::event::Confirmation;
use super::jose::{MAX_JWS_BYTES, Thumbprint};
use std::collections::HashMap;
use std::sync::Arc;
use tidegate_types::time::{Span, Time};

/// Most tokens whose signature is remembered as good.
const MAX_READY_TOKENS: usize = 4096;

/// A request to something that a token opens.
#[derive(Clone, Copy, Debug)]
pub struct Shown<'a> {
    /// Its method.
    pub method: &'a str,
    /// Its address without query, as we are reached at.
    pub uri: &'a str,
    /// Every `Authorization` header of it. A token anywhere else (query, body) is not looked at.
    pub authorization: &'a [&'a str],
    /// Every `DPoP` header of it.
    pub proofs: &'a [&'a str],
    /// The certificate of its connection, if there is one.
    pub certificate: Option<&'a PeerCertificate>,
}

/// Checks requests, and remembers what it need not check twice: tokens whose signature was good. That
/// they are in force, bound to who shows them and not over is looked at every time.
#[derive(Debug)]
pub struct Resource {
    proofs: Proofs,
    ready: HashMap<Thumbprint, Arc<TokenBearer>>,
}

impl Resource {
    /// Checks proofs against `proofs`.
    pub fn new(proofs: Proofs) -> Resource {
        Resource { proofs, ready: HashMap::new() }
    }

    /// The nonce for the `DPoP-Nonce` header of every answer.
    pub fn nonce(&self, now: Time) -> String {
        self.proofs.nonce(now)
    }

    /// The proofs that were seen, to be kept over a restart.
    pub fn proofs(&self) -> &Proofs {
        &self.proofs
    }

    /// Who sends the request, if they `may` ask once more: that is asked of who proved themselves, before the proof
    /// is remembered. For a WebSocket, a session or a connection that shows a certificate this is
    /// asked once; after that `remains` is, which needs no signature.
    ///
    /// # Errors
    /// A challenge to be sent as it is, or what `may` says.
    pub fn check<E: From<Challenge>>(
        &mut self,
        authority: &Authority,
        shown: &Shown<'_>,
        may: impl FnOnce(&TokenBearer) -> Result<(), E>,
        now: Time,
    ) -> Result<Arc<TokenBearer>, E> {
        let (scheme, token) = credentials(shown)?;
        let bearer = self.token(authority, token, now).ok_or(Challenge::of(Problem::Token))?;
        let proven = self.possessed(&bearer, scheme, shown, token, now)?;
        may(&bearer)?;
        if let Some(proven) = proven {
            self.proofs.admit(&proven, bearer.client.as_str(), now).map_err(of_proof)?;
        }
        Ok(bearer)
    }

    /// The proof that who shows the token holds what it is bound to; none where the connection proves it.
    fn possessed(
        &mut self,
        bearer: &TokenBearer,
        scheme: Scheme,
        shown: &Shown<'_>,
        token: &str,
        now: Time,
    ) -> Result<Option<Proven>, Challenge> {
        match (bearer.bound_to, scheme) {
            (Confirmation::Key { jkt }, Scheme::Dpop) => {
                let request = dpop::Request {
                    method: shown.method,
                    uri: shown.uri,
                    proofs: shown.proofs,
                    token: Some(token),
                };
                let proven = self.proofs.verify(&request, now).map_err(of_proof)?;
                if proven.jkt != jkt {
                    return Err(Challenge::of(Problem::Token));
                }
                Ok(Some(proven))
            }
            (Confirmation::Certificate { x5t }, Scheme::Bearer) => {
                if shown.certificate.is_none_or(|shown| shown.thumbprint != x5t) {
                    return Err(Challenge::of(Problem::Token));
                }
                Ok(None)
            }
            // A key-bound token shown as Bearer, or the other way about, is a downgrade.
            (Confirmation::Key { .. }, Scheme::Bearer)
            | (Confirmation::Certificate { .. }, Scheme::Dpop) => {
                Err(Challenge::of(Problem::Token))
            }
        }
    }

    /// Reads a token, or knows that it was read before.
    fn token(&mut self, authority: &Authority, text: &str, now: Time) -> Option<Arc<TokenBearer>> {
        if text.len() > MAX_JWS_BYTES {
            return None;
        }
        let digest = Thumbprint::of(text.as_bytes());
        if let Some(bearer) = self.ready.get(&digest) {
            return remains(authority, bearer, now).ok().map(|()| Arc::clone(bearer));
        }
        let bearer = Arc::new(authority.verify(text, now)?);
        if self.ready.len() >= MAX_READY_TOKENS {
            self.ready.retain(|_, old| now < old.until);
        }
        if self.ready.len() >= MAX_READY_TOKENS {
            self.ready.clear();
        }
        self.ready.insert(digest, Arc::clone(&bearer));
        Some(bearer)
    }
}

/// Whether a bearer whom a check found good still is: its token is not over, nothing of it is revoked.
///
/// # Errors
/// A challenge; the session ends.
pub fn remains(authority: &Authority, bearer: &TokenBearer, now: Time) -> Result<(), Challenge> {
    if now < bearer.until && authority.state().is_in_force(bearer, now) {
        return Ok(());
    }
    Err(Challenge::of(Problem::Token))
}

/// Whether the person behind a token is known well and lately enough for what is asked (RFC 9470).
///
/// # Errors
/// A challenge that says what is needed.
pub fn step_up(
    bearer: &TokenBearer,
    least: Option<Acr>,
    max_age: Option<Span>,
    now: Time,
) -> Result<(), Challenge> {
    let known = least.is_none_or(|least| bearer.acr.is_some_and(|acr| acr >= least));
    let lately =
        max_age.is_none_or(|age| bearer.auth_time.is_some_and(|time| now.since(time) <= age));
    if known && lately { Ok(()) } else { Err(Challenge::of(Problem::StepUp { least, max_age })) }
}

fn of_proof(error: OAuthError) -> Challenge {
    Challenge::of(match error.code {
        ErrorCode::UseDpopNonce => Problem::Nonce,
        ErrorCode::TemporarilyUnavailable => Problem::Busy,
        _ => Problem::Proof(error.description),
    })
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Scheme {
    Bearer,
    Dpop,
}

fn credentials<'a>(shown: &Shown<'a>) -> Result<(Scheme, &'a str), Challenge> {
    let [header] = shown.authorization else {
        let problem = if shown.authorization.is_empty() { Problem::None } else { Problem::Request };
        return Err(Challenge::of(problem));
    };
    let (scheme, token) = header.split_once(' ').ok_or(Challenge::of(Problem::Request))?;
    let scheme = match scheme {
        s if s.eq_ignore_ascii_case("dpop") => Scheme::Dpop,
        s if s.eq_ignore_ascii_case("bearer") => Scheme::Bearer,
        _ => return Err(Challenge::of(Problem::None)),
    };
    let legal = |b: u8| b.is_ascii_alphanumeric() || b"-._~+/=".contains(&b);
    if token.is_empty() || !token.bytes().all(legal) {
        return Err(Challenge::of(Problem::Request));
    }
    Ok((scheme, token))
}

#[cfg(test)]
mod tests;

//! Tokens at the venues' doors, in place of a virtual key.

use super::{Handle, all, certificate};
use crate::clock;
use crate::front::Callers;
use std::collections::BTreeSet;
use std::sync::{Arc, PoisonError};
use tidegate_identity::authenticate::by_token;
use tidegate_identity::message_signature::Receipt;
use tidegate_identity::oauth::TokenBearer;
use tidegate_identity::oauth::details::{NotYet, Trading};
use tidegate_identity::oauth::event::TokenId;
use tidegate_identity::oauth::metadata::well_known;
use tidegate_identity::oauth::resource::{Challenge, Problem, Shown, remains};
use tidegate_types::ids::{CallerName, VenueName};
use tidegate_types::proof::Authenticated;
use tidegate_types::reject::{Code, Reject};
use tidegate_types::request::RawRequest;
use tidegate_types::time::Time;

/// Most tokens of which it is remembered that they were used before: those that end last.
const MAX_USED: usize = 50_000;

/// A request with a token that is not let in: why in a venue's words, and what OAuth says.
#[derive(Debug)]
pub struct Refused {
    /// Why.
    pub reject: Reject,
    /// The status and headers of the answer, where OAuth says them.
    pub challenge: Option<Challenge>,
}

impl From<Challenge> for Refused {
    fn from(challenge: Challenge) -> Refused {
        let (code, why) = match challenge.problem {
            Problem::None => (Code::MissingCredentials, "a token is needed beside the proof"),
            Problem::Request => (Code::Malformed, "one Authorization header with one token"),
            Problem::Proof(why) => (Code::BadSignature, why),
            Problem::Nonce => (Code::BadSignature, "prove it anew with the DPoP-Nonce header"),
            Problem::Busy => (Code::TooManyInFlight, "too many proofs at once"),
            Problem::Token | Problem::Scope | Problem::StepUp { .. } => {
                (Code::BadToken, "the token is over, revoked or another's")
            }
        };
        Refused { reject: Reject::new(code, why), challenge: Some(challenge) }
    }
}

impl From<Reject> for Refused {
    fn from(reject: Reject) -> Refused {
        Refused { reject, challenge: None }
    }
}

/// Who shows a token.
#[derive(Debug)]
pub struct Let {
    /// Who, with what its token allows.
    pub who: Authenticated,
    /// The token's.
    pub bearer: Arc<TokenBearer>,
    /// Whether the token was not used before, since the start.
    pub first: bool,
}

/// Tokens that were used, until they are over.
#[derive(Debug, Default)]
pub(super) struct Used(BTreeSet<(Time, TokenId)>);

/// Whether a request shows a token of the authorization server's, and not the venue's own credentials.
pub fn shows_token(request: &RawRequest) -> bool {
    let ours = |text: &str| {
        let Some((scheme, token)) = text.split_once(' ') else { return false };
        // A venue's own tokens are shown as Bearer too; none is a JWT.
        scheme.eq_ignore_ascii_case("dpop")
            || scheme.eq_ignore_ascii_case("bearer") && token.matches('.').count() == 2
    };
    all(request, "dpop").next().is_some() || all(request, "authorization").any(ours)
}

impl Handle {
    /// Who sends a request that shows a token, to `path` of the main listener, if the app may ask once more.
    ///
    /// # Errors
    /// What the answer says.
    pub fn bearer(
        &self,
        callers: &Callers,
        request: &RawRequest,
        path: &str,
        now: Time,
    ) -> Result<Arc<TokenBearer>, Refused> {
        let closed = || refused(Problem::None, Code::MissingCredentials, "set public_url first");
        callers.may_show_token(request.peer, now)?;
        let authority = self.authority().map_err(|_| closed())?;
        let resource = self.resource.get().ok_or_else(closed)?;
        let uri = format!("{}{path}", authority.config().issuer);
        let authorization: Vec<&str> = all(request, "authorization").collect();
        let proofs: Vec<&str> = all(request, "dpop").collect();
        let certificate = certificate(request);
        let shown = Shown {
            method: request.method.as_str(),
            uri: &uri,
            authorization: &authorization,
            proofs: &proofs,
            certificate: certificate.as_ref(),
        };
        let mut resource = resource.lock().unwrap_or_else(PoisonError::into_inner);
        let may = |bearer: &TokenBearer| Ok::<_, Refused>(callers.take_app(&caller(bearer)?, now)?);
        let checked = resource.check(&authority, &shown, may, now);
        checked
            .inspect_err(|refused: &Refused| callers.note_token(request.peer, &refused.reject, now))
    }

    /// The app that sends a request with a token to a venue, and what the token allows there.
    ///
    /// # Errors
    /// What the answer says.
    pub fn app_at(
        &self,
        callers: &Callers,
        venue: &VenueName,
        request: &RawRequest,
        now: Time,
    ) -> Result<Let, Refused> {
        let bearer = self.bearer(callers, request, &format!("/{venue}{}", request.path), now)?;
        self.app_of(venue, &bearer, now)
    }

    /// The app whose token was found good before, as long as it is in force.
    ///
    /// # Errors
    /// What ends a session.
    pub fn recall(
        &self,
        venue: &VenueName,
        bearer: &Arc<TokenBearer>,
        now: Time,
    ) -> Result<Let, Refused> {
        if !self.remains(bearer, now) {
            return Err(refused(Problem::Token, Code::BadToken, "the token is over or revoked"));
        }
        self.app_of(venue, bearer, now)
    }

    /// The app of a token that was found good, and what the token allows at a venue.
    ///
    /// # Errors
    /// When it allows nothing there, or on several accounts.
    pub fn app_of(
        &self,
        venue: &VenueName,
        bearer: &Arc<TokenBearer>,
        now: Time,
    ) -> Result<Let, Refused> {
        let mut here = bearer.details.iter().filter(|item| item.venue == *venue);
        match (here.next(), here.next()) {
            (Some(item), None) => self.app_on(bearer, item, now),
            (None, _) => Err(beyond("the token allows nothing at this venue")),
            (Some(_), Some(_)) => {
                Err(beyond("the token is for several accounts; ask for one of one account"))
            }
        }
    }

    /// The app that sends a request with a token to the unified API, and what the token allows on
    /// `account`; on its only one if none is named.
    ///
    /// # Errors
    /// What the answer says.
    pub fn app_for(
        &self,
        callers: &Callers,
        request: &RawRequest,
        account: impl FnOnce(&RawRequest) -> Option<String>,
        now: Time,
    ) -> Result<Let, Refused> {
        let bearer = self.bearer(callers, request, &request.path, now)?;
        // Nothing more of a stranger's request is read.
        let account = account(request);
        let named =
            |item: &&Trading| account.as_ref().is_none_or(|it| *it == item.account.as_str());
        let mut there = bearer.details.iter().filter(named);
        match (there.next(), there.next()) {
            (Some(item), None) => self.app_on(&bearer, item, now),
            (None, _) => Err(beyond("the token allows nothing on this account")),
            (Some(_), Some(_)) => {
                let all: Vec<&str> = bearer.details.iter().map(|it| it.account.as_str()).collect();
                let why =
                    format!("account: the token is for several, name one of {}", all.join(", "));
                Err(refused(Problem::Request, Code::MissingParameter, &why))
            }
        }
    }

    fn app_on(&self, bearer: &Arc<TokenBearer>, item: &Trading, now: Time) -> Result<Let, Refused> {
        let caller = caller(bearer)?;
        let grant = self.desk.look(|state| state.grant(&caller, &item.account).cloned());
        let grant = grant.filter(|grant| grant.venue == item.venue);
        let grant = grant.ok_or_else(|| beyond("the app has no grant on the account"))?;
        let allows = item.narrowing(&grant, now);
        let allows = allows.map_err(|NotYet| beyond("the token is not good yet"))?;
        let who = by_token(bearer, allows).ok_or_else(|| beyond("the token is another's"))?;
        Ok(Let { who, bearer: Arc::clone(bearer), first: self.is_first(bearer) })
    }

    /// Whether a token that was shown before still opens what it did: neither over nor revoked, by itself or
    /// with its grant, key, app or person.
    pub fn remains(&self, bearer: &TokenBearer, now: Time) -> bool {
        self.authority().is_ok_and(|authority| remains(&authority, bearer, now).is_ok())
    }

    /// The origin of our own pages, once it is known.
    pub fn origin(&self) -> Option<String> {
        self.authority().ok().map(|authority| authority.config().issuer.clone())
    }

    /// The headers that make an answer a receipt, if the request asks for one: signed by the key that signs tokens.
    /// None without that key. The request's caller proved it, and its content is of its digest.
    pub fn receipt(
        &self,
        request: &RawRequest,
        status: u16,
        content: &[u8],
        now: Time,
    ) -> Option<[(String, String); 3]> {
        let authority = self.authority().ok()?;
        let key = authority.keys().current();
        let (issuer, by_token) = (&authority.config().issuer, shows_token(request));
        let kid = key.public().kid()?;
        let receipt = Receipt::asked(request, issuer, by_token, (status, content), kid, now)?;
        let signature = key.sign_bytes(receipt.base()).ok()?;
        Some(receipt.headers(&signature))
    }

    /// The headers of an answer to a request with a token; `challenge` if it was not let in.
    pub fn headers(&self, challenge: Option<&Challenge>) -> Vec<(String, String)> {
        let Ok(authority) = self.authority() else { return Vec::new() };
        let metadata = well_known(&authority.config().resource, "oauth-protected-resource");
        drop(authority);
        let said = challenge.map(|challenge| challenge.headers(&metadata)).unwrap_or_default();
        let said = said.into_iter().map(|text| ("www-authenticate".to_owned(), text));
        let nonce = self.resource.get().map(|resource| {
            let resource = resource.lock().unwrap_or_else(PoisonError::into_inner);
            ("dpop-nonce".to_owned(), resource.nonce(clock::now()))
        });
        said.chain(nonce).collect()
    }

    fn is_first(&self, bearer: &TokenBearer) -> bool {
        self.used.lock().unwrap_or_else(PoisonError::into_inner).is_first(bearer, MAX_USED)
    }
}

impl Used {
    /// Remembers a token; whether it was not remembered. Of more than `most` those that end first are forgotten.
    fn is_first(&mut self, bearer: &TokenBearer, most: usize) -> bool {
        let first = self.0.insert((bearer.until, bearer.id));
        if self.0.len() > most {
            self.0.pop_first();
        }
        first
    }
}

/// The caller that an app is.
fn caller(bearer: &TokenBearer) -> Result<CallerName, Refused> {
    let caller = CallerName::new(bearer.client.as_str());
    caller.map_err(|_| beyond("the app is no caller of the desk"))
}

fn beyond(why: &str) -> Refused {
    refused(Problem::Scope, Code::NoGrant, why)
}

fn refused(problem: Problem, code: Code, why: &str) -> Refused {
    Refused { reject: Reject::new(code, why), challenge: Some(Challenge::of(problem)) }
}

#[cfg(test)]
mod tests;

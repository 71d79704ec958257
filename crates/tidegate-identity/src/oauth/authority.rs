//! The authorization server: what each endpoint answers, as a state machine without input or output.
//!
//! An endpoint takes a `Call`, the time and fresh random bytes, and answers with JSON or an error. What
//! must survive is folded in at once and waits in `take_events`: the answer is sent once the journal
//! holds them. Codes, pushed requests and device codes are kept in bounded tables, by digest.

mod consent;
mod device;
mod exchange;
mod introspect;
mod pushed;
mod request_object;
mod shelf;
mod token;

pub use consent::{Approval, Consented, NotApproved};
pub use device::DeviceView;
pub use pushed::ConsentView;

use super::bearer::TokenBearer;
use super::client::{Binding, Client, ClientId, Credentials, authenticate};
use super::dpop::{Proofs, Request};
use super::error::{ErrorCode, OAuthError};
use super::event::{Confirmation, Event, State, TokenId};
use super::jose::jws::Typ;
use super::jose::{Keys, Thumbprint};
use super::once::Once;
use super::params::Params;
use crate::rsa::RsaBits;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;
use shelf::Shelf;
use std::collections::BTreeMap;
use tidegate_types::bucket::Bucket;
use tidegate_types::time::{Span, Time};

/// How long a pushed request waits for its person: FAPI 2.0 wants less than 600 s, deciding included.
pub const REQUEST_LIFETIME: Span = Span::from_secs(90);
/// How long a pushed request stays once its person has come to log in and decide.
pub const DECISION_LIFETIME: Span = Span::from_secs(540);
/// How long it stays at most, whenever its person comes.
pub const MAX_REQUEST_LIFETIME: Span = Span::from_secs(599);
/// How long a code is good.
pub const CODE_LIFETIME: Span = Span::from_secs(60);
/// How long a device code is good.
pub const DEVICE_LIFETIME: Span = Span::from_secs(600);
/// Most pushed requests, and as many codes and device codes, at once; a client has a tenth of each.
pub const MAX_PENDING: usize = 10_000;
/// How many calls of one client are answered a second, and how many at once.
pub const CALLS: (u32, u32) = (10, 300);
/// The shortest and longest life of an access token.
pub const TOKEN_LIFETIMES: (Span, Span) = (Span::from_secs(300), Span::from_secs(900));

/// Where the server is and how long what it gives lasts.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Config {
    /// The issuer: an https address without query, fragment or a slash at its end.
    pub issuer: String,
    /// What tokens are for: the resource server's identifier.
    pub resource: String,
    /// The life of an access token, held between 5 and 15 minutes.
    pub token_lifetime: Span,
    /// The longest life of a grant.
    pub grant_lifetime: Span,
    /// Whether connections may show a certificate of the client's.
    pub mutual_tls: bool,
    /// Fewest bits of clients' RSA keys.
    pub rsa: RsaBits,
}

/// A request to an endpoint.
#[derive(Clone, Copy, Debug)]
pub struct Call<'a> {
    /// The address of the endpoint, without query, as we are reached at.
    pub uri: &'a str,
    /// Its body.
    pub form: &'a [u8],
    /// What it shows of who sends it.
    pub credentials: Credentials<'a>,
    /// Every `DPoP` header of it.
    pub proofs: &'a [&'a str],
}

/// 64 bytes fresh from the system's generator: enough for everything that one call makes.
pub type Chance = [u8; 64];

/// The server's state.
#[derive(Debug)]
pub struct Authority {
    config: Config,
    keys: Keys,
    state: State,
    proofs: Proofs,
    assertions: Once,
    pushed: Shelf<pushed::Pushed>,
    codes: Shelf<consent::Code>,
    devices: Shelf<device::Device>,
    user_codes: Shelf<Thumbprint>,
    guesses: device::Guesses,
    calls: BTreeMap<ClientId, Bucket>,
    events: Vec<Event>,
}

impl Authority {
    /// A server that starts from `state`, folded from the journal.
    pub fn new(
        config: Config,
        keys: Keys,
        state: State,
        proofs: Proofs,
        assertions: Once,
    ) -> Authority {
        let proofs = proofs.taking(config.rsa);
        Authority {
            config,
            keys,
            state,
            proofs,
            assertions,
            pushed: Shelf::new(MAX_PENDING),
            codes: Shelf::new(MAX_PENDING),
            devices: Shelf::new(MAX_PENDING),
            user_codes: Shelf::new(MAX_PENDING),
            guesses: device::Guesses::default(),
            calls: BTreeMap::new(),
            events: Vec::new(),
        }
    }

    /// Where the server is.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The keys that tokens are signed by.
    pub fn keys(&self) -> &Keys {
        &self.keys
    }

    /// The same, to be rotated.
    pub fn keys_mut(&mut self) -> &mut Keys {
        &mut self.keys
    }

    /// The state that the events came to.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// The nonce for the `DPoP-Nonce` header of every answer.
    pub fn nonce(&self, now: Time) -> String {
        self.proofs.nonce(now)
    }

    /// Proofs and assertions seen, to be kept over a restart.
    pub fn seen(&self) -> (&Once, &Once) {
        (self.proofs.seen(), &self.assertions)
    }

    /// Folds in an administrator's event (a client, a person or a key), whose record is made elsewhere.
    pub fn apply(&mut self, event: &Event) {
        self.state.apply(event);
        self.end_consents(event);
    }

    /// The events since this was asked last. They are in force already; answers wait for their record.
    pub fn take_events(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.events)
    }

    /// The access token that `text` is, good for this server's resource and in force.
    pub fn verify(&self, text: &str, now: Time) -> Option<TokenBearer> {
        let Config { issuer, resource, .. } = &self.config;
        let bearer = TokenBearer::verify(text, &self.keys, issuer, resource, now)?;
        self.state.is_in_force(&bearer, now).then_some(bearer)
    }

    fn happen(&mut self, event: Event) {
        self.apply(&event);
        self.events.push(event);
    }

    /// The parameters of a call, the client that sends it, and the key or certificate that proves it.
    fn open(
        &mut self,
        call: &Call<'_>,
        now: Time,
    ) -> Result<(Params, Client, Thumbprint), OAuthError> {
        let params = Params::parse(call.form)?;
        let (client, key) = authenticate::authenticate(
            &self.state,
            (&self.config.issuer, self.config.rsa),
            &mut self.assertions,
            &params,
            call.credentials,
            now,
        )?;
        let client = client.clone();
        let calls = self.calls.entry(client.terms().id.clone());
        if !calls.or_insert_with(|| Bucket::new(CALLS.0, CALLS.1)).take(now) {
            let text = "the client asks too much; try again in seconds";
            return Err(OAuthError::new(ErrorCode::TemporarilyUnavailable, text));
        }
        Ok((params, client, key))
    }

    /// The key of the call's proof, if it carries one.
    fn proven(
        &mut self,
        client: &Client,
        call: &Call<'_>,
        now: Time,
    ) -> Result<Option<Thumbprint>, OAuthError> {
        if call.proofs.is_empty() {
            return Ok(None);
        }
        let request = Request { method: "POST", uri: call.uri, proofs: call.proofs, token: None };
        let proven = self.proofs.verify(&request, now)?;
        if self.state.is_key_revoked(&proven.jkt) {
            return Err(OAuthError::new(ErrorCode::InvalidDpopProof, "the key is revoked"));
        }
        self.proofs.admit(&proven, client.terms().id.as_str(), now)?;
        Ok(Some(proven.jkt))
    }

    /// What a token that this call asks for is bound to: there is none that is bound to nothing.
    fn confirm(
        &mut self,
        client: &Client,
        call: &Call<'_>,
        now: Time,
    ) -> Result<Confirmation, OAuthError> {
        match client.terms().bound_to {
            Binding::Dpop => {
                let jkt = self.proven(client, call, now)?.ok_or(OAuthError::new(
                    ErrorCode::InvalidDpopProof,
                    "the client's tokens are bound to a key; a DPoP header is needed",
                ))?;
                Ok(Confirmation::Key { jkt })
            }
            Binding::Certificate => {
                let shown = call.credentials.certificate.map(|shown| shown.thumbprint);
                let x5t = shown.filter(|x5t| !self.state.is_key_revoked(x5t));
                x5t.map(|x5t| Confirmation::Certificate { x5t }).ok_or(OAuthError::request(
                    "the client's tokens are bound to its certificate; the connection shows none",
                ))
            }
        }
    }

    /// Signs an access token, and says so.
    fn issue(&mut self, bearer: &TokenBearer) -> Result<String, OAuthError> {
        let claims = bearer.to_claims(&self.config.issuer, &self.config.resource);
        let signed = self.keys.current().sign(Typ::AccessToken, &claims);
        let text = signed
            .map_err(|_| OAuthError::new(ErrorCode::ServerError, "the signing key failed"))?;
        self.happen(Event::TokenIssued {
            token: bearer.id,
            client: bearer.client.clone(),
            subject: bearer.subject.clone(),
            act: bearer.act.clone(),
            bound_to: bearer.bound_to,
            grant: bearer.grant,
            until: bearer.until,
        });
        Ok(text)
    }

    /// When a token that is made now ends, `limit` being the latest.
    fn token_end(&self, now: Time, limit: Option<Time>) -> Time {
        let (shortest, longest) = TOKEN_LIFETIMES;
        let until = now.plus(self.config.token_lifetime.clamp(shortest, longest));
        limit.map_or(until, |limit| limit.min(until))
    }

    /// Refuses a `resource` (RFC 8707) that tokens are not made for here.
    fn check_target(&self, params: &Params) -> Result<(), OAuthError> {
        let asked = params.get("resource").or(params.get("audience"));
        if asked.is_none_or(|asked| asked == self.config.resource) {
            return Ok(());
        }
        Err(OAuthError::new(ErrorCode::InvalidTarget, "tokens are made for this gateway alone"))
    }
}

/// The parts of a call's chance: a token's id, another id, and a handle.
fn parts(chance: &Chance) -> (TokenId, [u8; 16], String) {
    let mut ids = [[0; 16]; 2];
    for (id, bytes) in ids.iter_mut().zip(chance.chunks(16)) {
        id.copy_from_slice(bytes);
    }
    let [token, other] = ids;
    let handle = chance.get(32..).unwrap_or_default();
    (TokenId(token), other, URL_SAFE_NO_PAD.encode(handle))
}

/// Puts `value` into `answer`, an object.
fn put(answer: &mut Value, name: &str, value: impl Into<Value>) {
    if let Some(object) = answer.as_object_mut() {
        object.insert(name.to_owned(), value.into());
    }
}

/// The client that an id in a parameter names.
fn client_id(params: &Params) -> Result<ClientId, OAuthError> {
    let text = params.need("client_id", "client_id is needed")?;
    ClientId::new(text).map_err(|_| OAuthError::request("client_id is no client's name"))
}

#[cfg(test)]
mod tests;

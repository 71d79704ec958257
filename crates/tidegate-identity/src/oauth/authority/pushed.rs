//! Pushed authorization requests (RFC 9126): the only way in for a person's consent.

use super::{Authority, Call, Chance, DECISION_LIFETIME, MAX_REQUEST_LIFETIME, REQUEST_LIFETIME};
use super::{client_id, parts};
use crate::oauth::acr::Acr;
use crate::oauth::client::{Binding, Client, ClientId, GrantType};
use crate::oauth::details::{self, Trading, all_within};
use crate::oauth::error::{ErrorCode, OAuthError};
use crate::oauth::jose::Thumbprint;
use crate::oauth::params::Params;
use serde_json::{Value, json};
use tidegate_types::time::{Span, Time};

/// What every `request_uri` of ours begins with.
const PREFIX: &str = "urn:ietf:params:oauth:request_uri:";
/// Longest `state`.
const MAX_STATE_BYTES: usize = 2048;

/// A request that waits for its person.
#[derive(Clone, Debug)]
pub(super) struct Pushed {
    pub(super) client: ClientId,
    pub(super) redirect_uri: String,
    pub(super) state: Option<String>,
    pub(super) challenge: String,
    pub(super) details: Vec<Trading>,
    pub(super) jkt: Option<Thumbprint>,
    pub(super) acr: Option<Acr>,
    pub(super) max_age: Option<Span>,
    pub(super) pushed: Time,
    pub(super) seen: bool,
}

/// What a person is asked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ConsentView {
    /// Which client asks.
    pub client: ClientId,
    /// What it calls itself: untrusted text.
    pub title: String,
    /// What it asks for. The person may grant less.
    pub details: Vec<Trading>,
    /// How well the person must be known, at least.
    pub acr: Option<Acr>,
    /// How long ago the login may be at most.
    pub max_age: Option<Span>,
    /// Where the person is sent back to.
    pub redirect_uri: String,
    /// The key that the tokens are to be bound to, if that is known already.
    pub key: Option<Thumbprint>,
    /// Who may act in the person's name by it, each for the one before.
    pub delegates: Vec<ClientId>,
}

impl Authority {
    /// The pushed authorization request endpoint: 201 with what it returns.
    ///
    /// # Errors
    /// When the client does not prove itself, or the request is not one that can be granted.
    pub fn push(
        &mut self,
        call: &Call<'_>,
        chance: &Chance,
        now: Time,
    ) -> Result<Value, OAuthError> {
        let (params, client, _) = self.open(call, now)?;
        client.may_use(GrantType::AuthorizationCode)?;
        let params = self.asked(params, &client, now)?;
        self.check_target(&params)?;
        let proven = self.proven(&client, call, now)?;
        let pushed = request(&params, &client, proven, now)?;
        let (_, _, handle) = parts(chance);
        let uri = format!("{PREFIX}{handle}");
        if !self.pushed.put(&client.terms().id, &uri, pushed, now.plus(REQUEST_LIFETIME), now) {
            let text = "too many requests wait; try again in a minute";
            return Err(OAuthError::new(ErrorCode::TemporarilyUnavailable, text));
        }
        Ok(json!({ "request_uri": uri, "expires_in": REQUEST_LIFETIME.millis() / 1000 }))
    }

    /// What to ask the person whom `query`, an authorization request, brings. It may be shown again
    /// until the person has decided. Errors are shown to the person: nobody is sent anywhere.
    ///
    /// # Errors
    /// When the request was not pushed by this client, is used or over.
    pub fn ask(&mut self, query: &[u8], now: Time) -> Result<ConsentView, OAuthError> {
        let params = Params::parse(query)?;
        let client = client_id(&params)?;
        let uri = params.need("request_uri", "only pushed requests are taken")?;
        let (view, first, pushed_at) = {
            let pushed = self.pushed.get(uri, now).filter(|pushed| pushed.client == client);
            let pushed = pushed.ok_or_else(gone)?;
            let first = !std::mem::replace(&mut pushed.seen, true);
            let registered = self.state.clients().get(&client).ok_or_else(gone)?;
            let delegates = self.state.delegates(&client);
            let view = ConsentView {
                client,
                title: registered.terms().title.clone(),
                details: pushed.details.clone(),
                acr: pushed.acr,
                max_age: pushed.max_age,
                redirect_uri: pushed.redirect_uri.clone(),
                key: pushed.jkt,
                delegates,
            };
            (view, first, pushed.pushed)
        };
        if first {
            let latest = pushed_at.plus(MAX_REQUEST_LIFETIME);
            self.pushed.extend(uri, now.plus(DECISION_LIFETIME).min(latest));
        }
        Ok(view)
    }
}

pub(super) const fn gone() -> OAuthError {
    OAuthError::new(ErrorCode::InvalidRequestUri, "the request is unknown, used or over")
}

/// The request that a client pushes, whole (PAR-8).
fn request(
    params: &Params,
    client: &Client,
    proven: Option<Thumbprint>,
    now: Time,
) -> Result<Pushed, OAuthError> {
    if params.need("response_type", "response_type is needed")? != "code" {
        let text = "only response_type=code is offered";
        return Err(OAuthError::new(ErrorCode::UnsupportedResponseType, text));
    }
    if params.get("response_mode").is_some_and(|mode| mode != "query") {
        return Err(OAuthError::request("only response_mode=query is offered"));
    }
    let redirect_uri = params.need("redirect_uri", "redirect_uri is needed")?;
    if !client.redirects_to(redirect_uri) {
        return Err(OAuthError::request("redirect_uri is not one that is registered"));
    }
    let challenge = params.need("code_challenge", "code_challenge is needed")?;
    if params.get("code_challenge_method") != Some("S256") || Thumbprint::parse(challenge).is_none()
    {
        return Err(OAuthError::request("code_challenge_method=S256 with its digest is needed"));
    }
    let state = params.get("state");
    if state.is_some_and(|state| state.len() > MAX_STATE_BYTES) {
        return Err(OAuthError::request("state is longer than 2048 bytes"));
    }
    let (acr, max_age) = login_asked(params)?;
    Ok(Pushed {
        client: client.terms().id.clone(),
        redirect_uri: redirect_uri.to_owned(),
        state: state.map(str::to_owned),
        challenge: challenge.to_owned(),
        details: details_asked(params, client)?,
        jkt: key_asked(params, client, proven)?,
        acr,
        max_age,
        pushed: now,
        seen: false,
    })
}

/// What is asked for: never more than the client may have.
pub(super) fn details_asked(params: &Params, client: &Client) -> Result<Vec<Trading>, OAuthError> {
    let allowed = &client.terms().allowed;
    let text = params.get("authorization_details").ok_or(OAuthError::new(
        ErrorCode::InvalidAuthorizationDetails,
        "authorization_details is needed",
    ))?;
    let asked = details::parse(text)?;
    if all_within(&asked, allowed) { Ok(asked) } else { Err(too_much()) }
}

pub(super) const fn too_much() -> OAuthError {
    let text = "more is asked for than may be granted";
    OAuthError::new(ErrorCode::InvalidAuthorizationDetails, text)
}

/// The key that the code is to be bound to: the proof's, which must be the one that is named.
pub(super) fn key_asked(
    params: &Params,
    client: &Client,
    proven: Option<Thumbprint>,
) -> Result<Option<Thumbprint>, OAuthError> {
    let Some(text) = params.get("dpop_jkt") else { return Ok(proven) };
    let named = Thumbprint::parse(text);
    let named = named.ok_or(OAuthError::request("dpop_jkt is not a thumbprint"))?;
    if client.terms().bound_to != Binding::Dpop {
        return Err(OAuthError::request("the client's tokens are not bound to a key"));
    }
    if proven.is_some_and(|proven| proven != named) {
        return Err(OAuthError::request("dpop_jkt is not the key of the DPoP header"));
    }
    Ok(Some(named))
}

/// How well the person must be known, and how lately.
pub(super) fn login_asked(params: &Params) -> Result<(Option<Acr>, Option<Span>), OAuthError> {
    let acr = match params.get("acr_values") {
        None => None,
        Some(values) => {
            let least = values.split(' ').filter_map(Acr::named).min();
            Some(least.ok_or(OAuthError::new(
                ErrorCode::UnmetAuthenticationRequirements,
                "none of acr_values is known",
            ))?)
        }
    };
    let age = params.get("max_age").map(|text| {
        let seconds = text.parse::<u32>();
        seconds
            .map(|s| Span::from_secs(s.into()))
            .map_err(|_| OAuthError::request("max_age is not seconds"))
    });
    let fresh = params.get("prompt").is_some_and(|prompt| prompt.split(' ').any(|p| p == "login"));
    let age = age.transpose()?;
    Ok((acr, if fresh { Some(age.unwrap_or(FRESH).min(FRESH)) } else { age }))
}

/// How old a login may be that counts as made for this request.
const FRESH: Span = Span::from_secs(60);

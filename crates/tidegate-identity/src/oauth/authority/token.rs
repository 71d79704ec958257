//! The token endpoint.

use super::pushed::too_much;
use super::{Authority, Call, Chance, parts, put};
use crate::constant_time::equal;
use crate::oauth::bearer::TokenBearer;
use crate::oauth::client::{Client, GrantType};
use crate::oauth::details::{self, Trading, all_within, read, show};
use crate::oauth::error::{ErrorCode, OAuthError};
use crate::oauth::event::{Confirmation, Event, Granted};
use crate::oauth::jose::Thumbprint;
use crate::oauth::params::Params;
use serde_json::{Value, json};
use tidegate_types::time::Time;

/// A request for a token whose client has proved itself, by what, and the key that the token is bound to.
#[derive(Clone, Copy)]
pub(super) struct Asked<'a> {
    pub(super) params: &'a Params,
    pub(super) client: &'a Client,
    pub(super) proved_by: Thumbprint,
    pub(super) bound_to: Confirmation,
    pub(super) chance: &'a Chance,
    pub(super) now: Time,
}

impl Authority {
    /// The token endpoint: 200 with what it returns, and `Cache-Control: no-store`.
    ///
    /// # Errors
    /// One of the registered codes.
    pub fn token(
        &mut self,
        call: &Call<'_>,
        chance: &Chance,
        now: Time,
    ) -> Result<Value, OAuthError> {
        let (params, client, proved_by) = self.open(call, now)?;
        let kind = GrantType::named(params.need("grant_type", "grant_type is needed")?);
        let kind = kind.ok_or(OAuthError::new(
            ErrorCode::UnsupportedGrantType,
            "the grant type is not offered",
        ))?;
        client.may_use(kind)?;
        self.check_target(&params)?;
        let bound_to = self.confirm(&client, call, now)?;
        let asked = Asked { params: &params, client: &client, proved_by, bound_to, chance, now };
        match kind {
            GrantType::AuthorizationCode => self.by_code(asked),
            GrantType::ClientCredentials => self.by_client(asked),
            GrantType::RefreshToken => self.by_refresh(asked),
            GrantType::DeviceCode => self.by_device(asked),
            GrantType::TokenExchange => self.by_exchange(asked),
        }
    }

    fn by_code(&mut self, asked: Asked<'_>) -> Result<Value, OAuthError> {
        let Asked { params, client, bound_to, now, .. } = asked;
        let text = params.need("code", "code is needed")?;
        // Another client's code is as unknown as any: it must not end what that client was given by it.
        let code = self.codes.get(text, now).filter(|code| code.client == client.terms().id);
        let code = code.ok_or(bad_grant("the code is unknown, over or another client's"))?;
        if code.used {
            // Somebody holds a copy, and nobody can tell who (OAuth 2.1 §4.1.2).
            let grant = code.grant;
            self.happen(Event::GrantRevoked { grant, by: None });
            return Err(bad_grant("the code was used before; its tokens are revoked"));
        }
        if now >= code.until {
            return Err(bad_grant("the code is over"));
        }
        // OAuth 2.1 §10.2: no longer asked for, since PKCE does its work; held to where it is sent.
        if params.get("redirect_uri").is_some_and(|sent| sent != code.redirect_uri) {
            return Err(bad_grant("redirect_uri is not the one of the request"));
        }
        let verifier = params.need("code_verifier", "code_verifier is needed")?;
        let digest = Thumbprint::of(verifier.as_bytes()).to_string();
        if !is_verifier(verifier) || !equal(digest.as_bytes(), code.challenge.as_bytes()) {
            return Err(bad_grant("code_verifier does not fit the challenge"));
        }
        if code.jkt.is_some_and(|jkt| bound_to != Confirmation::Key { jkt }) {
            return Err(bad_grant("the code is bound to another key"));
        }
        let narrowed = narrowed(params, &code.approval.granted)?;
        code.used = true;
        let grant = Granted {
            id: code.grant,
            client: code.client.clone(),
            subject: code.approval.subject.clone(),
            details: code.approval.granted.clone(),
            delegates: code.approval.delegates.clone(),
            bound_to,
            acr: code.approval.acr,
            auth_time: code.approval.auth_time,
            amr: code.approval.amr.clone(),
            until: now.plus(self.config.grant_lifetime),
            refresh: None,
        };
        self.grant(grant, narrowed, asked)
    }

    fn by_client(&mut self, asked: Asked<'_>) -> Result<Value, OAuthError> {
        let Asked { params, client, proved_by, bound_to, chance, now } = asked;
        let terms = client.terms();
        let bearer = TokenBearer {
            id: parts(chance).0,
            subject: terms.id.to_string(),
            client: terms.id.clone(),
            act: Vec::new(),
            may_act: None,
            details: narrowed(params, &terms.allowed)?,
            acr: None,
            auth_time: None,
            amr: Vec::new(),
            issued: now,
            until: self.token_end(now, None),
            bound_to,
            proved_by: vec![proved_by],
            grant: None,
        };
        self.answer(&bearer)
    }

    /// The same refresh token stays good (FAPI 2.0 5.3.2.1-9): it is worth nothing without the client's key.
    fn by_refresh(&mut self, asked: Asked<'_>) -> Result<Value, OAuthError> {
        let Asked { params, client, bound_to, now, .. } = asked;
        let text = params.need("refresh_token", "refresh_token is needed")?;
        let grant = self.state.grant_of_refresh(&Thumbprint::of(text.as_bytes()), now);
        let grant = grant.filter(|grant| grant.client == client.terms().id);
        let grant = grant.ok_or(bad_grant("the refresh token is unknown, over or revoked"))?;
        if grant.bound_to != bound_to {
            return Err(bad_grant("the refresh token is bound to another key or certificate"));
        }
        let bearer = self.bearer_of(grant, narrowed(params, &grant.details)?, asked);
        self.answer(&bearer)
    }

    /// Records a grant and answers with its first tokens.
    pub(super) fn grant(
        &mut self,
        mut grant: Granted,
        narrowed: Vec<Trading>,
        asked: Asked<'_>,
    ) -> Result<Value, OAuthError> {
        can_be_said(&narrowed)?;
        let (_, _, handle) = parts(asked.chance);
        let refreshes = asked.client.terms().grants.contains(&GrantType::RefreshToken);
        grant.refresh = refreshes.then(|| Thumbprint::of(handle.as_bytes()));
        let bearer = self.bearer_of(&grant, narrowed, asked);
        self.happen(Event::GrantMade { grant, at: asked.now });
        let mut answer = self.answer(&bearer)?;
        if refreshes {
            put(&mut answer, "refresh_token", handle);
        }
        Ok(answer)
    }

    fn bearer_of(&self, grant: &Granted, details: Vec<Trading>, asked: Asked<'_>) -> TokenBearer {
        let Asked { client, proved_by, chance, now, .. } = asked;
        TokenBearer {
            id: parts(chance).0,
            subject: grant.subject.clone(),
            client: grant.client.clone(),
            act: Vec::new(),
            may_act: grant.delegate_of(client),
            details,
            acr: Some(grant.acr),
            auth_time: Some(grant.auth_time),
            amr: grant.amr.clone(),
            issued: now,
            until: self.token_end(now, Some(grant.until)),
            bound_to: grant.bound_to,
            proved_by: vec![proved_by],
            grant: Some(grant.id),
        }
    }

    /// The answer that carries a fresh access token, with what it allows as granted.
    pub(super) fn answer(&mut self, bearer: &TokenBearer) -> Result<Value, OAuthError> {
        let allowed = self.state.clients().get(&bearer.client).map(|c| &c.terms().allowed);
        if !allowed.is_some_and(|allowed| all_within(&bearer.details, allowed)) {
            return Err(too_much());
        }
        can_be_said(&bearer.details)?;
        let token = self.issue(bearer)?;
        Ok(json!({
            "access_token": token,
            "token_type": token_type(bearer.bound_to),
            "expires_in": bearer.until.since(bearer.issued).millis() / 1000,
            "authorization_details": show::to_value(&bearer.details),
        }))
    }
}

/// How a token is shown: certificate-bound ones go as `Bearer` (RFC 8705).
pub(super) const fn token_type(bound_to: Confirmation) -> &'static str {
    match bound_to {
        Confirmation::Key { .. } => "DPoP",
        Confirmation::Certificate { .. } => "Bearer",
    }
}

/// What is asked for now, no more than `granted`; all of it when nothing is named.
pub(super) fn narrowed(params: &Params, granted: &[Trading]) -> Result<Vec<Trading>, OAuthError> {
    let Some(text) = params.get("authorization_details") else { return Ok(granted.to_vec()) };
    let asked = details::parse(text)?;
    if all_within(&asked, granted) { Ok(asked) } else { Err(too_much()) }
}

/// Refuses what no token can say in a way that is read again: nobody would take it.
fn can_be_said(details: &[Trading]) -> Result<(), OAuthError> {
    let said = read::from_value(&show::to_value(details));
    said.map(drop).map_err(|_| {
        let text = "no token can say what was granted; ask for less";
        OAuthError::new(ErrorCode::InvalidAuthorizationDetails, text)
    })
}

pub(super) const fn bad_grant(description: &'static str) -> OAuthError {
    OAuthError::new(ErrorCode::InvalidGrant, description)
}

/// RFC 7636 §4.1.
fn is_verifier(text: &str) -> bool {
    let legal = |b: u8| b.is_ascii_alphanumeric() || b"-._~".contains(&b);
    (43..=128).contains(&text.len()) && text.bytes().all(legal)
}

//! Revocation (RFC 7009) and introspection (RFC 7662).

use super::token::token_type;
use super::{Authority, Call, put};
use crate::oauth::client::ClientId;
use crate::oauth::error::OAuthError;
use crate::oauth::event::{Event, Granted};
use crate::oauth::jose::Thumbprint;
use crate::oauth::json::seconds;
use serde_json::{Value, json};
use tidegate_types::time::Time;

impl Authority {
    /// The revocation endpoint: 200 with an empty body, also for a token that nobody knows. A refresh
    /// token's end is its grant's and that of every access token under it.
    ///
    /// # Errors
    /// When the client does not prove itself, or the token is another client's.
    pub fn revoke(&mut self, call: &Call<'_>, now: Time) -> Result<(), OAuthError> {
        let (params, client, _) = self.open(call, now)?;
        let text = params.need("token", "token is needed")?;
        let own = &client.terms().id;
        let foreign = Err(OAuthError::request("the token is another client's"));
        // The hint says where to look first; looking in both places costs less than trusting it.
        if let Some(grant) = self.state.grant_of_refresh(&Thumbprint::of(text.as_bytes()), now) {
            if grant.client != *own {
                return foreign;
            }
            let grant = grant.id;
            self.happen(Event::GrantRevoked { grant, by: None });
        } else if let Some(bearer) = self.verify(text, now) {
            if bearer.client != *own {
                return foreign;
            }
            let (token, until) = (bearer.id, bearer.until);
            self.happen(Event::TokenRevoked { token, until, at: now });
        }
        Ok(())
    }

    /// The introspection endpoint: 200 with what it returns. Whatever is wrong with a token, all that is
    /// told is that it is not active. A client may ask about its own; a resource server about all.
    ///
    /// # Errors
    /// When the client does not prove itself.
    pub fn introspect(&mut self, call: &Call<'_>, now: Time) -> Result<Value, OAuthError> {
        let (params, client, _) = self.open(call, now)?;
        let text = params.need("token", "token is needed")?;
        let terms = client.terms();
        let may_see = |owner: &ClientId| terms.introspects || terms.id == *owner;
        if let Some(bearer) = self.verify(text, now).filter(|bearer| may_see(&bearer.client)) {
            let mut answer = bearer.to_claims(&self.config.issuer, &self.config.resource);
            put(&mut answer, "active", true);
            put(&mut answer, "token_type", token_type(bearer.bound_to));
            return Ok(answer);
        }
        let grant = self.state.grant_of_refresh(&Thumbprint::of(text.as_bytes()), now);
        let good = |grant: &&Granted| {
            terms.id == grant.client && !self.state.is_key_revoked(&grant.bound_to.thumbprint())
        };
        Ok(match grant.filter(good) {
            Some(grant) => self.refresh_token(grant),
            None => json!({ "active": false }),
        })
    }

    fn refresh_token(&self, grant: &Granted) -> Value {
        json!({
            "active": true,
            "iss": self.config.issuer,
            "sub": grant.subject,
            "client_id": grant.client.as_str(),
            "exp": seconds(grant.until),
            "cnf": grant.bound_to.to_json(),
        })
    }
}

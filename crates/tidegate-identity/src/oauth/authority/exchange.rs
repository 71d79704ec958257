//! Token exchange (RFC 8693): a bot acts in the name of a trader, who stays visible.

use super::token::Asked;
use super::token::{narrowed, token_type};
use super::{Authority, parts, put};
use crate::oauth::bearer::{MAX_ACTORS, TokenBearer};
use crate::oauth::error::{ErrorCode, OAuthError};
use serde_json::Value;

/// The one type of token that is exchanged.
const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";

impl Authority {
    /// A token for the client, in the name of the subject of the token that it shows. It is bound to the
    /// client's own key, ends with the subject's token and allows no more than that does.
    pub(super) fn by_exchange(&mut self, asked: Asked<'_>) -> Result<Value, OAuthError> {
        let Asked { params, client, proved_by, bound_to, chance, now } = asked;
        let text = params.need("subject_token", "subject_token is needed")?;
        let kind = params.need("subject_token_type", "subject_token_type is needed")?;
        let wanted = params.get("requested_token_type").unwrap_or(ACCESS_TOKEN);
        if kind != ACCESS_TOKEN || wanted != ACCESS_TOKEN {
            return Err(OAuthError::request("only access tokens are exchanged"));
        }
        if params.get("actor_token").is_some() || params.get("actor_token_type").is_some() {
            return Err(OAuthError::request("the actor is the client itself; no actor_token"));
        }
        let subject = self.verify(text, now);
        let subject = subject.ok_or(OAuthError::request("the subject_token is not in force"))?;
        let actor = client.terms().id.clone();
        if subject.may_act.as_ref() != Some(&actor) {
            let text = "the subject_token does not name the client in may_act";
            return Err(OAuthError::new(ErrorCode::UnauthorizedClient, text));
        }
        if subject.act.len() >= MAX_ACTORS {
            return Err(OAuthError::request("too many act for each other"));
        }
        let act = std::iter::once(actor.to_string()).chain(subject.act.iter().cloned()).collect();
        let grant = subject.grant.and_then(|id| self.state.grant(&id, now));
        // It ends with every key that it rests upon.
        let of_subject = std::iter::once(subject.bound_to.thumbprint()).chain(subject.proved_by);
        let proved_by = std::iter::once(proved_by).chain(of_subject).collect();
        let bearer = TokenBearer {
            id: parts(chance).0,
            subject: subject.subject,
            client: actor,
            act,
            may_act: grant.and_then(|grant| grant.delegate_of(client)),
            details: narrowed(params, &subject.details)?,
            acr: subject.acr,
            auth_time: subject.auth_time,
            amr: subject.amr,
            issued: now,
            until: self.token_end(now, Some(subject.until)),
            bound_to,
            proved_by,
            grant: subject.grant,
        };
        let mut answer = self.answer(&bearer)?;
        put(&mut answer, "issued_token_type", ACCESS_TOKEN);
        put(&mut answer, "token_type", token_type(bound_to));
        Ok(answer)
    }
}

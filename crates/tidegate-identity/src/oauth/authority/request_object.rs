//! Signed request objects (RFC 9101), as FAPI 2.0 Message Signing (5.3.1) has them: pushed, signed by a key of
//! the client's, short-lived. What a client signed is what a person is asked, and nothing beside it.

use super::Authority;
use crate::oauth::client::Client;
use crate::oauth::client::authenticate::MAX_AHEAD;
use crate::oauth::error::{ErrorCode, OAuthError};
use crate::oauth::jose::JoseError;
use crate::oauth::jose::jws::{Compact, Typ};
use crate::oauth::json::{Members, Object};
use crate::oauth::params::Params;
use serde_json::Value;
use tidegate_types::time::{Span, Time};

/// How much later than `nbf` its `exp` may be.
const MAX_LIFETIME: Span = Span::from_secs(60 * 60);

impl Authority {
    /// What `client` asks for: the claims of its request object where it signs one, else what was pushed.
    /// Beside an object only the client's proof of itself counts, which was looked at before.
    ///
    /// # Errors
    /// `invalid_request` when there is none and the client must sign, or one is given by reference;
    /// `invalid_request_object` when it is not good.
    pub(super) fn asked(
        &self,
        params: Params,
        client: &Client,
        now: Time,
    ) -> Result<Params, OAuthError> {
        if params.get("request_uri").is_some() {
            return Err(OAuthError::request("request_uri is not taken here"));
        }
        match params.get("request") {
            Some(text) => {
                let claims = self.claims(text, client, now)?;
                Params::of_claims(&claims)
            }
            None if client.terms().signs_requests => {
                Err(OAuthError::request("the client is registered to sign its requests"))
            }
            None => Ok(params),
        }
    }

    fn claims(&self, text: &str, client: &Client, now: Time) -> Result<Object, OAuthError> {
        let compact = Compact::parse(text).map_err(of_jose)?;
        let (typ, rsa) = (Typ::RequestObject, self.config.rsa);
        let verified = client.verify(&self.state, &compact, typ, rsa);
        let (claims, _) = verified.map_err(of_jose)?;
        let id = Some(client.terms().id.as_str());
        if claims.text("iss") != id || claims.text("client_id") != id {
            return Err(refused("its iss and client_id are not the client"));
        }
        if !is_for(&claims, &self.config.issuer) {
            return Err(refused("its aud is not the issuer"));
        }
        if claims.contains_key("request") || claims.contains_key("request_uri") {
            return Err(refused("it holds another request"));
        }
        check_times(&claims, now)?;
        Ok(claims)
    }
}

/// Whether the issuer is the audience, or one of several.
fn is_for(claims: &Object, issuer: &str) -> bool {
    match claims.get("aud") {
        Some(Value::String(one)) => one == issuer,
        Some(Value::Array(several)) => several.iter().any(|one| one.as_str() == Some(issuer)),
        _ => false,
    }
}

fn check_times(claims: &Object, now: Time) -> Result<(), OAuthError> {
    let time = |name| claims.time(name).map_err(|_| refused("a time is not in whole seconds"));
    let from = time("nbf")?.ok_or_else(|| refused("it has no nbf"))?;
    let until = time("exp")?.ok_or_else(|| refused("it has no exp"))?;
    if from > now.plus(MAX_AHEAD) {
        return Err(refused("it is not good yet"));
    }
    if until <= now {
        return Err(refused("it is over"));
    }
    // So that its nbf is no longer ago than that either.
    if until > from.plus(MAX_LIFETIME) {
        return Err(refused("its exp is more than 60 minutes after its nbf"));
    }
    Ok(())
}

const fn refused(description: &'static str) -> OAuthError {
    OAuthError::new(ErrorCode::InvalidRequestObject, description)
}

fn of_jose(error: JoseError) -> OAuthError {
    refused(match error {
        JoseError::Malformed => "it is not a compact JWT, or too long",
        JoseError::Algorithm => "it is not signed by PS256, ES256 or EdDSA",
        JoseError::Critical => "it names a critical extension",
        JoseError::Type => "its typ is not oauth-authz-req+jwt",
        JoseError::Key | JoseError::NoKey => "no single key of the client in force fits it",
        JoseError::Signature => "its signature does not fit",
    })
}

#[cfg(test)]
mod tests;

//! What is asked of a provider: a login by code with PKCE, and a token for the code.

use super::Metadata;
use crate::oauth::jose::jws::Typ;
use crate::oauth::jose::{JoseError, SigningKey};
use crate::oauth::json::seconds;
use crate::people::OneTimeText;
use crate::people::hidden::sha256;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::json;
use tidegate_types::time::{Span, Time};

/// For how long an assertion of ours is good.
const ASSERTION_LIFETIME: Span = Span::from_secs(60);
/// What RFC 3986 leaves unreserved.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Parameters of a request.
pub type Fields = Vec<(&'static str, String)>;

/// A login that was begun: what only this gateway knows of it until the provider answers.
#[derive(Debug)]
pub struct Flow {
    /// Comes back with the answer.
    pub state: OneTimeText,
    /// Comes back in the token.
    pub nonce: OneTimeText,
    /// Shows that who brings the code asked for it.
    verifier: OneTimeText,
}

/// What is asked beside that.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// Who we are to the provider.
    pub client_id: &'a str,
    /// Where the answer goes.
    pub redirect_uri: &'a str,
    /// Kinds of login, the best first.
    pub acr: &'a [String],
    /// How long ago the person may have shown who they are.
    pub max_age: Span,
}

impl Flow {
    /// A login; `random` must be fresh from the system's generator.
    pub fn new(random: &[[u8; 32]; 3]) -> Flow {
        let [state, nonce, verifier] = random;
        Flow {
            state: OneTimeText::of_random(state),
            nonce: OneTimeText::of_random(nonce),
            verifier: OneTimeText::of_random(verifier),
        }
    }

    /// The authorization request (OpenID Connect Core, section 3.1.2.1). Nothing is asked for but who it is.
    pub fn ask(&self, asked: &Asked<'_>) -> Fields {
        let challenge = URL_SAFE_NO_PAD.encode(sha256(self.verifier.expose().as_bytes()));
        let mut fields = vec![
            ("response_type", "code".to_owned()),
            ("client_id", asked.client_id.to_owned()),
            ("redirect_uri", asked.redirect_uri.to_owned()),
            ("scope", "openid".to_owned()),
            ("state", self.state.expose().to_owned()),
            ("nonce", self.nonce.expose().to_owned()),
            ("code_challenge", challenge),
            ("code_challenge_method", "S256".to_owned()),
            ("max_age", (asked.max_age.millis() / 1000).to_string()),
        ];
        if !asked.acr.is_empty() {
            fields.push(("acr_values", asked.acr.join(" ")));
        }
        fields
    }

    /// The token request for the code that came back.
    pub fn redeem(&self, asked: &Asked<'_>, code: &str) -> Fields {
        vec![
            ("grant_type", "authorization_code".to_owned()),
            ("client_id", asked.client_id.to_owned()),
            ("redirect_uri", asked.redirect_uri.to_owned()),
            ("code", code.to_owned()),
            ("code_verifier", self.verifier.expose().to_owned()),
        ]
    }
}

impl Metadata {
    /// Where a browser goes with a request, or with what stands for one that was pushed.
    pub fn go(&self, fields: &Fields) -> String {
        let joint = if self.authorization.contains('?') { '&' } else { '?' };
        format!("{}{joint}{}", self.authorization, form(fields))
    }
}

/// Fields as a form or query spells them.
pub fn form(fields: &Fields) -> String {
    let pair =
        |(name, value): &(&str, String)| format!("{name}={}", utf8_percent_encode(value, ESCAPED));
    fields.iter().map(pair).collect::<Vec<_>>().join("&")
}

/// What shows a provider that it is us who ask (RFC 7523): for it alone, named by its issuer and by
/// nothing else, so that no other provider can use it.
///
/// # Errors
/// When the key cannot sign.
pub fn client_assertion(
    key: &SigningKey,
    client_id: &str,
    issuer: &str,
    random: &[u8; 32],
    now: Time,
) -> Result<Fields, JoseError> {
    let claims = json!({
        "iss": client_id, "sub": client_id, "aud": issuer,
        "jti": URL_SAFE_NO_PAD.encode(random),
        "iat": seconds(now), "exp": seconds(now.plus(ASSERTION_LIFETIME)),
    });
    let kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer".to_owned();
    let assertion = key.sign(Typ::ClientAssertion, &claims)?;
    Ok(vec![("client_assertion_type", kind), ("client_assertion", assertion)])
}

#[cfg(test)]
mod tests;

//! Logout tokens (OpenID Connect Back-Channel Logout 1.0, section 2.6).

use super::id_token::{addressed, in_time, subject};
use super::{OidcError, OutsideIdentity, ProviderKeys, SKEW};
use crate::oauth::json::{Members, Object};
use crate::oauth::once::Once;
use serde_json::Value;
use tidegate_types::time::{Span, Time};

/// The event that a logout is.
const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";
/// The longest between a token's making and its coming here (section 4).
const MAX_TRANSIT: Span = Span::from_secs(2 * 60);
/// Most tokens that are remembered. Each is good for some minutes.
const MAX_SEEN: usize = 10_000;

/// Somebody logged out at the provider.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LoggedOut {
    /// Who.
    pub identity: OutsideIdentity,
    id: String,
    made: Time,
}

/// The logouts that came: each counts once.
#[derive(Debug)]
pub struct SeenLogouts(Once);

impl LoggedOut {
    /// What the provider says in `token`, once that is found to be its own and for us.
    ///
    /// # Errors
    /// Which of the checks failed.
    pub fn verify(
        token: &str,
        keys: &ProviderKeys,
        issuer: &str,
        client_id: &str,
        now: Time,
    ) -> Result<LoggedOut, OidcError> {
        let (header, claims) = keys.open(token)?;
        if !is_logout_token(&header) {
            return Err(OidcError::Type);
        }
        addressed(&claims, issuer, client_id)?;
        in_time(&claims, MAX_TRANSIT, now)?;
        let event = claims.get("events").and_then(|events| events.get(EVENT));
        // A nonce would make an ID token of it.
        if !event.is_some_and(Value::is_object) || claims.contains_key("nonce") {
            return Err(OidcError::Event);
        }
        let id = claims.text("jti").filter(|id| !id.is_empty()).ok_or(OidcError::Repeated)?;
        let made = claims.time("iat").ok().flatten().ok_or(OidcError::IssuedAt)?;
        let subject = subject(&claims)?;
        let identity = OutsideIdentity { issuer: issuer.to_owned(), subject };
        Ok(LoggedOut { identity, id: id.to_owned(), made })
    }
}

impl SeenLogouts {
    /// None yet; what was made before the second of `started` counts as seen.
    pub fn new(started: Time) -> SeenLogouts {
        let second = Time::from_millis(started.millis() / 1000 * 1000);
        // One provider has half of it.
        SeenLogouts(Once::new(2 * MAX_SEEN, second))
    }

    /// Takes note of a logout.
    ///
    /// # Errors
    /// When it came before, or there is no room to remember it.
    pub fn admit(&mut self, logout: &LoggedOut, now: Time) -> Result<(), OidcError> {
        let until = now.plus(MAX_TRANSIT).plus(SKEW).plus(SKEW);
        let issuer = &logout.identity.issuer;
        let admitted = self.0.admit(issuer, issuer.as_bytes(), &logout.id, logout.made, until, now);
        admitted.map_err(|_| OidcError::Repeated)
    }
}

/// `logout+jwt` and nothing else, so that no other token of the provider's passes for one.
fn is_logout_token(header: &Object) -> bool {
    header.text("typ").is_some_and(|typ| {
        typ.eq_ignore_ascii_case("logout+jwt") || typ.eq_ignore_ascii_case("application/logout+jwt")
    })
}

#[cfg(test)]
mod tests;

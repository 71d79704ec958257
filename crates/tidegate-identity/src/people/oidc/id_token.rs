//! ID tokens (OpenID Connect Core 1.0, section 3.1.3.7), and what a login is worth here.

use super::{MAX_SUBJECT_BYTES, MAX_WORD_BYTES, OidcError, OutsideIdentity, ProviderKeys, SKEW};
use crate::constant_time::equal;
use crate::oauth::json::{Members, Object};
use crate::people::{Factor, Shown};
use serde_json::Value;
use tidegate_types::codec_struct;
use tidegate_types::time::{Span, Time};

/// The longest between a token's making and its coming here: it is fetched within seconds of it.
const MAX_TRANSIT: Span = Span::from_secs(5 * 60);

/// What a token must say.
#[derive(Clone, Copy, Debug)]
pub struct Expected<'a> {
    /// Who gave it.
    pub issuer: &'a str,
    /// Whom it is for.
    pub client_id: &'a str,
    /// The login that was begun here.
    pub nonce: &'a str,
    /// How long ago the person may have shown who they are.
    pub max_age: Span,
    /// The login is of one of these kinds; none: of any.
    pub acr: &'a [String],
    /// All of these were shown.
    pub amr: &'a [String],
}

/// What a provider says of a login.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Login {
    /// Who.
    pub identity: OutsideIdentity,
    /// When they showed it.
    pub at: Time,
    /// Of which kind it was.
    pub acr: Option<String>,
    /// What was shown.
    pub amr: Vec<String>,
}
codec_struct!(Login { identity, at, acr, amr });

/// What the desk takes a provider's word for: the values of `acr` and `amr` by which it says so.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Trust {
    /// Kinds of login with two factors.
    pub two_factor_acr: Vec<String>,
    /// Methods that come with two factors.
    pub two_factor_amr: Vec<String>,
    /// Kinds of login that no false page can pass on.
    pub phishing_resistant_acr: Vec<String>,
    /// Methods that no false page can pass on.
    pub phishing_resistant_amr: Vec<String>,
}

impl Login {
    /// What the provider says in `token`, once that is found to be its own, for us and for this login.
    ///
    /// # Errors
    /// Which of the checks failed.
    pub fn verify(
        token: &str,
        keys: &ProviderKeys,
        expected: &Expected<'_>,
        now: Time,
    ) -> Result<Login, OidcError> {
        let (header, claims) = keys.open(token)?;
        if !is_id_token(&header) {
            return Err(OidcError::Type);
        }
        addressed(&claims, expected.issuer, expected.client_id)?;
        in_time(&claims, MAX_TRANSIT, now)?;
        let nonce = claims.text("nonce").unwrap_or_default();
        if nonce.is_empty() || !equal(nonce.as_bytes(), expected.nonce.as_bytes()) {
            return Err(OidcError::Nonce);
        }
        let at = claims.time("auth_time").ok().flatten().ok_or(OidcError::AuthTime)?;
        if at > now.plus(SKEW) {
            return Err(OidcError::AuthTime);
        }
        if now > at.plus(expected.max_age).plus(SKEW) {
            return Err(OidcError::TooOld);
        }
        let acr = word(&claims, "acr").ok_or(OidcError::Acr)?;
        let of_kind = |acr: &String| expected.acr.contains(acr);
        if !expected.acr.is_empty() && !acr.as_ref().is_some_and(of_kind) {
            return Err(OidcError::Acr);
        }
        let amr = words(&claims, "amr").ok_or(OidcError::Amr)?;
        if !expected.amr.iter().all(|wanted| amr.contains(wanted)) {
            return Err(OidcError::Amr);
        }
        let subject = subject(&claims)?;
        let identity = OutsideIdentity { issuer: expected.issuer.to_owned(), subject };
        // A login is never known to be later than now.
        Ok(Login { identity, at: at.min(now), acr, amr })
    }
}

impl Trust {
    /// What a login counts as here: one factor unless the desk trusts the provider's word for more. One
    /// that resists phishing counts as such with two factors only.
    pub fn shown(&self, login: &Login) -> Shown {
        let said = |acrs: &[String], amrs: &[String]| {
            login.acr.as_ref().is_some_and(|acr| acrs.contains(acr))
                || login.amr.iter().any(|amr| amrs.contains(amr))
        };
        let two = said(&self.two_factor_acr, &self.two_factor_amr);
        let resists = said(&self.phishing_resistant_acr, &self.phishing_resistant_amr);
        let factor = match (two, resists) {
            (false, _) => Factor::Outside,
            (true, false) => Factor::OutsideTwo,
            (true, true) => Factor::OutsideResistant,
        };
        Shown::new(factor, login.at)
    }
}

/// Holds a token to who gave it and whom it is for: this client alone.
pub(super) fn addressed(claims: &Object, issuer: &str, client: &str) -> Result<(), OidcError> {
    if claims.text("iss") != Some(issuer) {
        return Err(OidcError::Issuer);
    }
    let for_us = match claims.get("aud") {
        Some(Value::String(one)) => one == client,
        Some(Value::Array(all)) => !all.is_empty() && all.iter().all(|one| one == client),
        _ => false,
    };
    if !for_us {
        return Err(OidcError::Audience);
    }
    match claims.get("azp") {
        Some(party) if party != client => Err(OidcError::AuthorizedParty),
        _ => Ok(()),
    }
}

/// Holds a token to its times: made at most `transit` ago, not over, not to come.
pub(super) fn in_time(claims: &Object, transit: Span, now: Time) -> Result<(), OidcError> {
    let until = claims.time("exp").ok().flatten().ok_or(OidcError::Expired)?;
    if now >= until.plus(SKEW) {
        return Err(OidcError::Expired);
    }
    let from = claims.time("nbf").map_err(|_| OidcError::NotYet)?.unwrap_or_default();
    let made = claims.time("iat").ok().flatten().ok_or(OidcError::IssuedAt)?;
    if from.max(made) > now.plus(SKEW) {
        return Err(OidcError::NotYet);
    }
    if now > made.plus(transit).plus(SKEW) {
        return Err(OidcError::IssuedAt);
    }
    Ok(())
}

/// Whom a token is about: 255 visible ASCII characters at most.
pub(super) fn subject(claims: &Object) -> Result<String, OidcError> {
    let subject = claims.text("sub").ok_or(OidcError::Subject)?;
    let good = (1..=MAX_SUBJECT_BYTES).contains(&subject.len())
        && subject.bytes().all(|b| b == b' ' || b.is_ascii_graphic());
    if good { Ok(subject.to_owned()) } else { Err(OidcError::Subject) }
}

/// Untyped or `JWT`: a token that says it is something else is none.
fn is_id_token(header: &Object) -> bool {
    header.get("typ").is_none_or(|typ| {
        typ.as_str().is_some_and(|typ| {
            typ.eq_ignore_ascii_case("jwt") || typ.eq_ignore_ascii_case("application/jwt")
        })
    })
}

/// A claim that is one word, if it is there; none when it is anything else.
fn word(claims: &Object, name: &str) -> Option<Option<String>> {
    match claims.get(name) {
        None => Some(None),
        Some(Value::String(text)) if text.len() <= MAX_WORD_BYTES => Some(Some(text.clone())),
        Some(_) => None,
    }
}

/// A claim that is a list of words; none when it is anything else.
fn words(claims: &Object, name: &str) -> Option<Vec<String>> {
    let Some(value) = claims.get(name) else { return Some(Vec::new()) };
    let all = value.as_array().filter(|all| all.len() <= 16)?;
    let word =
        |one: &Value| one.as_str().filter(|text| text.len() <= MAX_WORD_BYTES).map(str::to_owned);
    all.iter().map(word).collect()
}

#[cfg(test)]
mod tests;

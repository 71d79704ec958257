//! The first gate: what a caller shows becomes the proof of who it is, or a refusal.
//!
//! The only file that calls `Authenticated::vouch`.

use crate::constant_time::{any_equal, equal};
use crate::keyring::{Check, Entry, Keyring};
use crate::oauth::TokenBearer;
use crate::replay::{ReplayError, ReplayGuard};
use crate::stream_keys::StreamKeys;
use crate::tokens::{Issued, TokenStore};
use aws_lc_rs::{hmac, signature};
use std::sync::Arc;
use tidegate_types::grant::{Grant, VirtualKey};
use tidegate_types::ids::{AccountName, CallerName, KeyId, VenueName};
use tidegate_types::key::Origin;
use tidegate_types::limits::{MAX_CLOCK_AHEAD, MAX_SIGNATURE_WINDOW};
use tidegate_types::proof::{Authenticated, Evidence, TokenShown};
use tidegate_types::reject::{Code, Reject};
use tidegate_types::request::{Presented, Signature};
use tidegate_types::secret::Secret;
use tidegate_types::time::{Span, Time};

/// A caller that named its key and proved nothing. Good for the stream-key calls alone, which the
/// venues leave unsigned.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Named {
    caller: CallerName,
    key: KeyId,
    account: AccountName,
    subject: Option<Arc<str>>,
}

/// A caller that proved who it is earlier in a session.
#[derive(Debug)]
pub struct Remembered {
    key: KeyId,
    venue: VenueName,
    token: Option<(CallerName, AccountName, Arc<Grant>, Arc<str>)>,
}

/// Most texts and most signature forms that one request may be checked against.
const MAX_CANDIDATES: usize = 8;

/// Checks what a caller shows at `venue`'s door.
///
/// # Errors
/// A refusal with one of the codes 101 to 109, or 403 when replays can be remembered no more. A bare
/// key id is refused here: see `named`.
pub fn authenticate(
    keyring: &Keyring,
    replays: &mut ReplayGuard,
    tokens: &TokenStore,
    venue: &VenueName,
    presented: &Presented,
    origin: &Origin,
    now: Time,
) -> Result<Authenticated, Reject> {
    let entry = match presented {
        Presented::Signature(signature) => {
            let entry = find(keyring, venue, &signature.key)?;
            check_time(signature, now)?;
            let evidence = check_signature(&entry.check, signature)?;
            entry.key.terms.admit(origin, now)?;
            check_once(replays, &entry.key.id, signature, now)?;
            let who = vouch(&entry.key).signed(Time::from_millis(signature.timestamp_ms));
            // What changes nothing is not held against anybody.
            let evidence = evidence.filter(|_| signature.once);
            return Ok(match evidence {
                Some(evidence) => who.evident(Arc::new(evidence)),
                None => who,
            });
        }
        Presented::Password { key, secret } => {
            let entry = find(keyring, venue, key)?;
            check_secret(&entry.check, secret)?;
            entry
        }
        Presented::Token { token } => {
            find_by_id(keyring, venue, tokens.key_of(token.expose(), now)?)?
        }
        Presented::KeyOnly { .. } => {
            return Err(Reject::new(Code::MissingCredentials, "a key id alone proves nothing"));
        }
    };
    entry.key.terms.admit(origin, now)?;
    Ok(vouch(&entry.key))
}

/// Renews a login: a refresh token for the caller's proof and a new pair of tokens. `random` must be
/// fresh from the system's generator.
///
/// # Errors
/// Codes 102, 106 or 107. A refresh token that was used before ends its login.
pub fn refresh(
    keyring: &Keyring,
    tokens: &mut TokenStore,
    venue: &VenueName,
    token: &Secret,
    random: &[u8; 64],
    origin: &Origin,
    now: Time,
) -> Result<(Authenticated, Issued), Reject> {
    let key = tokens.key_of_refresh(token.expose(), now)?;
    let entry = find_by_id(keyring, venue, &key)?;
    entry.key.terms.admit(origin, now)?;
    let issued = tokens
        .rotate(token.expose(), random, now)
        .ok_or_else(|| Reject::new(Code::BadToken, "log in again"))?;
    Ok((vouch(&entry.key), issued))
}

/// The app whose token was found good just now, with what that allows of its grant on one account.
pub fn by_token(bearer: &TokenBearer, allows: Grant) -> Option<Authenticated> {
    let key = KeyId::new(&format!("token:{}", bearer.id)).ok()?;
    let (caller, venue, account) =
        (allows.caller.clone(), allows.venue.clone(), allows.account.clone());
    let subject = Arc::from(bearer.subject.as_str());
    (caller.as_str() == bearer.client.as_str()).then(|| {
        Authenticated::vouch(caller, key, venue, account).by_token(Arc::new(allows), subject)
    })
}

/// The caller whose session this is, as long as its key is in force. A token is remembered for the legs
/// of one batch alone: a session that one opened looks at the token itself each time.
///
/// # Errors
/// Code 102 when the key was revoked since, 108 when it has ended.
pub fn recall(
    keyring: &Keyring,
    remembered: &Remembered,
    now: Time,
) -> Result<Authenticated, Reject> {
    if let Some((caller, account, allows, subject)) = &remembered.token {
        let (key, venue) = (remembered.key.clone(), remembered.venue.clone());
        let who = Authenticated::vouch(caller.clone(), key, venue, account.clone());
        return Ok(who.by_token(Arc::clone(allows), Arc::clone(subject)));
    }
    let entry = find_by_id(keyring, &remembered.venue, &remembered.key)?;
    entry.key.terms.in_time(now)?;
    Ok(vouch(&entry.key))
}

/// The caller that a bare key id names.
///
/// # Errors
/// Codes 102, 106, 108 or 109.
pub fn named(
    keyring: &Keyring,
    venue: &VenueName,
    key: &str,
    origin: &Origin,
    now: Time,
) -> Result<Named, Reject> {
    let entry = find(keyring, venue, key)?;
    entry.key.terms.admit(origin, now)?;
    Ok(Named::of(&entry.key))
}

/// The caller whose stream key this is.
///
/// # Errors
/// Code 107 when the stream key is not in force, 102, 106, 108 or 109 when the virtual key is not.
pub fn stream_owner(
    keyring: &Keyring,
    stream_keys: &StreamKeys,
    venue: &VenueName,
    stream_key: &str,
    origin: &Origin,
    now: Time,
) -> Result<Named, Reject> {
    let key = stream_keys
        .owner(stream_key, now)
        .ok_or_else(|| Reject::new(Code::BadToken, "the stream key is not in force"))?;
    let entry = find_by_id(keyring, venue, key)?;
    entry.key.terms.admit(origin, now)?;
    Ok(Named::of(&entry.key))
}

impl Named {
    /// Who.
    pub fn caller(&self) -> &CallerName {
        &self.caller
    }

    /// By which key.
    pub fn key(&self) -> &KeyId {
        &self.key
    }

    /// On which account.
    pub fn account(&self) -> &AccountName {
        &self.account
    }

    /// The token that it showed, and in whose name that is; `None` where it named a key.
    pub fn shown(&self) -> Option<TokenShown> {
        let subject = Arc::clone(self.subject.as_ref()?);
        Some(TokenShown { token: self.key.clone(), subject })
    }

    fn of(key: &VirtualKey) -> Named {
        let (caller, account) = (key.caller.clone(), key.account.clone());
        Named { caller, key: key.id.clone(), account, subject: None }
    }
}

impl From<&Authenticated> for Named {
    fn from(who: &Authenticated) -> Named {
        Named {
            caller: who.caller().clone(),
            key: who.key().clone(),
            account: who.account().clone(),
            subject: who.subject().map(Arc::clone),
        }
    }
}

impl From<&Authenticated> for Remembered {
    fn from(who: &Authenticated) -> Remembered {
        let token = who.token().zip(who.subject()).map(|(allows, subject)| {
            let (allows, subject) = (Arc::clone(allows), Arc::clone(subject));
            (who.caller().clone(), who.account().clone(), allows, subject)
        });
        Remembered { key: who.key().clone(), venue: who.venue().clone(), token }
    }
}

fn vouch(key: &VirtualKey) -> Authenticated {
    Authenticated::vouch(key.caller.clone(), key.id.clone(), key.venue.clone(), key.account.clone())
}

fn find<'a>(keyring: &'a Keyring, venue: &VenueName, key: &str) -> Result<&'a Entry, Reject> {
    if key.is_empty() {
        return Err(Reject::new(Code::MissingCredentials, "the key is empty"));
    }
    // What was sent as a key may be a secret pasted into the wrong place, so it is not repeated.
    let id = KeyId::new(key).map_err(|_| Reject::new(Code::UnknownKey, ""))?;
    find_by_id(keyring, venue, &id)
}

fn find_by_id<'a>(
    keyring: &'a Keyring,
    venue: &VenueName,
    id: &KeyId,
) -> Result<&'a Entry, Reject> {
    let entry = keyring.entry(id).ok_or_else(|| Reject::new(Code::UnknownKey, ""))?;
    if entry.key.venue == *venue {
        Ok(entry)
    } else {
        Err(Reject::new(Code::WrongVenue, format!("the key is for {}", entry.key.venue)))
    }
}

fn check_time(signature: &Signature, now: Time) -> Result<(), Reject> {
    let (stamp, now) = (signature.timestamp_ms, now.millis());
    if signature.window_ms > MAX_SIGNATURE_WINDOW.millis() {
        let most = MAX_SIGNATURE_WINDOW.millis();
        return Err(Reject::new(
            Code::StaleTimestamp,
            format!("the window is {} ms, the longest is {most} ms", signature.window_ms),
        ));
    }
    let ahead = now.saturating_add(MAX_CLOCK_AHEAD.millis());
    if stamp < ahead && now.saturating_sub(stamp) <= signature.window_ms {
        return Ok(());
    }
    Err(Reject::new(
        Code::StaleTimestamp,
        format!("stamped {stamp}, now {now}, window {} ms", signature.window_ms),
    ))
}

/// What was signed, where the key that signed it is nobody else's: not where a secret is shared.
fn check_signature(check: &Check, signature: &Signature) -> Result<Option<Evidence>, Reject> {
    let (payloads, candidates) = (&signature.payloads, &signature.candidates);
    if payloads.len() > MAX_CANDIDATES || candidates.len() > MAX_CANDIDATES {
        return Err(Reject::new(Code::BadSignature, "too many forms"));
    }
    let evidence = |good: &dyn Fn(&[u8], &[u8]) -> bool| {
        let mut pairs = payloads.iter().flat_map(|of| candidates.iter().map(move |by| (of, by)));
        let (signed, by) = pairs.find(|(of, by)| good(of, by))?;
        Some(Evidence { signed: signed.clone(), signature: by.clone(), content: Vec::new() })
    };
    let found = match check {
        Check::Hmac(secret) => {
            let key = hmac::Key::new(hmac::HMAC_SHA256, secret.expose());
            let good = payloads.iter().fold(false, |good, payload| {
                good | any_equal(hmac::sign(&key, payload).as_ref(), candidates)
            });
            return if good { Ok(None) } else { Err(Reject::new(Code::BadSignature, "")) };
        }
        Check::Ed25519(public) => {
            let key = signature::UnparsedPublicKey::new(&signature::ED25519, public);
            evidence(&|payload, form| key.verify(payload, form).is_ok())
        }
        Check::Rsa(key) => evidence(&|payload, form| key.verify_sig(payload, form).is_ok()),
    };
    found.map(Some).ok_or_else(|| Reject::new(Code::BadSignature, ""))
}

fn check_once(
    replays: &mut ReplayGuard,
    key: &KeyId,
    signature: &Signature,
    now: Time,
) -> Result<(), Reject> {
    let stamp = Time::from_millis(signature.timestamp_ms);
    let stale = stamp.plus(Span::from_millis(signature.window_ms));
    if !signature.once {
        return replays
            .note(key, &signature.nonce, stale, now)
            .map_err(|_| Reject::new(Code::RequestRate, "no room to remember the request"));
    }
    if stamp < replays.not_before() {
        return Err(Reject::new(
            Code::StaleTimestamp,
            "stamped before the gateway started; sign it anew",
        ));
    }
    replays.admit(key, &signature.nonce, stale, now).map_err(|error| match error {
        ReplayError::Seen => Reject::new(Code::Replayed, ""),
        ReplayError::Full => Reject::new(Code::TooManyInFlight, "no room to remember the request"),
    })
}

fn check_secret(check: &Check, shown: &Secret) -> Result<(), Reject> {
    let good = match check {
        Check::Hmac(secret) => equal(secret.expose(), shown.expose()),
        Check::Ed25519(_) | Check::Rsa(_) => false,
    };
    if good { Ok(()) } else { Err(Reject::new(Code::BadSignature, "")) }
}

#[cfg(test)]
pub(crate) mod tests;

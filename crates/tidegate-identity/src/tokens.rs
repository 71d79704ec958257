//! The tokens that a login gives: random words, kept as digests only.

use aws_lc_rs::digest;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use std::collections::BTreeMap;
use std::fmt;
use tidegate_types::ids::KeyId;
use tidegate_types::limits::{
    MAX_LOGINS_PER_KEY, MAX_TOKEN_LIFETIME, REFRESH_LIFETIME, TOKEN_LIFETIME,
};
use tidegate_types::proof::Authenticated;
use tidegate_types::reject::{Code, Reject};
use tidegate_types::time::{Span, Time};
use zeroize::Zeroize;

type Digest = [u8; 32];

/// The logins in force. They are kept in memory only: a restart ends them.
#[derive(Debug, Default)]
pub struct TokenStore {
    next: u64,
    logins: BTreeMap<u64, Login>,
    access: BTreeMap<Digest, u64>,
    /// Refresh tokens in force, and those already used of logins in force.
    refresh: BTreeMap<Digest, u64>,
}

#[derive(Debug)]
struct Login {
    key: KeyId,
    access: Digest,
    access_until: Time,
    refresh: Digest,
    used: Vec<Digest>,
    until: Time,
}

/// A fresh pair of tokens, shown to the caller once.
pub struct Issued {
    /// What to show from now on.
    pub access: String,
    /// What to get a new pair with, once.
    pub refresh: String,
    /// How long `access` lives.
    pub lifetime: Span,
}

/// How many times a login is renewed before it has to be made anew.
const MAX_REFRESHES: usize = 10_000;

impl TokenStore {
    /// A store without logins.
    pub fn new() -> TokenStore {
        TokenStore::default()
    }

    /// Logs a caller in. `random` must be fresh from the system's generator. The oldest login of a
    /// key that has too many ends.
    pub fn issue(
        &mut self,
        who: &Authenticated,
        lifetime: Option<Span>,
        random: &[u8; 64],
        now: Time,
    ) -> Issued {
        self.sweep(now);
        let mine: Vec<u64> =
            self.logins.iter().filter(|(_, l)| l.key == *who.key()).map(|(id, _)| *id).collect();
        for id in mine.iter().take((mine.len() + 1).saturating_sub(MAX_LOGINS_PER_KEY)) {
            self.end(*id);
        }
        let lifetime = lifetime.unwrap_or(TOKEN_LIFETIME).min(MAX_TOKEN_LIFETIME);
        let issued = Issued::from_random(random, lifetime);
        let id = self.next;
        self.next = self.next.saturating_add(1);
        let login = Login {
            key: who.key().clone(),
            access: digest_of(issued.access.as_bytes()),
            access_until: now.plus(lifetime),
            refresh: digest_of(issued.refresh.as_bytes()),
            used: Vec::new(),
            until: now.plus(REFRESH_LIFETIME),
        };
        self.access.insert(login.access, id);
        self.refresh.insert(login.refresh, id);
        self.logins.insert(id, login);
        issued
    }

    /// Ends the login that `access` belongs to; whether there was one.
    pub fn logout(&mut self, access: &[u8]) -> bool {
        match self.access.get(&digest_of(access)).copied() {
            Some(id) => self.end(id),
            None => false,
        }
    }

    /// Ends every login of a key.
    pub fn revoke(&mut self, key: &KeyId) {
        let ids: Vec<u64> =
            self.logins.iter().filter(|(_, l)| l.key == *key).map(|(id, _)| *id).collect();
        for id in ids {
            self.end(id);
        }
    }

    /// How many logins are in force.
    pub fn len(&self) -> usize {
        self.logins.len()
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.logins.is_empty()
    }

    /// The key whose login `access` is of.
    pub(crate) fn key_of(&self, access: &[u8], now: Time) -> Result<&KeyId, Reject> {
        let login = self.access.get(&digest_of(access)).and_then(|id| self.logins.get(id));
        match login {
            Some(login) if now < login.access_until => Ok(&login.key),
            Some(_) => Err(Reject::new(Code::BadToken, "the token has expired")),
            None => Err(Reject::new(Code::BadToken, "")),
        }
    }

    /// The key whose refresh token this is. A token that was used before ends its login: either the
    /// caller or a thief holds a copy, and nobody can tell which.
    pub(crate) fn key_of_refresh(&mut self, token: &[u8], now: Time) -> Result<KeyId, Reject> {
        let digest = digest_of(token);
        let id = self.refresh.get(&digest).copied();
        let Some((id, login)) = id.and_then(|id| Some((id, self.logins.get(&id)?))) else {
            return Err(Reject::new(Code::BadToken, ""));
        };
        if now >= login.until {
            return Err(Reject::new(Code::BadToken, "the token has expired"));
        }
        if login.refresh != digest {
            self.end(id);
            return Err(Reject::new(Code::BadToken, "the token was used before; log in again"));
        }
        Ok(login.key.clone())
    }

    /// Replaces both tokens of the login that `token` is the refresh token of.
    pub(crate) fn rotate(&mut self, token: &[u8], random: &[u8; 64], now: Time) -> Option<Issued> {
        let id = self.refresh.get(&digest_of(token)).copied()?;
        let login = self.logins.get_mut(&id)?;
        if login.used.len() >= MAX_REFRESHES {
            self.end(id);
            return None;
        }
        let issued = Issued::from_random(random, TOKEN_LIFETIME);
        self.access.remove(&login.access);
        login.used.push(login.refresh);
        login.access = digest_of(issued.access.as_bytes());
        login.refresh = digest_of(issued.refresh.as_bytes());
        login.access_until = now.plus(TOKEN_LIFETIME);
        login.until = now.plus(REFRESH_LIFETIME);
        self.access.insert(login.access, id);
        self.refresh.insert(login.refresh, id);
        Some(issued)
    }

    fn end(&mut self, id: u64) -> bool {
        let Some(login) = self.logins.remove(&id) else { return false };
        self.access.remove(&login.access);
        for digest in login.used.iter().chain([&login.refresh]) {
            self.refresh.remove(digest);
        }
        true
    }

    fn sweep(&mut self, now: Time) {
        let over: Vec<u64> =
            self.logins.iter().filter(|(_, l)| now >= l.until).map(|(id, _)| *id).collect();
        for id in over {
            self.end(id);
        }
    }
}

impl Issued {
    fn from_random(random: &[u8; 64], lifetime: Span) -> Issued {
        let (access, refresh) = random.split_at(32);
        Issued {
            access: URL_SAFE_NO_PAD.encode(access),
            refresh: URL_SAFE_NO_PAD.encode(refresh),
            lifetime,
        }
    }
}

impl Drop for Issued {
    fn drop(&mut self) {
        self.access.zeroize();
        self.refresh.zeroize();
    }
}

impl fmt::Debug for Issued {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Issued([secret], {:?})", self.lifetime)
    }
}

fn digest_of(token: &[u8]) -> Digest {
    let mut out = [0; 32];
    for (to, from) in out.iter_mut().zip(digest::digest(&digest::SHA256, token).as_ref()) {
        *to = *from;
    }
    out
}

#[cfg(test)]
mod tests;

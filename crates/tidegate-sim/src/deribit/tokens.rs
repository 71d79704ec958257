//! Access and refresh tokens: what they grant, what they are bound to, and when they end.

use super::scope::Rights;
use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use std::collections::HashMap;
use tidegate_types::time::{Span, Time};

/// How long an access token lives unless asked for less.
const LIFE: Span = Span::from_secs(900);
/// How long a refresh token lives.
const REFRESH_LIFE: Span = Span::from_secs(7 * 86_400);
/// Named sessions a key may have; one more ends the one with the least life left.
const MAX_SESSIONS: usize = 16;

/// What a token lives and dies with.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Bond {
    /// One WebSocket connection.
    Connection(u64),
    /// A named session, over any number of connections.
    Session(String),
    /// Nothing but time.
    Http,
}

/// What a token grants.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Grant {
    /// Index of the key.
    pub(crate) key: usize,
    /// The rights.
    pub(crate) rights: Rights,
}

/// A pair of tokens.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Issued {
    /// The access token.
    pub(crate) access: String,
    /// The refresh token.
    pub(crate) refresh: String,
    /// What they grant.
    pub(crate) grant: Grant,
    /// What they are bound to.
    pub(crate) bond: Bond,
    /// How long the access token lives.
    pub(crate) life: Span,
    expires: Time,
    refresh_expires: Time,
}

/// The tokens there are.
pub(crate) struct Tokens {
    secret: hmac::Key,
    count: u64,
    by_access: HashMap<String, Issued>,
    access_by_refresh: HashMap<String, String>,
}

impl Tokens {
    /// No tokens yet; those to come are derived from the seed.
    pub(crate) fn new(seed: u64) -> Tokens {
        Tokens {
            secret: hmac::Key::new(hmac::HMAC_SHA256, &seed.to_be_bytes()),
            count: 0,
            by_access: HashMap::new(),
            access_by_refresh: HashMap::new(),
        }
    }

    /// What an access token grants now.
    pub(crate) fn access(&self, token: &str, now: Time) -> Option<&Grant> {
        let issued = self.by_access.get(token)?;
        (now < issued.expires).then_some(&issued.grant)
    }

    /// A new pair.
    pub(crate) fn issue(
        &mut self,
        grant: Grant,
        bond: Bond,
        seconds: Option<u64>,
        now: Time,
    ) -> Issued {
        self.drop_dead(now);
        if let Bond::Session(name) = &bond {
            self.make_room(grant.key, name);
        }
        let life = seconds.map_or(LIFE, |seconds| Span::from_secs(seconds.clamp(1, 31_536_000)));
        let issued = Issued {
            access: self.next("access"),
            refresh: self.next("refresh"),
            grant,
            bond,
            life,
            expires: now.plus(life),
            refresh_expires: now.plus(life.max(REFRESH_LIFE)),
        };
        self.access_by_refresh.insert(issued.refresh.clone(), issued.access.clone());
        self.by_access.insert(issued.access.clone(), issued.clone());
        issued
    }

    /// A new pair for a refresh token, which ends with its access token.
    pub(crate) fn refresh(&mut self, refresh: &str, now: Time) -> Option<Issued> {
        let old = self.end_refresh(refresh)?;
        let seconds = old.life.micros() / 1_000_000;
        (now < old.refresh_expires).then(|| self.issue(old.grant, old.bond, Some(seconds), now))
    }

    /// The pair of a refresh token, if it may still be used.
    pub(crate) fn of_refresh(&self, refresh: &str, now: Time) -> Option<&Issued> {
        let issued = self.by_access.get(self.access_by_refresh.get(refresh)?)?;
        (now < issued.refresh_expires).then_some(issued)
    }

    /// Ends an access token and its refresh token.
    pub(crate) fn end(&mut self, access: &str) {
        if let Some(issued) = self.by_access.remove(access) {
            self.access_by_refresh.remove(&issued.refresh);
        }
    }

    /// Ends what is bound to a connection.
    pub(crate) fn end_connection(&mut self, connection: u64) {
        self.end_where(|issued| issued.bond == Bond::Connection(connection));
    }

    fn end_refresh(&mut self, refresh: &str) -> Option<Issued> {
        let access = self.access_by_refresh.remove(refresh)?;
        self.by_access.remove(&access)
    }

    fn drop_dead(&mut self, now: Time) {
        self.end_where(|issued| now >= issued.expires.max(issued.refresh_expires));
    }

    fn end_where(&mut self, ends: impl Fn(&Issued) -> bool) {
        self.by_access.retain(|_, issued| !ends(issued));
        let alive = &self.by_access;
        self.access_by_refresh.retain(|_, access| alive.contains_key(access));
    }

    fn make_room(&mut self, key: usize, name: &str) {
        let mut sessions: Vec<(Time, String)> = self
            .by_access
            .values()
            .filter(|issued| issued.grant.key == key)
            .filter_map(|issued| match &issued.bond {
                Bond::Session(other) if other != name => Some((issued.expires, other.clone())),
                _ => None,
            })
            .collect();
        sessions.sort();
        sessions.dedup_by(|a, b| a.1 == b.1);
        if sessions.len() >= MAX_SESSIONS
            && let Some((_, oldest)) = sessions.first()
        {
            let ends = Bond::Session(oldest.clone());
            self.end_where(|issued| issued.grant.key == key && issued.bond == ends);
        }
    }

    fn next(&mut self, kind: &str) -> String {
        self.count += 1;
        let tag = hmac::sign(&self.secret, format!("{kind} {}", self.count).as_bytes());
        URL_SAFE_NO_PAD.encode(tag)
    }
}

//! What happens to clients, grants and tokens, and the state that is a fold of it.
//!
//! Events hold ids and digests, nothing that opens a door, so that a journal may keep them.

use super::acr::Acr;
use super::bearer::MAX_ACTORS;
use super::client::{BadTerms, Client, ClientId, Terms};
use super::details::{Trading, all_within};
use super::jose::Thumbprint;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use tidegate_types::codec::{Codec, CodecError};
use tidegate_types::ids::PersonName;
use tidegate_types::time::Time;
use tidegate_types::{codec_enum, codec_newtype, codec_struct};

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub [u8; 16]);
        codec_newtype!($name);

        impl $name {
            /// The id that base64url spells.
            pub fn parse(text: &str) -> Option<$name> {
                URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok().map($name)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&URL_SAFE_NO_PAD.encode(self.0))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }
    )*};
}

ids! {
    /// What a person granted to a client, once.
    GrantId;
    /// An access token: its `jti`.
    TokenId;
}

/// What a token is bound to: `cnf`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Confirmation {
    /// A key that signs each request: `jkt`.
    Key {
        /// Its thumbprint.
        jkt: Thumbprint,
    },
    /// The certificate of the connection: `x5t#S256`.
    Certificate {
        /// Its digest.
        x5t: Thumbprint,
    },
}
impl Confirmation {
    /// The key's or the certificate's thumbprint.
    pub const fn thumbprint(&self) -> Thumbprint {
        match self {
            Confirmation::Key { jkt } => *jkt,
            Confirmation::Certificate { x5t } => *x5t,
        }
    }
}
codec_enum!(Confirmation { 0 => Key { jkt }, 1 => Certificate { x5t } });

/// What a person granted.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Granted {
    /// Its id.
    pub id: GrantId,
    /// To which client.
    pub client: ClientId,
    /// Who granted it, as an opaque id.
    pub subject: String,
    /// What.
    pub details: Vec<Trading>,
    /// Who may act in the person's name by it, each for the one before, as the person was shown.
    pub delegates: Vec<ClientId>,
    /// What the client's tokens are bound to.
    pub bound_to: Confirmation,
    /// How well the person was known.
    pub acr: Acr,
    /// When the person logged in.
    pub auth_time: Time,
    /// By what, in the names of RFC 8176.
    pub amr: Vec<String>,
    /// When it ends.
    pub until: Time,
    /// The digest of the refresh token, if there is one.
    pub refresh: Option<Thumbprint>,
}
codec_struct!(Granted {
    id,
    client,
    subject,
    details,
    delegates,
    bound_to,
    acr,
    auth_time,
    amr,
    until,
    refresh
});

/// What happened.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Event {
    /// A client was registered, or its terms changed.
    ClientRegistered {
        /// Its terms from now on.
        terms: Terms,
    },
    /// A client is no more, nor are its grants and tokens. Its name is never given again.
    ClientRevoked {
        /// Which.
        client: ClientId,
    },
    /// A person granted something.
    GrantMade {
        /// What, to whom.
        grant: Granted,
        /// When.
        at: Time,
    },
    /// A grant is no more, nor are its tokens.
    GrantRevoked {
        /// Which.
        grant: GrantId,
        /// Who of the desk took it back; none where the client did, or the server by its rules.
        by: Option<PersonName>,
    },
    /// Nothing that a person granted is in force any more.
    SubjectRevoked {
        /// Who.
        subject: String,
    },
    /// No token bound to a key or certificate, or got by it, is good any more, and no client proves itself
    /// by it.
    KeyRevoked {
        /// Its thumbprint.
        key: Thumbprint,
        /// Who of the desk put it out of force.
        by: PersonName,
    },
    /// An access token was made.
    TokenIssued {
        /// Which.
        token: TokenId,
        /// For which client.
        client: ClientId,
        /// In whose name.
        subject: String,
        /// Who acts for it, the current actor first.
        act: Vec<String>,
        /// What it is bound to.
        bound_to: Confirmation,
        /// Under which grant, if a person's.
        grant: Option<GrantId>,
        /// Until when.
        until: Time,
    },
    /// An access token is good no more.
    TokenRevoked {
        /// Which.
        token: TokenId,
        /// When it would have ended.
        until: Time,
        /// When.
        at: Time,
    },
}
codec_enum!(Event {
    0 => ClientRegistered { terms },
    1 => ClientRevoked { client },
    2 => GrantMade { grant, at },
    3 => GrantRevoked { grant, by },
    4 => SubjectRevoked { subject },
    5 => KeyRevoked { key, by },
    6 => TokenIssued { token, client, subject, act, bound_to, grant, until },
    7 => TokenRevoked { token, until, at },
});

/// What the events come to.
#[derive(Clone, Debug, Default)]
pub struct State {
    clients: BTreeMap<ClientId, Client>,
    gone: BTreeSet<ClientId>,
    grants: BTreeMap<GrantId, Granted>,
    refresh: BTreeMap<Thumbprint, GrantId>,
    revoked_tokens: BTreeMap<TokenId, Time>,
    revoked_keys: BTreeSet<Thumbprint>,
    /// What was issued before is good no more.
    issued_from: Time,
}

/// The same in the order that its byte form has.
struct Kept {
    clients: Vec<Terms>,
    gone: Vec<ClientId>,
    grants: Vec<Granted>,
    revoked_tokens: BTreeMap<TokenId, Time>,
    revoked_keys: Vec<Thumbprint>,
    issued_from: Time,
}
codec_struct!(Kept { clients, gone, grants, revoked_tokens, revoked_keys, issued_from });

impl Kept {
    fn of(state: &State) -> Kept {
        Kept {
            clients: state.clients.values().map(|client| client.terms().clone()).collect(),
            gone: state.gone.iter().cloned().collect(),
            grants: state.grants.values().cloned().collect(),
            revoked_tokens: state.revoked_tokens.clone(),
            revoked_keys: state.revoked_keys.iter().copied().collect(),
            issued_from: state.issued_from,
        }
    }
}

impl Codec for State {
    fn encode(&self, out: &mut Vec<u8>) {
        Kept::of(self).encode(out);
    }

    fn decode(input: &mut &[u8]) -> Result<State, CodecError> {
        let kept = Kept::decode(input)?;
        let mut state = State {
            gone: kept.gone.into_iter().collect(),
            revoked_tokens: kept.revoked_tokens,
            revoked_keys: kept.revoked_keys.into_iter().collect(),
            issued_from: kept.issued_from,
            ..State::default()
        };
        for terms in kept.clients {
            state.apply(&Event::ClientRegistered { terms });
        }
        for grant in kept.grants {
            state.refresh.extend(grant.refresh.map(|digest| (digest, grant.id)));
            state.grants.insert(grant.id, grant);
        }
        Ok(state)
    }

    fn show(&self, out: &mut String) {
        Kept::of(self).show(out);
    }
}

impl Granted {
    /// Who may act in the person's name for `client`: whom the person was shown, if the client still names them.
    pub fn delegate_of(&self, client: &Client) -> Option<ClientId> {
        let terms = client.terms();
        let next = match self.client == terms.id {
            true => self.delegates.first(),
            false => {
                let mut rest = self.delegates.iter().skip_while(|delegate| **delegate != terms.id);
                rest.nth(1)
            }
        };
        next.filter(|next| terms.delegate.as_ref() == Some(next)).cloned()
    }
}

impl State {
    /// Folds an event in: live and on replay the same.
    pub fn apply(&mut self, event: &Event) {
        match event {
            // What is gone stays gone, whoever still has its terms.
            Event::ClientRegistered { terms } if self.gone.contains(&terms.id) => {}
            Event::ClientRegistered { terms } => {
                // Terms were checked before they became an event; what a newer program would not
                // register is not in force.
                match Client::new(terms.clone()) {
                    Ok(client) => self.clients.insert(terms.id.clone(), client),
                    Err(_) => self.clients.remove(&terms.id),
                };
            }
            Event::ClientRevoked { client } => {
                self.clients.remove(client);
                self.gone.insert(client.clone());
                self.end(|grant| grant.client == *client);
            }
            Event::GrantMade { grant, at } => {
                self.end(|old| old.until <= *at);
                if let Some(digest) = grant.refresh {
                    self.refresh.insert(digest, grant.id);
                }
                self.grants.insert(grant.id, grant.clone());
            }
            Event::GrantRevoked { grant, .. } => self.end(|old| old.id == *grant),
            Event::SubjectRevoked { subject } => self.end(|old| old.subject == *subject),
            Event::KeyRevoked { key, .. } => {
                self.revoked_keys.insert(*key);
            }
            Event::TokenIssued { .. } => {}
            Event::TokenRevoked { token, until, at } => {
                self.revoked_tokens.retain(|_, until| *until > *at);
                self.revoked_tokens.insert(*token, *until);
            }
        }
    }

    /// Ends what may have ended since the copy was made that the journal goes on from: everything that
    /// people granted, and every token that was issued before `at`.
    pub(crate) fn restored(&mut self, at: Time) {
        self.end(|_| true);
        // Tokens tell their time in whole seconds.
        self.issued_from = Time::from_millis(at.millis() / 1000 * 1000);
    }

    /// The clients in force.
    pub fn clients(&self) -> &BTreeMap<ClientId, Client> {
        &self.clients
    }

    /// The grants in force, and some that ended by time.
    pub fn grants(&self) -> impl Iterator<Item = &Granted> {
        self.grants.values()
    }

    /// A grant in force at `now`.
    pub fn grant(&self, id: &GrantId, now: Time) -> Option<&Granted> {
        self.grants.get(id).filter(|grant| now < grant.until)
    }

    /// The grant in force whose refresh token has this digest.
    pub fn grant_of_refresh(&self, digest: &Thumbprint, now: Time) -> Option<&Granted> {
        self.refresh.get(digest).and_then(|id| self.grant(id, now))
    }

    /// Who may act for a client, each for the one before: what a person is shown before they consent.
    pub fn delegates(&self, client: &ClientId) -> Vec<ClientId> {
        let mut found: Vec<ClientId> = Vec::new();
        let mut last = self.clients.get(client);
        while let Some(next) = last.and_then(|last| last.terms().delegate.clone()) {
            if found.len() >= MAX_ACTORS || next == *client || found.contains(&next) {
                break;
            }
            last = self.clients.get(&next);
            found.push(next);
        }
        found
    }

    /// The event that registers a client, or changes its terms. For an administrator: four eyes are
    /// the caller's duty.
    ///
    /// # Errors
    /// When the terms are not ones that a client may have, or the name was another's once, or is a
    /// person's: a token's subject says who it is.
    pub fn register(&self, terms: Terms) -> Result<Event, BadTerms> {
        Client::new(terms.clone())?;
        let is_person = self.grants.values().any(|grant| grant.subject == terms.id.as_str());
        if self.gone.contains(&terms.id) || is_person {
            return Err(BadTerms("the name was a client's that is no more, or is a person's"));
        }
        Ok(Event::ClientRegistered { terms })
    }

    /// Whether a key or certificate is good no more.
    pub fn is_key_revoked(&self, key: &Thumbprint) -> bool {
        self.revoked_keys.contains(key)
    }

    /// Whether a token with these facts is still in force: its client, grant, key and itself are, those that it
    /// was got by are, and its client may still have all that it allows.
    pub fn is_in_force(&self, token: &super::bearer::TokenBearer, now: Time) -> bool {
        let client = self.clients.get(&token.client);
        client.is_some_and(|client| all_within(&token.details, &client.terms().allowed))
            && token.grant.is_none_or(|grant| self.grant(&grant, now).is_some())
            && !self.is_key_revoked(&token.bound_to.thumbprint())
            && !token.proved_by.iter().any(|key| self.is_key_revoked(key))
            && !self.revoked_tokens.contains_key(&token.id)
            && token.issued >= self.issued_from
    }

    fn end(&mut self, which: impl Fn(&Granted) -> bool) {
        self.grants.retain(|_, grant| !which(grant));
        let grants = &self.grants;
        self.refresh.retain(|_, id| grants.contains_key(id));
    }
}

//! The authorization server's endpoints, and the handle by which the rest of the gateway asks it.
//!
//! What an endpoint changes is a record first: nothing that it gives out leaves before the journal has it.

mod bearers;
mod keys;
mod routes;
mod seen;

pub use bearers::{Let, Refused, shows_token};
pub use keys::{keep_keys, take_up};
pub use routes::{CONSENT_PAGE, DEVICE_PAGE};
pub use seen::Seen;

use crate::desk::Desk;
use crate::edge::{Peers, Rate};
use crate::people::People;
use crate::{clock, oplog};
use std::fmt::Display;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use tidegate_core::action::Answer;
use tidegate_identity::RsaBits;
use tidegate_identity::ledger::Fact;
use tidegate_identity::oauth::authority::{
    Approval, Authority, Chance, Config, ConsentView, Consented, DeviceView, NotApproved,
};
use tidegate_identity::oauth::client::{Client, ClientId, PeerCertificate, Terms};
use tidegate_identity::oauth::dpop::{MAX_PROOFS, Nonces, Proofs};
use tidegate_identity::oauth::event::{Event, Granted, State};
use tidegate_identity::oauth::jose::{KeptKeys, Keys, Thumbprint};
use tidegate_identity::oauth::once::Once;
use tidegate_identity::oauth::{ErrorCode, OAuthError, Resource};
use tidegate_types::codec::from_bytes;
use tidegate_types::request::RawRequest;
use tidegate_types::secret::Secret;
use tidegate_types::time::{Span, Time};

/// How long an access token is good.
const TOKEN_LIFETIME: Span = Span::from_secs(600);
/// How long what a person granted holds at most: after that they are asked again.
const GRANT_LIFETIME: Span = Span::from_secs(30 * 24 * 3600);

/// What the authorization server starts from.
pub struct Start {
    /// Clients, grants and tokens, as the journal tells.
    pub state: State,
    /// The keys that it signs by.
    pub keys: KeptKeys,
    /// The assertions of clients that were seen.
    pub assertions: Once,
    /// Whether who connects is asked for a certificate.
    pub mutual_tls: bool,
    /// Fewest bits of apps' RSA keys.
    pub rsa: RsaBits,
}

/// How many requests of one address are looked at a second, and how many at once: signatures are checked before
/// anybody is known. Many clients may be behind one.
const CALLS: Rate = (100, 1000);

/// What an address asks for. Each has its rate for itself, so that whoever asks for tokens too often keeps
/// nobody beside it from ending one.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum Asks {
    /// A token to be revoked.
    Revocation,
    /// Anything else.
    Other,
}

/// The authorization server, shared. Until it is opened at an address it serves nothing.
pub struct Handle {
    desk: Arc<Desk>,
    start: Mutex<Option<Start>>,
    authority: OnceLock<Mutex<Authority>>,
    /// Taken after `authority`, where both are.
    resource: OnceLock<Mutex<Resource>>,
    used: Mutex<bearers::Used>,
    peers: Peers<Asks>,
}

impl Handle {
    /// One that waits for its address.
    pub fn new(desk: Arc<Desk>, start: Start) -> Arc<Handle> {
        let start = Mutex::new(Some(start));
        Arc::new(Handle {
            desk,
            start,
            authority: OnceLock::new(),
            resource: OnceLock::new(),
            used: Mutex::default(),
            peers: Peers::new(CALLS),
        })
    }

    /// Serves as `issuer`, the address that clients know the gateway by. Once.
    ///
    /// # Errors
    /// When the keys make none, or there is no chance to be had.
    pub fn open(&self, issuer: String) -> Result<(), OAuthError> {
        let start = self.start.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(Start { state, keys, assertions, mutual_tls, rsa }) = start else { return Ok(()) };
        let broken = |_| OAuthError::new(ErrorCode::ServerError, "the signing keys are damaged");
        let config = Config {
            resource: issuer.clone(),
            issuer,
            token_lifetime: TOKEN_LIFETIME,
            grant_lifetime: GRANT_LIFETIME,
            mutual_tls,
            rsa,
        };
        // One secret for both: clients keep one nonce for an address, and both are at this one.
        let secret = Secret::new(fresh::<32>()?.to_vec());
        let keys = keys.ready().map_err(broken)?;
        let authority = Authority::new(config, keys, state, proofs(&secret), assertions);
        // Both were empty: `start` was there.
        let _ = self.resource.set(Mutex::new(Resource::new(proofs(&secret).taking(rsa))));
        let _ = self.authority.set(Mutex::new(authority));
        self.take_up_apps();
        Ok(())
    }

    /// Serves as `issuer` for these people: what was granted by those who may not grant it any more ends before
    /// anybody is served.
    ///
    /// # Errors
    /// As for `open`, or when the journal takes no record.
    pub async fn open_for(&self, issuer: String, people: &People) -> Result<(), OAuthError> {
        self.open(issuer)?;
        self.hold_to(people).await
    }

    /// What to ask the person whom an authorization request's query brings.
    ///
    /// # Errors
    /// When the request was not pushed, is used or over: to be shown to the person.
    pub fn ask(&self, query: &str) -> Result<ConsentView, OAuthError> {
        self.authority()?.ask(query.as_bytes(), clock::now())
    }

    /// The person says yes; where to send them with 303.
    ///
    /// # Errors
    /// When the yes cannot be taken as it is, or the journal takes no record.
    pub async fn approve(
        &self,
        people: &People,
        client: &ClientId,
        request_uri: &str,
        approval: Approval,
    ) -> Result<String, NotApproved> {
        self.recorded(|authority, chance, now| {
            still_consents(people, &approval, client)?;
            authority.approve(client, request_uri, approval, chance, now)
        })
        .await
        .map_err(NotApproved::Gone)?
    }

    /// The person says no; where to send them with 303.
    ///
    /// # Errors
    /// When the request is unknown, used or over.
    pub async fn deny(&self, client: &ClientId, request_uri: &str) -> Result<String, OAuthError> {
        self.recorded(|authority, _, now| authority.deny(client, request_uri, now)).await?
    }

    /// What to ask the person who typed a device's code.
    ///
    /// # Errors
    /// When no device waits with it, or too many wrong ones were typed.
    pub fn device_view(&self, user_code: &str) -> Result<DeviceView, OAuthError> {
        self.authority()?.device_view(user_code, clock::now())
    }

    /// The person says yes to a device.
    ///
    /// # Errors
    /// When the yes cannot be taken as it is, or the journal takes no record.
    pub async fn device_approve(
        &self,
        people: &People,
        client: &ClientId,
        user_code: &str,
        approval: Approval,
    ) -> Result<(), NotApproved> {
        self.recorded(|authority, chance, now| {
            still_consents(people, &approval, client)?;
            authority.device_approve(user_code, approval, chance, now)
        })
        .await
        .map_err(NotApproved::Gone)?
    }

    /// The person says no to a device.
    ///
    /// # Errors
    /// When no device waits with the code.
    pub async fn device_deny(&self, user_code: &str) -> Result<(), OAuthError> {
        self.recorded(|authority, _, now| authority.device_deny(user_code, now)).await?
    }

    /// Takes up the apps as the desk has them: at the start, and after each change of one.
    pub fn take_up_apps(&self) {
        let apps: Vec<_> = self.desk.look(|state| state.apps().values().cloned().collect());
        self.look(|authority| {
            for known in apps {
                match from_bytes::<Terms>(&known.app.terms.0) {
                    Ok(terms) if known.revoked => {
                        authority.apply(&Event::ClientRevoked { client: terms.id });
                    }
                    Ok(terms) => {
                        if let Err(why) = Client::new(terms.clone()) {
                            let hint = "register it anew: `tidegate app add`";
                            let app = &known.app.caller;
                            let fields: [(&str, &dyn Display); 3] =
                                [("app", app), ("why", &why), ("hint", &hint)];
                            oplog::alarm("app-not-in-force", &fields);
                        }
                        authority.apply(&Event::ClientRegistered { terms });
                    }
                    // Not of this program's form: it is not in force.
                    Err(_) => oplog::warn("app-not-read", &[("app", &known.app.caller)]),
                }
            }
        });
    }

    /// Puts an app out of force at once, whether or not that can be put on record.
    pub fn end_app(&self, client: ClientId) {
        self.look(|authority| authority.apply(&Event::ClientRevoked { client }));
    }

    /// Ends what was granted by people who may not grant it any more: their tokens are refused from now
    /// on, whether or not that can be put on record.
    ///
    /// # Errors
    /// When the journal takes no record.
    pub async fn hold_to(&self, people: &People) -> Result<(), OAuthError> {
        let mut over: Vec<Event> = Vec::new();
        let now = clock::now();
        let consents = self.look(|authority| authority.consents(now)).unwrap_or_default();
        for Consented { subject, client, grant } in consents {
            let event = match people.named(&subject) {
                None => Event::SubjectRevoked { subject },
                Some(_) if people.consents(&subject, &client) => continue,
                Some(_) => Event::GrantRevoked { grant, by: None },
            };
            if !over.contains(&event) {
                over.push(event);
            }
        }
        self.end(over).await
    }

    /// What people granted and is in force at `now`.
    pub fn grants(&self, now: Time) -> Vec<Granted> {
        let made = |authority: &mut Authority| -> Vec<Granted> {
            authority.state().grants().filter(|it| now < it.until).cloned().collect()
        };
        self.look(made).unwrap_or_default()
    }

    /// Puts something out of force at once, whether or not that can be put on record.
    ///
    /// # Errors
    /// When the journal takes no record.
    pub async fn end(&self, events: Vec<Event>) -> Result<(), OAuthError> {
        let end = |authority: &mut Authority| -> Vec<_> {
            let record = |event| {
                authority.apply(&event);
                self.desk.identity(&Fact::OAuth { event })
            };
            events.into_iter().map(record).collect()
        };
        on_record(self.look(end).unwrap_or_default()).await
    }

    /// Looks at the server, if it is open.
    pub fn look<T>(&self, look: impl FnOnce(&mut Authority) -> T) -> Option<T> {
        self.authority().ok().map(|mut authority| look(&mut authority))
    }

    /// Signs by these keys from now on.
    fn set_keys(&self, keys: Keys) {
        self.look(|authority| *authority.keys_mut() = keys);
    }

    /// Has the server do something, and answers once the journal holds what came of it. Records are in
    /// the order in which things happened, because they are appended before anybody else is let in.
    async fn recorded<T>(
        &self,
        act: impl FnOnce(&mut Authority, &Chance, Time) -> T,
    ) -> Result<T, OAuthError> {
        let chance = fresh()?;
        let (done, waiting) = {
            let mut authority = self.authority()?;
            let done = act(&mut authority, &chance, clock::now());
            let events = authority.take_events().into_iter();
            let record = |event| self.desk.identity(&Fact::OAuth { event });
            (done, events.map(record).collect::<Vec<_>>())
        };
        on_record(waiting).await?;
        Ok(done)
    }

    fn authority(&self) -> Result<MutexGuard<'_, Authority>, OAuthError> {
        let closed = "the gateway has no https address: set public_url";
        let closed = OAuthError::new(ErrorCode::TemporarilyUnavailable, closed);
        let authority = self.authority.get().ok_or(closed)?;
        Ok(authority.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Whether the person may consent at this moment. It is asked while nobody else is with the authority: a right
/// that is taken later finds the yes and ends it.
fn still_consents(
    people: &People,
    approval: &Approval,
    client: &ClientId,
) -> Result<(), NotApproved> {
    if people.consents(&approval.subject, client) { Ok(()) } else { Err(NotApproved::TooMuch) }
}

async fn on_record(waiting: Vec<impl Future<Output = Answer>>) -> Result<(), OAuthError> {
    for record in waiting {
        if !matches!(record.await, Answer::Done) {
            let text = "nothing can be put on record; try again later";
            return Err(OAuthError::new(ErrorCode::TemporarilyUnavailable, text));
        }
    }
    Ok(())
}

/// Every header of a name.
fn all<'a>(request: &'a RawRequest, name: &'a str) -> impl Iterator<Item = &'a str> {
    let named = request.headers.iter().filter(move |(header, _)| header == name);
    named.map(|(_, value)| value.as_str())
}

/// What the connection showed of who holds it: never what a header says.
fn certificate(request: &RawRequest) -> Option<PeerCertificate> {
    let thumbprint = Thumbprint(request.certificate?);
    // Clients are known by the very certificate; who issued it is not asked.
    Some(PeerCertificate { thumbprint, trusted: false, names: Vec::new() })
}

/// Checks of proofs whose nonces are by `secret`. It is drawn at the start: no proof from before is good after it.
fn proofs(secret: &Secret) -> Proofs {
    Proofs::new(Once::new(MAX_PROOFS, Time::default()), Nonces::new(secret), true)
}

fn fresh<const N: usize>() -> Result<[u8; N], OAuthError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes)
        .map_err(|_| OAuthError::new(ErrorCode::ServerError, "no random numbers"))?;
    Ok(bytes)
}

#[cfg(test)]
pub(crate) mod tests;

//! Device codes (RFC 8628): consent for a terminal, given in a browser elsewhere.

use super::consent::{Approval, Consented, NotApproved};
use super::pushed::{details_asked, gone, key_asked, login_asked};
use super::token::Asked;
use super::token::{bad_grant, narrowed};
use super::{Authority, Call, Chance, DEVICE_LIFETIME, parts};
use crate::oauth::acr::Acr;
use crate::oauth::client::{ClientId, GrantType};
use crate::oauth::details::Trading;
use crate::oauth::error::{ErrorCode, OAuthError};
use crate::oauth::event::{Confirmation, GrantId, Granted};
use crate::oauth::jose::Thumbprint;
use serde_json::{Value, json};
use tidegate_types::time::{Span, Time};

/// The letters of user codes: none that is taken for another, no vowels, so no words.
const LETTERS: &[u8; 20] = b"BCDFGHJKLMNPQRSTVWXZ";
/// How often a device may ask at first, and by how much less when it asks too often.
const INTERVAL: Span = Span::from_secs(5);
/// Most wrong user codes in `GUESS_PERIOD`, all people together: of 20⁸ codes, a guess in a hundred
/// thousand years of trying finds one.
const MAX_GUESSES: u32 = 30;
const GUESS_PERIOD: Span = Span::from_secs(60);

/// A device that waits.
#[derive(Clone, Debug)]
pub(super) struct Device {
    client: ClientId,
    details: Vec<Trading>,
    jkt: Option<Thumbprint>,
    acr: Option<Acr>,
    max_age: Option<Span>,
    until: Time,
    interval: Span,
    asked: Option<Time>,
    decision: Decision,
}

#[derive(Clone, Debug)]
enum Decision {
    None,
    No,
    Yes(GrantId, Box<Approval>),
}

impl Device {
    /// The yes that waits to be taken, if there is one.
    pub(super) fn consented(&self) -> Option<Consented> {
        let Decision::Yes(grant, approval) = &self.decision else { return None };
        let (subject, client) = (approval.subject.clone(), self.client.clone());
        Some(Consented { subject, client, grant: *grant })
    }

    /// The yes is none any more: the device hears a no.
    pub(super) fn take_back(&mut self) {
        self.decision = Decision::No;
    }
}

/// Wrong user codes lately.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Guesses {
    since: Time,
    count: u32,
}

/// What a person is asked who typed a user code.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DeviceView {
    /// Which client asks.
    pub client: ClientId,
    /// What it calls itself: untrusted text.
    pub title: String,
    /// What it asks for.
    pub details: Vec<Trading>,
    /// The key that the tokens are to be bound to, if that is known already.
    pub key: Option<Thumbprint>,
    /// Who may act in the person's name by it, each for the one before.
    pub delegates: Vec<ClientId>,
    /// How well the person must be known.
    pub acr: Option<Acr>,
    /// How long ago the login may be.
    pub max_age: Option<Span>,
}

impl Authority {
    /// The device authorization endpoint: 200 with what it returns. `verification_uri` is where people
    /// type the code.
    ///
    /// # Errors
    /// As for a pushed request.
    pub fn device(
        &mut self,
        call: &Call<'_>,
        verification_uri: &str,
        chance: &Chance,
        now: Time,
    ) -> Result<Value, OAuthError> {
        let (params, client, _) = self.open(call, now)?;
        client.may_use(GrantType::DeviceCode)?;
        self.check_target(&params)?;
        let proven = self.proven(&client, call, now)?;
        let (acr, max_age) = login_asked(&params)?;
        let device = Device {
            client: client.terms().id.clone(),
            details: details_asked(&params, &client)?,
            jkt: key_asked(&params, &client, proven)?,
            acr,
            max_age,
            until: now.plus(DEVICE_LIFETIME),
            interval: INTERVAL,
            asked: None,
            decision: Decision::None,
        };
        let (_, random, handle) = parts(chance);
        let user_code = user_code(&random);
        let busy = || {
            let text = "too many devices wait; try again in minutes";
            OAuthError::new(ErrorCode::TemporarilyUnavailable, text)
        };
        let digest = Thumbprint::of(handle.as_bytes());
        if self.user_codes.get(&user_code, now).is_some() {
            return Err(busy());
        }
        // A code stays a while after its end, so that the device hears that it is over.
        let end = device.until.plus(DEVICE_LIFETIME);
        let own = &client.terms().id;
        let kept = self.devices.put(own, &handle, device, end, now)
            && self.user_codes.put(own, &user_code, digest, now.plus(DEVICE_LIFETIME), now);
        if !kept {
            return Err(busy());
        }
        let (first, second) = user_code.split_at(4);
        Ok(json!({
            "device_code": handle,
            "user_code": format!("{first}-{second}"),
            "verification_uri": verification_uri,
            "expires_in": DEVICE_LIFETIME.millis() / 1000,
            "interval": INTERVAL.millis() / 1000,
        }))
    }

    /// What to ask the person who typed `user_code`. After too many wrong codes none is looked at for a
    /// minute.
    ///
    /// # Errors
    /// When no device waits with it, or too many wrong ones were typed.
    pub fn device_view(&mut self, user_code: &str, now: Time) -> Result<DeviceView, OAuthError> {
        let device = self.waiting(user_code, now)?;
        let mut view = DeviceView {
            client: device.client.clone(),
            title: String::new(),
            details: device.details.clone(),
            key: device.jkt,
            acr: device.acr,
            max_age: device.max_age,
            delegates: Vec::new(),
        };
        let registered = self.state.clients().get(&view.client).ok_or_else(gone)?;
        view.title.clone_from(&registered.terms().title);
        view.delegates = self.state.delegates(&view.client);
        Ok(view)
    }

    /// The person says yes.
    ///
    /// # Errors
    /// When the yes cannot be taken as it is.
    pub fn device_approve(
        &mut self,
        user_code: &str,
        approval: Approval,
        chance: &Chance,
        now: Time,
    ) -> Result<(), NotApproved> {
        let device = self.waiting(user_code, now).map_err(NotApproved::Gone)?;
        // What it asks of the login can be mended: the request stays.
        if device.acr.is_some_and(|least| approval.acr < least)
            || device.max_age.is_some_and(|age| now.since(approval.auth_time) > age)
        {
            return Err(NotApproved::LoginAgain);
        }
        let (client, details) = (device.client.clone(), device.details.clone());
        self.check_approval(&approval, &details, &client)?;
        let yes = Decision::Yes(GrantId(parts(chance).1), Box::new(approval));
        self.decide(user_code, yes, now).map_err(NotApproved::Gone)
    }

    /// The person says no.
    ///
    /// # Errors
    /// When no device waits with it.
    pub fn device_deny(&mut self, user_code: &str, now: Time) -> Result<(), OAuthError> {
        self.decide(user_code, Decision::No, now)
    }

    /// A decision is made once: its user code is used up.
    fn decide(&mut self, user_code: &str, decision: Decision, now: Time) -> Result<(), OAuthError> {
        self.waiting(user_code, now)?.decision = decision;
        self.user_codes.take(&plain(user_code));
        Ok(())
    }

    fn waiting(&mut self, user_code: &str, now: Time) -> Result<&mut Device, OAuthError> {
        if now.since(self.guesses.since) > GUESS_PERIOD {
            self.guesses = Guesses { since: now, count: 0 };
        }
        if self.guesses.count >= MAX_GUESSES {
            let text = "too many wrong codes; try again in a minute";
            return Err(OAuthError::new(ErrorCode::TemporarilyUnavailable, text));
        }
        let digest = self.user_codes.get(&plain(user_code), now).copied();
        let Some(digest) = digest else {
            self.guesses.count = self.guesses.count.saturating_add(1);
            return Err(bad_grant("no device waits with this code"));
        };
        self.devices.get_by(&digest, now).ok_or(bad_grant("no device waits with this code"))
    }

    pub(super) fn by_device(&mut self, asked: Asked<'_>) -> Result<Value, OAuthError> {
        let Asked { params, client, bound_to, now, .. } = asked;
        let handle = params.need("device_code", "device_code is needed")?;
        let device = self.devices.get(handle, now).filter(|d| d.client == client.terms().id);
        let device = device.ok_or(bad_grant("the device code is unknown or another client's"))?;
        if now >= device.until {
            return Err(OAuthError::new(ErrorCode::ExpiredToken, "the device code is over"));
        }
        if device.jkt.is_some_and(|jkt| bound_to != Confirmation::Key { jkt }) {
            return Err(bad_grant("the device code is bound to another key"));
        }
        let early = device.asked.is_some_and(|last| now.since(last) < device.interval);
        device.asked = Some(now);
        if early {
            device.interval = Span::from_micros(device.interval.micros() + INTERVAL.micros());
            return Err(OAuthError::new(ErrorCode::SlowDown, "wait 5 s longer between requests"));
        }
        let (id, approval) = match &device.decision {
            Decision::None => {
                let text = "the person has not decided yet";
                return Err(OAuthError::new(ErrorCode::AuthorizationPending, text));
            }
            Decision::No => {
                return Err(OAuthError::new(ErrorCode::AccessDenied, "the person said no"));
            }
            Decision::Yes(id, approval) => (*id, approval.clone()),
        };
        let narrowed = narrowed(params, &approval.granted)?;
        self.devices.take(handle);
        let grant = Granted {
            id,
            client: client.terms().id.clone(),
            subject: approval.subject,
            details: approval.granted,
            delegates: approval.delegates,
            bound_to,
            acr: approval.acr,
            auth_time: approval.auth_time,
            amr: approval.amr,
            until: now.plus(self.config.grant_lifetime),
            refresh: None,
        };
        self.grant(grant, narrowed, asked)
    }
}

/// Eight letters, each evenly drawn: 128 bits leave no bias that counts.
fn user_code(random: &[u8; 16]) -> String {
    let mut left = u128::from_be_bytes(*random);
    let base = LETTERS.len() as u128;
    let letters = (0..8).map(|_| {
        let letter = usize::try_from(left % base).ok().and_then(|at| LETTERS.get(at));
        left /= base;
        letter.copied().map_or('B', char::from)
    });
    letters.collect()
}

/// What a person typed, as it is kept: capitals without dashes and spaces.
fn plain(user_code: &str) -> String {
    user_code.chars().filter(char::is_ascii_alphabetic).take(9).collect::<String>().to_uppercase()
}

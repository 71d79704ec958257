//! What the signer signs. It believes nothing of the gateway's: not the class of a call, not that a
//! route is harmless, not that a record's number is new.

use super::key::SigningKey;
use super::protocol::{SignAnswer, SignRequest};
use std::collections::BTreeMap;
use tidegate_types::call::{Call, CallBody, CallClass, Warrant, WireRequest};
use tidegate_types::ids::{AccountName, Seq, VenueName};
use tidegate_types::limits::MAX_CLOCK_OFFSET;
use tidegate_types::time::Time;
use tidegate_venues::upstream::{BuildError, Upstream};

/// Finds a venue by its name.
pub(super) type Find<'a> = &'a dyn Fn(&VenueName) -> Option<&'static dyn Upstream>;

/// The keys, and what was signed so far.
pub(super) struct Rules<'a> {
    /// By their ids.
    keys: BTreeMap<AccountName, BTreeMap<String, SigningKey>>,
    find: Find<'a>,
    ledger: Ledger,
}

/// The records that were signed for: each number once, and growing.
#[derive(Debug)]
pub(super) struct Ledger {
    next: Seq,
}

/// Words of routes that move money or make keys, whatever a venue's table says of them.
const FORBIDDEN: &[&str] =
    &["withdraw", "transfer", "api_key", "apikey", "api-key", "address_book"];

impl<'a> Rules<'a> {
    /// Rules over these keys.
    pub(super) fn new(keys: Vec<SigningKey>, find: Find<'a>, ledger: Ledger) -> Rules<'a> {
        let mut held: BTreeMap<AccountName, BTreeMap<String, SigningKey>> = BTreeMap::new();
        for key in keys {
            let (account, id) = (key.info().account.clone(), key.info().key_id.clone());
            held.entry(account).or_default().insert(id, key);
        }
        Rules { keys: held, find, ledger }
    }

    /// Builds and signs a request, or says why not.
    pub(super) fn sign(&mut self, request: &SignRequest, now: Time) -> SignAnswer {
        let call = request.call.id;
        match self.try_sign(request, now) {
            Ok(request) => SignAnswer::Signed { call, request },
            Err(why) => SignAnswer::Refused { call, why },
        }
    }

    fn try_sign(&mut self, request: &SignRequest, now: Time) -> Result<WireRequest, String> {
        let SignRequest { warrant, by, call } = request;
        let key = &by.key;
        let held = self.keys.get(&call.account);
        let held =
            held.ok_or_else(|| format!("there is no venue key for account `{}`", call.account))?;
        let signing = held.get(key).ok_or_else(|| {
            format!(
                "the vault does not hold key `{key}` of account `{}`, which the desk uses",
                call.account
            )
        })?;
        let venue = (self.find)(&signing.info().venue)
            .ok_or_else(|| format!("there is no venue `{}`", signing.info().venue))?;
        let class = call.body.class();
        self.ledger.allows(class, *warrant)?;
        check_route(call, venue)?;
        if class == CallClass::Session {
            check_session(signing, venue)?;
        }
        let built = venue.build(call, signing, stamp(by.at, now)).map_err(|error| match error {
            BuildError::UnknownRoute(route) => format!("unknown route `{route}`"),
            BuildError::Unsupported(what) => format!("the venue cannot do this: {what}"),
            BuildError::Key(what) => format!("the venue key cannot sign this: {what}"),
        })?;
        self.ledger.note(*warrant);
        Ok(built)
    }
}

/// The time to sign at: what the venue's clock is said to show, while that is near the signer's own. Whoever holds the
/// gateway gets no signature that is good at another time.
fn stamp(told: Time, own: Time) -> Time {
    let apart = told.since(own).max(own.since(told));
    if apart > MAX_CLOCK_OFFSET { own } else { told }
}

impl Ledger {
    /// A ledger of a journal whose next record has this number.
    pub(super) fn starting_at(next: Seq) -> Ledger {
        Ledger { next }
    }

    fn allows(&self, class: CallClass, warrant: Warrant) -> Result<(), String> {
        match (class, warrant) {
            (
                CallClass::New | CallClass::Amend | CallClass::Cancel | CallClass::Setting,
                Warrant::Journalled { seq },
            ) if seq >= self.next => Ok(()),
            (
                CallClass::New | CallClass::Amend | CallClass::Cancel | CallClass::Setting,
                Warrant::Journalled { seq },
            ) => Err(format!("record {seq} is not above the last one signed")),
            (CallClass::Cancel, Warrant::Emergency)
            | (CallClass::Read | CallClass::Session, Warrant::Unrecorded) => Ok(()),
            (CallClass::New | CallClass::Amend | CallClass::Setting, Warrant::Emergency)
            | (CallClass::Read | CallClass::Session, Warrant::Emergency) => {
                Err("only a cancel is signed in an emergency".to_owned())
            }
            (
                CallClass::New | CallClass::Amend | CallClass::Cancel | CallClass::Setting,
                Warrant::Unrecorded,
            ) => Err("what changes the venue is signed for a record only".to_owned()),
            (CallClass::Read | CallClass::Session, Warrant::Journalled { .. }) => {
                Err("what changes nothing has no record".to_owned())
            }
        }
    }

    fn note(&mut self, warrant: Warrant) {
        if let Warrant::Journalled { seq } = warrant {
            self.next = seq.next();
        }
    }
}

/// A second lock beside the venue's table of routes. Only a key's rights may be read behind it.
fn check_route(call: &Call, venue: &dyn Upstream) -> Result<(), String> {
    let (CallBody::Set { route, .. } | CallBody::Read { route, .. }) = &call.body else {
        return Ok(());
    };
    if call.body == venue.rights_call() {
        return Ok(());
    }
    let lower = route.to_ascii_lowercase();
    match FORBIDDEN.iter().find(|word| lower.contains(**word)) {
        Some(word) => Err(format!("routes with `{word}` are never signed")),
        None => Ok(()),
    }
}

/// Nobody sees what follows in a session, so it is opened only with a key that can do no harm there.
fn check_session(key: &SigningKey, venue: &dyn Upstream) -> Result<(), String> {
    match &key.info().rights {
        None => Err("the venue key's rights are not known; import it anew".to_owned()),
        Some(rights) if venue.may_open_session(rights) => Ok(()),
        Some(_) => Err(
            "the venue key may withdraw, transfer or manage keys, so no session is opened with it"
                .to_owned(),
        ),
    }
}

#[cfg(test)]
mod tests;

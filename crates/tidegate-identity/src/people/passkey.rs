//! Passkeys: registration and authentication ceremonies of Web Authentication Level 3 (sections 7.1 and
//! 7.2), the relying party's side.
//!
//! A challenge belongs to one browser, one purpose and one use. For an approval it is the digest of the
//! statement that the approver reads, so that the signature is over that action and no other. The
//! person is always verified by the device. What happens in another site's frame is refused.

mod attestation;
mod authenticator_data;
mod cbor;
mod challenge;
mod client_data;
mod options;
mod public_key;

pub use attestation::Attesters;
pub use challenge::{Challenge, Challenges, LogIns, Purpose, statement_digest};
pub use options::{creation_options, request_options};
pub use public_key::PublicKey;

use super::PersonHandle;
use super::assurance::{Factor, Shown};
use super::hidden::sha256;
use authenticator_data::AuthenticatorData;
use tidegate_types::codec_struct;
use tidegate_types::time::Time;

/// Longest credential id (section 5.8.3).
pub const MAX_CREDENTIAL_ID: usize = 1023;
/// Longest of any of the byte strings that a browser sends.
const MAX_ANSWER: usize = 32 * 1024;

/// Who asks for passkeys: a name, and the pages that may ask in it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RelyingParty {
    id: String,
    id_hash: [u8; 32],
    origins: Vec<String>,
}

/// A person's passkey, as the store keeps it. Nothing in it is secret.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Passkey {
    id: Vec<u8>,
    person: PersonHandle,
    key: PublicKey,
    model: [u8; 16],
    attested: bool,
    sign_count: u32,
    backup_eligible: bool,
    backed_up: bool,
    made: Time,
    last_used: Time,
}
codec_struct!(Passkey {
    id,
    person,
    key,
    model,
    attested,
    sign_count,
    backup_eligible,
    backed_up,
    made,
    last_used,
});

/// What a browser answers when a passkey was made.
#[derive(Clone, Copy, Debug)]
pub struct Registration<'a> {
    /// `response.clientDataJSON`.
    pub client_data: &'a [u8],
    /// `response.attestationObject`.
    pub attestation: &'a [u8],
}

/// What a browser answers when a passkey was used.
#[derive(Clone, Copy, Debug)]
pub struct Assertion<'a> {
    /// `rawId`.
    pub credential: &'a [u8],
    /// `response.userHandle`, if the device gave it.
    pub person: Option<&'a [u8]>,
    /// `response.clientDataJSON`.
    pub client_data: &'a [u8],
    /// `response.authenticatorData`.
    pub authenticator_data: &'a [u8],
    /// `response.signature`.
    pub signature: &'a [u8],
}

/// An authentication that was good. Only `authenticate` makes one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Asserted {
    person: PersonHandle,
    shown: Shown,
    purpose: Purpose,
    signed: [u8; 32],
}

/// Why a ceremony failed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PasskeyError {
    /// Something is not what a browser sends.
    Malformed,
    /// No challenge of this purpose is open in this browser, or it lapsed.
    NoChallenge,
    /// The answer is to another challenge: for an approval, another statement was signed.
    OtherChallenge,
    /// The answer is of the other ceremony.
    OtherCeremony,
    /// The page is not one of ours, or is in another site's frame.
    Origin,
    /// The passkey is for another relying party.
    OtherParty,
    /// Nobody touched the device.
    NotPresent,
    /// The device did not verify the person.
    NotVerified,
    /// The backup flags contradict each other, or what they were.
    Backup,
    /// The key is of an algorithm that was not offered, or is no key.
    Key,
    /// The credential id is too long or empty.
    CredentialId,
    /// The credential is registered already.
    Registered,
    /// The device did not prove that it is of a model that the desk trusts.
    Untrusted,
    /// The credential is not this one, or not this person's.
    OtherPerson,
    /// The signature is wrong.
    Signature,
    /// The device's counter did not grow: there may be a copy of it.
    Cloned,
}

/// Why a relying party cannot be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BadParty;

impl RelyingParty {
    /// The relying party `id` (a domain) whose pages are at `origins`: `https`, at the domain or below it.
    /// A page on `localhost` may do without TLS, as browsers let it.
    ///
    /// # Errors
    /// When an origin is not at the domain, or there is none.
    pub fn new(id: &str, origins: &[&str]) -> Result<RelyingParty, BadParty> {
        let good = |origin: &&str| {
            let (scheme, rest) = origin.split_once("://")?;
            let host = rest.rsplit_once(':').map_or(rest, |(host, _)| host);
            let below =
                host.strip_suffix(id).is_some_and(|sub| sub.is_empty() || sub.ends_with('.'));
            let safe = scheme == "https" || (scheme == "http" && host == "localhost");
            (below && safe && !rest.contains('/')).then_some(())
        };
        if id.is_empty() || origins.is_empty() || !origins.iter().all(|o| good(o).is_some()) {
            return Err(BadParty);
        }
        Ok(RelyingParty {
            id: id.to_owned(),
            id_hash: sha256(id.as_bytes()),
            origins: origins.iter().map(|origin| (*origin).to_owned()).collect(),
        })
    }

    /// The domain.
    pub fn id(&self) -> &str {
        &self.id
    }
}

/// Takes a new passkey (section 7.1). `registered` says whether a credential id is anybody's already;
/// with `attesters`, the device must prove that it is of a model they name.
///
/// # Errors
/// When any check of the standard's fails.
pub fn register(
    party: &RelyingParty,
    challenge: Challenge,
    person: PersonHandle,
    answer: Registration<'_>,
    registered: impl FnOnce(&[u8]) -> bool,
    attesters: Option<&Attesters>,
    now: Time,
) -> Result<Passkey, PasskeyError> {
    let Registration { client_data, attestation } = answer;
    if challenge.purpose() != Purpose::Enrol || challenge.lapsed(now) {
        return Err(PasskeyError::NoChallenge);
    }
    if client_data.len().max(attestation.len()) > MAX_ANSWER {
        return Err(PasskeyError::Malformed);
    }
    client_data::check(client_data, "webauthn.create", challenge.value(), party)?;
    let object = attestation::Object::read(attestation).ok_or(PasskeyError::Malformed)?;
    let data =
        AuthenticatorData::read(&object.authenticator_data).ok_or(PasskeyError::Malformed)?;
    check_flags(&data, party)?;
    let credential = data.credential.as_ref().ok_or(PasskeyError::Malformed)?;
    let key = PublicKey::from_cose(&credential.key).ok_or(PasskeyError::Key)?;
    if credential.id.is_empty() || credential.id.len() > MAX_CREDENTIAL_ID {
        return Err(PasskeyError::CredentialId);
    }
    let signed = attestation::Signed {
        data: &object.authenticator_data,
        client_data_hash: &sha256(client_data),
        key: &key,
        model: credential.model,
    };
    let attested = object.check(&signed, attesters, now)?;
    if registered(credential.id) {
        return Err(PasskeyError::Registered);
    }
    Ok(Passkey {
        id: credential.id.to_vec(),
        person,
        key,
        model: *credential.model,
        attested,
        sign_count: data.sign_count,
        backup_eligible: data.backup_eligible(),
        backed_up: data.backed_up(),
        made: now,
        last_used: now,
    })
}

/// Checks the use of a passkey (section 7.2). `passkey` is the one whose id the answer names; it must be
/// stored before anything is done by the result, because it keeps the device's counter.
///
/// # Errors
/// When any check of the standard's fails. A page says the same for each, and for a credential that
/// nobody has.
pub fn authenticate(
    party: &RelyingParty,
    challenge: Challenge,
    passkey: &mut Passkey,
    answer: Assertion<'_>,
    now: Time,
) -> Result<Asserted, PasskeyError> {
    let Assertion { credential, person, client_data, authenticator_data, signature } = answer;
    if challenge.purpose() == Purpose::Enrol || challenge.lapsed(now) {
        return Err(PasskeyError::NoChallenge);
    }
    if client_data.len().max(authenticator_data.len()).max(signature.len()) > MAX_ANSWER {
        return Err(PasskeyError::Malformed);
    }
    // Who logs in is known by what the device says alone; later the session says it.
    let is_theirs = match person {
        Some(handle) => handle == passkey.person.0,
        None => challenge.purpose() != Purpose::LogIn,
    };
    if credential != passkey.id || !is_theirs {
        return Err(PasskeyError::OtherPerson);
    }
    client_data::check(client_data, "webauthn.get", challenge.value(), party)?;
    let data = AuthenticatorData::read(authenticator_data).ok_or(PasskeyError::Malformed)?;
    check_flags(&data, party)?;
    if data.backup_eligible() != passkey.backup_eligible {
        return Err(PasskeyError::Backup);
    }
    let signed = [authenticator_data, &sha256(client_data)].concat();
    if !passkey.key.verifies(&signed, signature) {
        return Err(PasskeyError::Signature);
    }
    // A device without a counter says 0 always.
    if data.sign_count.max(passkey.sign_count) > 0 && data.sign_count <= passkey.sign_count {
        return Err(PasskeyError::Cloned);
    }
    passkey.sign_count = data.sign_count;
    passkey.backed_up = data.backed_up();
    passkey.last_used = now;
    Ok(Asserted {
        person: passkey.person,
        shown: Shown::new(passkey.factor(), now),
        purpose: challenge.purpose(),
        signed: *challenge.value(),
    })
}

fn check_flags(data: &AuthenticatorData<'_>, party: &RelyingParty) -> Result<(), PasskeyError> {
    if data.party_hash != &party.id_hash {
        return Err(PasskeyError::OtherParty);
    }
    if !data.present() {
        return Err(PasskeyError::NotPresent);
    }
    if !data.verified() {
        return Err(PasskeyError::NotVerified);
    }
    if data.backed_up() && !data.backup_eligible() {
        return Err(PasskeyError::Backup);
    }
    Ok(())
}

impl Passkey {
    /// Its id.
    pub fn id(&self) -> &[u8] {
        &self.id
    }

    /// Whose it is.
    pub fn person(&self) -> PersonHandle {
        self.person
    }

    /// What showing it proves.
    pub fn factor(&self) -> Factor {
        match (self.backup_eligible, self.attested) {
            (true, _) => Factor::SyncedPasskey,
            (false, false) => Factor::DevicePasskey,
            (false, true) => Factor::AttestedPasskey,
        }
    }

    /// The device's model (AAGUID), proven if `factor` says so.
    pub fn model(&self) -> &[u8; 16] {
        &self.model
    }

    /// Whether there is a copy of it in a backup, as of its last use.
    pub fn backed_up(&self) -> bool {
        self.backed_up
    }

    /// When it was made.
    pub fn made(&self) -> Time {
        self.made
    }

    /// When it was last used.
    pub fn last_used(&self) -> Time {
        self.last_used
    }
}

impl Asserted {
    /// Who.
    pub fn person(&self) -> PersonHandle {
        self.person
    }

    /// What it is worth.
    pub fn shown(&self) -> Shown {
        self.shown
    }

    /// What for.
    pub fn purpose(&self) -> Purpose {
        self.purpose
    }

    /// Whether this is an approval of the statement with that digest.
    pub fn approves(&self, digest: &[u8; 32]) -> bool {
        self.purpose == Purpose::Approve && self.signed == *digest
    }

    /// Whether this is consent to the statement with that digest.
    pub fn consents(&self, digest: &[u8; 32]) -> bool {
        self.purpose == Purpose::Consent && self.signed == *digest
    }
}

impl std::fmt::Display for PasskeyError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            PasskeyError::Malformed => "the browser's answer is malformed",
            PasskeyError::NoChallenge => "nothing was asked, or too long ago; try again",
            PasskeyError::OtherChallenge => "the answer is to something else",
            PasskeyError::OtherCeremony => "the answer is of another ceremony",
            PasskeyError::Origin => "the page is not one of ours",
            PasskeyError::OtherParty => "the passkey is for another site",
            PasskeyError::NotPresent => "nobody touched the device",
            PasskeyError::NotVerified => "the device did not verify the person",
            PasskeyError::Backup => "the device contradicts what it said of backups",
            PasskeyError::Key => "the key is of no algorithm that was offered",
            PasskeyError::CredentialId => "the credential id is empty or too long",
            PasskeyError::Registered => "the passkey is registered already",
            PasskeyError::Untrusted => "the device did not prove that it is of a trusted model",
            PasskeyError::OtherPerson => "the passkey is not this person's",
            PasskeyError::Signature => "the signature is wrong",
            PasskeyError::Cloned => "the device's counter did not grow; there may be a copy of it",
        })
    }
}

impl std::error::Error for PasskeyError {}

impl std::fmt::Display for BadParty {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("each origin must be https at the domain or below it")
    }
}

impl std::error::Error for BadParty {}

#[cfg(test)]
mod tests;

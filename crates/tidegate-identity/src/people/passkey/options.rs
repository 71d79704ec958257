//! What a page asks its browser for (sections 5.4 and 5.5), in the JSON form of `parseCreationOptionsFromJSON`
//! and `parseRequestOptionsFromJSON`.

use super::challenge::CEREMONY_LIFETIME;
use super::public_key::OFFERED;
use super::{Challenge, Passkey, RelyingParty};
use crate::people::PersonHandle;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

/// To make a passkey that its device can find by itself, for a person who is shown as `name`. `had` are
/// the person's passkeys, so that no device gets two. With `attested` the device is asked for proof of
/// its model.
pub fn creation_options(
    party: &RelyingParty,
    challenge: &Challenge,
    person: PersonHandle,
    name: &str,
    had: &[Passkey],
    attested: bool,
) -> Value {
    let algorithms: Vec<Value> =
        OFFERED.iter().map(|number| json!({ "type": "public-key", "alg": number })).collect();
    json!({
        "rp": { "id": party.id(), "name": "Tidegate" },
        "user": { "id": text(&person.0), "name": name, "displayName": name },
        "challenge": text(challenge.value()),
        "pubKeyCredParams": algorithms,
        "timeout": CEREMONY_LIFETIME.millis(),
        "excludeCredentials": descriptors(had),
        "authenticatorSelection": {
            "residentKey": "required",
            "requireResidentKey": true,
            "userVerification": "required",
        },
        "attestation": if attested { "direct" } else { "none" },
    })
}

/// To use a passkey. At a login no ids are named, whoever it is, so that a page tells nobody who has
/// one; in a session `theirs` are its person's.
pub fn request_options(party: &RelyingParty, challenge: &Challenge, theirs: &[Passkey]) -> Value {
    json!({
        "rpId": party.id(),
        "challenge": text(challenge.value()),
        "timeout": CEREMONY_LIFETIME.millis(),
        "allowCredentials": descriptors(theirs),
        "userVerification": "required",
    })
}

fn descriptors(passkeys: &[Passkey]) -> Vec<Value> {
    passkeys.iter().map(|key| json!({ "type": "public-key", "id": text(key.id()) })).collect()
}

fn text(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

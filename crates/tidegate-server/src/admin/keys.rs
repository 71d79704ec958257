//! Virtual keys: making, rotating, revoking, listing.

use super::Administrator;
use super::grants::name;
use super::protocol::{Failure, KeyStatus, MadeKey, TermsSpec};
use super::service::{Administration, bytes_of, internal, refused};
use crate::clock;
use serde_json::{Value, json};
use std::fmt::Write as _;
use tidegate_core::roles;
use tidegate_core::state::State;
use tidegate_identity::RsaBits;
use tidegate_identity::keyring::rsa_key;
use tidegate_types::approval::Act;
use tidegate_types::codec::Octets;
use tidegate_types::ids::{AccountName, CallerName, KeyId};
use tidegate_types::key::{KeyScheme, KeyTerms, Replaced, VirtualKey};
use tidegate_types::limits::MAX_KEY_NETWORKS;
use tidegate_types::record::Change;
use tidegate_types::reject::{Code, Reject};
use tidegate_types::secret::Secret;
use tidegate_types::time::{Span, Time};
use tidegate_vault::CallerSecrets;
use zeroize::Zeroizing;

/// What stands before the 32 bytes of an Ed25519 public key in its DER form (RFC 8410).
const ED25519_SPKI: [u8; 12] =
    [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

impl Administration {
    /// A new virtual key for a caller.
    pub(super) async fn add_key(
        &self,
        by: &Administrator,
        caller: &str,
        account: &str,
        public: Option<String>,
        terms: TermsSpec,
    ) -> Result<Value, Failure> {
        let caller: CallerName = name("caller", caller)?;
        let account: AccountName = name("account", account)?;
        let terms = self.key_terms(terms)?;
        self.make_key(by, (caller, account), public, terms, None).await
    }

    /// A new virtual key in the place of another one, with the same terms.
    pub(super) async fn rotate_key(
        &self,
        by: &Administrator,
        id: &str,
        (overlap, until_ms): (Span, Option<u64>),
        public: Option<String>,
    ) -> Result<Value, Failure> {
        let id: KeyId = name("id", id)?;
        let unknown = format!("there is no key {id}");
        let old = self.parts.desk.look(|state| {
            let old = state.keys().get(&id).filter(|old| !old.revoked).map(|old| old.key.clone());
            old.filter(|old| roles::sees(state, &by.person, &old.caller))
        });
        let old = old.ok_or_else(|| refused(Reject::new(Code::BadParameter, unknown)))?;
        if matches!(old.scheme, KeyScheme::Hmac) != public.is_none() {
            let message = format!("{id} signs in another way than the new key would");
            let hint =
                "give a public key for one that has a public key, and none for a shared secret";
            return Err(Failure::new("bad_request", message, hint));
        }
        let terms = KeyTerms { until: renewed(&id, &old.terms, until_ms)?, ..old.terms };
        let seat = (old.caller, old.account);
        self.make_key(by, seat, public, terms, Some(Replaced { key: id, overlap })).await
    }

    /// The secret is sealed first, so that no key is ever in force without one.
    async fn make_key(
        &self,
        by: &Administrator,
        (caller, account): (CallerName, AccountName),
        public: Option<String>,
        terms: KeyTerms,
        replaces: Option<Replaced>,
    ) -> Result<Value, Failure> {
        let venue = self.venue_of(&account)?;
        let link = self.parts.links.get(&venue).map_err(refused)?;
        let mut random = Zeroizing::new([0; 64]);
        getrandom::fill(random.as_mut_slice()).map_err(|e| internal(&e))?;
        let made = link.venue().virtual_key(&random);
        let id = made.id.clone();
        let rsa = self.parts.config.keys.rsa();
        let scheme = public.map_or(Ok(KeyScheme::Hmac), |text| public_key(&text, rsa))?;
        let key = VirtualKey { id: id.clone(), caller, venue, account, scheme, terms };
        let change = Change::KeyAdded { key: key.clone(), replaces: replaces.clone() };
        self.may_act(by, &Act::Change { change: change.clone() })?;
        // Until it is in force, waits, or is none.
        let _sealing = self.undecided.begin(&id);
        let secret = match key.scheme {
            KeyScheme::Ed25519 { .. } | KeyScheme::Rsa { .. } => None,
            KeyScheme::Hmac => {
                let (of, secret) = (id.clone(), made.secret);
                let put = move |store: &mut CallerSecrets| store.put(&of, &secret).map(|()| secret);
                Some(self.with_secrets(put).await?)
            }
        };
        let shown = secret.as_ref().map(|s| String::from_utf8_lossy(s.expose()).into_owned());
        let pending = match self.change(by, change).await {
            Ok(answer) => answer.get("pending").and_then(Value::as_u64),
            Err(failure) => {
                let _ = self.with_secrets(move |secrets| secrets.remove(&id)).await;
                return Err(failure);
            }
        };
        // One that waits for a second person is in force once that one approves.
        if pending.is_none() {
            self.put_in_force(key, secret, replaces)?;
        }
        serde_json::to_value(MadeKey { id: id.to_string(), secret: shown, pending })
            .map_err(|e| internal(&e))
    }

    /// What is on record comes into force here; the key that is replaced ends as the record says.
    pub(super) fn put_in_force(
        &self,
        key: VirtualKey,
        secret: Option<Secret>,
        replaces: Option<Replaced>,
    ) -> Result<(), Failure> {
        if let Some(Replaced { key: old, .. }) = replaces {
            let until = |state: &State| state.keys().get(&old).and_then(|old| old.key.terms.until);
            if let Some(until) = self.parts.desk.look(until) {
                self.parts.callers.end(&old, until);
            }
        }
        self.parts.callers.add(key, secret).map_err(|e| internal(&e))
    }

    /// Out of force here first, so that a journal that cannot be written does not keep it alive.
    pub(super) async fn revoke_key(&self, by: &Administrator, id: &str) -> Result<Value, Failure> {
        let id: KeyId = name("id", id)?;
        let change = Change::KeyRevoked { id: id.clone() };
        self.may_act(by, &Act::Change { change: change.clone() })?;
        self.end_key(&id);
        let revoked = self.change(by, change).await?;
        // It is revoked, whatever becomes of its secret; what stays is swept.
        let _ = self.with_secrets(move |secrets| secrets.remove(&id)).await;
        Ok(revoked)
    }

    /// The keys that are there for this person.
    pub(super) fn keys(&self, by: &Administrator) -> Result<Value, Failure> {
        let now = clock::now();
        let keys = self.parts.desk.look(|state| -> Vec<VirtualKey> {
            let seen = state
                .keys()
                .values()
                .filter(|key| !key.revoked && roles::sees(state, &by.person, &key.key.caller));
            seen.map(|key| key.key.clone()).collect()
        });
        let told: Vec<KeyStatus> = keys.into_iter().map(|key| self.key_status(key, now)).collect();
        Ok(json!({ "keys": told }))
    }

    fn key_status(&self, key: VirtualKey, now: Time) -> KeyStatus {
        let scheme = match key.scheme {
            KeyScheme::Hmac => "hmac",
            KeyScheme::Ed25519 { .. } => "ed25519",
            KeyScheme::Rsa { .. } => "rsa",
        };
        KeyStatus {
            last_used_ms: self.parts.callers.last_used(&key.id).map(Time::millis),
            id: key.id.to_string(),
            caller: key.caller.to_string(),
            account: key.account.to_string(),
            venue: key.venue.to_string(),
            scheme: scheme.to_owned(),
            ended: key.terms.in_time(now).is_err(),
            terms: TermsSpec {
                from: key.terms.from.iter().map(ToString::to_string).collect(),
                certificate: key.terms.certificate.map(|digest| hex(&digest)),
                until_ms: key.terms.until.map(Time::millis),
            },
        }
    }

    fn key_terms(&self, spec: TermsSpec) -> Result<KeyTerms, Failure> {
        let bad = |message: String, hint: &str| Failure::new("bad_request", message, hint);
        if spec.from.len() > MAX_KEY_NETWORKS {
            let message = format!("from: more than {MAX_KEY_NETWORKS} networks");
            return Err(bad(message, "name larger ones"));
        }
        let network = |text: &String| {
            let hint = "write it as 10.0.0.0/8 (bits behind the length are zero) or as one address";
            text.parse().map_err(|_| bad(format!("from: {text} is no network"), hint))
        };
        let digest = |text: String| {
            let hint = "give the SHA-256 of its DER form, 64 hexadecimal digits";
            bytes_of(&text).ok_or_else(|| bad("certificate: not a digest".to_owned(), hint))
        };
        let certificate = spec.certificate.map(digest).transpose()?;
        if certificate.is_some() {
            self.certificates_are_asked_for()?;
        }
        let until = spec.until_ms.map(to_come).transpose()?;
        let from = spec.from.iter().map(network).collect::<Result<_, Failure>>()?;
        Ok(KeyTerms { from, certificate, until })
    }
}

impl Administration {
    /// Whether a certificate can be shown here at all.
    pub(super) fn certificates_are_asked_for(&self) -> Result<(), Failure> {
        if self.parts.config.listen.asks_for_certificates() {
            return Ok(());
        }
        let hint = "set listen.client_certificates = true (with TLS) in tidegate.toml and restart";
        let message = "no client certificate is asked for here";
        Err(Failure::new("bad_request", message, hint))
    }
}

/// When the key that takes the place of one with these terms ends.
fn renewed(id: &KeyId, old: &KeyTerms, until_ms: Option<u64>) -> Result<Option<Time>, Failure> {
    let bad = |message: String, hint: &str| Failure::new("bad_request", message, hint);
    if old.in_time(clock::now()).is_err() {
        return Err(bad(format!("{id} has ended"), "make a new key with `tidegate caller key`"));
    }
    match (old.until, until_ms) {
        (_, Some(until_ms)) => to_come(until_ms).map(Some),
        (None, None) => Ok(None),
        (Some(_), None) => {
            let message = format!("{id} ends, or is being replaced already");
            Err(bad(message, "say until when the new one is good: --until TIME"))
        }
    }
}

fn to_come(until_ms: u64) -> Result<Time, Failure> {
    let until = Time::from_millis(until_ms);
    if until > clock::now() {
        return Ok(until);
    }
    Err(Failure::new("bad_request", "until: that is over", "give a time to come"))
}

fn public_key(text: &str, rsa: RsaBits) -> Result<KeyScheme, Failure> {
    if let Some(public) = bytes_of(text) {
        return Ok(KeyScheme::Ed25519 { public });
    }
    let bad = |why: &dyn std::fmt::Display| {
        let hint = format!("give an Ed25519 key, or an RSA key of {rsa} bits or more");
        Failure::new("bad_request", format!("public: {why}"), hint)
    };
    let der = from_hex(text).ok_or_else(|| bad(&"not hexadecimal"))?;
    if let Some(Ok(public)) = der.strip_prefix(&ED25519_SPKI).map(<[u8; 32]>::try_from) {
        return Ok(KeyScheme::Ed25519 { public });
    }
    rsa_key(&der, rsa).map_err(|e| bad(&e))?;
    Ok(KeyScheme::Rsa { public: Octets(der) })
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digits = text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let pair = |at| text.get(at..at + 2).and_then(|pair| u8::from_str_radix(pair, 16).ok());
    (digits && text.len().is_multiple_of(2))
        .then(|| (0..text.len()).step_by(2).map(pair).collect())?
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests;

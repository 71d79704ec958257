//! Who is calling: keys, signatures and tokens. The server's own verifier; it shares no code with
//! the gateway's signer, so that they cannot share a mistake.

use super::fault::Fault;
use super::params::Params;
use super::scope::{Request, Rights};
use super::tokens::{Bond, Grant, Issued, Tokens};
use crate::engine::account::AccountIx;
use aws_lc_rs::{constant_time, hmac, signature};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use std::collections::{HashSet, VecDeque};
use tidegate_types::time::{Span, Time};

/// How far a signed time stamp may be from the venue's clock.
const WINDOW: Span = Span::from_secs(60);

/// A key of an account.
#[derive(Clone)]
pub struct Key {
    /// Its number.
    pub id: u64,
    /// Its name in key lists.
    pub name: String,
    /// Its public half.
    pub client_id: String,
    /// What proves it.
    pub proof: Proof,
    /// The account it acts for.
    pub account: AccountIx,
    /// The most it may do: `account:read trade:read_write`.
    pub max_scope: String,
}

/// What proves a key.
#[derive(Clone)]
pub enum Proof {
    /// A shared secret.
    Secret(String),
    /// An Ed25519 public key; the caller has the private one.
    Ed25519([u8; 32]),
}

impl Key {
    /// The public half of an asymmetric key in the form that clients paste; empty for others.
    pub(crate) fn public_pem(&self) -> String {
        // The fixed head of an Ed25519 `SubjectPublicKeyInfo` (RFC 8410).
        const HEAD: [u8; 12] = [0x30, 0x2a, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 3, 0x21, 0];
        let Proof::Ed25519(public) = &self.proof else { return String::new() };
        let body = STANDARD.encode([&HEAD[..], public].concat());
        format!("-----BEGIN PUBLIC KEY-----\n{body}\n-----END PUBLIC KEY-----\n")
    }
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Key").field("client_id", &self.client_id).finish_non_exhaustive()
    }
}

/// An authenticated caller.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Caller {
    /// Index of the key.
    pub(crate) key: usize,
    /// The account it acts for.
    pub(crate) account: AccountIx,
    /// What it may do now.
    pub(crate) rights: Rights,
}

/// Keys, tokens, and signatures already seen.
pub(crate) struct Auth {
    keys: Vec<(Key, Rights)>,
    tokens: Tokens,
    seen: HashSet<[u8; 32]>,
    seen_order: VecDeque<(Time, [u8; 32])>,
}

impl Auth {
    /// With these keys; those whose scope cannot be read have no rights. Tokens are derived from
    /// the seed.
    pub(crate) fn new(keys: Vec<Key>, seed: u64) -> Auth {
        let rights = |key: &Key| key.max_scope.parse().unwrap_or_default();
        Auth {
            keys: keys.into_iter().map(|key| (key.clone(), rights(&key))).collect(),
            tokens: Tokens::new(seed),
            seen: HashSet::new(),
            seen_order: VecDeque::new(),
        }
    }

    /// The keys of an account.
    pub(crate) fn keys_of(&self, account: AccountIx) -> impl Iterator<Item = &Key> {
        self.keys.iter().map(|(key, _)| key).filter(move |key| key.account == account)
    }

    /// The tokens.
    pub(crate) fn tokens(&mut self) -> &mut Tokens {
        &mut self.tokens
    }

    /// The caller that an `Authorization` header proves. `request` is the method, the target as
    /// sent and the raw body.
    pub(crate) fn header(
        &mut self,
        header: &str,
        request: (&str, &str, &[u8]),
        now: Time,
    ) -> Result<Caller, Fault> {
        let (scheme, rest) = header.split_once(' ').ok_or(Fault::INVALID_CREDENTIALS)?;
        let rest = rest.trim();
        if scheme.eq_ignore_ascii_case("bearer") {
            self.bearer(rest, now)
        } else if scheme.eq_ignore_ascii_case("basic") {
            self.basic(rest)
        } else if scheme.eq_ignore_ascii_case("deri-hmac-sha256") {
            self.signed(rest, request, now)
        } else {
            Err(Fault::INVALID_CREDENTIALS)
        }
    }

    /// The caller that a token proves.
    pub(crate) fn bearer(&self, token: &str, now: Time) -> Result<Caller, Fault> {
        let grant = self.tokens.access(token, now).ok_or_else(Fault::invalid_token)?;
        self.caller(grant.key, grant.rights)
    }

    /// Carries out `public/auth`: proves the caller and issues tokens bound as it asks.
    pub(crate) fn auth(
        &mut self,
        params: &Params,
        connection: Option<u64>,
        now: Time,
    ) -> Result<(Caller, Issued), Fault> {
        let request: Request =
            params.text("scope")?.unwrap_or("").parse().map_err(|()| Fault::param("scope"))?;
        match params.need_text("grant_type")? {
            "refresh_token" => {
                let issued = self.tokens.refresh(params.need_text("refresh_token")?, now);
                let issued = issued.ok_or_else(Fault::invalid_token)?;
                Ok((self.caller(issued.grant.key, issued.grant.rights)?, issued))
            }
            "client_credentials" => {
                let key = self.find(params.need_text("client_id")?)?;
                self.check_secret(key, params.need_text("client_secret")?)?;
                self.issue(key, &request, connection, now)
            }
            "client_signature" => {
                let key = self.client_signature(params, now)?;
                self.issue(key, &request, connection, now)
            }
            _ => Err(Fault::param("grant_type")),
        }
    }

    fn issue(
        &mut self,
        key: usize,
        request: &Request,
        connection: Option<u64>,
        now: Time,
    ) -> Result<(Caller, Issued), Fault> {
        let (_, rights) = self.keys.get(key).ok_or(Fault::INVALID_CREDENTIALS)?;
        let grant = Grant { key, rights: rights.narrowed(request) };
        let bond = match (&request.session, connection) {
            (Some(name), _) => Bond::Session(name.clone()),
            (None, Some(connection)) => Bond::Connection(connection),
            (None, None) => Bond::Http,
        };
        let issued = self.tokens.issue(grant, bond, request.expires, now);
        Ok((self.caller(key, issued.grant.rights)?, issued))
    }

    fn client_signature(&mut self, params: &Params, now: Time) -> Result<usize, Fault> {
        let key = self.find(params.need_text("client_id")?)?;
        let stamp = params.need_int("timestamp")?;
        let nonce = params.text("nonce")?.unwrap_or("");
        let data = params.text("data")?.unwrap_or("");
        let text = format!("{stamp}\n{nonce}\n{data}");
        in_window(stamp, now)?;
        let signature = params.need_text("signature")?;
        match self.keys.get(key).map(|(key, _)| &key.proof) {
            Some(Proof::Secret(secret)) => check_hmac(secret, &text, signature)?,
            Some(Proof::Ed25519(public)) => check_ed25519(public, &text, signature)?,
            None => return Err(Fault::INVALID_CREDENTIALS),
        }
        Ok(key)
    }

    fn basic(&self, encoded: &str) -> Result<Caller, Fault> {
        let bytes = STANDARD.decode(encoded).map_err(|_| Fault::INVALID_CREDENTIALS)?;
        let text = String::from_utf8(bytes).map_err(|_| Fault::INVALID_CREDENTIALS)?;
        let (id, secret) = text.split_once(':').ok_or(Fault::INVALID_CREDENTIALS)?;
        let key = self.find(id)?;
        self.check_secret(key, secret)?;
        self.whole(key)
    }

    fn signed(
        &mut self,
        fields: &str,
        (method, target, body): (&str, &str, &[u8]),
        now: Time,
    ) -> Result<Caller, Fault> {
        let field = |name: &str| {
            let mut pairs = fields.split(',').filter_map(|pair| pair.trim().split_once('='));
            pairs.find(|(key, _)| *key == name).map(|(_, value)| value)
        };
        let (Some(id), Some(stamp), Some(nonce), Some(sig)) =
            (field("id"), field("ts"), field("nonce"), field("sig"))
        else {
            return Err(Fault::INVALID_CREDENTIALS);
        };
        let key = self.find(id)?;
        let mut text =
            format!("{stamp}\n{nonce}\n{}\n{target}\n", method.to_ascii_uppercase()).into_bytes();
        text.extend_from_slice(body);
        text.push(b'\n');
        let Some((Key { proof: Proof::Secret(secret), .. }, _)) = self.keys.get(key) else {
            return Err(Fault::INVALID_CREDENTIALS);
        };
        let code = check_hmac_bytes(secret, &text, sig)?;
        in_window(stamp.parse().map_err(|_| Fault::INVALID_CREDENTIALS)?, now)?;
        self.first_seen(code, now)?;
        self.whole(key)
    }

    /// Refuses a signature that came before: it covers key, time stamp, nonce and request.
    fn first_seen(&mut self, code: [u8; 32], now: Time) -> Result<(), Fault> {
        let horizon = now.minus(Span::from_secs(121));
        while let Some((_, old)) = self.seen_order.pop_front_if(|(at, _)| *at < horizon) {
            self.seen.remove(&old);
        }
        if !self.seen.insert(code) {
            return Err(Fault::INVALID_CREDENTIALS);
        }
        self.seen_order.push_back((now, code));
        Ok(())
    }

    fn find(&self, client_id: &str) -> Result<usize, Fault> {
        let found = self.keys.iter().position(|(key, _)| key.client_id == client_id);
        found.ok_or(Fault::INVALID_CREDENTIALS)
    }

    fn check_secret(&self, key: usize, given: &str) -> Result<(), Fault> {
        match self.keys.get(key).map(|(key, _)| &key.proof) {
            Some(Proof::Secret(secret)) => {
                constant_time::verify_slices_are_equal(secret.as_bytes(), given.as_bytes())
                    .map_err(|_| Fault::INVALID_CREDENTIALS)
            }
            _ => Err(Fault::INVALID_CREDENTIALS),
        }
    }

    fn whole(&self, key: usize) -> Result<Caller, Fault> {
        let (_, rights) = self.keys.get(key).ok_or(Fault::INVALID_CREDENTIALS)?;
        self.caller(key, *rights)
    }

    fn caller(&self, key: usize, rights: Rights) -> Result<Caller, Fault> {
        let (found, _) = self.keys.get(key).ok_or(Fault::INVALID_CREDENTIALS)?;
        Ok(Caller { key, account: found.account, rights })
    }
}

fn in_window(stamp_millis: u64, now: Time) -> Result<(), Fault> {
    let stamp = Time::from_millis(stamp_millis);
    let apart = stamp.since(now).max(now.since(stamp));
    if apart > WINDOW { Err(Fault::INVALID_CREDENTIALS) } else { Ok(()) }
}

fn check_hmac(secret: &str, text: &str, signature: &str) -> Result<(), Fault> {
    check_hmac_bytes(secret, text.as_bytes(), signature).map(drop)
}

fn check_hmac_bytes(secret: &str, text: &[u8], signature: &str) -> Result<[u8; 32], Fault> {
    let code: [u8; 32] = from_hex(signature)
        .and_then(|bytes| bytes.try_into().ok())
        .ok_or(Fault::INVALID_CREDENTIALS)?;
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    hmac::verify(&key, text, &code).map_err(|_| Fault::INVALID_CREDENTIALS)?;
    Ok(code)
}

/// The venue does not document the text form of the signature, so each that clients use is read.
fn check_ed25519(public: &[u8; 32], text: &str, signature: &str) -> Result<(), Fault> {
    let forms = [
        from_hex(signature),
        STANDARD.decode(signature).ok(),
        URL_SAFE_NO_PAD.decode(signature.trim_end_matches('=')).ok(),
    ];
    let key = signature::UnparsedPublicKey::new(&signature::ED25519, public);
    let mut bytes = forms.into_iter().flatten().filter(|bytes| bytes.len() == 64);
    let good = bytes.any(|bytes| key.verify(text.as_bytes(), &bytes).is_ok());
    if good { Ok(()) } else { Err(Fault::INVALID_CREDENTIALS) }
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> = text
        .bytes()
        .map(|c| char::from(c).to_digit(16).and_then(|d| u8::try_from(d).ok()))
        .collect();
    let digits = digits.filter(|digits| digits.len().is_multiple_of(2))?;
    Some(
        digits.chunks(2).map(|pair| pair.iter().fold(0, |byte, digit| byte << 4 | digit)).collect(),
    )
}

#[cfg(test)]
mod tests;

//! A desk to test against: an authority, a trader's app, a bot, and the keys that they hold.

use super::acr::Acr;
use super::authority::{Approval, Authority, Call, Chance, Config};
use super::client::{Binding, ClientId, Credentials, GrantType, Method, Terms};
use super::details::{self, Trading};
use super::dpop::{Nonces, Proofs, ath};
use super::error::ErrorCode;
use super::event::{Event, State};
use super::jose::{Keys, SigningKey, Thumbprint};
use super::once::Once;
use super::resource::Resource;
use crate::rsa::RsaBits;
use serde_json::{Value, json};
use std::cell::Cell;
use tidegate_types::Time;
use tidegate_types::secret::Secret;
use tidegate_types::time::Span;

pub(crate) const ISSUER: &str = "https://desk.example";
pub(crate) const RESOURCE: &str = "https://desk.example/v1";
pub(crate) const ORDERS: &str = "https://desk.example/v1/orders";
pub(crate) const CALLBACK: &str = "https://app.example/cb";
pub(crate) const NOW: u64 = 1_000_000;
pub(crate) const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
pub(crate) const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

pub(crate) fn at(seconds: u64) -> Time {
    Time::from_millis(seconds * 1000)
}

pub(crate) fn signer(byte: u8) -> SigningKey {
    SigningKey::from_seed(&Secret::new(vec![byte; 32])).unwrap()
}

pub(crate) fn jkt(byte: u8) -> Thumbprint {
    signer(byte).public().thumbprint()
}

/// Details on the one account, with a limit in dollars.
pub(crate) fn details(notional: &str) -> Value {
    json!([{
        "type": "tidegate_trading", "venue": "venue", "account": "main", "instruments": ["BTC-*"],
        "sides": ["buy", "sell"], "order_types": ["limit"],
        "max_order": { "notional": notional }, "max_open_notional": notional,
    }])
}

pub(crate) fn trading(notional: &str) -> Vec<Trading> {
    details::parse(&details(notional).to_string()).unwrap()
}

/// The client `id`, whose key is made of `byte`.
pub(crate) fn terms(id: &str, byte: u8) -> Terms {
    let jwks = json!({ "keys": [signer(byte).public().to_json()] }).to_string();
    Terms {
        id: ClientId::new(id).unwrap(),
        title: "An app".into(),
        method: Method::PrivateKeyJwt { jwks },
        bound_to: Binding::Dpop,
        grants: GrantType::NAMES.iter().map(|(_, kind)| *kind).collect(),
        redirect_uris: vec![CALLBACK.into()],
        allowed: trading("1000"),
        delegate: None,
        introspects: false,
        signs_requests: false,
    }
}

pub(crate) struct Desk {
    pub(crate) authority: Authority,
    pub(crate) resource: Resource,
    count: Cell<u64>,
}

pub(crate) type Outcome = Result<Value, ErrorCode>;

impl Desk {
    /// `app` (key 1) may hand on to `bot` (key 2); `rs` (key 3) introspects.
    pub(crate) fn new() -> Desk {
        let config = Config {
            issuer: ISSUER.into(),
            resource: RESOURCE.into(),
            token_lifetime: Span::from_secs(600),
            grant_lifetime: Span::from_secs(86_400),
            mutual_tls: true,
            rsa: RsaBits::DEFAULT,
        };
        let proofs = |byte: u8| {
            Proofs::new(Once::new(1000, at(0)), Nonces::new(&Secret::new(vec![byte; 32])), false)
        };
        let keys = Keys::new(signer(100), Some(signer(101)));
        let seen = Once::new(1000, at(0));
        let mut authority = Authority::new(config, keys, State::default(), proofs(1), seen);
        let mut app = terms("app", 1);
        app.delegate = Some(ClientId::new("bot").unwrap());
        let mut server = terms("rs", 3);
        server.introspects = true;
        for terms in [app, terms("bot", 2), server] {
            authority.apply(&Event::ClientRegistered { terms });
        }
        Desk { authority, resource: Resource::new(proofs(2)), count: Cell::new(0) }
    }

    pub(crate) fn unique(&self) -> u64 {
        self.count.set(self.count.get() + 1);
        self.count.get()
    }

    pub(crate) fn chance(&self) -> Chance {
        let mut chance = [0; 64];
        for (at, chunk) in chance.chunks_mut(8).enumerate() {
            let mixed = (self.unique() * 8 + at as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            chunk.copy_from_slice(&mixed.to_be_bytes());
        }
        chance
    }

    /// A proof by the key of `byte`.
    pub(crate) fn proof(
        &self,
        byte: u8,
        htm: &str,
        htu: &str,
        token: Option<&str>,
        now: u64,
    ) -> String {
        let mut claims =
            json!({ "jti": self.unique().to_string(), "htm": htm, "htu": htu, "iat": now });
        if let Some(token) = token {
            claims["ath"] = ath(token).into();
        }
        signer(byte).prove(&claims).unwrap()
    }

    /// `fields` as the client `id` sends them, with its assertion.
    pub(crate) fn form(&self, id: &str, byte: u8, fields: &[(&str, &str)], now: u64) -> String {
        let claims = json!({
            "iss": id, "sub": id, "aud": ISSUER, "jti": self.unique().to_string(), "iat": now,
            "exp": now + 60,
        });
        let header = json!({ "alg": "EdDSA", "typ": "JWT" });
        let text = signer(byte).sign_with(&header, claims.to_string().as_bytes()).unwrap();
        let kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
        let own = [("client_assertion", text.as_str()), ("client_assertion_type", kind)];
        let encode = |text: &str| {
            percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC)
                .to_string()
        };
        let pairs = fields.iter().chain(&own);
        pairs.map(|(name, value)| format!("{name}={}", encode(value))).collect::<Vec<_>>().join("&")
    }

    fn call<T>(
        &mut self,
        path: &str,
        form: &str,
        proof_by: Option<u8>,
        now: u64,
        endpoint: impl Fn(&mut Authority, &Call<'_>, &Chance, Time) -> Result<T, super::OAuthError>,
    ) -> Result<T, ErrorCode> {
        let uri = format!("{ISSUER}{path}");
        let proof = proof_by.map(|byte| self.proof(byte, "POST", &uri, None, now));
        let proofs: Vec<&str> = proof.iter().map(String::as_str).collect();
        let credentials = Credentials::default();
        let call = Call { uri: &uri, form: form.as_bytes(), credentials, proofs: &proofs };
        let chance = self.chance();
        endpoint(&mut self.authority, &call, &chance, at(now)).map_err(|error| error.code)
    }

    pub(crate) fn push(
        &mut self,
        fields: &[(&str, &str)],
        proof_by: Option<u8>,
        now: u64,
    ) -> Outcome {
        let form = self.form("app", 1, fields, now);
        self.call("/oauth/par", &form, proof_by, now, |a, call, chance, now| {
            a.push(call, chance, now)
        })
    }

    pub(crate) fn token(
        &mut self,
        id: &str,
        byte: u8,
        fields: &[(&str, &str)],
        now: u64,
    ) -> Outcome {
        self.token_by(id, byte, fields, Some(10 + byte), now)
    }

    /// The token endpoint with a proof by another key than the client's usual one (10 + `byte`).
    pub(crate) fn token_by(
        &mut self,
        id: &str,
        byte: u8,
        fields: &[(&str, &str)],
        proof_by: Option<u8>,
        now: u64,
    ) -> Outcome {
        let form = self.form(id, byte, fields, now);
        self.call("/oauth/token", &form, proof_by, now, |a, call, chance, now| {
            a.token(call, chance, now)
        })
    }

    pub(crate) fn device(&mut self, fields: &[(&str, &str)], now: u64) -> Outcome {
        let form = self.form("app", 1, fields, now);
        self.call("/oauth/device_authorization", &form, None, now, |a, call, chance, now| {
            a.device(call, "https://desk.example/oauth/device", chance, now)
        })
    }

    pub(crate) fn introspect(&mut self, id: &str, byte: u8, token: &str, now: u64) -> Outcome {
        let form = self.form(id, byte, &[("token", token)], now);
        self.call("/oauth/introspect", &form, None, now, |a, call, _, now| a.introspect(call, now))
    }

    pub(crate) fn revoke(
        &mut self,
        id: &str,
        byte: u8,
        token: &str,
        now: u64,
    ) -> Result<(), ErrorCode> {
        let form = self.form(id, byte, &[("token", token)], now);
        self.call("/oauth/revoke", &form, None, now, |a, call, _, now| a.revoke(call, now))
    }

    pub(crate) fn approve(&mut self, uri: &str, now: u64) -> String {
        let chance = self.chance();
        let app = ClientId::new("app").unwrap();
        self.authority.approve(&app, uri, approval("500", now), &chance, at(now)).unwrap()
    }

    /// A code for the app, for which a person granted half of what was asked.
    pub(crate) fn code(&mut self, now: u64) -> String {
        let pushed = self.push(&par_fields(&details("1000").to_string()), None, now).unwrap();
        let redirect = self.approve(pushed["request_uri"].as_str().unwrap(), now);
        param(&redirect, "code").unwrap()
    }

    /// The answer to that code.
    pub(crate) fn tokens(&mut self, now: u64) -> Value {
        let code = self.code(now);
        self.token("app", 1, &code_fields(&code), now).unwrap()
    }
}

pub(crate) fn approval(notional: &str, now: u64) -> Approval {
    Approval {
        subject: "person-1".into(),
        acr: Acr::TwoFactor,
        auth_time: at(now - 30),
        amr: vec!["hwk".to_owned(), "mfa".to_owned(), "user".to_owned()],
        granted: trading(notional),
        may_grant: trading("5000"),
        delegates: vec![ClientId::new("bot").unwrap()],
    }
}

/// What the app pushes for `details`.
pub(crate) fn par_fields(details: &str) -> Vec<(&'static str, &str)> {
    vec![
        ("response_type", "code"),
        ("redirect_uri", CALLBACK),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
        ("state", "a b&c"),
        ("authorization_details", details),
    ]
}

pub(crate) fn code_fields(code: &str) -> Vec<(&'static str, &str)> {
    vec![
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", CALLBACK),
        ("code_verifier", VERIFIER),
    ]
}

/// `fields` with one of them changed, or left out.
pub(crate) fn but<'a>(
    fields: &[(&'a str, &'a str)],
    name: &str,
    value: Option<&'a str>,
) -> Vec<(&'a str, &'a str)> {
    let changed = |(field, old): &(&'a str, &'a str)| match (*field == name, value) {
        (true, None) => None,
        (true, Some(value)) => Some((*field, value)),
        (false, _) => Some((*field, *old)),
    };
    fields.iter().filter_map(changed).collect()
}

/// A parameter of an address's query.
pub(crate) fn param(uri: &str, name: &str) -> Option<String> {
    let (_, query) = uri.split_once('?')?;
    let params = super::params::Params::parse(query.as_bytes()).unwrap();
    params.get(name).map(str::to_owned)
}

//! Talking to the outside provider: its metadata and keys, a request pushed, a code redeemed.

use super::flows::Flows;
use crate::config;
use crate::people::{fresh, lock};
use crate::upstream::{Answered, Roots, Site};
use crate::{clock, oplog};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use serde_json::{Value, json};
use std::future::Future;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tidegate_identity::oauth::jose::{Alg, SigningKey};
use tidegate_identity::oauth::json::{self, Members};
use tidegate_identity::people::oidc::metadata::{address, origin};
use tidegate_identity::people::oidc::request::{Asked, Fields, form};
use tidegate_identity::people::oidc::{
    Expected, Flow, LoggedOut, Login, Metadata, OidcError, ProviderKeys, SeenLogouts, Trust,
    client_assertion,
};
use tidegate_types::secret::Secret;
use tidegate_types::time::Span;
use tidegate_vault::CallerSecrets;
use tokio::sync::{Mutex as Turn, Semaphore};

/// How long metadata is believed.
const METADATA_FOR: Duration = Duration::from_secs(3600);
/// How long keys are believed: one that the provider withdraws is good no longer.
const KEYS_FOR: Duration = Duration::from_secs(15 * 60);
/// How soon keys are asked for again because of a token by none of them.
const KEYS_AGAIN: Duration = Duration::from_secs(30);
/// Requests of people's that wait for the provider at a time.
const AT_ONCE: usize = 16;
/// How long somebody waits for it.
const PATIENCE: Duration = Duration::from_secs(15);

/// The provider.
pub struct Provider {
    settings: config::Oidc,
    trust: Trust,
    site: Site,
    key: SigningKey,
    known: Turn<Known>,
    room: Semaphore,
    pub(super) flows: Mutex<Flows>,
    pub(super) seen: Mutex<SeenLogouts>,
}

/// What was read of it last, and when.
#[derive(Default)]
struct Known {
    metadata: Option<(Arc<Metadata>, Instant)>,
    keys: Option<(Arc<ProviderKeys>, Instant)>,
    /// When keys were read before their time, because of a token by none of them.
    again: Option<Instant>,
}

/// Why the provider was not heard.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Trouble {
    /// It cannot be reached, or does not do what was asked.
    Away(String),
    /// What it said is not taken.
    Refused(OidcError),
    /// Too many ask at this moment.
    Busy,
}

impl Provider {
    /// The provider as it is configured; none where there is none.
    ///
    /// # Errors
    /// When it cannot be asked as configured, or there is no key to ask it by.
    pub fn configured(
        settings: &config::Oidc,
        secrets: &mut CallerSecrets,
    ) -> Result<Option<Provider>, String> {
        let Some(settings) = settings.configured().cloned() else { return Ok(None) };
        let roots = settings.ca_file.clone().map_or(Roots::System, Roots::File);
        let own = origin(&settings.issuer).unwrap_or_default();
        let origins = settings.origins.iter().map(String::as_str).chain([own]);
        let site = Site::new(origins, &roots).map_err(|e| e.to_string())?;
        let trust = Trust {
            two_factor_acr: settings.two_factor_acr.clone(),
            two_factor_amr: settings.two_factor_amr.clone(),
            phishing_resistant_acr: settings.phishing_resistant_acr.clone(),
            phishing_resistant_amr: settings.phishing_resistant_amr.clone(),
        };
        Ok(Some(Provider {
            trust,
            site,
            key: key(secrets)?,
            known: Turn::default(),
            room: Semaphore::new(AT_ONCE),
            flows: Mutex::default(),
            seen: Mutex::new(SeenLogouts::new(clock::now())),
            settings,
        }))
    }

    /// What people call it.
    pub fn name(&self) -> &str {
        self.settings.shown_name()
    }

    /// Its issuer.
    pub fn issuer(&self) -> &str {
        &self.settings.issuer
    }

    /// The public half of the key by which we show who we are.
    pub fn public_keys(&self) -> Value {
        json!({ "keys": [self.key.public().to_json()] })
    }

    /// What a login there counts as here.
    pub(super) fn trust(&self) -> &Trust {
        &self.trust
    }

    /// Whether a login there can count as two factors at all, so that somebody may enrol by it.
    pub fn gives_two_factors(&self) -> bool {
        !self.trust.two_factor_acr.is_empty() || !self.trust.two_factor_amr.is_empty()
    }

    /// Where a browser goes to log in there.
    pub(super) async fn begin(&self, flow: &Flow, redirect: &str) -> Result<String, Trouble> {
        self.in_turn(self.begin_now(flow, redirect)).await
    }

    /// Who logged in, by the code that came back from `issuer`.
    pub(super) async fn redeem(
        &self,
        flow: &Flow,
        code: &str,
        issuer: Option<&str>,
        redirect: &str,
    ) -> Result<Login, Trouble> {
        self.in_turn(self.redeem_now(flow, code, issuer, redirect)).await
    }

    /// Whether an answer of an error is from the provider that was asked.
    pub(super) async fn answered(&self, issuer: Option<&str>) -> Result<(), Trouble> {
        let metadata = self.in_turn(self.metadata()).await?;
        metadata.answered(issuer).map_err(Trouble::Refused)
    }

    /// Who logged out there.
    pub(super) async fn logged_out(&self, token: &str) -> Result<LoggedOut, Trouble> {
        self.in_turn(self.logged_out_now(token)).await
    }

    /// Asks the provider in somebody's name, if few wait for it, and not for long.
    async fn in_turn<T>(
        &self,
        work: impl Future<Output = Result<T, Trouble>>,
    ) -> Result<T, Trouble> {
        let _room = self.room.try_acquire().map_err(|_| Trouble::Busy)?;
        let late = |_| Trouble::Away("it does not answer in time".to_owned());
        tokio::time::timeout(PATIENCE, work).await.map_err(late)?
    }

    async fn begin_now(&self, flow: &Flow, redirect: &str) -> Result<String, Trouble> {
        let metadata = self.metadata().await?;
        let fields = flow.ask(&self.asked(redirect));
        let Some(at) = &metadata.pushed else { return Ok(metadata.go(&fields)) };
        let pushed = self.post(at, fields).await?;
        let uri = match pushed.status {
            201 | 200 => member(&pushed, "request_uri"),
            status => Err(Trouble::Away(format!("{at} answered {status}: {}", code_of(&pushed)))),
        }?;
        let fields = vec![("client_id", self.settings.client_id.clone()), ("request_uri", uri)];
        Ok(metadata.go(&fields))
    }

    async fn redeem_now(
        &self,
        flow: &Flow,
        code: &str,
        issuer: Option<&str>,
        redirect: &str,
    ) -> Result<Login, Trouble> {
        let metadata = self.metadata().await?;
        metadata.answered(issuer).map_err(Trouble::Refused)?;
        let answer = self.post(&metadata.token, flow.redeem(&self.asked(redirect), code)).await?;
        match (answer.status, code_of(&answer)) {
            (200, _) => {}
            // Who brings a code that was not theirs is at fault, not the provider (RFC 6749, section 5.2).
            (400, code) if code == "invalid_grant" => {
                return Err(Trouble::Refused(OidcError::Code));
            }
            (status, code) => {
                let at = &metadata.token;
                return Err(Trouble::Away(format!("{at} answered {status}: {code}")));
            }
        }
        let token = member(&answer, "id_token")?;
        let expected = Expected {
            issuer: &self.settings.issuer,
            client_id: &self.settings.client_id,
            nonce: flow.nonce.expose(),
            max_age: self.max_age(),
            acr: &self.settings.acr,
            amr: &self.settings.amr,
        };
        self.by_keys(&metadata, |keys| Login::verify(&token, keys, &expected, clock::now())).await
    }

    async fn logged_out_now(&self, token: &str) -> Result<LoggedOut, Trouble> {
        let metadata = self.metadata().await?;
        let config::Oidc { issuer, client_id, .. } = &self.settings;
        let read =
            |keys: &ProviderKeys| LoggedOut::verify(token, keys, issuer, client_id, clock::now());
        let out = self.by_keys(&metadata, read).await?;
        lock(&self.seen).admit(&out, clock::now()).map_err(Trouble::Refused)?;
        Ok(out)
    }

    fn asked<'a>(&'a self, redirect_uri: &'a str) -> Asked<'a> {
        let config::Oidc { client_id, acr, .. } = &self.settings;
        Asked { client_id, redirect_uri, acr, max_age: self.max_age() }
    }

    fn max_age(&self) -> Span {
        Span::from_secs(self.settings.max_age_s)
    }

    /// Reads a token by the keys that are known, and once more by fresh ones where none of them fits.
    async fn by_keys<T>(
        &self,
        metadata: &Metadata,
        read: impl Fn(&ProviderKeys) -> Result<T, OidcError>,
    ) -> Result<T, Trouble> {
        let keys = self.keys(metadata, false).await?;
        match read(&keys) {
            Err(OidcError::NoKey) => {
                let fresh = self.keys(metadata, true).await?;
                read(&fresh).map_err(Trouble::Refused)
            }
            done => done.map_err(Trouble::Refused),
        }
    }

    async fn metadata(&self) -> Result<Arc<Metadata>, Trouble> {
        let mut known = self.known.lock().await;
        if let Some((metadata, read)) = &known.metadata
            && read.elapsed() < METADATA_FOR
        {
            return Ok(Arc::clone(metadata));
        }
        let config::Oidc { issuer, origins, .. } = &self.settings;
        let document = self.get(&address(issuer)).await?;
        let metadata = Metadata::read(issuer, origins, &document).map_err(Trouble::Refused)?;
        let metadata = Arc::new(metadata);
        known.metadata = Some((Arc::clone(&metadata), Instant::now()));
        Ok(metadata)
    }

    /// The provider's keys; where none of them fits a token, `again`, which is not done for every such token.
    async fn keys(&self, metadata: &Metadata, again: bool) -> Result<Arc<ProviderKeys>, Trouble> {
        let mut known = self.known.lock().await;
        let again = again && known.again.is_none_or(|last| last.elapsed() >= KEYS_AGAIN);
        if again {
            known.again = Some(Instant::now());
        }
        if let Some((keys, read)) = &known.keys
            && read.elapsed() < KEYS_FOR
            && !again
        {
            return Ok(Arc::clone(keys));
        }
        let keys = ProviderKeys::parse(&self.get(&metadata.keys).await?);
        let keys = Arc::new(keys.map_err(Trouble::Refused)?);
        known.keys = Some((Arc::clone(&keys), Instant::now()));
        Ok(keys)
    }

    async fn get(&self, url: &str) -> Result<Vec<u8>, Trouble> {
        let answer = self.site.get(url).await.map_err(Trouble::Away)?;
        match answer.status {
            200 => Ok(answer.body),
            status => Err(Trouble::Away(format!("{url} answered {status}"))),
        }
    }

    /// A form, with what shows who we are.
    async fn post(&self, url: &str, mut fields: Fields) -> Result<Answered, Trouble> {
        let config::Oidc { client_id, issuer, .. } = &self.settings;
        let failed = |why: &dyn std::fmt::Display| Trouble::Away(why.to_string());
        let random = fresh().map_err(|e| failed(&e))?;
        let shown = client_assertion(&self.key, client_id, issuer, &random, clock::now());
        fields.extend(shown.map_err(|e| failed(&e))?);
        self.site.post(url, form(&fields)).await.map_err(Trouble::Away)
    }
}

impl Trouble {
    /// Tells the operator.
    pub(super) fn log(&self, issuer: &str) {
        let why: &dyn std::fmt::Display = match self {
            Trouble::Away(why) => why,
            Trouble::Refused(why) => why,
            Trouble::Busy => &"too many log in through it at this moment",
        };
        oplog::warn("outside-login-failed", &[("issuer", &issuer), ("why", why)]);
    }
}

/// A text of an answer in JSON.
fn member(answer: &Answered, name: &str) -> Result<String, Trouble> {
    let object = json::object(&answer.body).ok();
    let text = object.as_ref().and_then(|object| object.text(name)).map(str::to_owned);
    text.ok_or_else(|| Trouble::Away(format!("its answer has no {name}")))
}

/// The registered code of an error, as far as it is one.
fn code_of(answer: &Answered) -> String {
    let code = member(answer, "error").unwrap_or_default();
    let plain = |letter: &char| letter.is_ascii_lowercase() || *letter == '_';
    code.chars().filter(plain).take(40).collect()
}

/// The key by which we show who we are: made at the first start with a provider, and sealed.
fn key(secrets: &mut CallerSecrets) -> Result<SigningKey, String> {
    let text = |e: &dyn std::fmt::Display| e.to_string();
    let document = match secrets.outside().map_err(|e| text(&e))? {
        Some(document) => document,
        None => {
            let made = EcdsaKeyPair::generate_pkcs8(
                &ECDSA_P256_SHA256_FIXED_SIGNING,
                &SystemRandom::new(),
            );
            let made = made.map_err(|_| "no random numbers".to_owned())?;
            let document = Secret::new(made.as_ref().to_vec());
            secrets.put_outside(&document).map_err(|e| text(&e))?;
            document
        }
    };
    SigningKey::from_pkcs8(Alg::Es256, &document).map_err(|e| text(&e))
}

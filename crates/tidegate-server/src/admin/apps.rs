//! Apps: registering them, what people granted to them, and putting either out of force.

use super::Administrator;
use super::grants::name;
use super::protocol::{AppGrantStatus, AppSpec, AppStatus, Failure};
use super::rights::turned_down;
use super::service::{Administration, bytes_of, internal};
use crate::{clock, oplog};
use serde_json::{Value, json};
use tidegate_core::roles::{self, Action};
use tidegate_core::state::State;
use tidegate_identity::oauth::client::{Binding, Client, ClientId, GrantType, Method, Terms};
use tidegate_identity::oauth::details::{self, Trading};
use tidegate_identity::oauth::event::{Event, GrantId, Granted};
use tidegate_identity::oauth::jose::Thumbprint;
use tidegate_types::app::App;
use tidegate_types::approval::Act;
use tidegate_types::codec::{Octets, to_bytes};
use tidegate_types::ids::CallerName;
use tidegate_types::record::Change;

/// Words for grant types whose registered names are long.
const SHORT: &[(&str, GrantType)] =
    &[("device_code", GrantType::DeviceCode), ("token_exchange", GrantType::TokenExchange)];

impl Administration {
    /// Registers an app, or sets its terms anew.
    pub(super) async fn set_app(
        &self,
        by: &Administrator,
        spec: AppSpec,
    ) -> Result<Value, Failure> {
        let caller: CallerName = name("app", &spec.app)?;
        let terms = self.terms(&caller, spec)?;
        let rsa = self.parts.config.keys.rsa();
        let known = Client::new(terms.clone()).and_then(|client| client.check_keys(rsa));
        known.map_err(|e| bad(&format!("the app's terms: {e}")))?;
        let summary = terms.summary();
        let app = App { caller, terms: Octets(to_bytes(&terms)), summary };
        let set = self.change(by, Change::AppSet { app }).await?;
        self.parts.oauth.take_up_apps();
        Ok(set)
    }

    /// Out of force here first, so that a journal that cannot be written does not keep it alive.
    pub(super) async fn revoke_app(&self, by: &Administrator, app: &str) -> Result<Value, Failure> {
        let app: CallerName = name("app", app)?;
        let client = ClientId::new(app.as_str()).map_err(|e| bad(&e.to_string()))?;
        let change = Change::AppRevoked { app };
        self.may_act(by, &Act::Change { change: change.clone() })?;
        self.parts.oauth.end_app(client);
        self.change(by, change).await
    }

    /// The apps that this person may see.
    pub(super) fn apps(&self, by: &Administrator) -> Result<Value, Failure> {
        let told = |state: &State| -> Vec<AppStatus> {
            let seen = state.apps().values();
            let seen = seen.filter(|known| roles::sees(state, &by.person, &known.app.caller));
            let status = seen.map(|known| AppStatus {
                app: known.app.caller.to_string(),
                terms: known.app.summary.iter().cloned().collect(),
                revoked: known.revoked,
            });
            status.collect()
        };
        let apps = serde_json::to_value(self.parts.desk.look(told)).map_err(|e| internal(&e))?;
        Ok(json!({ "apps": apps }))
    }

    /// What people granted to the apps that this person may see.
    pub(super) fn app_grants(&self, by: &Administrator) -> Result<Value, Failure> {
        let seen =
            |app: &CallerName| self.parts.desk.look(|state| roles::sees(state, &by.person, app));
        let granted = self.parts.oauth.grants(clock::now()).into_iter();
        let granted = granted.filter(|it| app_of(it).is_some_and(|app| seen(&app)));
        let told = granted.map(|it| AppGrantStatus {
            grant: it.id.to_string(),
            app: it.client.to_string(),
            person: self.parts.people.named(&it.subject).map(|name| name.to_string()),
            details: details::show::to_value(&it.details),
            bound_to: it.bound_to.thumbprint().to_string(),
            until_ms: it.until.millis(),
            subject: it.subject,
        });
        let grants: Vec<AppGrantStatus> = told.collect();
        let grants = serde_json::to_value(grants).map_err(|e| internal(&e))?;
        Ok(json!({ "grants": grants }))
    }

    /// Takes back what a person granted to an app.
    pub(super) async fn revoke_app_grant(
        &self,
        by: &Administrator,
        id: &str,
    ) -> Result<Value, Failure> {
        let known = self.parts.oauth.grants(clock::now()).into_iter();
        let found = GrantId::parse(id).and_then(|id| known.into_iter().find(|it| it.id == id));
        let found = found.and_then(|it| app_of(&it).map(|app| (it.id, app)));
        let (seen, may) = self.parts.desk.look(|state| {
            let app = found.as_ref().map(|(_, app)| app);
            let own = state.people().get(&by.person);
            let own = app.is_some_and(|app| own.is_some_and(|person| person.owns(app)));
            let seen = app.is_some_and(|app| roles::sees(state, &by.person, app));
            (seen, roles::may(state, &by.person, Action::AppGrantRevoke, own))
        });
        let Some((grant, app)) = found.filter(|_| seen) else {
            let hint = "`tidegate app grants` lists those there are";
            return Err(Failure::new("unknown_grant", format!("there is no grant {id:?}"), hint));
        };
        may.map_err(turned_down)?;
        oplog::info("app-grant-revoked", &[("by", &by.person), ("app", &app), ("grant", &grant)]);
        self.end(Event::GrantRevoked { grant, by: Some(by.person.clone()) }).await
    }

    /// Puts a key or certificate of apps out of force.
    pub(super) async fn revoke_app_key(
        &self,
        by: &Administrator,
        key: &str,
    ) -> Result<Value, Failure> {
        let key = Thumbprint::parse(key).or_else(|| bytes_of(key).map(Thumbprint));
        let key = key.ok_or_else(|| bad("key: not a SHA-256 thumbprint in base64url or in hex"))?;
        let may = |state: &State| roles::may(state, &by.person, Action::AppKeyRevoke, false);
        self.parts.desk.look(may).map_err(turned_down)?;
        oplog::info("app-key-revoked", &[("by", &by.person), ("key", &key)]);
        self.end(Event::KeyRevoked { key, by: by.person.clone() }).await
    }

    /// In force here first, so that a journal that cannot be written does not keep alive what ends.
    async fn end(&self, event: Event) -> Result<Value, Failure> {
        self.parts.oauth.end(vec![event]).await.map_err(|e| {
            let message = format!("it is out of force here, but not on record: {e}");
            Failure::new("disk", message, "mend the disk and repeat it: a restart would forget it")
        })?;
        Ok(json!({}))
    }

    fn terms(&self, caller: &CallerName, spec: AppSpec) -> Result<Terms, Failure> {
        let id = |text: &str| ClientId::new(text).map_err(|e| bad(&e.to_string()));
        let kind = |text: &String| {
            let short = SHORT.iter().find(|(word, _)| word == text).map(|(_, kind)| *kind);
            let known = short.or_else(|| GrantType::named(text));
            known.ok_or_else(|| bad(&format!("grants: {text:?} is not offered")))
        };
        let allowed = match &spec.details {
            Some(value) => details::parse(&value.to_string())
                .map_err(|e| bad(&format!("details: {}", e.description)))?,
            None => self.granted(caller)?,
        };
        let (method, bound_to) = self.proof(spec.jwks, &spec.certificates)?;
        let terms = Terms {
            id: id(caller.as_str())?,
            title: spec.title,
            method,
            bound_to,
            grants: spec.grants.iter().map(kind).collect::<Result<_, _>>()?,
            redirect_uris: spec.redirect_uris,
            allowed,
            delegate: spec.delegate.as_deref().map(id).transpose()?,
            introspects: spec.introspects,
            signs_requests: spec.signs_requests,
        };
        let checked = self.parts.oauth.look(|server| server.state().register(terms.clone()));
        match checked {
            Some(Err(e)) => Err(bad(&format!("the app's terms: {e}"))),
            Some(Ok(_)) | None => Ok(terms),
        }
    }

    /// How an app proves who it is, and what its tokens are bound to.
    fn proof(
        &self,
        jwks: Option<Value>,
        certificates: &[String],
    ) -> Result<(Method, Binding), Failure> {
        match (jwks, certificates) {
            (Some(jwks), []) => {
                Ok((Method::PrivateKeyJwt { jwks: jwks.to_string() }, Binding::Dpop))
            }
            (None, [_, ..]) => {
                self.certificates_are_asked_for()?;
                let digest = |text: &String| {
                    let digest = bytes_of(text).map(Thumbprint);
                    digest.ok_or_else(|| bad("certificates: not SHA-256 digests in hex"))
                };
                let certificates = certificates.iter().map(digest).collect::<Result<_, _>>()?;
                Ok((Method::SelfSignedTls { certificates }, Binding::Certificate))
            }
            _ => Err(bad("give either public keys (jwks) or certificates")),
        }
    }

    /// What the caller's grants allow now, in the words of tokens.
    fn granted(&self, caller: &CallerName) -> Result<Vec<Trading>, Failure> {
        let own = |state: &State| -> Vec<Trading> {
            let grants = state.grants().filter(|grant| grant.caller == *caller);
            grants.map(Trading::of_grant).collect()
        };
        let allowed = self.parts.desk.look(own);
        if allowed.is_empty() {
            let hint = "give it a grant first, or say what its tokens may allow with `details`";
            return Err(Failure::new("bad_request", format!("{caller} has no grant"), hint));
        }
        Ok(allowed)
    }
}

/// The caller that an app is.
fn app_of(granted: &Granted) -> Option<CallerName> {
    CallerName::new(granted.client.as_str()).ok()
}

fn bad(message: &str) -> Failure {
    Failure::new("bad_request", message, "correct it and ask again")
}

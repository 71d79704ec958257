//! Consent: what an app asks is shown to a person, who says yes or no. The app waits in another browser
//! window, or on a device whose code the person types.
//!
//! What is granted never goes beyond what the app's caller may do at that moment; it is what the page
//! states, and the statement is what the passkey signs.

mod show;

use super::layout::{note, plain};
use super::{Pages, Visit, reply, status_of};
use crate::clock;
use crate::people::{Error, Known, credential_digest, may_consent, subject};
use serde_json::json;
use tidegate_core::roles::{self, Action};
use tidegate_core::state::State;
use tidegate_identity::oauth::acr::Acr;
use tidegate_identity::oauth::authority::{Approval, NotApproved};
use tidegate_identity::oauth::client::ClientId;
use tidegate_identity::oauth::details::{Terms, Trading, show as written};
use tidegate_identity::oauth::jose::Thumbprint;
use tidegate_identity::oauth::{ErrorCode, OAuthError};
use tidegate_types::ids::CallerName;
use tidegate_types::request::{RawRequest, Reply};
use tidegate_types::time::{Span, Time};

const CONSENT: &str = "/console/consent";
const DEVICE: &str = "/console/device";
/// Said to whoever may not decide; nothing is told of what is asked.
const NOT_YOURS: &str =
    "This is not yours to decide. It takes the trader whose program it is, or a person of risk.";

/// What an app asks of a person.
struct Asked {
    way: Way,
    client: ClientId,
    title: String,
    asked: Vec<Trading>,
    /// What it would be given.
    granted: Vec<Trading>,
    /// The most that the person may grant: what the app's caller may do now.
    may: Vec<Trading>,
    key: Option<Thumbprint>,
    /// Who may act in the person's name by it, each for the one before.
    delegates: Vec<ClientId>,
    /// The session is enough for it.
    by_session: bool,
    /// What a yes is on record as, and what a passkey signs.
    statement: String,
}

/// Who asks.
struct App {
    client: ClientId,
    title: String,
    key: Option<Thumbprint>,
    delegates: Vec<ClientId>,
}

/// How the app hears of it.
enum Way {
    /// The browser goes back to it.
    Browser { request_uri: String, back: String },
    /// It asks by itself.
    Device { code: String },
}

/// What the login must be like.
#[derive(Clone, Copy)]
struct LoginAsked {
    acr: Option<Acr>,
    max_age: Option<Span>,
}

/// Why there is nothing to decide on: status and text.
struct No(u16, String);

impl Pages {
    /// Where an app's browser arrives, from another site and so without a session. The page that
    /// follows is asked for by our own, and with it the session.
    pub(super) fn consent_entry(&self, request: &RawRequest) -> Reply {
        match self.oauth.ask(&request.query) {
            Ok(view) => {
                let uri = super::guard::query(request, "request_uri");
                reply::onward(&consent_at(&view.client, &uri), "To what the app asks")
            }
            Err(error) => No::from(error).page(),
        }
    }

    pub(super) fn consent(&self, visit: &Visit<'_>) -> Reply {
        match self.asked_by_browser(visit, &visit.request.query) {
            Ok(asked) => reply::html(200, self.consent_page(visit, &asked)),
            Err(no) => no.page(),
        }
    }

    pub(super) fn device(&self, visit: &Visit<'_>) -> Reply {
        let said = match super::guard::query(visit.request, "done").as_str() {
            "yes" => Some("The device goes on by itself. You can close this page."),
            "no" => Some("The device was told that you said no."),
            _ => None,
        };
        reply::html(200, self.device_page(visit, said.map(|text| note(text, false))))
    }

    pub(super) fn device_typed(&self, visit: &Visit<'_>) -> Reply {
        match self.asked_by_device(visit) {
            Ok(asked) => reply::html(200, self.consent_page(visit, &asked)),
            Err(No(status, text)) => {
                reply::html(status, self.device_page(visit, Some(note(&text, true))))
            }
        }
    }

    pub(super) fn consent_options(&self, visit: &Visit<'_>, device: bool) -> Reply {
        match self.as_shown(visit, device) {
            Ok(asked) => {
                let statement = &asked.statement;
                reply::told(self.people.ask_consent(&visit.visitor, visit.id, statement))
            }
            Err(no) => no.told(),
        }
    }

    pub(super) async fn consent_by_passkey(&self, visit: &Visit<'_>, device: bool) -> Reply {
        let asked = match self.as_shown(visit, device) {
            Ok(asked) => asked,
            Err(no) => return no.told(),
        };
        let Some(answer) = &visit.sent.answer else { return reply::told(Err(Error::Wrong)) };
        let (visitor, statement) = (&visit.visitor, &asked.statement);
        let known = match self.people.take_consent(visitor, visit.id, statement, answer).await {
            Ok(known) => known,
            Err(error) => return reply::told(Err(error)),
        };
        match self.say_yes(visit, asked, known).await {
            Ok(to) => reply::next(&to),
            Err(no) => no.told(),
        }
    }

    /// A yes by the session alone, where nothing can be traded by it and the app asks for no better.
    pub(super) async fn consent_by_session(&self, visit: &Visit<'_>, device: bool) -> Reply {
        let asked = match self.as_shown(visit, device) {
            Ok(asked) if asked.by_session => asked,
            Ok(_) => return No(403, "This takes your passkey.".to_owned()).page(),
            Err(no) => return no.page(),
        };
        let known = match self.people.note_consent(&visit.visitor, &asked.statement).await {
            Ok(known) => known,
            Err(error) => return plain(status_of(&error), &error.to_string()),
        };
        match self.say_yes(visit, asked, known).await {
            Ok(to) => sent_on(device, &to),
            Err(no) => no.page(),
        }
    }

    pub(super) async fn say_no(&self, visit: &Visit<'_>, device: bool) -> Reply {
        let said = match self.asked(visit, device) {
            Ok(Asked { way: Way::Browser { request_uri, .. }, client, .. }) => {
                self.oauth.deny(&client, &request_uri).await
            }
            Ok(Asked { way: Way::Device { code }, .. }) => {
                self.oauth.device_deny(&code).await.map(|()| format!("{DEVICE}?done=no"))
            }
            Err(no) => return no.page(),
        };
        match said {
            Ok(to) => sent_on(device, &to),
            Err(error) => No::from(error).page(),
        }
    }

    /// Has the authorization server take the yes; where to go from here.
    async fn say_yes(&self, visit: &Visit<'_>, asked: Asked, known: Known) -> Result<String, No> {
        let Asked { way, client, granted, may, delegates, .. } = asked;
        let approval = Approval {
            subject: subject(visit.visitor.handle),
            acr: known.acr,
            auth_time: known.at,
            amr: known.amr,
            granted,
            may_grant: may,
            delegates,
        };
        let said = match way {
            Way::Browser { request_uri, .. } => {
                self.oauth.approve(&self.people, &client, &request_uri, approval).await
            }
            Way::Device { code } => {
                let done = self.oauth.device_approve(&self.people, &client, &code, approval).await;
                done.map(|()| format!("{DEVICE}?done=yes"))
            }
        };
        said.map_err(|why| match why {
            NotApproved::Gone(error) => No::from(error),
            NotApproved::LoginAgain => No(403, Error::Stale.to_string()),
            NotApproved::TooMuch => {
                No(409, "What the app may have was changed just now; load the page again.".into())
            }
        })
    }

    /// What is asked, if it is what the page showed.
    fn as_shown(&self, visit: &Visit<'_>, device: bool) -> Result<Asked, No> {
        let asked = self.asked(visit, device)?;
        if asked.granted.is_empty() {
            return Err(No(409, "The app's caller may do nothing of this.".to_owned()));
        }
        if asked.digest() != visit.sent.digest {
            return Err(No(409, Error::OtherStatement.to_string()));
        }
        Ok(asked)
    }

    fn asked(&self, visit: &Visit<'_>, device: bool) -> Result<Asked, No> {
        if device {
            self.asked_by_device(visit)
        } else {
            self.asked_by_browser(visit, &visit.sent.request)
        }
    }

    fn asked_by_browser(&self, visit: &Visit<'_>, query: &str) -> Result<Asked, No> {
        let view = self.oauth.ask(query)?;
        let request_uri = super::guard::parameter(query, "request_uri");
        let way = Way::Browser { request_uri, back: view.redirect_uri };
        let login = LoginAsked { acr: view.acr, max_age: view.max_age };
        let app = App {
            client: view.client,
            title: view.title,
            key: view.key,
            delegates: view.delegates,
        };
        self.weighed(visit, way, app, view.details, login)
    }

    fn asked_by_device(&self, visit: &Visit<'_>) -> Result<Asked, No> {
        let code = visit.sent.user_code.clone();
        let view = self.oauth.device_view(&code)?;
        let login = LoginAsked { acr: view.acr, max_age: view.max_age };
        let app = App {
            client: view.client,
            title: view.title,
            key: view.key,
            delegates: view.delegates,
        };
        self.weighed(visit, Way::Device { code }, app, view.details, login)
    }

    /// What is asked, held against what the app's caller may do, for a person who may decide on it.
    fn weighed(
        &self,
        visit: &Visit<'_>,
        way: Way,
        App { client, title, key, delegates }: App,
        asked: Vec<Trading>,
        login: LoginAsked,
    ) -> Result<Asked, No> {
        let (visitor, now) = (&visit.visitor, clock::now());
        let decides = |state: &State| {
            let caller = CallerName::new(client.as_str()).ok()?;
            if !may_consent(state, &visitor.person, &caller) {
                return None;
            }
            let own = state.people().get(&visitor.person).is_some_and(|it| it.owns(&caller));
            let lifts = roles::may(state, &visitor.person, Action::Resume, own).is_ok();
            let held = |item: &Trading| held(state, &caller, item, lifts, now);
            let granted = asked.iter().filter_map(held).collect::<Vec<_>>();
            let grants = state.grants().filter(|grant| grant.caller == caller);
            let may = grants.map(|grant| lifting(Trading::of_grant(grant), lifts));
            Some((granted, may.collect::<Vec<_>>()))
        };
        let (granted, may) =
            self.desk.look(decides).ok_or_else(|| No(403, NOT_YOURS.to_owned()))?;
        let statement = self.statement(visit, &way, (&client, &title, &delegates), &granted);
        let by_session = granted.iter().all(|item| item.trade.is_none())
            && is_enough(&Known::by(&visitor.assurance), login, now);
        Ok(Asked { way, client, title, asked, granted, may, key, delegates, by_session, statement })
    }

    /// A yes in one line of JSON: who, to whom, what, and of the request's handle a digest.
    fn statement(
        &self,
        visit: &Visit<'_>,
        way: &Way,
        (client, title, delegates): (&ClientId, &str, &[ClientId]),
        granted: &[Trading],
    ) -> String {
        let (handle, back) = match way {
            Way::Browser { request_uri, back } => (request_uri, Some(back)),
            Way::Device { code } => (code, None),
        };
        json!({
            "type": "tidegate_consent",
            "issuer": self.people.origin(),
            "person": visit.visitor.person.as_str(),
            "sub": subject(visit.visitor.handle),
            "client": client.as_str(),
            "title": title,
            "delegates": delegates.iter().map(ClientId::as_str).collect::<Vec<_>>(),
            "request": Thumbprint::of(handle.as_bytes()).to_string(),
            "redirect_uri": back,
            "authorization_details": written::to_value(granted),
        })
        .to_string()
    }
}

impl Asked {
    /// The digest of the statement in hexadecimal digits.
    fn digest(&self) -> String {
        let digest = credential_digest(self.statement.as_bytes());
        digest.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

impl No {
    fn page(self) -> Reply {
        plain(self.0, &self.1)
    }

    fn told(self) -> Reply {
        reply::json(self.0, &json!({ "error": self.1 }))
    }
}

impl From<OAuthError> for No {
    fn from(error: OAuthError) -> No {
        let status = match error.code {
            ErrorCode::TemporarilyUnavailable => 503,
            _ => 400,
        };
        No(
            status,
            format!("{}. Begin again at the app. ({})", error.description, error.code.wire()),
        )
    }
}

/// What of an item the caller may do now, and the person may have it do in their name; none if it may do nothing
/// of it.
fn held(
    state: &State,
    caller: &CallerName,
    item: &Trading,
    lifts: bool,
    now: Time,
) -> Option<Trading> {
    let grant = state.grant(caller, &item.account).filter(|grant| grant.venue == item.venue)?;
    if grant.until.is_some_and(|until| until <= now) {
        return None;
    }
    // What begins later is weighed as if it began now; it still begins later.
    let narrowed = Trading { from: None, ..item.clone() }.narrowing(grant, now).ok()?;
    let lifts = lifts && item.trade.as_ref().is_some_and(|terms| terms.lift_halts);
    let held = Trading { from: item.from, ..Trading::of_grant(&narrowed) };
    let mut held = lifting(held, lifts);
    let idle = |terms: &Terms| terms.sides.is_empty() || terms.order_types.is_empty();
    if held.trade.as_ref().is_some_and(idle) {
        held.trade = None;
    }
    (!held.instruments.is_empty()).then_some(held)
}

/// The same, with or without lifting halts.
fn lifting(item: Trading, lifts: bool) -> Trading {
    let trade = item.trade.map(|terms| Terms { lift_halts: lifts, ..terms });
    Trading { trade, ..item }
}

/// Whether a login is as good and as fresh as an app asks.
fn is_enough(known: &Known, asked: LoginAsked, now: Time) -> bool {
    asked.acr.is_none_or(|least| known.acr >= least)
        && asked.max_age.is_none_or(|age| now.since(known.at) <= age)
}

/// The address of the page that asks for consent.
fn consent_at(client: &ClientId, request_uri: &str) -> String {
    format!("{CONSENT}?{}", request_of(client, request_uri))
}

/// An authorization request, as a query.
fn request_of(client: &ClientId, request_uri: &str) -> String {
    let encode = percent_encoding::NON_ALPHANUMERIC;
    let uri = percent_encoding::utf8_percent_encode(request_uri, encode);
    format!("client_id={client}&request_uri={uri}")
}

/// Where a form leads: another page of ours by 303; an app by a page of ours, since browsers hold every
/// step after a form against `form-action`, the app's own redirects too.
fn sent_on(device: bool, to: &str) -> Reply {
    if device { reply::redirect(to) } else { reply::onward(to, "Back to the app") }
}

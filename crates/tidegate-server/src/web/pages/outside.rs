//! Logging in through the outside provider: to it, and back from it.
//!
//! A browser comes back from another site and does not bring its cookies, so its first page here only leads
//! on, by itself, to one of our own that gets them.

use super::guard::{self, OUTSIDE, SESSION};
use super::layout::{csrf, plain, said, time};
use super::login::arrived;
use super::security::hex;
use super::{Pages, Visit, reply, status_of};
use crate::admin::Loss;
use crate::people::{Arrived, Door, Error, OutsideAnswer, identity_digest};
use maud::{Markup, html};
use serde_json::json;
use tidegate_identity::oauth::params::Params;
use tidegate_identity::people::{Linked, Member, OneTimeText};
use tidegate_types::request::{RawRequest, Reply};

const RETURN_PAGE: &str = "/console/login/outside/return";
/// Longest answer that is passed on: providers' codes may be long.
const MAX_ANSWER: usize = 4096;

/// From the provider's answer to the page that takes it.
pub(super) fn onward(request: &RawRequest) -> Reply {
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || b"/?&=%._-~+:*!$,@()".contains(&b);
    match request.query.len() <= MAX_ANSWER && request.query.bytes().all(is_plain) {
        true => reply::onward(&format!("{RETURN_PAGE}?{}", request.query), "Go on"),
        false => plain(400, "What came back cannot be read."),
    }
}

impl Pages {
    pub(super) async fn outside_login(&self, request: &RawRequest) -> Reply {
        match self.people.begin_outside(Door::LogIn).await {
            Ok(begun) => away(&begun),
            Err(error) => self.login_page(request, Some(&error)).await,
        }
    }

    pub(super) async fn outside_enrol(&self, link: &str) -> Reply {
        match self.people.begin_enrol(link).await {
            Ok(begun) => away(&begun),
            Err(error @ Error::Link) => plain(status_of(&error), &error.to_string()),
            Err(error) => self.enrol_page(link, Some(&error)),
        }
    }

    pub(super) async fn outside_link(&self, visit: &Visit<'_>) -> Reply {
        match self.people.begin_link(&visit.visitor).await {
            Ok(begun) => away(&begun),
            Err(error) => self.security(visit, Some(&error)),
        }
    }

    /// The provider's answer, with the cookies of the browser that it was begun in.
    pub(super) async fn outside_return(&self, request: &RawRequest) -> Reply {
        let cookie = guard::cookie(request, OUTSIDE).unwrap_or_default();
        let session = guard::cookie(request, SESSION).unwrap_or_default();
        let Some(answer) = answer_of(&request.query) else {
            return plain(400, "What came back cannot be read.");
        };
        let source = guard::source(request);
        let ended = self.people.end_outside(&answer, (cookie, session), &source).await;
        let reply = match ended {
            Ok(Arrived::Session(id, code)) => {
                self.leave(request).await;
                let (to, waited) = guard::after_login(request);
                let reply = match code {
                    true => reply::redirect("/console/login/code"),
                    false => arrived(reply::redirect(to), waited),
                };
                reply::with_cookie(reply, SESSION, id.expose())
            }
            Ok(Arrived::Linked) => reply::redirect("/console/security"),
            Ok(Arrived::Enrolled) => {
                self.end_consents().await;
                reply::redirect("/console/login")
            }
            Err(error) => self.login_page(request, Some(&error)).await,
        };
        reply::without_outside(reply)
    }

    pub(super) async fn outside_unlink(&self, visit: &Visit<'_>) -> Reply {
        let Some(which) = crate::admin::bytes_of(&visit.sent.credential) else {
            return plain(400, "What was sent cannot be read.");
        };
        let person = &visit.visitor.person;
        if let Err(locks_out) = self.admin.leaves_two(&Loss::Linked(person, 1)) {
            return plain(409, &locks_out.message);
        }
        match self.people.unlink_own(&visit.visitor, &which).await {
            Ok(()) => reply::redirect("/console/security"),
            Err(error) => self.security(visit, Some(&error)),
        }
    }

    /// The key set that the provider knows us by.
    pub(super) fn outside_keys(&self) -> Reply {
        match self.people.outside_keys() {
            Ok(keys) => reply::json(200, &keys),
            Err(_) => reply::json(404, &json!({ "error": "there is no outside provider" })),
        }
    }

    /// The provider says that somebody logged out there (Back-Channel Logout 1.0, section 2.5).
    pub(super) async fn outside_logout(&self, request: &RawRequest) -> Reply {
        if self.people.outside().is_none() {
            return self.outside_keys();
        }
        let bad = || reply::json(400, &json!({ "error": "invalid_request" }));
        let form = request.header("content-type").and_then(|kind| kind.split(';').next());
        if form.map(str::trim) != Some("application/x-www-form-urlencoded") {
            return bad();
        }
        let Ok(params) = Params::parse(&request.body) else { return bad() };
        let Some(token) = params.get("logout_token") else { return bad() };
        match self.people.logged_out_outside(token).await {
            Ok(()) => reply::json(200, &json!({})),
            Err(error @ (Error::Busy | Error::OutsideAway | Error::Unavailable(_))) => {
                reply::json(status_of(&error), &json!({ "error": "temporarily_unavailable" }))
            }
            Err(_) => bad(),
        }
    }

    /// What is linked, and how to link.
    pub(super) fn outside_card(&self, visit: &Visit<'_>, member: &Member) -> Markup {
        let provider = self.people.outside();
        html! {
            @if provider.is_some() || !member.linked.is_empty() {
                section.card {
                    h2 { "Outside login" }
                    @if member.linked.is_empty() { p { "None is linked." } }
                    @for linked in &member.linked { (row(visit, linked)) }
                    @if let Some(provider) = provider {
                        form method="post" action="/console/security/outside" data-fresh {
                            (csrf(visit.id))
                            button.plain type="submit" { "Link " (provider.name()) }
                            (said())
                        }
                        p.hint { "It logs you in here. Approving still takes your passkey." }
                    }
                }
            }
        }
    }
}

fn row(visit: &Visit<'_>, linked: &Linked) -> Markup {
    let digest = hex(&identity_digest(&linked.identity));
    html! {
        div.row {
            div {
                strong { (linked.identity.issuer) } " " code { (linked.identity.subject) }
                div.dim.small {
                    "linked " (time(linked.since.millis()))
                    @if let Some(used) = linked.last_used { ", last used " (time(used.millis())) }
                }
            }
            form method="post" action="/console/security/outside/remove" data-fresh {
                (csrf(visit.id))
                input type="hidden" name="credential" value=(digest);
                button.danger.small type="submit"
                    aria-label=(format!("Unlink {}", linked.identity.issuer)) { "Unlink" }
                (said())
            }
        }
    }
}

/// To the provider, in a browser that is known when it comes back.
fn away((url, cookie): &(String, OneTimeText)) -> Reply {
    reply::with_outside(reply::onward(url, "Go on to log in"), cookie.expose())
}

fn answer_of(query: &str) -> Option<OutsideAnswer> {
    let params = Params::parse(query.as_bytes()).ok()?;
    let text = |name: &str| params.get(name).map(str::to_owned);
    Some(OutsideAnswer {
        state: text("state").unwrap_or_default(),
        code: text("code").unwrap_or_default(),
        issuer: text("iss"),
        refused: params.get("error").is_some() || params.get("code").is_none(),
    })
}

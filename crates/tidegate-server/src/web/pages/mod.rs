//! The console: pages for people, made on the server, good without any script but for passkeys.
//!
//! A page changes nothing but through what a program could ask as well: the administration, held against
//! the same table of roles, with the person of the session as who asks.

mod access;
mod approvals;
mod apps;
mod assets;
mod breakers;
mod consent;
mod enrol;
mod grants;
mod guard;
mod halts;
mod home;
mod layout;
mod limits;
mod login;
mod margin;
mod outside;
mod people;
mod reply;
mod reports;
mod routes;
mod security;
mod sessions;
mod share;
mod step_up;
mod terms;

use crate::admin::protocol::{Failure, Request, Response};
use crate::admin::{Administration, Administrator};
use crate::desk::Desk;
use crate::people::{Error, People, Visitor};
use crate::web::oauth;
use guard::Sent;
use reports::Reports;
use routes::{Needs, Route, Serve};
use serde_json::Value;
use std::sync::Arc;
use tidegate_identity::people::Level;
use tidegate_identity::people::sessions::csrf_matches;
use tidegate_types::approval::{Factor, Showing};
use tidegate_types::ids::PersonName;
use tidegate_types::reject::{Code, Reject};
use tidegate_types::request::{Method, RawRequest, Reply};
use tidegate_types::text::one_line;

/// Everything under `/console/`, and where the authorization server sends people to.
pub struct Pages {
    desk: Arc<Desk>,
    people: Arc<People>,
    admin: Arc<Administration>,
    oauth: Arc<oauth::Handle>,
    reports: Reports,
}

/// A request by somebody who is logged in.
struct Visit<'a> {
    request: &'a RawRequest,
    /// The session's id.
    id: &'a str,
    visitor: Visitor,
    sent: Sent,
    /// What stands for `{id}` in the route.
    number: u64,
}

impl Pages {
    /// The pages of this desk.
    pub fn new(
        desk: Arc<Desk>,
        people: Arc<People>,
        admin: Arc<Administration>,
        oauth: Arc<oauth::Handle>,
    ) -> Pages {
        Pages { desk, people, admin, oauth, reports: Reports::default() }
    }

    /// The answer to a request.
    pub async fn answer(&self, request: RawRequest) -> Reply {
        let (route, number) = match routes::find(&request) {
            Ok(found) => found,
            Err(status) => {
                return reply::guarded(layout::plain(status, "There is no such page."));
            }
        };
        if route.needs == Needs::Report {
            return reply::guarded(self.report(&request));
        }
        let origin = self.people.origin();
        let allowed = match request.method {
            Method::Get => guard::may_look(&request),
            _ if route.needs == Needs::Provider => true,
            _ => guard::is_ours(&request, origin),
        };
        if !allowed {
            let text =
                format!("This was not sent by a page of ours. The console is at {origin}/console/");
            self.note_refusal(&request, None, "it was not sent by a page of ours");
            return self.refuse(route, 403, &text);
        }
        if route.needs == Needs::Provider {
            return reply::guarded(self.outside_logout(&request).await);
        }
        let Some(sent) = Sent::read(&request) else {
            return self.refuse(route, 400, "What was sent cannot be read.");
        };
        let reply = match route.needs {
            Needs::Nothing => self.open(route, &request).await,
            Needs::Browser => self.of_browser(route, &request, sent).await,
            Needs::Link => self.by_link(route, &request, sent).await,
            Needs::Session | Needs::Provider | Needs::Report => {
                self.in_session(route, &request, sent, number).await
            }
        };
        reply::guarded(reply)
    }

    async fn open(&self, route: &Route, request: &RawRequest) -> Reply {
        match route.serve {
            Serve::Root => reply::redirect("/console/"),
            Serve::LogIn => self.login_page(request, None).await,
            Serve::EnrolEntry => enrol::entry(),
            Serve::OutsideAnswer => outside::onward(request),
            Serve::OutsideReturn => self.outside_return(request).await,
            Serve::OutsideKeys => self.outside_keys(),
            Serve::ConsentEntry => self.consent_entry(request),
            // Nothing is taken from the address: the person types the code (RFC 8628, section 5.4).
            Serve::DeviceEntry => reply::onward("/console/device", "To the device's code"),
            _ => assets::answer(&request.path),
        }
    }

    /// What a login page sends, which has a cookie of its own.
    async fn of_browser(&self, route: &Route, request: &RawRequest, sent: Sent) -> Reply {
        let browser = guard::cookie(request, guard::BROWSER).unwrap_or_default();
        if browser.is_empty() || !csrf_matches(browser, &sent.csrf) {
            return self.refuse(route, 403, "The page is too old; load it again.");
        }
        match route.serve {
            Serve::LogInOptions => reply::told(self.people.ask_passkey(browser)),
            Serve::LogInPasskey => self.log_in_by_passkey(request, browser, &sent).await,
            Serve::OutsideLogIn => self.outside_login(request).await,
            _ => self.log_in_by_password(request, sent).await,
        }
    }

    async fn by_link(&self, route: &Route, request: &RawRequest, sent: Sent) -> Reply {
        match route.serve {
            Serve::Enrol => self.enrol_page(&sent.link, None),
            Serve::EnrolOptions => reply::told(self.people.ask_first_passkey(&sent.link)),
            Serve::EnrolPasskey => self.enrol_passkey(request, &sent).await,
            Serve::OutsideEnrol => self.outside_enrol(&sent.link).await,
            _ => self.enrol_password(request, sent).await,
        }
    }

    async fn in_session(
        &self,
        route: &Route,
        request: &RawRequest,
        sent: Sent,
        number: u64,
    ) -> Reply {
        let id = guard::cookie(request, guard::SESSION).unwrap_or_default();
        let visitor = match route.serve {
            Serve::Live => self.people.look(id),
            _ => self.people.enter(id).await,
        };
        let needed = match route.serve {
            Serve::Code | Serve::CodeSent => Level::One,
            Serve::LogOut => Level::None,
            _ => Level::Two,
        };
        let Some(visitor) = visitor.filter(|visitor| visitor.level >= needed) else {
            return match (request.method, route.serve) {
                (_, Serve::Live) => reply::json(401, &serde_json::json!({ "error": "log in" })),
                (Method::Get, _) => to_login(request),
                _ => self.refuse(route, 401, "Log in first."),
            };
        };
        if request.method != Method::Get && !csrf_matches(id, &sent.csrf) {
            let why = "the token of the page is wrong";
            self.note_refusal(request, Some(&visitor.person), why);
            return self.refuse(route, 403, "The page is too old; load it again.");
        }
        self.serve(route, &Visit { request, id, visitor, sent, number }).await
    }

    async fn serve(&self, route: &Route, visit: &Visit<'_>) -> Reply {
        match route.serve {
            Serve::Code => self.code_page(visit, None),
            Serve::CodeSent => self.log_in_by_code(visit).await,
            Serve::LogOut => self.log_out(visit).await,
            Serve::Live => self.live(visit).await,
            Serve::Home => self.home(visit).await,
            Serve::Approvals => self.approvals(visit).await,
            Serve::Approval => self.approval(visit, None).await,
            Serve::ApproveOptions => self.approve_options(visit).await,
            Serve::Approve => self.approve(visit).await,
            Serve::Deny => self.deny(visit).await,
            Serve::Halts => self.halts(visit, None).await,
            Serve::Lift => self.lift(visit).await,
            Serve::BreakerHalfOpen => self.half_open(visit).await,
            Serve::BreakerClose => self.close_breaker(visit).await,
            Serve::Access => self.access(visit, None).await,
            Serve::Limits => self.limits(visit),
            Serve::LimitsForm => self.limits_form(visit, None),
            Serve::LimitsSet => self.set_limits(visit).await,
            Serve::GrantForm => self.grant_form(visit, None),
            Serve::GrantSet => self.set_grant(visit).await,
            Serve::GrantRemove => self.remove_grant(visit).await,
            Serve::Share => self.share(visit).await,
            Serve::Unshare => self.unshare(visit).await,
            Serve::KeyRevoke => self.revoke_key(visit).await,
            Serve::KeyRotate => self.rotate_key(visit).await,
            Serve::Apps => self.apps(visit, None).await,
            Serve::AppRevoke => self.revoke_app(visit).await,
            Serve::AppGrantRevoke => self.revoke_app_grant(visit).await,
            Serve::AppKeyRevoke => self.revoke_app_key(visit).await,
            Serve::People => self.everybody(visit, None).await,
            Serve::PersonInvite => self.invite(visit).await,
            Serve::PersonLogout => self.log_person_out(visit).await,
            Serve::StepUpOptions => self.step_up_options(visit),
            Serve::StepUp => self.step_up(visit).await,
            Serve::Sessions => self.sessions(visit, None),
            Serve::SessionEnd => self.end_session(visit).await,
            Serve::Security => self.security(visit, None),
            Serve::NewPasskeyOptions => {
                reply::told(self.people.ask_new_passkey(&visit.visitor, visit.id))
            }
            Serve::NewPasskey => self.add_passkey(visit).await,
            Serve::RemovePasskey => self.remove_passkey(visit).await,
            Serve::SetPassword => self.set_password(visit).await,
            Serve::OutsideLink => self.outside_link(visit).await,
            Serve::OutsideUnlink => self.outside_unlink(visit).await,
            Serve::NamePasskey => self.name_passkey(visit).await,
            Serve::ReadNotices => self.read_notices(visit).await,
            Serve::Consent => self.consent(visit),
            Serve::ConsentOptions => self.consent_options(visit, false),
            Serve::ConsentPasskey => self.consent_by_passkey(visit, false).await,
            Serve::ConsentApprove => self.consent_by_session(visit, false).await,
            Serve::ConsentDeny => self.say_no(visit, false).await,
            Serve::Device => self.device(visit),
            Serve::DeviceTyped => self.device_typed(visit),
            Serve::DeviceOptions => self.consent_options(visit, true),
            Serve::DevicePasskey => self.consent_by_passkey(visit, true).await,
            Serve::DeviceApprove => self.consent_by_session(visit, true).await,
            Serve::DeviceDeny => self.say_no(visit, true).await,
            _ => layout::plain(404, "There is no such page."),
        }
    }

    /// A refusal in the form that the route's page reads.
    fn refuse(&self, route: &Route, status: u16, text: &str) -> Reply {
        let reply = match route.json {
            true => reply::json(status, &serde_json::json!({ "error": text })),
            false => layout::plain(status, text),
        };
        reply::guarded(reply)
    }

    /// Puts on record that a request to the console was turned down.
    fn note_refusal(&self, request: &RawRequest, person: Option<&PersonName>, why: &str) {
        let who = person.map_or(String::new(), |person| format!("{person}: "));
        let why = format!("console: {} from {}: {who}{why}", request.path, request.peer);
        self.admin.note_refusal(person, Reject::new(Code::NotAllowed, one_line(&why)));
    }

    /// Asks the administration as the person of the session.
    async fn ask(&self, visitor: &Visitor, request: Request) -> Result<Value, Failure> {
        self.ask_as(visitor, (Showing::Later, None), request).await
    }

    /// A list that the administration tells, as the person of the session reads it.
    async fn listed<T: serde::de::DeserializeOwned>(
        &self,
        visit: &Visit<'_>,
        request: Request,
        name: &str,
    ) -> Result<Vec<T>, Reply> {
        let told = self.ask(&visit.visitor, request).await;
        let mut told = told.map_err(|failure| layout::plain(403, &failure.message))?;
        let list = told.get_mut(name).map(Value::take).unwrap_or_default();
        serde_json::from_value(list).map_err(|error| layout::plain(500, &error.to_string()))
    }

    /// Asks for what loosens: by a passkey shown moments ago.
    async fn ask_anew(&self, visitor: &Visitor, request: Request) -> Result<Value, Failure> {
        if visitor.by_passkey && !self.people.has_shown_enough(visitor) {
            let hint = "log in by that passkey and do this again";
            return Err(Failure::new("stale", Error::NeedsAttested.to_string(), hint));
        }
        if visitor.by_passkey {
            return self.ask_as(visitor, (Showing::Door, None), request).await;
        }
        let hint = "show it here and do this again";
        Err(Failure::new("stale", Error::NeedsPasskey.to_string(), hint))
    }

    async fn ask_as(
        &self,
        visitor: &Visitor,
        (showing, factor): (Showing, Option<Factor>),
        request: Request,
    ) -> Result<Value, Failure> {
        let person = visitor.person.clone();
        let by = Administrator { person, full: false, factor, showing };
        match self.admin.carry_out(&by, request).await {
            Response::Ok(value) => Ok(value),
            Response::Error(failure) => Err(failure),
        }
    }
}

/// To the login, and back to what waits.
fn to_login(request: &RawRequest) -> Reply {
    let reply = reply::redirect("/console/login");
    match guard::place(request) {
        Some(place) => reply::with_place(reply, &place),
        None => reply,
    }
}

/// Where somebody goes who asked for something: to the request where it waits, and else on.
fn asked(told: &Value, done: &str) -> Reply {
    match told.get("pending").and_then(Value::as_u64) {
        Some(id) => reply::redirect(&format!("/console/approvals/{id}")),
        None => reply::redirect(done),
    }
}

/// The status that goes with an error.
const fn status_of(error: &Error) -> u16 {
    match error {
        Error::Wrong => 401,
        Error::Link | Error::Stale | Error::NeedsPasskey | Error::NeedsAttested => 403,
        Error::Outside | Error::NotLinked => 403,
        Error::OtherStatement => 409,
        Error::Unfit(_) | Error::Code | Error::Passkey(_) | Error::Count(_) => 422,
        Error::Busy | Error::Unavailable(_) | Error::OutsideAway => 503,
    }
}

#[cfg(test)]
pub(super) mod tests;

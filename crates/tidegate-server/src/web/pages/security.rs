//! What a person logs in by.

use super::enrol::{app_fields, no_app, recovery};
use super::layout::{csrf, note, plain, said, time};
use super::{Pages, Visit, reply, status_of};
use crate::admin::Loss;
use crate::people::{AppAnswer, Error, OUTSIDE_ALONE, credential_digest};
use maud::{Markup, html};
use tidegate_identity::people::{Factor, Member, Passkey};
use tidegate_types::request::Reply;
use tidegate_types::time::{Span, Time};

impl Pages {
    pub(super) fn security(&self, visit: &Visit<'_>, error: Option<&Error>) -> Reply {
        let visitor = &visit.visitor;
        let app = self.people.offer_app(visit.id, &visitor.person).ok();
        let Some(member) = self.people.credentials(visitor) else {
            return plain(503, "It cannot be read now; try again.");
        };
        let content = html! {
            h1 { "Security" }
            p.lead { "What you log in by. Changing it ends your other sessions." }
            @if let Some(error) = error { (note(&error.to_string(), true)) }
            @if !visitor.fresh && member.passkeys.is_empty() { (note(&Error::Stale.to_string(), false)) }
            (passkeys(visit, &member))
            (self.outside_card(visit, &member))
            section.card {
                h2 { "Password and app" }
                @match member.password {
                    Some(password) => p { "Set " (time(password.set.millis())) "; "
                        (member.recovery.left()) " recovery codes are left." },
                    None => p { "Not set." },
                }
                @if self.people.is_asked_for_model(&visitor.person) {
                    p { "Your role takes a passkey." }
                } @else if member.passkeys.is_empty() && member.password.is_none() {
                    p.hint { (OUTSIDE_ALONE) "." }
                } @else {
                    details {
                        summary { @if member.password.is_some() { "Set anew" } @else { "Set" } }
                        form method="post" action="/console/security/password" data-fresh {
                            (csrf(visit.id))
                            @if member.password.is_some() && member.passkeys.is_empty() {
                                label for="current" { "Your password now" }
                                input id="current" name="current" type="password"
                                    autocomplete="current-password" required maxlength="512";
                            }
                            @if let Some(app) = &app {
                                (app_fields(app, visitor.person.as_str()))
                                button.plain type="submit" { "Set password and app" }
                            } @else { (no_app()) }
                            (said())
                        }
                    }
                }
            }
            (history(&member))
        };
        reply::html(error.map_or(200, status_of), self.page(visit, "Security", &content))
    }

    pub(super) async fn add_passkey(&self, visit: &Visit<'_>) -> Reply {
        let Some(answer) = &visit.sent.answer else { return reply::told(Err(Error::Wrong)) };
        match self.people.add_passkey(&visit.visitor, visit.id, answer).await {
            Ok(()) => reply::next("/console/security"),
            Err(error) => reply::told(Err(error)),
        }
    }

    pub(super) async fn remove_passkey(&self, visit: &Visit<'_>) -> Reply {
        let Some(which) = crate::admin::bytes_of(&visit.sent.credential) else {
            return plain(400, "What was sent cannot be read.");
        };
        let person = &visit.visitor.person;
        if let Err(locks_out) = self.admin.leaves_two(&Loss::Passkey(person, which)) {
            return plain(409, &locks_out.message);
        }
        match self.people.remove_passkey(&visit.visitor, &which).await {
            Ok(()) => reply::redirect("/console/security"),
            Err(error) => self.security(visit, Some(&error)),
        }
    }

    pub(super) async fn name_passkey(&self, visit: &Visit<'_>) -> Reply {
        let Some(which) = crate::admin::bytes_of(&visit.sent.credential) else {
            return plain(400, "What was sent cannot be read.");
        };
        match self.people.name_passkey(&visit.visitor, &which, &visit.sent.name).await {
            Ok(()) => reply::redirect("/console/security"),
            Err(error) => self.security(visit, Some(&error)),
        }
    }

    pub(super) async fn read_notices(&self, visit: &Visit<'_>) -> Reply {
        let Ok(until) = visit.sent.number.parse() else {
            return plain(400, "What was sent cannot be read.");
        };
        // What was shown is cut to whole milliseconds.
        let until = Time::from_millis(until).plus(Span::from_micros(999));
        match self.people.read_notices(&visit.visitor, until).await {
            Ok(()) => reply::redirect("/console/"),
            Err(error) => plain(status_of(&error), &error.to_string()),
        }
    }

    pub(super) async fn set_password(&self, visit: &Visit<'_>) -> Reply {
        let (password, code) = (visit.sent.password.clone(), visit.sent.code.clone());
        let answer = AppAnswer { password, code };
        let current = (visit.sent.current.clone(), visit.request.peer);
        match self.people.set_password(&visit.visitor, visit.id, current, answer).await {
            Ok(codes) => {
                let content = html! {
                    h1 { "Password and app are set" }
                    (recovery(&codes))
                    p { a.button href="/console/security" { "I have written them down" } }
                };
                reply::html(200, self.page(visit, "Recovery codes", &content))
            }
            Err(error) => self.security(visit, Some(&error)),
        }
    }
}

/// What happened to all of that.
fn history(member: &Member) -> Markup {
    html! {
        @if !member.notices.all().is_empty() {
            section.card {
                h2 { "What happened" }
                @for notice in member.notices.all().iter().rev() {
                    div.row { span { (notice.event) } span.dim.small { (time(notice.at.millis())) } }
                }
            }
        }
    }
}

fn passkeys(visit: &Visit<'_>, member: &Member) -> Markup {
    html! {
        section.card {
            h2 { "Passkeys" }
            @if member.passkeys.is_empty() { p { "None. Approving requests takes one." } }
            @for key in &member.passkeys { (passkey(visit, member, key)) }
            form data-passkey="make" data-fresh data-options="/console/security/options"
                method="post" action="/console/security/passkey" {
                (csrf(visit.id))
                button type="submit" { "Add a passkey" }
                output role="status" {}
            }
        }
    }
}

fn passkey(visit: &Visit<'_>, member: &Member, key: &Passkey) -> Markup {
    let digest = hex(&credential_digest(key.id()));
    let short = digest.get(..8).unwrap_or_default();
    let given = member.names.get(key.id()).map(String::as_str).unwrap_or_default();
    let name = if given.is_empty() { format!("Passkey {short}") } else { given.to_owned() };
    html! {
        div.row {
            div {
                strong { (name) } " "
                span.tag {
                    @if key.backed_up() { "synced" }
                    @else if key.factor() == Factor::AttestedPasskey { "on one device, its model proven" }
                    @else { "on one device" }
                }
                div.dim.small { "made " (time(key.made().millis())) ", last used " (time(key.last_used().millis())) }
            }
            details {
                summary aria-label=(format!("Change {name}")) { "Change" }
                form method="post" action="/console/security/name" {
                    (csrf(visit.id))
                    input type="hidden" name="credential" value=(digest);
                    label for=(format!("name-{short}")) { "What you call it" }
                    input id=(format!("name-{short}")) name="name" maxlength="40" value=(given);
                    button.plain.small type="submit" { "Name it" }
                }
                form method="post" action="/console/security/remove" data-fresh {
                    (csrf(visit.id))
                    input type="hidden" name="credential" value=(digest);
                    button.danger.small type="submit" aria-label=(format!("Remove {name}")) { "Remove" }
                    (said())
                }
            }
        }
    }
}

/// Bytes in hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

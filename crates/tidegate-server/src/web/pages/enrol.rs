//! Enrolment by a link: a passkey, or a password with an authenticator app.

use super::guard::{self, Sent};
use super::layout::{narrow, note, plain, time};
use super::{Pages, assets, reply, status_of};
use crate::people::{App, AppAnswer, Error};
use maud::{Markup, html};
use tidegate_identity::people::FreshCodes;
use tidegate_types::request::{RawRequest, Reply};

/// Where a link leads to. What it lets in by is behind its #, which a script sends on, or who has none types.
pub(super) fn entry() -> Reply {
    let content = html! {
        h1 { "Enrol" }
        form method="post" action="/console/enrol" data-link {
            label for="link" { "What your link has behind the #" }
            input id="link" name="link" required maxlength="200" autocomplete="off" spellcheck="false";
            button.wide type="submit" { "Go on" }
        }
        script src=(assets::path("link.js")) defer {}
    };
    reply::html(200, narrow("Enrol", &content))
}

impl Pages {
    pub(super) fn enrol_page(&self, link: &str, error: Option<&Error>) -> Reply {
        let invited = match self.people.invited(link) {
            Ok(invited) => invited,
            Err(error) => return plain(status_of(&error), &error.to_string()),
        };
        // Where no app can be offered now a passkey can still be made.
        let app = self.people.offer_app(link, &invited.person).ok();
        let secret = html! { input type="hidden" name="link" value=(link); };
        let more = self.people.takes_more_than_passkeys(&invited);
        let content = html! {
            h1 { "Welcome, " (invited.person) }
            p.lead { "Choose how you log in from now on. This link works once, until " (time(invited.until.millis())) "." }
            @if let Some(error) = error { (note(&error.to_string(), true)) }
            section.card {
                h2 { "A passkey" }
                p { "The safest way, and the only one by which requests can be approved: your device, \
                     or a security key, checks that it is you." }
                form data-passkey="make" data-options="/console/enrol/options"
                    method="post" action="/console/enrol/passkey" {
                    (secret)
                    button.wide type="submit" { "Make a passkey" }
                    output role="status" {}
                    (super::layout::needs_scripts())
                }
            }
            @if more {
                section.card {
                    h2 { "Or a password and an app" }
                    form method="post" action="/console/enrol/password" {
                        (secret)
                        @if let Some(app) = &app {
                            (app_fields(app, invited.person.as_str()))
                            button.plain.wide type="submit" { "Set password and app" }
                        } @else { (no_app()) }
                    }
                }
            } @else {
                p.note { "Your role takes a passkey of a device whose model the desk trusts." }
            }
            @if let Some(provider) = self.people.outside().filter(|it| more && it.gives_two_factors()) {
                section.card {
                    h2 { "Or " (provider.name()) }
                    form method="post" action="/console/enrol/outside" {
                        (secret)
                        button.plain.wide type="submit" { "Log in with " (provider.name()) }
                    }
                }
            }
            script src=(assets::path("passkey.js")) defer {}
        };
        reply::html(error.map_or(200, status_of), narrow("Enrol", &content))
    }

    pub(super) async fn enrol_passkey(&self, request: &RawRequest, sent: &Sent) -> Reply {
        let Some(answer) = &sent.answer else { return reply::told(Err(Error::Link)) };
        let source = guard::source(request);
        match self.people.enrol_passkey(&sent.link, answer, &source).await {
            Ok(()) => {
                self.end_consents().await;
                reply::next("/console/login")
            }
            Err(error) => reply::told(Err(error)),
        }
    }

    pub(super) async fn enrol_password(&self, request: &RawRequest, sent: Sent) -> Reply {
        let source = guard::source(request);
        let Sent { link, password, code, .. } = sent;
        let answer = AppAnswer { password, code };
        match self.people.enrol_password(&link, answer, &source).await {
            Ok(codes) => {
                self.end_consents().await;
                let content = html! {
                    h1 { "You are enrolled" }
                    (recovery(&codes))
                    p { a.button href="/console/login" { "Log in" } }
                };
                reply::html(200, narrow("Recovery codes", &content))
            }
            Err(error) => self.enrol_page(&link, Some(&error)),
        }
    }
}

impl Pages {
    /// Who begins anew has consented to nothing yet: what was granted before is void like the logins.
    pub(super) async fn end_consents(&self) {
        // It is in force at once; what is not on record is found again at the next start.
        let _ = self.oauth.hold_to(&self.people).await;
    }
}

/// The fields by which a password and an app are set.
pub(super) fn app_fields(app: &App, name: &str) -> Markup {
    html! {
        p { "1. Add this secret to an authenticator app: "
            a href=(app.uri.expose()) { "open the app" } ", or type it." }
        pre.statement aria-label="Secret" id="secret" { (in_groups(app.secret.expose())) }
        input type="text" name="name" value=(name) autocomplete="username" hidden;
        label for="password" { "2. Choose a password" }
        input id="password" name="password" type="password" autocomplete="new-password" required
            minlength="15" maxlength="512" aria-describedby="password-hint";
        p.hint id="password-hint" { "At least 15 characters; a few words do." }
        label for="code" { "3. The code that the app shows now" }
        input id="code" name="code" inputmode="numeric" autocomplete="one-time-code" required
            maxlength="12";
    }
}

/// New recovery codes, which are shown this once.
pub(super) fn recovery(codes: &FreshCodes) -> Markup {
    html! {
        section.card {
            h2 { "Recovery codes" }
            p { "Each logs you in once in place of the app. Write them down or print them now: they are \
                 not shown again." }
            ul.codes id="codes" { @for code in codes.iter() { li { code { (code) } } } }
        }
    }
}

/// In place of the fields, where no app can be offered.
pub(super) fn no_app() -> Markup {
    html! { p { "No app can be offered at this moment; load the page again in a while." } }
}

fn in_groups(text: &str) -> String {
    let letters: Vec<char> = text.chars().collect();
    letters.chunks(4).map(|group| group.iter().collect::<String>()).collect::<Vec<_>>().join(" ")
}

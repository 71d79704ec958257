//! Logging in and out.

use super::guard::{self, BROWSER, SESSION, Sent};
use super::layout::{csrf, narrow, note};
use super::{Pages, Visit, assets, reply, status_of};
use crate::people::{Error, Provider};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use maud::{Markup, html};
use tidegate_identity::people::Level;
use tidegate_types::request::{RawRequest, Reply};

impl Pages {
    /// The login page; who is logged in goes to the console.
    pub(super) async fn login_page(&self, request: &RawRequest, error: Option<&Error>) -> Reply {
        let session = guard::cookie(request, SESSION).unwrap_or_default();
        let inside = self.people.look(session).is_some_and(|visitor| visitor.level >= Level::Two);
        if inside && error.is_none() {
            let (to, _) = guard::after_login(request);
            return reply::redirect(to);
        }
        let had = guard::cookie(request, BROWSER).filter(|value| value.len() == 43);
        let Ok(browser) = had.map_or_else(random_id, |had| Ok(had.to_owned())) else {
            return super::layout::plain(503, "There are no random numbers now.");
        };
        let elsewhere = self.elsewhere(request);
        let status = error.map_or(200, status_of);
        let provider = self.people.outside().map(Provider::name);
        let page = narrow("Log in", &login(&browser, error, elsewhere, provider));
        let reply = reply::html(status, page);
        if had.is_some() { reply } else { reply::with_cookie(reply, BROWSER, &browser) }
    }

    /// Where the console is, if this request went to another name of the machine.
    fn elsewhere(&self, request: &RawRequest) -> Option<String> {
        let origin = self.people.origin();
        let host = origin.split_once("://").map(|(_, host)| host);
        (request.header("host") != host).then(|| format!("{origin}/console/"))
    }

    pub(super) async fn log_in_by_passkey(
        &self,
        request: &RawRequest,
        browser: &str,
        sent: &Sent,
    ) -> Reply {
        let Some(answer) = &sent.answer else { return reply::told(Err(Error::Wrong)) };
        let source = guard::source(request);
        match self.people.log_in_by_passkey(browser, answer, &source).await {
            Ok(id) => {
                self.leave(request).await;
                let (to, waited) = guard::after_login(request);
                arrived(reply::with_cookie(reply::next(to), SESSION, id.expose()), waited)
            }
            Err(error) => reply::told(Err(error)),
        }
    }

    pub(super) async fn log_in_by_password(&self, request: &RawRequest, sent: Sent) -> Reply {
        let source = guard::source(request);
        let Sent { name, password, .. } = sent;
        match self.people.log_in_by_password(&name, password, request.peer, &source).await {
            Ok(id) => {
                self.leave(request).await;
                let reply = reply::redirect("/console/login/code");
                reply::with_cookie(reply, SESSION, id.expose())
            }
            Err(error) => self.login_page(request, Some(&error)).await,
        }
    }

    pub(super) fn code_page(&self, visit: &Visit<'_>, error: Option<&Error>) -> Reply {
        if visit.visitor.level >= Level::Two {
            return reply::redirect("/console/");
        }
        let content = html! {
            h1 { "One more step" }
            p.lead { "Enter the code that your authenticator app shows, or one of your recovery codes." }
            @if let Some(error) = error { (note(&error.to_string(), true)) }
            form.card method="post" action="/console/login/code" {
                (csrf(visit.id))
                label for="code" { "Code" }
                input id="code" name="code" autocomplete="one-time-code" autocapitalize="characters"
                    spellcheck="false" required autofocus maxlength="40";
                button.wide type="submit" { "Log in" }
            }
            form method="post" action="/console/logout" {
                (csrf(visit.id))
                button.plain.wide type="submit" { "Begin again" }
            }
        };
        reply::html(error.map_or(200, status_of), narrow("Enter a code", &content))
    }

    pub(super) async fn log_in_by_code(&self, visit: &Visit<'_>) -> Reply {
        let (code, peer) = (&visit.sent.code, visit.request.peer);
        match self.people.log_in_by_code(visit.id, code, peer).await {
            Ok(id) => {
                let (to, waited) = guard::after_login(visit.request);
                arrived(reply::with_cookie(reply::redirect(to), SESSION, id.expose()), waited)
            }
            Err(error) => self.code_page(visit, Some(&error)),
        }
    }

    pub(super) async fn log_out(&self, visit: &Visit<'_>) -> Reply {
        match self.people.log_out(visit.id).await {
            Ok(()) => reply::without_session(reply::redirect("/console/login")),
            Err(error) => super::layout::plain(status_of(&error), &error.to_string()),
        }
    }

    /// Ends the session that a browser had before another begins in it.
    pub(super) async fn leave(&self, request: &RawRequest) {
        if let Some(before) = guard::cookie(request, SESSION) {
            // What cannot be put on record now lapses.
            let _ = self.people.log_out(before).await;
        }
    }
}

/// What waited for the login does so no more.
pub(super) fn arrived(reply: Reply, waited: bool) -> Reply {
    if waited { reply::without_place(reply) } else { reply }
}

fn login(
    browser: &str,
    error: Option<&Error>,
    elsewhere: Option<String>,
    provider: Option<&str>,
) -> Markup {
    html! {
        h1 { "Log in" }
        p.lead { "With the passkey of this device or your security key. You need not say who you are." }
        @if let Some(url) = elsewhere {
            p.note { "Passkeys work at " a href=(url) { (url) } " only." }
        }
        @if let Some(error) = error { (note(&error.to_string(), true)) }
        div.card {
            form data-passkey="show" data-options="/console/login/options"
                method="post" action="/console/login/passkey" {
                (csrf(browser))
                button.wide type="submit" autofocus[error.is_none()] { "Log in with a passkey" }
                output role="status" {}
                (super::layout::needs_scripts())
            }
            @if let Some(provider) = provider {
                form method="post" action="/console/login/outside" {
                    (csrf(browser))
                    button.plain.wide type="submit" { "Log in with " (provider) }
                }
            }
            div.or { "or" }
            form method="post" action="/console/login/password" {
                (csrf(browser))
                label for="name" { "Name" }
                input id="name" name="name" autocomplete="username" autocapitalize="none"
                    spellcheck="false" required maxlength="64";
                label for="password" { "Password" }
                input id="password" name="password" type="password" autocomplete="current-password"
                    required maxlength="512";
                button.plain.wide type="submit" { "Go on to the code" }
            }
        }
        p.hint { "Lost both? An administrator can give you a new link." }
        script src=(assets::path("passkey.js")) defer {}
    }
}

fn random_id() -> Result<String, getrandom::Error> {
    let mut random = [0; 32];
    getrandom::fill(&mut random)?;
    Ok(URL_SAFE_NO_PAD.encode(random))
}

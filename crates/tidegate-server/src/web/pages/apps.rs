//! Apps: what each may ask for, and its end.

use super::layout::{csrf, refusal, status_of_failure, sure, time};
use super::{Pages, Visit, reply};
use crate::admin::protocol::{AppGrantStatus, AppStatus, Failure, Request};
use maud::{Markup, html};
use tidegate_core::roles::{self, Action};
use tidegate_types::request::Reply;

impl Pages {
    pub(super) async fn apps(&self, visit: &Visit<'_>, failure: Option<&Failure>) -> Reply {
        let apps = self.listed::<AppStatus>(visit, Request::Apps {}, "apps").await;
        let grants = self.listed::<AppGrantStatus>(visit, Request::AppGrants {}, "grants").await;
        let (apps, grants) = match (apps, grants) {
            (Ok(apps), Ok(grants)) => (apps, grants),
            (Err(reply), _) | (_, Err(reply)) => return reply,
        };
        let person = &visit.visitor.person;
        let may = |action: Action, app: &str| {
            self.desk.look(|state| {
                let mut owns = state.people().get(person).into_iter().flat_map(|it| &it.owns);
                let own = owns.any(|caller| caller.as_str() == app);
                roles::may(state, person, action, own).is_ok()
            })
        };
        let ends = |app: &AppStatus| Ends {
            app: !app.revoked && may(Action::AppRevoke, &app.app),
            grants: may(Action::AppGrantRevoke, &app.app),
        };
        let content = html! {
            h1 { "Apps" }
            p.lead { "Programs that ask for tokens, by their own keys or by somebody's consent." }
            (refusal(failure))
            @if apps.is_empty() { section.card { "No app is yours to see." } }
            @for app in &apps { (card(visit, app, &grants, ends(app))) }
            @if self.desk.look(|state| roles::may(state, person, Action::AppKeyRevoke, false).is_ok()) {
                (key_card(visit))
            }
        };
        let status = status_of_failure(failure);
        reply::html(status, self.page(visit, "Apps", &content))
    }

    pub(super) async fn revoke_app_grant(&self, visit: &Visit<'_>) -> Reply {
        let request = Request::AppRevokeGrant { grant: visit.sent.key.clone() };
        match self.ask(&visit.visitor, request).await {
            Ok(_) => reply::redirect("/console/apps"),
            Err(failure) => self.apps(visit, Some(&failure)).await,
        }
    }

    /// Puts a key or certificate out of force, whichever apps and tokens rest on it.
    pub(super) async fn revoke_app_key(&self, visit: &Visit<'_>) -> Reply {
        let request = Request::AppRevokeKey { key: visit.sent.key.trim().to_owned() };
        match self.ask(&visit.visitor, request).await {
            Ok(_) => reply::redirect("/console/apps"),
            Err(failure) => self.apps(visit, Some(&failure)).await,
        }
    }

    pub(super) async fn revoke_app(&self, visit: &Visit<'_>) -> Reply {
        let request = Request::AppRevoke { app: visit.sent.name.clone() };
        match self.ask(&visit.visitor, request).await {
            Ok(_) => reply::redirect("/console/apps"),
            Err(failure) => self.apps(visit, Some(&failure)).await,
        }
    }
}

/// What of an app a person may end.
#[derive(Clone, Copy)]
struct Ends {
    app: bool,
    grants: bool,
}

fn card(visit: &Visit<'_>, app: &AppStatus, grants: &[AppGrantStatus], ends: Ends) -> Markup {
    let form = html! {
        form method="post" action="/console/apps/revoke" {
            (csrf(visit.id))
            input type="hidden" name="name" value=(app.app);
            p.hint { "Its tokens are refused from then on, and its name is never an app's again." }
            button.danger.small type="submit" { "Revoke " (app.app) " for good" }
        }
    };
    html! {
        section.card {
            div.row {
                h2 { (app.app) }
                @if app.revoked { span.tag.bad { "revoked" } } @else { span.tag.good { "in force" } }
            }
            dl.facts { @for (name, value) in &app.terms { dt { (name) } dd { (value) } } }
            @for grant in grants.iter().filter(|grant| grant.app == app.app) {
                (granted(visit, grant, ends.grants))
            }
            @if ends.app { (sure("Revoke", &form)) }
        }
    }
}

/// Where a key that came into wrong hands is put out of force.
fn key_card(visit: &Visit<'_>) -> Markup {
    html! {
        section.card {
            h2 { "A key or certificate of apps" }
            p { "One that somebody else may have. Every token bound to it ends, and nothing is signed by it \
                 any more, whichever app shows it." }
            form method="post" action="/console/apps/key" {
                (csrf(visit.id))
                label for="app-key" { "Its SHA-256 thumbprint, in base64url or in hex" }
                input id="app-key" name="key" required maxlength="64" autocomplete="off"
                    spellcheck="false";
                button.danger type="submit" { "Put it out of force for good" }
            }
        }
    }
}

/// What a person granted to an app.
fn granted(visit: &Visit<'_>, grant: &AppGrantStatus, ends: bool) -> Markup {
    let form = html! {
        form method="post" action="/console/apps/grant" {
            (csrf(visit.id))
            input type="hidden" name="key" value=(grant.grant);
            button.danger.small type="submit" { "Take it back, and every token under it" }
        }
    };
    html! {
        div.row {
            div {
                strong { "Granted by " (grant.person.as_deref().unwrap_or("somebody who enrolled anew")) }
                div.dim.small { "until " (time(grant.until_ms)) }
            }
            @if ends { (sure("Take back", &form)) }
        }
        pre.statement { (serde_json::to_string_pretty(&grant.details).unwrap_or_default()) }
    }
}

//! Callers, their keys and what they may do, as far as the person sees them.

use super::grants::{Asks, FORM};
use super::layout::{csrf, plain, refusal, said, status_of_failure, sure, time};
use super::share::Sharing;
use super::{Pages, Visit, reply};
use crate::admin::protocol::{Failure, KeyStatus, MadeKey, Request};
use maud::{Markup, html};
use tidegate_core::roles::{self, Action};
use tidegate_core::state::State;
use tidegate_types::codec::{Codec, to_json};
use tidegate_types::grant::Grant;
use tidegate_types::hours::Window;
use tidegate_types::ids::CallerName;
use tidegate_types::request::Reply;
use tidegate_types::time::Time;

/// For how long a key that is replaced is still good.
const OVERLAP_S: u64 = 24 * 3600;

/// A caller that the person sees.
struct Row {
    caller: CallerName,
    grants: Vec<Grant>,
    /// Whether the person may revoke its keys.
    revokes: bool,
    /// Whether the person may make new ones in their place.
    rotates: bool,
    asks: Asks,
    sharing: Sharing,
}

impl Pages {
    pub(super) async fn access(&self, visit: &Visit<'_>, failure: Option<&Failure>) -> Reply {
        let person = &visit.visitor.person;
        let rows: Vec<Row> = self.desk.look(|state| {
            let seen = |caller: &&CallerName| roles::sees(state, person, caller);
            let row = |caller: &CallerName| {
                let own = state.people().get(person).is_some_and(|it| it.owns(caller));
                let may = |action| roles::may(state, person, action, own).is_ok();
                Row {
                    caller: caller.clone(),
                    grants: grants_of(state, caller),
                    revokes: may(Action::KeyRevoke),
                    rotates: may(Action::KeyRotate),
                    asks: Asks::of(state, person, caller),
                    sharing: Sharing::of(state, person, caller),
                }
            };
            state.callers().keys().filter(seen).map(row).collect()
        });
        let keys = match self.listed::<KeyStatus>(visit, Request::Keys {}, "keys").await {
            Ok(keys) => keys,
            Err(reply) => return reply,
        };
        let content = html! {
            h1 { "Access" }
            p.lead { "Which programs trade through this desk, by which keys, and what each may do." }
            (refusal(failure))
            @if rows.is_empty() { section.card { "No caller is yours to see." } }
            @for row in &rows { (card(visit, row, &keys)) }
        };
        let status = status_of_failure(failure);
        reply::html(status, self.page(visit, "Access", &content))
    }

    pub(super) async fn revoke_key(&self, visit: &Visit<'_>) -> Reply {
        let request = Request::KeyRevoke { id: visit.sent.key.clone() };
        match self.ask(&visit.visitor, request).await {
            Ok(_) => reply::redirect("/console/access"),
            Err(failure) => self.access(visit, Some(&failure)).await,
        }
    }

    pub(super) async fn rotate_key(&self, visit: &Visit<'_>) -> Reply {
        let id = visit.sent.key.clone();
        // It ends when the old one was to end: who may ask for more asks at the command line.
        let until_ms = self.desk.look(|state| end_of(state, &id));
        let request = Request::KeyRotate { id, overlap_s: OVERLAP_S, until_ms, public: None };
        match self.ask_anew(&visit.visitor, request).await.map(serde_json::from_value::<MadeKey>) {
            Ok(Ok(made)) => {
                let content = new_key(&made, until_ms);
                reply::html(200, self.page(visit, "New key", &content))
            }
            Ok(Err(error)) => plain(500, &error.to_string()),
            Err(failure) => self.access(visit, Some(&failure)).await,
        }
    }
}

fn grants_of(state: &State, caller: &CallerName) -> Vec<Grant> {
    state.grants().filter(|grant| grant.caller == *caller).cloned().collect()
}

/// When a key ends, if it does.
fn end_of(state: &State, id: &str) -> Option<u64> {
    let known = state.keys().values().find(|known| known.key.id.as_str() == id)?;
    known.key.terms.until.map(Time::millis)
}

/// A key that takes the place of another one. Its secret is shown this once.
fn new_key(made: &MadeKey, until_ms: Option<u64>) -> Markup {
    html! {
        h1 { "A new key" }
        @match until_ms {
            Some(until) => {
                p.lead {
                    "The old one is good for a day more, and not past its end, " (time(until))
                    ". The new one ends then too."
                }
            }
            None => { p.lead { "The old one is good for a day more." } }
        }
        @if let Some(id) = made.pending {
            p.note { "The new one is in force once somebody else has approved "
                a href=(format!("/console/approvals/{id}")) { "request " (id) } "." }
        }
        section.card {
            dl.facts {
                dt { "Key" } dd { code id="key" { (made.id) } }
                @if let Some(secret) = &made.secret {
                    dt { "Secret" } dd { code id="secret" { (secret) } }
                }
            }
            p.hint { "The secret is not shown again." }
        }
        p { a.button href="/console/access" { "I have it" } }
    }
}

fn card(visit: &Visit<'_>, row: &Row, keys: &[KeyStatus]) -> Markup {
    let mut keys = keys.iter().filter(|key| key.caller == row.caller.as_str()).peekable();
    html! {
        section.card {
            h2 { (row.caller) }
            @if keys.peek().is_none() { p.dim { "No key is in force." } }
            @for key in keys { (key_row(visit, row, key)) }
            @for grant in &row.grants { (grant_facts(grant, row.asks)) }
            (row.sharing.show(visit, &row.caller))
            @if row.asks.gives {
                p { a.button.plain.small href=(format!("{FORM}?caller={}", row.caller)) {
                    "Give " (row.caller) " a grant"
                } }
            }
        }
    }
}

fn key_row(visit: &Visit<'_>, row: &Row, key: &KeyStatus) -> Markup {
    let form = |to: &str, fresh: bool, class: &str, text: &str| {
        html! {
            form method="post" action=(format!("/console/access/{to}")) data-fresh[fresh] {
                (csrf(visit.id))
                input type="hidden" name="key" value=(key.id);
                button class=(class) type="submit" { (text) }
                (said())
            }
        }
    };
    html! {
        div.row {
            div {
                code { (key.id) } " " span.tag { (scheme(&key.scheme)) } " "
                @if key.ended { span.tag.bad { "ended" } }
                div.dim.small {
                    (key.account) " at " (key.venue) ", "
                    @match key.last_used_ms {
                        Some(at) => { "last used " (time(at)) }
                        None => "never used",
                    }
                    @if let Some(until) = key.terms.until_ms { ", good until " (time(until)) }
                    @if !key.terms.from.is_empty() { ", from " (key.terms.from.join(", ")) }
                    @if key.terms.certificate.is_some() { ", with its certificate" }
                }
            }
            div.actions {
                // Who holds the private key makes a new one itself.
                @if row.rotates && key.scheme == "hmac" && !key.ended {
                    @let what = match key.terms.until_ms {
                        Some(_) => "Make a new key and secret, with the same end",
                        None => "Make a new key and secret",
                    };
                    (sure("Replace", &form("rotate", true, "plain small", what)))
                }
                @if row.revokes {
                    (sure("Revoke", &form("revoke", false, "danger small", "Revoke it for good")))
                }
            }
        }
    }
}

fn grant_facts(grant: &Grant, asks: Asks) -> Markup {
    let instruments: Vec<String> = grant.instruments.iter().map(ToString::to_string).collect();
    html! {
        div.row {
            h2 { "Grant on " (grant.account) " " span.tag { (grant.venue) } }
            @if grant.trade { span.tag.wait { "may trade" } } @else { span.tag { "reads only" } }
        }
        dl.facts {
            dt { "Instruments" } dd { @if instruments.is_empty() { "none" } @else { (instruments.join(", ")) } }
            dt { "Sides" } dd { (words(&grant.sides)) }
            dt { "Order types" } dd { (words(&grant.order_types)) }
            dt { "Largest order, USD" } dd { (grant.max_order_notional) }
            dt { "Most open, USD" } dd { (grant.max_open_notional) }
            @if let Some(most) = grant.max_daily_notional { dt { "Most a day, USD" } dd { (most) } }
            @if grant.window != Window::ALWAYS { dt { "Places orders" } dd { (grant.window) } }
            dt { "Orders a second" } dd { (grant.orders_per_second) ", " (grant.burst) " at once" }
            @if grant.reduce_only { dt { "Only" } dd { "orders that reduce a position" } }
            @if grant.account_wide { dt { "Sees" } dd { "every order of the account" } }
            @if let Some(until) = grant.until { dt { "Until" } dd { (time(until.millis())) } }
        }
        @if asks.gives || asks.narrows {
            @let of = format!("caller={}&account={}", grant.caller, grant.account);
            p { a.button.plain.small href=(format!("{FORM}?{of}")) { "Change the grant on " (grant.account) } }
        }
    }
}

fn words<T: Codec>(values: &[T]) -> String {
    let words: Vec<String> = values.iter().map(|v| to_json(v).replace('"', "")).collect();
    words.join(", ")
}

fn scheme(scheme: &str) -> &str {
    match scheme {
        "hmac" => "shared secret",
        "ed25519" => "Ed25519 public key",
        "rsa" => "RSA public key",
        other => other,
    }
}

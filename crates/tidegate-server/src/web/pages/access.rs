//! Callers, their keys and what they may do, as far as the person sees them.

use super::layout::time;
use super::{Pages, Visit, reply};
use maud::{Markup, html};
use tidegate_core::roles;
use tidegate_core::state::State;
use tidegate_types::codec::{Codec, to_json};
use tidegate_types::grant::{Grant, KeyScheme, VirtualKey};
use tidegate_types::hours::Window;
use tidegate_types::ids::CallerName;
use tidegate_types::request::Reply;

/// A caller that the person sees.
struct Row {
    caller: CallerName,
    keys: Vec<VirtualKey>,
    grants: Vec<Grant>,
}

impl Pages {
    pub(super) fn access(&self, visit: &Visit<'_>) -> Reply {
        let rows: Vec<Row> = self.desk.look(|state| {
            let seen = |caller: &&CallerName| roles::sees(state, &visit.visitor.person, caller);
            state.callers().keys().filter(seen).map(|caller| row(state, caller)).collect()
        });
        let content = html! {
            h1 { "Access" }
            p.lead { "Which programs trade through this desk, by which keys, and what each may do." }
            @if rows.is_empty() { section.card { "No caller is yours to see." } }
            @for row in &rows { (card(row)) }
        };
        reply::html(200, self.page(visit, "Access", &content))
    }
}

fn row(state: &State, caller: &CallerName) -> Row {
    let keys = state.keys().values().filter(|key| !key.revoked && key.key.caller == *caller);
    let grants = state.grants().filter(|grant| grant.caller == *caller);
    Row {
        caller: caller.clone(),
        keys: keys.map(|key| key.key.clone()).collect(),
        grants: grants.cloned().collect(),
    }
}

fn card(row: &Row) -> Markup {
    html! {
        section.card {
            h2 { (row.caller) }
            @if row.keys.is_empty() { p.dim { "No key is in force." } }
            @for key in &row.keys {
                div.row {
                    div { code { (key.id) } " " span.tag { (scheme(&key.scheme)) } }
                    span.dim { (key.account) " at " (key.venue) }
                }
            }
            @for grant in &row.grants { (grant_facts(grant)) }
        }
    }
}

fn grant_facts(grant: &Grant) -> Markup {
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
    }
}

fn words<T: Codec>(values: &[T]) -> String {
    let words: Vec<String> = values.iter().map(|v| to_json(v).replace('"', "")).collect();
    words.join(", ")
}

fn scheme(scheme: &KeyScheme) -> &'static str {
    match scheme {
        KeyScheme::Hmac => "shared secret",
        KeyScheme::Ed25519 { .. } => "Ed25519 public key",
        KeyScheme::Rsa { .. } => "RSA public key",
    }
}

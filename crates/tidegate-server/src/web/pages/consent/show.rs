//! What an app asks, in words.

use super::super::layout::{csrf, moment, note};
use super::super::{Pages, Visit};
use super::{Asked, DEVICE, Way, request_of};
use crate::clock;
use maud::{Markup, html};
use serde_json::Value;
use tidegate_identity::oauth::details::{Trading, show as written};

/// What stands where nothing may be placed.
const NO_ORDERS: &str = "no orders";

/// A term's name, and what it is.
type Row = (&'static str, String);

/// What is said of an item: where it stands in its text, what it is called, what it means if it is absent.
const TERMS: &[(&str, &str, &str)] = &[
    ("/instruments", "Instruments", "none"),
    ("/sides", "Sides", NO_ORDERS),
    ("/order_types", "Order types", NO_ORDERS),
    ("/reduce_only", "Only to reduce the position", "no"),
    ("/max_order/notional", "Largest order, USD", NO_ORDERS),
    ("/max_order/quantity", "Largest order, quantity", "as far as the USD go"),
    ("/max_open_notional", "Open orders together, USD", NO_ORDERS),
    ("/max_daily_notional", "Trades and open orders of a day, USD", "without a limit of the day"),
    ("/hours", "Hours of the day, UTC", "all"),
    ("/days", "Days of the week, UTC", "all"),
    ("/lift_halts", "Lifting halts in your name, after a fresh login", "no"),
];

impl Pages {
    pub(super) fn consent_page(&self, visit: &Visit<'_>, asked: &Asked) -> Markup {
        let content = html! {
            h1 { "Let " q { (asked.title) } " act as " (asked.client) "?" }
            p.lead {
                @match &asked.way {
                    Way::Browser { back, .. } => {
                        "The app calls itself that; it is registered as " strong { (asked.client) }
                        ", and you go back to " strong id="back" { (host(back)) } "."
                    }
                    Way::Device { .. } => {
                        "The app calls itself that; it is registered as " strong { (asked.client) }
                        ", and runs on a device. Say yes only if you began this yourself, just now."
                    }
                }
            }
            @for item in &asked.asked { (card(asked, item)) }
            section.card {
                h2 { "How long, and by which key" }
                dl.facts {
                    dt { "Holds" } dd { "for 30 days at most, and never beyond what " (asked.client) " may do at the time" }
                    dt { "Bound to" }
                    dd {
                        @match &asked.key {
                            Some(key) => { "the app's key " code { (key) } }
                            None => "a key of the app's, which it shows with every request",
                        }
                    }
                    dt { "Also acts in your name" }
                    dd id="delegates" {
                        @match asked.delegates.as_slice() {
                            [] => "nobody but the app",
                            all => {
                                @for (at, delegate) in all.iter().enumerate() {
                                    @if at > 0 { ", and for that " }
                                    strong { (delegate) }
                                }
                                ": it gets what the app hands on to it"
                            }
                        }
                    }
                    @if asked.granted.iter().any(|given| given.trade.is_some()) {
                        dt { "Counted together" }
                        dd id="counted" {
                            "limits of open orders and of the day: all that " (asked.client)
                            " trades on the account, for you and for others"
                            @if !asked.delegates.is_empty() {
                                ". Who acts in your name by its own is counted by itself: each may trade up to \
                                 these limits, and up to those that the desk gives it"
                            }
                        }
                    }
                    dt { "Digest" } dd { code id="digest" { (asked.digest()) } }
                }
                details {
                    summary { "The statement, word for word" }
                    pre.statement id="statement" { (asked.statement) }
                }
            }
            (forms(visit, asked))
        };
        self.page(visit, "Consent", &content)
    }

    pub(super) fn device_page(&self, visit: &Visit<'_>, said: Option<Markup>) -> Markup {
        let content = html! {
            h1 { "Connect a device" }
            p.lead { "Type the code that the program or device shows. You see what it asks before you decide." }
            @if let Some(said) = said { (said) }
            form.card method="post" action=(DEVICE) {
                (csrf(visit.id))
                label for="user_code" { "Code" }
                input id="user_code" name="user_code" autocomplete="off" autocapitalize="characters"
                    spellcheck="false" required autofocus maxlength="20" placeholder="XXXX-XXXX";
                button type="submit" { "Go on" }
            }
            p.hint { "Nobody but the device shows you this code. Do not type one that somebody sent you." }
        };
        self.page(visit, "Connect a device", &content)
    }
}

fn forms(visit: &Visit<'_>, asked: &Asked) -> Markup {
    let base = match &asked.way {
        Way::Browser { .. } => super::CONSENT,
        Way::Device { .. } => DEVICE,
    };
    let fields = html! {
        (csrf(visit.id))
        @match &asked.way {
            Way::Browser { request_uri, .. } => {
                input type="hidden" name="request" value=(request_of(&asked.client, request_uri));
            }
            Way::Device { code } => { input type="hidden" name="user_code" value=(code); }
        }
    };
    let shown = html! { input type="hidden" name="digest" value=(asked.digest()); };
    html! {
        @if asked.granted.is_empty() {
            (note("The app's caller may do nothing of this, so there is nothing to say yes to.", true))
        }
        div.actions {
            @if !asked.granted.is_empty() {
                form data-passkey="show" data-options=(format!("{base}/options"))
                    method="post" action=(format!("{base}/passkey")) {
                    (fields) (shown)
                    button type="submit" { "Allow with your passkey" }
                    output role="status" {}
                }
                @if asked.by_session {
                    form method="post" action=(format!("{base}/approve")) {
                        (fields) (shown)
                        button.plain type="submit" { "Allow reading" }
                    }
                }
            }
            form method="post" action=(format!("{base}/deny")) {
                (fields)
                button.danger type="submit" { "Deny" }
            }
        }
    }
}

/// One account: what is asked, and where less is given, what that is.
fn card(asked: &Asked, item: &Trading) -> Markup {
    let same = |given: &&Trading| given.venue == item.venue && given.account == item.account;
    let given = asked.granted.iter().find(same);
    html! {
        section.card {
            div.row {
                h2 { (item.account) " " span.tag { (item.venue) } }
                @match &item.trade {
                    Some(_) => span.tag.wait { "look and trade" },
                    None => span.tag { "look" },
                }
            }
            @match given {
                None => (note("It may do nothing of this now, and gets nothing of it.", true)),
                Some(given) => {
                    @let beyond = given != item;
                    dl.facts {
                        @for ((name, wanted), (_, gets)) in pairs(item, given) {
                            dt { (name) }
                            dd {
                                @if wanted == gets { (gets) }
                                @else {
                                    strong { (gets) } " "
                                    span.tag.bad { "asked: " (wanted) }
                                }
                            }
                        }
                    }
                    @if beyond {
                        p.hint { "Marked is what goes beyond what " (asked.client) " may do; it is not given." }
                    }
                }
            }
        }
    }
}

/// The terms of what is asked beside those of what is given; nothing of orders where there are none.
fn pairs(item: &Trading, given: &Trading) -> Vec<(Row, Row)> {
    let pairs = rows(item).into_iter().zip(rows(given));
    pairs.filter(|((_, wanted), _)| wanted != NO_ORDERS).collect()
}

/// The terms of an item, in the same order for every item.
fn rows(item: &Trading) -> Vec<Row> {
    let text = written::to_value(std::slice::from_ref(item));
    let said = |(at, name, absent): &(&str, &'static str, &str)| {
        let value = text.pointer(&format!("/0{at}"));
        (*name, value.map_or_else(|| (*absent).to_owned(), words))
    };
    let time = |at: Option<tidegate_types::time::Time>, absent: &str| {
        at.map_or_else(|| absent.to_owned(), |at| moment(at.millis()))
    };
    let from = item.from.filter(|from| *from > clock::now());
    let may = if item.trade.is_some() { "look and place orders" } else { "look" };
    let mut rows = vec![("May", may.to_owned())];
    let none = |name: &'static str| (name, NO_ORDERS.to_owned());
    rows.extend(TERMS.iter().map(|term| match (&item.trade, term.0) {
        (Some(_), _) | (None, "/instruments") => said(term),
        (None, _) => none(term.1),
    }));
    rows.push(("From", time(from, "at once")));
    rows.push(("Until", time(item.until, "it ends by itself or is revoked")));
    rows
}

fn words(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(values) => values.iter().map(words).collect::<Vec<_>>().join(", "),
        Value::Bool(yes) => if *yes { "yes" } else { "no" }.to_owned(),
        other => other.to_string(),
    }
}

/// The host of an address.
fn host(uri: &str) -> &str {
    let rest = uri.split_once("://").map_or(uri, |(_, rest)| rest);
    rest.split(['/', '?']).next().unwrap_or(rest)
}

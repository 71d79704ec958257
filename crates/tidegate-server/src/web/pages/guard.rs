//! What of a request is believed: whether one of our own pages sent it, its cookies and its fields.

use crate::people::PasskeyAnswer;
use percent_encoding::percent_decode_str;
use serde::Deserialize;
use std::collections::BTreeMap;
use tidegate_types::request::{Method, RawRequest};
use zeroize::Zeroizing;

/// The cookie of a session.
pub(super) const SESSION: &str = "__Host-tidegate";
/// The cookie of a login page.
pub(super) const BROWSER: &str = "__Host-tidegate-login";
/// The cookie that tells where to go after a login.
pub(super) const PLACE: &str = "__Host-tidegate-place";
/// The cookie of a login at the outside provider that is under way.
pub(super) const OUTSIDE: &str = "__Host-tidegate-outside";
/// Where a login leads to unless something waits.
const FIRST_PAGE: &str = "/console/";
/// What may wait for a login: the pages that others send people to.
const AWAITED: [&str; 2] = ["/console/consent?", "/console/device"];
/// Longest address that is kept over a login.
const MAX_PLACE: usize = 400;
/// Longest text of a browser's that is kept.
const MAX_AGENT: usize = 120;

/// What a page sent.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Sent {
    pub(super) csrf: String,
    pub(super) link: String,
    pub(super) digest: String,
    #[serde(skip)]
    pub(super) key: String,
    pub(super) answer: Option<PasskeyAnswer>,
    /// An authorization request, as its query.
    pub(super) request: String,
    /// What a device shows.
    pub(super) user_code: String,
    #[serde(skip)]
    pub(super) name: String,
    #[serde(skip)]
    pub(super) password: Zeroizing<String>,
    /// The password there is, before another one.
    #[serde(skip)]
    pub(super) current: Zeroizing<String>,
    #[serde(skip)]
    pub(super) code: Zeroizing<String>,
    #[serde(skip)]
    pub(super) number: String,
    #[serde(skip)]
    pub(super) credential: String,
    #[serde(skip)]
    pub(super) scope: String,
    #[serde(skip)]
    pub(super) reason: String,
    #[serde(skip)]
    pub(super) breaker: String,
    #[serde(skip)]
    pub(super) terms: Terms,
}

/// Figures that a form sets, by the names of its fields.
#[derive(Clone, Default)]
pub(super) struct Terms(BTreeMap<&'static str, String>);

impl Terms {
    pub(super) fn of(terms: impl IntoIterator<Item = (&'static str, String)>) -> Terms {
        Terms(terms.into_iter().collect())
    }

    /// What stands in a field; empty where nothing was sent.
    pub(super) fn get(&self, name: &str) -> &str {
        self.0.get(name).map(String::as_str).unwrap_or_default()
    }
}

/// The fields that forms of figures have.
const TERMS: [&str; 32] = [
    "account",
    "account_wide",
    "burst",
    "caller",
    "collar_bps",
    "days",
    "dead_man_s",
    "hours",
    "instruments",
    "max_daily_notional",
    "max_exposure",
    "max_mark_age_ms",
    "max_open_notional",
    "max_order_notional",
    "max_order_qty",
    "max_position_notional",
    "on_repeat",
    "option_collar_bps",
    "orders_per_second",
    "reduce_only",
    "repeat_window_ms",
    "settings",
    "sides",
    "trade",
    "type_limit",
    "type_market",
    "type_market_limit",
    "type_stop_limit",
    "type_stop_market",
    "type_take_limit",
    "type_take_market",
    "until",
];

impl Sent {
    /// The fields of a form, or of a script's JSON; nothing for a request without a body.
    pub(super) fn read(request: &RawRequest) -> Option<Sent> {
        if request.method == Method::Get {
            return Some(Sent::default());
        }
        let kind = request.header("content-type")?.split(';').next()?.trim();
        match kind {
            "application/json" => serde_json::from_slice(&request.body).ok(),
            "application/x-www-form-urlencoded" => {
                Sent::of_form(std::str::from_utf8(&request.body).ok()?)
            }
            _ => None,
        }
    }

    fn of_form(text: &str) -> Option<Sent> {
        let mut sent = Sent::default();
        let mut seen = Vec::new();
        for pair in text.split('&').filter(|pair| !pair.is_empty()) {
            let (key, value) = pair.split_once('=')?;
            if seen.contains(&key) {
                return None;
            }
            seen.push(key);
            let mut value = Zeroizing::new(decoded(value)?);
            match key {
                "csrf" => sent.csrf = std::mem::take(&mut value),
                "digest" => sent.digest = std::mem::take(&mut value),
                "request" => sent.request = std::mem::take(&mut value),
                "user_code" => sent.user_code = std::mem::take(&mut value),
                "link" => sent.link = std::mem::take(&mut value),
                "key" => sent.key = std::mem::take(&mut value),
                "name" => sent.name = std::mem::take(&mut value),
                "password" => sent.password = value,
                "current" => sent.current = value,
                "code" => sent.code = value,
                "number" => sent.number = std::mem::take(&mut value),
                "scope" => sent.scope = std::mem::take(&mut value),
                "reason" => sent.reason = std::mem::take(&mut value),
                "breaker" => sent.breaker = std::mem::take(&mut value),
                "credential" => sent.credential = std::mem::take(&mut value),
                other => {
                    let known = TERMS.iter().find(|term| **term == other)?;
                    sent.terms.0.insert(known, std::mem::take(&mut value));
                }
            }
        }
        Some(sent)
    }
}

/// Whether a page may be shown: a person went to it, or one of our own pages asks.
pub(super) fn may_look(request: &RawRequest) -> bool {
    let site = request.header("sec-fetch-site").unwrap_or("none");
    let navigates = request.header("sec-fetch-mode") == Some("navigate")
        && request.header("sec-fetch-dest") == Some("document");
    matches!(site, "none" | "same-origin") || navigates
}

/// Whether one of our own pages sent this. Browsers always say where a POST comes from.
pub(super) fn is_ours(request: &RawRequest, origin: &str) -> bool {
    let site = request.header("sec-fetch-site").unwrap_or("same-origin");
    !origin.is_empty() && request.header("origin") == Some(origin) && site == "same-origin"
}

/// A cookie that is there once.
pub(super) fn cookie<'a>(request: &'a RawRequest, name: &str) -> Option<&'a str> {
    let pairs = request.header("cookie")?.split(';').filter_map(|pair| pair.trim().split_once('='));
    let mut found = pairs.filter(|(key, _)| *key == name).map(|(_, value)| value);
    let first = found.next()?;
    found.next().is_none().then_some(first)
}

/// A parameter of the query; empty when it is not there.
pub(super) fn query(request: &RawRequest, name: &str) -> String {
    parameter(&request.query, name)
}

/// A parameter of a query; empty when it is not there.
pub(super) fn parameter(query: &str, name: &str) -> String {
    let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    let value = pairs.find(|(key, _)| *key == name).and_then(|(_, value)| decoded(value));
    value.unwrap_or_default()
}

/// The address to go back to after a login, if one waits that a cookie can hold.
pub(super) fn place(request: &RawRequest) -> Option<String> {
    let place = match request.query.as_str() {
        "" => request.path.clone(),
        query => format!("{}?{query}", request.path),
    };
    is_place(&place).then_some(place)
}

/// Where a login leads to, and whether that waited in a cookie.
pub(super) fn after_login(request: &RawRequest) -> (&str, bool) {
    match cookie(request, PLACE).filter(|place| is_place(place)) {
        Some(place) => (place, true),
        None => (FIRST_PAGE, false),
    }
}

fn is_place(text: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"/?&=%._-".contains(&b);
    text.len() <= MAX_PLACE
        && text.bytes().all(plain)
        && AWAITED.iter().any(|it| text.starts_with(it))
}

/// Where a request comes from, for the list that its person reads.
pub(super) fn source(request: &RawRequest) -> String {
    let agent = request.header("user-agent").unwrap_or("an unnamed browser");
    let agent = agent.get(..agent.floor_char_boundary(MAX_AGENT)).unwrap_or_default();
    format!("{} {agent}", request.peer)
}

/// A value of a form.
fn decoded(text: &str) -> Option<String> {
    let spaced = text.replace('+', " ");
    percent_decode_str(&spaced).decode_utf8().ok().map(std::borrow::Cow::into_owned)
}

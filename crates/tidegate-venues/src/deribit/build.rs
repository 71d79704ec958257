//! Calls worded and signed for the venue.
//!
//! What changes state goes as POST, which nothing on the way repeats; reads go as GET. All carry a
//! `deri-hmac-sha256` signature, for which the venue wants an HMAC key. A key with an asymmetric
//! pair can do nothing there but open a session by `client_signature`.

use super::auth::to_hex;
use super::methods::{self, Kind};
use super::rpc::{SOCKET, call as frame, target};
use super::{names, orders};
use crate::upstream::{BuildError, KeySigner};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Number, Value};
use tidegate_types::call::{Call, CallBody, OrderRef, WireRequest};
use tidegate_types::decimal::Decimal;
use tidegate_types::ids::CallId;
use tidegate_types::order::{NewOrder, PostOnly, Side};
use tidegate_types::time::{Span, Time};

/// What the private stream may do: read. It never trades, so its token need not be able to.
const STREAM_SCOPE: &str = "connection trade:read account:read wallet:none";
/// The id of the stream's login.
pub(crate) const LOGIN_ID: u64 = 1;

/// How far the venue's clock may be ahead.
const AHEAD: Span = Span::from_secs(60);

/// The reads that make up a snapshot of the account. The venue counts trigger orders among all
/// open orders; asking for them again costs little and does not depend on that.
pub(crate) const SNAPSHOT: &[(&str, &[(&str, &str)])] = &[
    ("private/get_open_orders", &[]),
    ("private/get_open_orders", &[("type", "trigger_all")]),
    ("private/get_positions", &[]),
    ("private/get_account_summaries", &[]),
];

/// Words and signs a call.
pub(crate) fn build(
    call: &Call,
    signer: &dyn KeySigner,
    now: Time,
) -> Result<WireRequest, BuildError> {
    let read = |route: &str, params: &[(&str, &str)]| {
        get(signer, target(route, params.iter().copied()), now)
    };
    match &call.body {
        CallBody::Place { order, client_id, deadline } => {
            let route = if order.side == Side::Buy { "private/buy" } else { "private/sell" };
            post(signer, call.id, route, place(order, client_id.as_str(), *deadline)?, now)
        }
        CallBody::Amend { .. } => {
            let (route, params) = amend(&call.body)?;
            post(signer, call.id, route, params, now)
        }
        CallBody::Cancel { order } => {
            let (route, params) = cancel(order)?;
            post(signer, call.id, route, params, now)
        }
        CallBody::DeadMan { .. } => {
            Err(BuildError::Unsupported("cancel on disconnect is for orders of a connection"))
        }
        CallBody::Set { route, .. } => Err(BuildError::UnknownRoute(route.clone())),
        CallBody::Read { route, params } => {
            let params = checked(route, params)?;
            read(route, &params)
        }
        CallBody::QueryOrder { order } => {
            let (route, params) = query(order)?;
            let params: Vec<_> = params.iter().map(|(name, value)| (*name, *value)).collect();
            read(route, &params)
        }
        CallBody::Snapshot { part } => {
            let (route, params) =
                usize::try_from(*part)
                    .ok()
                    .and_then(|part| SNAPSHOT.get(part))
                    .ok_or(BuildError::Unsupported("the snapshot has no such part"))?;
            read(route, params)
        }
        CallBody::Trades { instrument, since } => {
            let (since, until) = (since.millis().to_string(), now.millis() + AHEAD.millis());
            let params = [
                ("instrument_name", instrument.name.as_str()),
                ("start_timestamp", since.as_str()),
                ("end_timestamp", &until.to_string()),
                ("count", "1000"),
                ("sorting", "asc"),
            ];
            read("private/get_user_trades_by_instrument_and_time", &params)
        }
        CallBody::Session { step: 0 } => login(signer, now),
        CallBody::Session { .. } => Err(BuildError::Unsupported("the session has one step")),
    }
}

fn place(order: &NewOrder, label: &str, deadline: Time) -> Result<Map<String, Value>, BuildError> {
    let mut params = Params::new();
    params.text("instrument_name", order.instrument.name.as_str());
    params.number("amount", order.qty.0)?;
    params.text("type", orders::type_word(order.order_type));
    params.text("label", label);
    if let Some(price) = order.price {
        params.number("price", price.0)?;
    }
    match orders::time_word(order.time_in_force) {
        Some("good_til_cancelled") => {}
        Some(word) => params.text("time_in_force", word),
        None => return Err(BuildError::Unsupported("the venue has no good-till-date")),
    }
    if order.self_trade.is_some() {
        return Err(BuildError::Unsupported("self-trade prevention is set for the whole account"));
    }
    params.post_only(order.post_only);
    if order.reduce_only {
        params.flag("reduce_only", true);
    }
    if let Some(trigger) = &order.trigger {
        params.text("trigger", orders::trigger_word(trigger.by));
        params.number("trigger_price", trigger.price.0)?;
    }
    let until = order.valid_until.map_or(deadline, |until| until.min(deadline));
    params.whole("valid_until", until.millis());
    Ok(params.0)
}

type Worded = (&'static str, Map<String, Value>);

fn amend(body: &CallBody) -> Result<Worded, BuildError> {
    let CallBody::Amend {
        order,
        side: _,
        qty,
        price,
        trigger_price,
        post_only,
        reduce_only,
        deadline,
    } = body
    else {
        return Err(BuildError::Unsupported("not a change of an order"));
    };
    let mut params = Params::new();
    let route = match (&order.venue_id, &order.client_id) {
        (Some(id), _) => {
            params.text("order_id", id.as_str());
            "private/edit"
        }
        (None, Some(id)) => {
            params.text("label", id.as_str());
            params.text("instrument_name", order.instrument.name.as_str());
            "private/edit_by_label"
        }
        (None, None) => return Err(NAMELESS),
    };
    params.number("amount", qty.0)?;
    if let Some(price) = price {
        params.number("price", price.0)?;
    }
    if let Some(price) = trigger_price {
        params.number("trigger_price", price.0)?;
    }
    match post_only {
        Some(PostOnly::No) => params.flag("post_only", false),
        Some(post_only) => params.post_only(*post_only),
        None => {}
    }
    if let Some(reduce_only) = reduce_only {
        params.flag("reduce_only", *reduce_only);
    }
    params.whole("valid_until", deadline.millis());
    Ok((route, params.0))
}

fn cancel(order: &OrderRef) -> Result<Worded, BuildError> {
    let mut params = Params::new();
    match (&order.venue_id, &order.client_id) {
        (Some(id), _) => {
            params.text("order_id", id.as_str());
            Ok(("private/cancel", params.0))
        }
        (None, Some(id)) => {
            params.text("label", id.as_str());
            params.text("currency", names::currency(order.instrument.name.as_str()));
            Ok(("private/cancel_by_label", params.0))
        }
        (None, None) => Err(NAMELESS),
    }
}

type Query<'a> = (&'static str, Vec<(&'static str, &'a str)>);

/// By our own id where there is one: it also finds what a trigger order became.
fn query(order: &OrderRef) -> Result<Query<'_>, BuildError> {
    match (&order.client_id, &order.venue_id) {
        (Some(id), _) => Ok((
            "private/get_order_state_by_label",
            vec![
                ("currency", names::currency(order.instrument.name.as_str())),
                ("label", id.as_str()),
            ],
        )),
        (None, Some(id)) => Ok(("private/get_order_state", vec![("order_id", id.as_str())])),
        (None, None) => Err(NAMELESS),
    }
}

const NAMELESS: BuildError = BuildError::Unsupported("the order has no id");

/// The parameters of a read, if its route is one for reading and takes them.
fn checked<'a>(
    route: &str,
    params: &'a [(String, String)],
) -> Result<Vec<(&'a str, &'a str)>, BuildError> {
    let unknown = || BuildError::UnknownRoute(route.to_owned());
    let method = methods::find(route).ok_or_else(unknown)?;
    if !matches!(method.kind, Kind::Read | Kind::ReadOrder | Kind::ReadLabel | Kind::Own) {
        return Err(unknown());
    }
    let pairs = params.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let known =
        |(name, value): (&'a str, &'a str)| method.params.contains(&name).then_some((name, value));
    pairs
        .map(known)
        .collect::<Option<_>>()
        .ok_or(BuildError::Unsupported("the route does not take the parameter"))
}

fn get(signer: &dyn KeySigner, target: String, now: Time) -> Result<WireRequest, BuildError> {
    let authorization = authorize(signer, "GET", &target, "", now)?;
    let headers = vec![("authorization".into(), authorization)];
    Ok(WireRequest { method: "GET".into(), target, headers, body: String::new() })
}

fn post(
    signer: &dyn KeySigner,
    id: CallId,
    route: &str,
    params: Map<String, Value>,
    now: Time,
) -> Result<WireRequest, BuildError> {
    let (target, body) = (target(route, []), frame(id.0, route, params));
    let authorization = authorize(signer, "POST", &target, &body, now)?;
    let headers = vec![
        ("authorization".into(), authorization),
        ("content-type".into(), "application/json".into()),
    ];
    Ok(WireRequest { method: "POST".into(), target, headers, body })
}

/// The `Authorization` header over time stamp, nonce, method, target and body, each ended by a
/// line feed.
fn authorize(
    signer: &dyn KeySigner,
    method: &str,
    target: &str,
    body: &str,
    now: Time,
) -> Result<String, BuildError> {
    let (ts, nonce) = (now.millis(), signer.nonce());
    let text = format!("{ts}\n{nonce}\n{method}\n{target}\n{body}\n");
    let sig = signer.hmac_sha256(text.as_bytes()).ok_or(BuildError::Key(
        "the venue takes signed requests from keys with a secret only; import one",
    ))?;
    let (id, sig) = (signer.key_id(), to_hex(&sig));
    Ok(format!("deri-hmac-sha256 id={id},ts={ts},sig={sig},nonce={nonce}"))
}

/// `public/auth` by `client_signature`, for the private stream's socket.
fn login(signer: &dyn KeySigner, now: Time) -> Result<WireRequest, BuildError> {
    let (ts, nonce) = (now.millis(), signer.nonce());
    let text = format!("{ts}\n{nonce}\n");
    let signature = match signer.hmac_sha256(text.as_bytes()) {
        Some(sig) => to_hex(&sig),
        None => {
            let sig = signer.ed25519(text.as_bytes());
            URL_SAFE_NO_PAD.encode(sig.ok_or(BuildError::Key("the key cannot sign"))?)
        }
    };
    let mut params = Params::new();
    params.text("grant_type", "client_signature");
    params.text("client_id", signer.key_id());
    params.whole("timestamp", ts);
    params.text("nonce", &nonce);
    params.text("data", "");
    params.text("signature", &signature);
    params.text("scope", STREAM_SCOPE);
    Ok(WireRequest {
        method: "WS".into(),
        target: SOCKET.into(),
        headers: Vec::new(),
        body: frame(LOGIN_ID, "public/auth", params.0),
    })
}

/// Parameters being put together.
struct Params(Map<String, Value>);

impl Params {
    fn new() -> Params {
        Params(Map::new())
    }

    fn text(&mut self, name: &str, text: &str) {
        self.0.insert(name.into(), text.into());
    }

    fn flag(&mut self, name: &str, flag: bool) {
        self.0.insert(name.into(), flag.into());
    }

    fn whole(&mut self, name: &str, number: u64) {
        self.0.insert(name.into(), number.into());
    }

    fn number(&mut self, name: &str, number: Decimal) -> Result<(), BuildError> {
        let number: Number =
            number.to_string().parse().map_err(|_| BuildError::Unsupported("a bad number"))?;
        self.0.insert(name.into(), Value::Number(number));
        Ok(())
    }

    fn post_only(&mut self, post_only: PostOnly) {
        match post_only {
            PostOnly::No => {}
            PostOnly::Slide => self.flag("post_only", true),
            PostOnly::Reject => {
                self.flag("post_only", true);
                self.flag("reject_post_only", true);
            }
        }
    }
}

#[cfg(test)]
mod tests;

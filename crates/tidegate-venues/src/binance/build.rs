//! How calls are worded and signed: everything in the query, for every method.

use super::auth::KEY_HEADER;
use super::params;
use super::routes::{self, ENVELOPE, Use};
use crate::upstream::{BuildError, KeySigner};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use tidegate_types::call::{Call, CallBody, OrderRef, WireRequest};
use tidegate_types::ids::ClientId;
use tidegate_types::instrument::{Price, Qty};
use tidegate_types::limits::ORDER_DEADLINE;
use tidegate_types::order::{
    NewOrder, OrderType, PostOnly, SelfTrade, Side, TimeInForce, TriggerBy,
};
use tidegate_types::time::Time;

/// The route that tells a key's rights; not served to callers.
pub(crate) const RIGHTS_ROUTE: &str = "GET /sapi/v1/account/apiRestrictions";

/// A request before it is signed.
struct Draft {
    method: &'static str,
    path: String,
    params: Vec<(String, String)>,
    signed: bool,
}

/// Words and signs a call.
pub(crate) fn build(
    call: &Call,
    signer: &dyn KeySigner,
    now: Time,
) -> Result<WireRequest, BuildError> {
    let mut draft = draft(&call.body, now)?;
    if draft.signed {
        if !draft.params.iter().any(|(name, _)| name == "recvWindow") {
            draft.push("recvWindow", ORDER_DEADLINE.millis());
        }
        draft.push("timestamp", now.millis());
    }
    let pairs = draft.params.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let mut query = params::query(pairs);
    if draft.signed {
        let signature = signature(&query, signer)?;
        query.push_str("&signature=");
        query.push_str(&signature);
    }
    let target = if query.is_empty() { draft.path } else { format!("{}?{query}", draft.path) };
    Ok(WireRequest {
        method: draft.method.to_owned(),
        target,
        headers: vec![(KEY_HEADER.to_owned(), signer.key_id().to_owned())],
        body: String::new(),
    })
}

fn signature(query: &str, signer: &dyn KeySigner) -> Result<String, BuildError> {
    if let Some(mac) = signer.hmac_sha256(query.as_bytes()) {
        return Ok(hex(&mac));
    }
    let signature = signer.ed25519(query.as_bytes()).map(|bytes| STANDARD.encode(bytes));
    let signature = signature.ok_or(BuildError::Key("an HMAC or Ed25519 key"))?;
    Ok(params::encode(&signature))
}

fn hex(bytes: &[u8]) -> String {
    let digit = |nibble: u8| char::from_digit(nibble.into(), 16);
    bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]).filter_map(digit).collect()
}

impl Draft {
    fn signed(method: &'static str, path: &str) -> Draft {
        Draft { method, path: path.to_owned(), params: Vec::with_capacity(16), signed: true }
    }

    fn push(&mut self, name: &str, value: impl ToString) {
        self.params.push((name.to_owned(), value.to_string()));
    }

    fn push_some(&mut self, name: &str, value: Option<impl ToString>) {
        if let Some(value) = value {
            self.push(name, value);
        }
    }
}

fn draft(body: &CallBody, now: Time) -> Result<Draft, BuildError> {
    match body {
        CallBody::Place { order, client_id, deadline } => {
            let mut draft = place(order, client_id)?;
            draft.push("recvWindow", window(*deadline, now)?);
            Ok(draft)
        }
        CallBody::Amend { order, side, qty, price, reduce_only, deadline, .. } => {
            let mut draft = amend(order, *side, *qty, *price, body)?;
            draft.push_some("reduceOnly", *reduce_only);
            draft.push("recvWindow", window(*deadline, now)?);
            Ok(draft)
        }
        CallBody::Cancel { order } => named_order("DELETE", order),
        CallBody::DeadMan { instrument, after } => {
            let mut draft = Draft::signed("POST", "/fapi/v1/countdownCancelAll");
            draft.push("symbol", &instrument.name);
            draft.push("countdownTime", after.millis());
            Ok(draft)
        }
        CallBody::QueryOrder { order } => named_order("GET", order),
        CallBody::Set { route, params } => tabled(route, params, &[Use::Set]),
        CallBody::Read { route, params } if route == RIGHTS_ROUTE && params.is_empty() => {
            Ok(Draft::signed("GET", "/sapi/v1/account/apiRestrictions"))
        }
        CallBody::Read { route, params } => {
            tabled(route, params, &[Use::Read, Use::ReadOrder, Use::ReadAlgo])
        }
        CallBody::Snapshot { part } => match super::snapshot::path(*part) {
            Some(path) => Ok(Draft::signed("GET", path)),
            None => Err(BuildError::Unsupported("a snapshot part that there is not")),
        },
        CallBody::Trades { instrument, since } => {
            let mut draft = Draft::signed("GET", "/fapi/v1/userTrades");
            draft.push("symbol", &instrument.name);
            draft.push("startTime", since.millis());
            draft.push("limit", 1000);
            Ok(draft)
        }
        CallBody::Session { step } => {
            let method = match step {
                0 => "POST",
                1 => "PUT",
                _ => return Err(BuildError::Unsupported("a session step that there is not")),
            };
            Ok(Draft { signed: false, ..Draft::signed(method, "/fapi/v1/listenKey") })
        }
    }
}

/// How long the venue may take, in ms: until the deadline, and never beyond what any order gets.
fn window(deadline: Time, now: Time) -> Result<u64, BuildError> {
    match deadline.since(now).min(ORDER_DEADLINE).millis() {
        0 => Err(BuildError::Unsupported("an order whose deadline has passed")),
        window => Ok(window),
    }
}

fn side_word(side: Side) -> &'static str {
    match side {
        Side::Buy => "BUY",
        Side::Sell => "SELL",
    }
}

fn type_word(order_type: OrderType) -> Result<&'static str, BuildError> {
    match order_type {
        OrderType::Limit => Ok("LIMIT"),
        OrderType::Market => Ok("MARKET"),
        OrderType::StopMarket => Ok("STOP_MARKET"),
        OrderType::StopLimit => Ok("STOP"),
        OrderType::TakeMarket => Ok("TAKE_PROFIT_MARKET"),
        OrderType::TakeLimit => Ok("TAKE_PROFIT"),
        OrderType::MarketLimit => Err(BuildError::Unsupported("a market-limit order")),
    }
}

fn place(order: &NewOrder, client_id: &ClientId) -> Result<Draft, BuildError> {
    let conditional = order.order_type.is_conditional();
    let path = if conditional { "/fapi/v1/algoOrder" } else { "/fapi/v1/order" };
    let mut draft = Draft::signed("POST", path);
    if conditional {
        draft.push("algoType", "CONDITIONAL");
    }
    draft.push("symbol", &order.instrument.name);
    draft.push("side", side_word(order.side));
    draft.push("type", type_word(order.order_type)?);
    time_in_force(&mut draft, order)?;
    draft.push("quantity", order.qty);
    draft.push_some("price", order.price);
    if let Some(trigger) = &order.trigger {
        draft.push("triggerPrice", trigger.price);
        draft.push(
            "workingType",
            match trigger.by {
                TriggerBy::Mark => "MARK_PRICE",
                TriggerBy::Last => "CONTRACT_PRICE",
                TriggerBy::Index => return Err(BuildError::Unsupported("a trigger on the index")),
            },
        );
    }
    if order.reduce_only {
        draft.push("reduceOnly", true);
    }
    if let Some(mode) = order.self_trade {
        draft.push(
            "selfTradePreventionMode",
            match mode {
                SelfTrade::ExpireTaker => "EXPIRE_TAKER",
                SelfTrade::ExpireMaker => "EXPIRE_MAKER",
                SelfTrade::ExpireBoth => "EXPIRE_BOTH",
            },
        );
    }
    draft.push(if conditional { "clientAlgoId" } else { "newClientOrderId" }, client_id);
    draft.push("newOrderRespType", if order.full_answer { "RESULT" } else { "ACK" });
    Ok(draft)
}

fn time_in_force(draft: &mut Draft, order: &NewOrder) -> Result<(), BuildError> {
    let word = match (order.time_in_force, order.post_only) {
        (TimeInForce::GoodTilCancelled, PostOnly::No) => "GTC",
        (TimeInForce::GoodTilCancelled, PostOnly::Reject) => "GTX",
        (TimeInForce::ImmediateOrCancel, PostOnly::No) => "IOC",
        (TimeInForce::FillOrKill, PostOnly::No) => "FOK",
        (TimeInForce::GoodTilDate { .. }, PostOnly::No) => "GTD",
        (TimeInForce::GoodTilDay, _) => {
            return Err(BuildError::Unsupported("an order for the day"));
        }
        (_, PostOnly::Slide) => return Err(BuildError::Unsupported("a sliding maker-only order")),
        (_, PostOnly::Reject) => {
            return Err(BuildError::Unsupported("maker-only with this time in force"));
        }
    };
    // A plain market order has none.
    if order.order_type.has_price() || order.order_type.is_conditional() {
        draft.push("timeInForce", word);
    }
    if let TimeInForce::GoodTilDate { until } = order.time_in_force {
        draft.push("goodTillDate", until.millis());
    }
    Ok(())
}

fn amend(
    order: &OrderRef,
    side: Side,
    qty: Qty,
    price: Option<Price>,
    body: &CallBody,
) -> Result<Draft, BuildError> {
    if let CallBody::Amend { trigger_price: Some(_), .. }
    | CallBody::Amend { post_only: Some(_), .. } = body
    {
        return Err(BuildError::Unsupported("a change of trigger or of maker-only"));
    }
    if order.conditional {
        return Err(BuildError::Unsupported("a change of a conditional order"));
    }
    let price = price.ok_or(BuildError::Unsupported("a change without a price"))?;
    let mut draft = named_order("PUT", order)?;
    draft.push("side", side_word(side));
    draft.push("quantity", qty);
    draft.push("price", price);
    Ok(draft)
}

/// A request about one order, by the venue's id when it is known.
fn named_order(method: &'static str, order: &OrderRef) -> Result<Draft, BuildError> {
    let mut draft = if order.conditional {
        Draft::signed(method, "/fapi/v1/algoOrder")
    } else {
        let mut draft = Draft::signed(method, "/fapi/v1/order");
        draft.push("symbol", &order.instrument.name);
        draft
    };
    let (venue, client) = if order.conditional {
        ("algoId", "clientAlgoId")
    } else {
        ("orderId", "origClientOrderId")
    };
    match (&order.venue_id, &order.client_id) {
        (Some(id), _) => draft.push(venue, id),
        (None, Some(id)) => draft.push(client, id),
        (None, None) => return Err(BuildError::Unsupported("an order without an id")),
    }
    Ok(draft)
}

/// A request by the table of routes, with parameters that the table knows.
fn tabled(name: &str, params: &[(String, String)], allowed: &[Use]) -> Result<Draft, BuildError> {
    let route = routes::named(name).filter(|route| allowed.contains(&route.purpose));
    let route = route.ok_or_else(|| BuildError::UnknownRoute(name.to_owned()))?;
    for (at, (name, _)) in params.iter().enumerate() {
        let again = params.iter().skip(at + 1).any(|(other, _)| other == name);
        if again || ENVELOPE.contains(&name.as_str()) || !route.takes(name) {
            return Err(BuildError::Unsupported("a parameter that the route does not take"));
        }
    }
    let mut draft = Draft::signed(route.method.as_str(), route.path);
    draft.params.extend(params.iter().cloned());
    Ok(draft)
}

#[cfg(test)]
mod tests;

//! The venue's own answers as a caller may see them, and the gateway's own in the venue's words.

use super::errors::{self, About};
use super::paging;
use super::routes::{self, Use};
use crate::front::{Context, LocalAnswer, Shown, Viewer};
use crate::raw::Raw;
use serde_json::{Map, Value, json};
use std::borrow::Cow;
use tidegate_types::reject::{Code, Reject};
use tidegate_types::request::Reply;

/// Private reads whose rows are orders or trades.
const ROWS: &[&str] = &[
    "/fapi/v1/openOrders",
    "/fapi/v1/allOrders",
    "/fapi/v1/userTrades",
    "/fapi/v1/forceOrders",
    "/fapi/v1/openAlgoOrders",
    "/fapi/v1/allAlgoOrders",
];

/// What the account earned and paid, for trades among others.
const INCOME: &str = "/fapi/v1/income";

/// The venue's answer as this viewer may see it.
pub(crate) fn pass(context: &Context, mut reply: Reply, viewer: &Viewer<'_>) -> Reply {
    reply.headers.retain(|(name, _)| passes(name));
    let route = context.0.get("route").and_then(Value::as_str).and_then(routes::named);
    let Some(route) = route.filter(|_| reply.status < 400) else { return reply };
    let answer = || Raw::read(&reply.body).ok();
    let shown = match route.purpose {
        Use::Place
        | Use::Amend
        | Use::Cancel
        | Use::PlaceAlgo
        | Use::CancelAlgo
        | Use::BatchPlace
        | Use::BatchAmend
        | Use::BatchCancel => {
            answer().map(|answer| restore(answer, viewer).unwrap_or(answer.json().into()))
        }
        Use::ReadOrder | Use::ReadAlgo => answer().and_then(|answer| restore(answer, viewer)),
        Use::Read if ROWS.contains(&route.path) => answer().and_then(|answer| {
            let mut rows = rows(answer, viewer)?;
            paging::cut(&mut rows, context);
            Some(list(&rows))
        }),
        Use::Read if route.path == INCOME => answer().and_then(|answer| income(answer, viewer)),
        Use::Read
        | Use::Public
        | Use::Foreign
        | Use::CancelAll
        | Use::CancelAllAlgo
        | Use::Set
        | Use::Empty
        | Use::StreamStart
        | Use::StreamKeep
        | Use::StreamStop
        | Use::Countdown => return reply,
    };
    match shown {
        Some(shown) => Reply { body: shown.into_owned().into_bytes(), ..reply },
        // Not the caller's, or not what the venue sends there: nothing of it is shown.
        None => not_there(route.purpose),
    }
}

fn not_there(purpose: Use) -> Reply {
    let reject = Reject::new(Code::OrderNotFound, "");
    errors::reply(&reject, About { purpose: Some(purpose), ..About::default() })
}

/// The gateway's own answer in the venue's words.
pub(crate) fn answer(context: &Context, answer: &LocalAnswer) -> Reply {
    match answer {
        LocalAnswer::Cancelled { failed: 0, .. } => {
            ok(&json!({"code": 200, "msg": "The operation of cancel all open order is done."}))
        }
        LocalAnswer::Cancelled { done, failed } => {
            let words = format!("Batch cancel failure: {done} cancelled, {failed} not.");
            let body = json!({"code": -2012, "msg": words}).to_string().into_bytes();
            Reply { status: 400, headers: json_header(), body }
        }
        LocalAnswer::Batch(replies) => {
            let rows = replies.iter().map(|reply| {
                serde_json::from_slice(&reply.body)
                    .unwrap_or_else(|_| json!({"code": -1000, "msg": UNREADABLE}))
            });
            let mut reply = ok(&Value::Array(rows.collect()));
            if let Some(last) = replies.iter().rev().find(|reply| reply.status < 400) {
                let kept = last.headers.iter().filter(|(name, _)| name.starts_with("x-mbx-"));
                reply.headers.extend(kept.cloned());
            }
            reply
        }
        LocalAnswer::StreamKey(key) => ok(&json!({"listenKey": key})),
        LocalAnswer::Done if purpose(context) == Some(Use::Set) => {
            ok(&json!({"code": 200, "msg": "success"}))
        }
        LocalAnswer::Done if purpose(context) == Some(Use::Countdown) => {
            let of = |name: &str| context.0.get(name);
            let time = of("countdownTime").and_then(Value::as_u64).unwrap_or_default();
            ok(&json!({"symbol": of("symbol"), "countdownTime": time.to_string()}))
        }
        // There are no logins over HTTP and no cancel-on-disconnect at this venue.
        LocalAnswer::Done | LocalAnswer::Login { .. } | LocalAnswer::CancelOnDisconnect { .. } => {
            ok(&json!({}))
        }
    }
}

/// A frame of the venue's private stream as this viewer may see it.
pub(crate) fn frame(frame: &Value, viewer: &Viewer<'_>) -> Option<Value> {
    match frame.get("e").and_then(Value::as_str)? {
        "ORDER_TRADE_UPDATE" => nested(frame, "o", &["c", "i"], viewer),
        "ALGO_UPDATE" => nested(frame, "o", &["caid", "aid"], viewer),
        "CONDITIONAL_ORDER_TRIGGER_REJECT" => nested(frame, "or", &["", "i"], viewer),
        "TRADE_LITE" => {
            let mut shown = frame.clone();
            let object = shown.as_object_mut()?;
            rename(object, "c", "i", viewer).then_some(shown)
        }
        "ACCOUNT_UPDATE" | "ACCOUNT_CONFIG_UPDATE" | "MARGIN_CALL" => Some(frame.clone()),
        // Orders of strategies that Tidegate does not place, and the real listen key's end.
        _ => None,
    }
}

const UNREADABLE: &str = "An unknown error occurred while processing the request.";

fn json_header() -> Vec<(String, String)> {
    vec![("content-type".to_owned(), "application/json".to_owned())]
}

fn ok(body: &Value) -> Reply {
    Reply { status: 200, headers: json_header(), body: body.to_string().into_bytes() }
}

fn purpose(context: &Context) -> Option<Use> {
    let route = context.0.get("route").and_then(Value::as_str).and_then(routes::named);
    route.map(|route| route.purpose)
}

/// The headers that tell a caller about limits; the others are between the venue and Tidegate.
fn passes(name: &str) -> bool {
    name == "content-type" || name == "retry-after" || name.starts_with("x-mbx-")
}

/// The rows that the viewer may see, each under its owner's id.
fn rows<'a>(answer: Raw<'a>, viewer: &Viewer<'_>) -> Option<Vec<Cow<'a, str>>> {
    let rows = answer.items()?;
    Some(rows.into_iter().filter_map(|row| restore(row, viewer)).collect())
}

/// The rows that are the account's. Those of trades do not say whose they are.
fn income<'a>(answer: Raw<'a>, viewer: &Viewer<'_>) -> Option<Cow<'a, str>> {
    let of_account = |row: &Raw<'_>| match row.fields().and_then(|row| row.get("tradeId")) {
        None => true,
        Some(id) => matches!(id.json(), "null" | "\"\""),
    };
    let mut rows = answer.items()?;
    rows.retain(|row| viewer.account_wide || of_account(row));
    let rows: Vec<Cow<'_, str>> = rows.into_iter().map(|row| row.json().into()).collect();
    Some(list(&rows))
}

fn list(rows: &[Cow<'_, str>]) -> Cow<'static, str> {
    format!("[{}]", rows.join(",")).into()
}

/// An order, a trade or a list of either under its owner's id; nothing if it is not to be seen.
fn restore<'a>(value: Raw<'a>, viewer: &Viewer<'_>) -> Option<Cow<'a, str>> {
    let Some(order) = value.fields() else { return rows(value, viewer).map(|rows| list(&rows)) };
    let (client, venue) = match order.get("algoId") {
        Some(_) => ("clientAlgoId", "algoId"),
        None => ("clientOrderId", "orderId"),
    };
    let venue_id = order.get(venue).and_then(Raw::word);
    match viewer.shown(order.text(client).as_deref(), venue_id.as_deref()) {
        Shown::Hidden => None,
        Shown::Visible(None) => Some(value.json().into()),
        Shown::Visible(Some(id)) => Some(order.with_text(value.json(), client, id.as_str()).into()),
    }
}

fn nested(frame: &Value, part: &str, ids: &[&str; 2], viewer: &Viewer<'_>) -> Option<Value> {
    let [client, venue] = ids;
    let mut shown = frame.clone();
    let order = shown.get_mut(part)?.as_object_mut()?;
    rename(order, client, venue, viewer).then_some(shown)
}

/// Puts the owner's id in place of Tidegate's; whether the viewer may see the order.
fn rename(order: &mut Map<String, Value>, client: &str, venue: &str, viewer: &Viewer<'_>) -> bool {
    let client_id = order.get(client).and_then(Value::as_str);
    let venue_id = order.get(venue).map(|id| match id {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    });
    match viewer.shown(client_id, venue_id.as_deref()) {
        Shown::Hidden => false,
        Shown::Visible(None) => true,
        Shown::Visible(Some(id)) => {
            if let Some(shown) = order.get_mut(client) {
                *shown = Value::String(id.as_str().to_owned());
            }
            true
        }
    }
}

#[cfg(test)]
mod tests;

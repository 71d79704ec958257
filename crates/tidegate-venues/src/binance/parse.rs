//! What a request asks for: every parameter modelled, known to be ignorable, or refused.

use super::errors::{illegal, missing, said};
use super::order;
use super::paging;
use super::params::{self, Params};
use super::routes::{self, Route, Use};
use crate::front::{Asked, Context, Instruments, Local, Parsed, Read, StreamKey};
use crate::json;
use serde_json::{Value, json};
use tidegate_types::call::WireRequest;
use tidegate_types::ids::{CallerOrderId, VenueOrderId};
use tidegate_types::order::{
    AmendOrder, CancelFilter, CancelOrder, Guard, Intent, OrderName, Setting,
};
use tidegate_types::reject::{Code, Reject};
use tidegate_types::request::Reply;
use tidegate_types::time::Span;

/// Most orders in a batch that places or amends.
const MAX_BATCH: usize = 5;
/// Most orders in a batch that cancels.
const MAX_BATCH_CANCEL: usize = 10;

/// What a request to this route with these parameters asks for.
pub(crate) fn parse(
    route: &Route,
    sent: &Params,
    instruments: &Instruments,
) -> Result<Parsed, Reject> {
    sent.check(route)?;
    let mut context = context(route, sent);
    let asked = match route.purpose {
        Use::Public | Use::Foreign => Asked::Public(public(route, sent)),
        Use::Place => Asked::Trade(Intent::New { order: order::plain(sent, instruments)? }),
        Use::PlaceAlgo => {
            Asked::Trade(Intent::New { order: order::conditional(sent, instruments)? })
        }
        Use::Amend => Asked::Trade(amend(sent, instruments)?),
        Use::Cancel => Asked::Trade(cancel(sent, instruments)?),
        Use::CancelAlgo => {
            let order = algo_name(sent)?;
            Asked::Trade(Intent::Cancel { cancel: CancelOrder { order, instrument: None } })
        }
        Use::BatchPlace => batch(sent, |leg| {
            leg.check_names(routes::NEW_ORDER)?;
            order::plain(leg, instruments).map(|order| Intent::New { order })
        })?,
        Use::BatchAmend => batch(sent, |leg| {
            leg.check_names(routes::AMEND)?;
            amend(leg, instruments)
        })?,
        Use::BatchCancel => batch_cancel(sent, instruments)?,
        Use::CancelAll => cancel_all(sent, instruments, false)?,
        Use::CancelAllAlgo => cancel_all(sent, instruments, true)?,
        Use::Set => Asked::Trade(Intent::Set { setting: setting(route, sent, instruments)? }),
        Use::Read => {
            let mut params = sent.sent_on();
            paging::widen(route, &mut params, &mut context);
            Asked::Read(read(route, params, None))
        }
        Use::ReadOrder => {
            let symbol = order::instrument(sent, instruments)?.id.name.to_string();
            let name = Some(order_name(sent)?);
            Asked::Read(read(route, vec![("symbol".to_owned(), symbol)], name))
        }
        Use::ReadAlgo => Asked::Read(read(route, Vec::new(), Some(algo_name(sent)?))),
        Use::Empty => Asked::Local(Local::Fixed(empty_list())),
        Use::StreamStart => Asked::Local(Local::StreamKey(StreamKey::Start)),
        Use::StreamKeep => Asked::Local(Local::StreamKey(StreamKey::Keep)),
        Use::StreamStop => Asked::Local(Local::StreamKey(StreamKey::Stop)),
        Use::Countdown => Asked::Trade(Intent::Guard { guard: countdown(sent, instruments)? }),
    };
    Ok(Parsed { asked, context })
}

/// What the answer needs of the request.
pub(crate) fn context(route: &Route, sent: &Params) -> Context {
    if route.purpose == Use::Countdown {
        // The answer repeats the request.
        let (symbol, time) = (sent.get("symbol"), sent.whole("countdownTime").ok().flatten());
        return Context(json!({"route": route.name(), "symbol": symbol, "countdownTime": time}));
    }
    Context(match sent.get("side") {
        Some(side @ ("BUY" | "SELL")) => json!({"route": route.name(), "side": side}),
        _ => json!({"route": route.name()}),
    })
}

fn public(route: &Route, sent: &Params) -> WireRequest {
    let sent = sent.sent_on();
    let query = params::query(sent.iter().map(|(name, value)| (name.as_str(), value.as_str())));
    let target =
        if query.is_empty() { route.path.to_owned() } else { format!("{}?{query}", route.path) };
    WireRequest {
        method: route.method.as_str().to_owned(),
        target,
        headers: Vec::new(),
        body: String::new(),
    }
}

fn read(route: &Route, params: Vec<(String, String)>, order: Option<OrderName>) -> Read {
    Read { route: route.name(), params, order }
}

fn empty_list() -> Reply {
    let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
    Reply { status: 200, headers, body: b"[]".to_vec() }
}

fn amend(sent: &Params, instruments: &Instruments) -> Result<Intent, Reject> {
    let instrument = order::instrument(sent, instruments)?;
    let side = order::side(sent)?;
    order::one_way(sent)?;
    order::computable(sent)?;
    if sent.get("modifyId").is_some() {
        return Err(Reject::new(Code::UnsupportedParameter, "modifyId"));
    }
    let order = order_name(sent)?;
    let qty = order::quantity(sent, instrument)?;
    let price = order::positive_price(sent, "price", instrument)?;
    let price = price.ok_or_else(|| missing("price"))?;
    Ok(Intent::Amend {
        amend: AmendOrder {
            order,
            instrument: Some(instrument.id.clone()),
            side: Some(side),
            qty: Some(qty),
            price: Some(price),
            trigger_price: None,
            post_only: None,
            reduce_only: sent.truth("reduceOnly")?,
            valid_until: None,
        },
    })
}

fn cancel(sent: &Params, instruments: &Instruments) -> Result<Intent, Reject> {
    let instrument = Some(order::instrument(sent, instruments)?.id.clone());
    Ok(Intent::Cancel { cancel: CancelOrder { order: order_name(sent)?, instrument } })
}

fn cancel_all(
    sent: &Params,
    instruments: &Instruments,
    conditional: bool,
) -> Result<Asked, Reject> {
    let filter = CancelFilter {
        instrument: Some(order::instrument(sent, instruments)?.id.clone()),
        caller_id: None,
        instruments: Vec::new(),
        conditional: Some(conditional),
    };
    Ok(Asked::Trade(Intent::CancelMany { filter }))
}

/// The venue's dead-man timer for all orders of an instrument, here for the caller's alone.
fn countdown(sent: &Params, instruments: &Instruments) -> Result<Guard, Reject> {
    let instrument = Some(order::instrument(sent, instruments)?.id.clone());
    let millis = sent.whole("countdownTime")?.ok_or_else(|| missing("countdownTime"))?;
    let after = (millis > 0).then(|| Span::from_millis(millis));
    Ok(Guard::Countdown { instrument, after })
}

fn order_name(sent: &Params) -> Result<OrderName, Reject> {
    name(sent, "orderId", "origClientOrderId")
}

fn algo_name(sent: &Params) -> Result<OrderName, Reject> {
    name(sent, "algoId", "clientAlgoId")
}

fn name(sent: &Params, venue: &str, caller: &str) -> Result<OrderName, Reject> {
    match (sent.get(venue), sent.get(caller)) {
        (Some(id), None) => venue_name(venue, id),
        (None, Some(id)) => caller_name(id),
        (None, None) => {
            let words = format!("Either '{venue}' or '{caller}' must be sent.");
            Err(said(Code::MissingParameter, -1102, words))
        }
        // Two names could mean two orders.
        (Some(_), Some(_)) => {
            Err(said(Code::BadParameter, -1128, "Combination of optional parameters invalid."))
        }
    }
}

/// An id that the caller cannot have given names no order.
fn caller_name(text: &str) -> Result<OrderName, Reject> {
    let id = CallerOrderId::new(text).map(|id| OrderName::Caller { id });
    id.map_err(|_| Reject::new(Code::OrderNotFound, ""))
}

fn venue_name(param: &str, text: &str) -> Result<OrderName, Reject> {
    let digits = text.len() <= 20 && text.bytes().all(|b| b.is_ascii_digit());
    let id = if digits { VenueOrderId::new(text).ok() } else { None };
    id.map(|id| OrderName::Venue { id }).ok_or_else(|| illegal(param, "^[0-9]{1,20}$"))
}

fn batch(sent: &Params, leg: impl Fn(&Params) -> Result<Intent, Reject>) -> Result<Asked, Reject> {
    let list = list(sent, "batchOrders")?;
    if list.is_empty() || list.len() > MAX_BATCH {
        let words = "Invalid number of batch place orders.";
        return Err(said(Code::BadParameter, -4082, words));
    }
    let legs = list.iter().map(|object| leg(&Params::of_object(object)?));
    Ok(Asked::Batch(legs.collect()))
}

fn batch_cancel(sent: &Params, instruments: &Instruments) -> Result<Asked, Reject> {
    let instrument = order::instrument(sent, instruments)?.id.clone();
    let mut names = Vec::new();
    if sent.get("orderIdList").is_some() {
        for item in list(sent, "orderIdList")? {
            names.push(venue_name("orderIdList", &params::lexeme("orderIdList", &item)?));
        }
    }
    if sent.get("origClientOrderIdList").is_some() {
        for item in list(sent, "origClientOrderIdList")? {
            names.push(caller_name(&params::lexeme("origClientOrderIdList", &item)?));
        }
    }
    if names.is_empty() {
        return Err(missing("orderIdList"));
    }
    if names.len() > MAX_BATCH_CANCEL {
        return Err(said(Code::BadParameter, -4032, "Exceed maximum cancel order size."));
    }
    let cancel = |order: OrderName| {
        let instrument = Some(instrument.clone());
        Intent::Cancel { cancel: CancelOrder { order, instrument } }
    };
    Ok(Asked::Batch(names.into_iter().map(|name| name.map(cancel)).collect()))
}

fn list(sent: &Params, name: &str) -> Result<Vec<Value>, Reject> {
    match json::strict(sent.need(name)?) {
        Ok(Value::Array(list)) => Ok(list),
        Ok(_) => Err(missing(name)),
        Err(reject) if reject.code == Code::Malformed => Err(missing(name)),
        Err(reject) => Err(reject),
    }
}

fn setting(route: &Route, sent: &Params, instruments: &Instruments) -> Result<Setting, Reject> {
    if sent.get("symbol").is_some() {
        order::instrument(sent, instruments)?;
    }
    if sent.truth("dualSidePosition")? == Some(true) {
        return Err(Reject::new(Code::UnsupportedParameter, "hedge mode"));
    }
    sent.truth("multiAssetsMargin")?;
    sent.whole("leverage")?;
    Ok(Setting { route: route.name(), params: sent.sent_on() })
}

#[cfg(test)]
mod tests;

//! Conditional orders: the algo order family.

use super::fail::Fail;
use super::orders::{Reading, cut, every, span};
use super::params::Params;
use super::render::{self, Tag};
use super::routes::{Call, Outcome};
use crate::engine::order::{EndReason, OrderId, Trigger, TriggerBy, TriggerKind};
use crate::engine::{AccountIx, Exchange, Input, NewOrder, Order, OrderRef, Refusal, Reply};
use serde_json::{Value, json};
use tidegate_types::decimal::Decimal;

pub(crate) fn place(call: &mut Call<'_>) -> Outcome {
    let account = call.account()?;
    if call.params.need("algoType")? != "CONDITIONAL" {
        return Err(Fail::TYPE);
    }
    let instrument = call.symbol()?;
    let exchange = &call.world.exchange;
    let market = exchange.market(instrument).ok_or(Fail::SYMBOL)?;
    let hedge = exchange.account(account).is_some_and(|owner| owner.hedge);
    let reading = Reading { params: &call.params, instrument, market, hedge, now: call.now };
    let order = read(&reading)?;
    if exchange
        .open_orders(account)
        .any(|open| open.ask.trigger.is_some() && open.ask.client_id == order.client_id)
    {
        return Err(Fail::of_order(Refusal::DuplicateClientId));
    }
    match call.apply(&Input::Place { account, order: Box::new(order) }) {
        Reply::Order(order, _) => {
            Ok(render::algo(&call.world.exchange, call.listing(instrument)?, &order, false))
        }
        Reply::Refused(refusal) => Err(Fail::of_order(refusal)),
        Reply::Cancelled(_) | Reply::Done => Err(Fail::UNKNOWN),
    }
}

fn read(reading: &Reading<'_>) -> Result<NewOrder, Fail> {
    let params = reading.params;
    let side = reading.side()?;
    let kind = params.need("type")?;
    let limit = matches!(kind, "STOP" | "TAKE_PROFIT");
    let fires = match kind {
        "STOP" | "STOP_MARKET" => TriggerKind::Stop,
        "TAKE_PROFIT" | "TAKE_PROFIT_MARKET" => TriggerKind::Take,
        "TRAILING_STOP_MARKET" => trailing(reading)?,
        _ => return Err(Fail::TYPE),
    };
    let by = match params.get("workingType").unwrap_or("CONTRACT_PRICE") {
        "CONTRACT_PRICE" => TriggerBy::Last,
        "MARK_PRICE" => TriggerBy::Mark,
        _ => return Err(Fail::WORKING_TYPE),
    };
    let price = match fires {
        TriggerKind::Trailing { .. } => Decimal::ZERO,
        TriggerKind::Stop | TriggerKind::Take => {
            reading.price("triggerPrice")?.ok_or_else(|| Fail::missing("triggerPrice"))?
        }
    };
    let price_match = params.get("priceMatch").filter(|name| *name != "NONE");
    let mut order = if limit {
        let limit = reading.limit_price(side, price_match)?;
        let mut order = NewOrder::limit(reading.instrument, side, Decimal::ZERO, limit);
        (order.tif, order.post_only) = reading.time_in_force(Some("GTC"))?;
        order
    } else {
        NewOrder::market(reading.instrument, side, Decimal::ZERO)
    };
    order.trigger = Some(Trigger { kind: fires, by, price });
    order.close_position = params.flag("closePosition")?.unwrap_or(false);
    let quantity = reading.quantity()?;
    if order.close_position && quantity.is_some() {
        return Err(Fail::CLOSE_WITH_QUANTITY);
    }
    if order.close_position && params.get("reduceOnly").is_some() {
        return Err(Fail::CLOSE_AND_REDUCE);
    }
    if !order.close_position {
        order.quantity = quantity.ok_or_else(|| Fail::missing("quantity"))?;
    }
    reading.finish(&mut order, "clientAlgoId", "NONE")?;
    // Conditional ids are unique among conditional orders, which is checked before this.
    order.unique = false;
    let tag = Tag {
        price_match: price_match.unwrap_or("NONE"),
        working_type: if by == TriggerBy::Mark { "MARK_PRICE" } else { "CONTRACT_PRICE" },
        protect: params.flag("priceProtect")?.unwrap_or(false),
        placed_as: kind,
    };
    order.tag = tag.write();
    Ok(order)
}

fn trailing(reading: &Reading<'_>) -> Result<TriggerKind, Fail> {
    let rate = reading.params.decimal("callbackRate")?;
    let rate = rate.ok_or_else(|| Fail::missing("callbackRate"))?;
    if rate < Decimal::new(1, 1) || rate > Decimal::new(10, 0) {
        return Err(Fail::CALLBACK);
    }
    let offset = crate::engine::calc::div(rate, Decimal::new(100, 0));
    let activation = reading.price("activatePrice")?;
    Ok(TriggerKind::Trailing { offset, relative: true, activation })
}

/// The conditional order a request names.
fn target(exchange: &Exchange, account: AccountIx, params: &Params) -> Result<Option<Order>, Fail> {
    let conditional = |order: &&Order| order.ask.trigger.is_some();
    if let Some(id) = params.int("algoId")? {
        let found = exchange.find_order(account, &OrderRef::Id { id });
        return Ok(found.filter(conditional).cloned());
    }
    let Some(id) = params.get("clientAlgoId") else {
        return Err(Fail {
            status: 400,
            code: -1102,
            text: "Either 'algoId' or 'clientAlgoId' must be sent.".into(),
        });
    };
    let named = |order: &&Order| conditional(order) && &*order.ask.client_id == id;
    let open = exchange.open_orders(account).find(named);
    Ok(open.or_else(|| exchange.closed_orders(account).rev().find(named)).cloned())
}

pub(crate) fn cancel(call: &mut Call<'_>) -> Outcome {
    let account = call.account()?;
    let order = target(&call.world.exchange, account, &call.params)?;
    let order = order.filter(Order::is_live).ok_or(Fail::NO_CANCEL)?;
    match call.apply(&Input::Cancel { account, target: OrderRef::Id { id: order.id } }) {
        Reply::Order(order, _) => Ok(json!({
            "algoId": order.id,
            "clientAlgoId": &*order.ask.client_id,
            "code": "200",
            "msg": "success",
        })),
        _ => Err(Fail::NO_CANCEL),
    }
}

pub(crate) fn cancel_all(call: &mut Call<'_>) -> Outcome {
    let (account, instrument) = (call.account()?, call.symbol()?);
    let open = call.world.exchange.open_orders(account);
    let fits = |o: &&Order| o.ask.instrument == instrument && o.ask.trigger.is_some();
    let orders: Vec<OrderId> = open.filter(fits).map(|order| order.id).collect();
    call.apply(&Input::CancelMany { account, orders, reason: EndReason::User });
    Ok(json!({"code": 200, "msg": "The operation of cancel all open order is done."}))
}

pub(crate) fn query(call: &mut Call<'_>) -> Outcome {
    let order = target(&call.world.exchange, call.account()?, &call.params)?;
    let order = order.ok_or(Fail::NO_ORDER)?;
    Ok(render::algo(&call.world.exchange, call.listing(order.ask.instrument)?, &order, true))
}

pub(crate) fn open(call: &mut Call<'_>) -> Outcome {
    let (account, wanted) = (call.account()?, call.maybe_symbol()?);
    let id = call.params.int("algoId")?;
    let mut told = Vec::new();
    for order in call.world.exchange.open_orders(account) {
        if order.ask.trigger.is_some()
            && wanted.is_none_or(|ix| ix == order.ask.instrument)
            && id.is_none_or(|id| id == order.id)
        {
            let listing = call.listing(order.ask.instrument)?;
            told.push(render::algo(&call.world.exchange, listing, order, true));
        }
    }
    Ok(Value::Array(told))
}

pub(crate) fn all(call: &mut Call<'_>) -> Outcome {
    let (account, wanted) = (call.account()?, call.symbol()?);
    let (from, to) = span(&call.params)?;
    let first = call.params.int("algoId")?.unwrap_or(0);
    let limit = call.params.limit(500, 1_000)?;
    let mut told = Vec::new();
    for order in every(&call.world.exchange, account) {
        if order.ask.trigger.is_some()
            && order.ask.instrument == wanted
            && order.id >= first
            && (from..=to).contains(&order.created.millis())
        {
            let listing = call.listing(order.ask.instrument)?;
            told.push(render::algo(&call.world.exchange, listing, order, true));
        }
    }
    Ok(Value::Array(cut(told, limit, first > 0 || from > 0)))
}

//! Orders, trades and numbers as Binance writes them.

use crate::engine::order::{EndReason, OrderType, PosSide, PostOnly, SelfTrade, Tif, TriggerKind};
use crate::engine::{Exchange, Fill, Listing, Order, Status};
use serde_json::{Value, json};
use std::sync::Arc;
use tidegate_types::decimal::Decimal;
use tidegate_types::order::Side;

/// The decimals of a step.
pub(crate) fn places(step: Decimal) -> usize {
    let text = step.to_string();
    text.split_once('.').map_or(0, |(_, fraction)| fraction.len())
}

/// A price with the instrument's decimals.
pub(crate) fn price(listing: &Listing, value: Decimal) -> String {
    value.to_fixed(places(listing.tick) + 1)
}

/// A quantity with the instrument's decimals.
pub(crate) fn quantity(listing: &Listing, value: Decimal) -> String {
    value.to_fixed(places(listing.step))
}

/// An amount with eight decimals.
pub(crate) fn amount(value: Decimal) -> String {
    value.to_fixed(8)
}

pub(crate) const fn side(side: Side) -> &'static str {
    match side {
        Side::Buy => "BUY",
        Side::Sell => "SELL",
    }
}

pub(crate) const fn position_side(side: PosSide) -> &'static str {
    match side {
        PosSide::Both => "BOTH",
        PosSide::Long => "LONG",
        PosSide::Short => "SHORT",
    }
}

pub(crate) const fn self_trade(mode: SelfTrade) -> &'static str {
    match mode {
        SelfTrade::Allow => "NONE",
        SelfTrade::ExpireTaker | SelfTrade::RejectTaker => "EXPIRE_TAKER",
        SelfTrade::ExpireMaker => "EXPIRE_MAKER",
        SelfTrade::ExpireBoth => "EXPIRE_BOTH",
    }
}

/// What the engine does not keep of an order, as text beside it.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Tag<'a> {
    /// `NONE`, `QUEUE_5`, ….
    pub(crate) price_match: &'a str,
    /// `CONTRACT_PRICE` or `MARK_PRICE`.
    pub(crate) working_type: &'a str,
    /// Whether `priceProtect` was set.
    pub(crate) protect: bool,
    /// The type it was placed with.
    pub(crate) placed_as: &'a str,
}

impl<'a> Tag<'a> {
    pub(crate) fn write(&self) -> Arc<str> {
        let Tag { price_match, working_type, protect, placed_as } = self;
        if (*price_match, *working_type, *protect) == ("NONE", "CONTRACT_PRICE", false)
            && matches!(*placed_as, "LIMIT" | "MARKET")
        {
            return Arc::from("");
        }
        let protect = u8::from(*protect);
        Arc::from(format!("{price_match}|{working_type}|{protect}|{placed_as}").as_str())
    }

    pub(crate) fn read(order: &'a Order) -> Tag<'a> {
        let mut parts = order.ask.tag.split('|');
        let plain = order_type(order.ask.kind);
        let next = parts.next().filter(|text| !text.is_empty());
        Tag {
            price_match: next.unwrap_or("NONE"),
            working_type: parts.next().unwrap_or("CONTRACT_PRICE"),
            protect: parts.next() == Some("1"),
            placed_as: parts.next().unwrap_or(plain),
        }
    }
}

pub(crate) const fn order_type(kind: OrderType) -> &'static str {
    match kind {
        OrderType::Limit => "LIMIT",
        OrderType::Market | OrderType::MarketLimit => "MARKET",
    }
}

pub(crate) const fn time_in_force(order: &Order) -> &'static str {
    match (order.ask.post_only, order.ask.tif) {
        (PostOnly::Reject, _) => "GTX",
        (_, Tif::Gtc) => "GTC",
        (_, Tif::Ioc) => "IOC",
        (_, Tif::Fok) => "FOK",
        (_, Tif::Gtd { .. }) => "GTD",
    }
}

pub(crate) const fn good_till(order: &Order) -> u64 {
    match order.ask.tif {
        Tif::Gtd { until } => until.millis(),
        Tif::Gtc | Tif::Ioc | Tif::Fok => 0,
    }
}

pub(crate) fn status(order: &Order) -> &'static str {
    match order.status {
        Status::Filled => "FILLED",
        Status::Open | Status::Untriggered | Status::Triggered if order.filled.is_zero() => "NEW",
        Status::Open | Status::Untriggered | Status::Triggered => "PARTIALLY_FILLED",
        Status::Ended { reason } => match reason {
            EndReason::SelfTrade => "EXPIRED_IN_MATCH",
            EndReason::User
            | EndReason::Amend
            | EndReason::Countdown
            | EndReason::Disconnect
            | EndReason::Liquidation => "CANCELED",
            EndReason::Immediate
            | EndReason::Expired
            | EndReason::Settlement
            | EndReason::ReduceOnly
            | EndReason::TriggerRefused => "EXPIRED",
        },
    }
}

/// An order; `queried` adds what only queries tell.
pub(crate) fn order(listing: &Listing, order: &Order, queried: bool) -> Value {
    let tag = Tag::read(order);
    let average = order.average(listing.unit).to_fixed(places(listing.tick) + 1);
    let stop = "0".to_owned();
    let mut told = json!({
        "orderId": order.id,
        "symbol": &*listing.symbol,
        "status": status(order),
        "clientOrderId": &*order.ask.client_id,
        "price": price(listing, order.ask.price.unwrap_or_default()),
        "avgPrice": average,
        "origQty": quantity(listing, order.ask.quantity),
        "executedQty": quantity(listing, order.filled),
        "cumQty": quantity(listing, order.filled),
        "cumQuote": order.paid.to_string(),
        "timeInForce": time_in_force(order),
        "type": order_type(order.ask.kind),
        "reduceOnly": order.ask.reduce_only,
        "closePosition": order.ask.close_position,
        "side": side(order.ask.side),
        "positionSide": position_side(order.ask.pos_side),
        "stopPrice": stop,
        "workingType": tag.working_type,
        "priceProtect": tag.protect,
        "origType": tag.placed_as,
        "priceMatch": tag.price_match,
        "selfTradePreventionMode": self_trade(order.ask.self_trade),
        "goodTillDate": good_till(order),
        "updateTime": order.updated.millis(),
    });
    if let Some(fields) = told.as_object_mut().filter(|_| queried) {
        fields.shift_remove("cumQty");
        fields.insert("time".to_owned(), json!(order.created.millis()));
    }
    told
}

/// Where a conditional order stands.
pub(crate) fn algo_status(exchange: &Exchange, order: &Order) -> &'static str {
    match order.status {
        Status::Untriggered => "NEW",
        Status::Triggered => {
            let child = order.child.and_then(|id| exchange.order(id));
            if child.is_some_and(Order::is_live) { "TRIGGERED" } else { "FINISHED" }
        }
        Status::Ended { reason: EndReason::Expired | EndReason::Settlement } => "EXPIRED",
        Status::Ended { reason: EndReason::TriggerRefused } => "REJECTED",
        Status::Ended { .. } => "CANCELED",
        Status::Open | Status::Filled => "FINISHED",
    }
}

/// A conditional order; `queried` adds what became of it.
pub(crate) fn algo(exchange: &Exchange, listing: &Listing, order: &Order, queried: bool) -> Value {
    let tag = Tag::read(order);
    let trigger = order.ask.trigger.map(|trigger| trigger.price).unwrap_or_default();
    let mut told = json!({
        "algoId": order.id,
        "clientAlgoId": &*order.ask.client_id,
        "algoType": "CONDITIONAL",
        "orderType": tag.placed_as,
        "symbol": &*listing.symbol,
        "side": side(order.ask.side),
        "positionSide": position_side(order.ask.pos_side),
        "timeInForce": time_in_force(order),
        "quantity": quantity(listing, order.ask.quantity),
        "algoStatus": algo_status(exchange, order),
        "triggerPrice": price(listing, trigger),
        "price": price(listing, order.ask.price.unwrap_or_default()),
        "icebergQuantity": null,
        "selfTradePreventionMode": self_trade(order.ask.self_trade),
        "workingType": tag.working_type,
        "priceMatch": tag.price_match,
        "closePosition": order.ask.close_position,
        "priceProtect": tag.protect,
        "reduceOnly": order.ask.reduce_only,
        "createTime": order.created.millis(),
        "updateTime": order.updated.millis(),
        "triggerTime": order.triggered.map_or(0, |time| time.millis()),
        "goodTillDate": good_till(order),
    });
    let Some(fields) = told.as_object_mut() else { return told };
    if let Some(trigger) = order.ask.trigger
        && let TriggerKind::Trailing { offset, activation, .. } = trigger.kind
    {
        let percent = crate::engine::calc::mul(offset, Decimal::new(100, 0));
        fields.insert("callbackRate".to_owned(), json!(percent.to_string()));
        let from = activation.map(|from| price(listing, from));
        fields.insert("activatePrice".to_owned(), json!(from.unwrap_or_default()));
    }
    if queried {
        let child = order.child.and_then(|id| exchange.order(id));
        let id = child.map(|child| child.id.to_string()).unwrap_or_default();
        let average = child.map(|child| child.average(listing.unit)).unwrap_or_default();
        fields.insert("actualOrderId".to_owned(), json!(id));
        fields.insert("actualPrice".to_owned(), json!(price(listing, average)));
        let filled = child.map(|child| child.filled).unwrap_or_default();
        fields.insert("actualQty".to_owned(), json!(quantity(listing, filled)));
        fields.insert("tpTriggerPrice".to_owned(), json!("0.000"));
        fields.insert("tpPrice".to_owned(), json!("0.000"));
        fields.insert("slTriggerPrice".to_owned(), json!("0.000"));
        fields.insert("slPrice".to_owned(), json!("0.000"));
        fields.insert("tpOrderType".to_owned(), json!(""));
    }
    told
}

/// One's own trade.
pub(crate) fn fill(listing: &Listing, fill: &Fill) -> Value {
    let worth = crate::engine::calc::mul(fill.price, fill.quantity);
    json!({
        "symbol": &*listing.symbol,
        "id": fill.trade,
        "orderId": fill.order,
        "side": side(fill.side),
        "price": price(listing, fill.price),
        "qty": quantity(listing, fill.quantity),
        "realizedPnl": amount(fill.realized),
        "marginAsset": &*listing.settle,
        "quoteQty": worth.to_string(),
        "commission": amount(fill.fee),
        "commissionAsset": &*fill.fee_asset,
        "time": fill.time.millis(),
        "positionSide": position_side(fill.pos_side),
        "buyer": fill.side == Side::Buy,
        "maker": fill.maker,
    })
}

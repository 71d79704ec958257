//! Orders, their ids and the words for their parts.

use crate::deribit::num::Num;
use crate::engine::order::{
    EndReason, Order, OrderId, OrderType, PostOnly, Status, Tif, Trigger, TriggerBy, TriggerKind,
};
use crate::engine::{AccountIx, Exchange, Unit, calc};
use serde::Serialize;
use tidegate_types::order::Side;

/// A price, or the word for none.
#[derive(Serialize)]
#[serde(untagged)]
pub(crate) enum Price {
    At(Num),
    Market(&'static str),
}

/// An order.
#[derive(Serialize)]
pub(crate) struct OrderView {
    label: String,
    price: Price,
    user_id: u64,
    amount: Num,
    direction: &'static str,
    time_in_force: &'static str,
    instrument_name: String,
    web: bool,
    api: bool,
    pub(crate) order_id: String,
    creation_timestamp: u64,
    replaced: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    filled_amount: Option<Num>,
    last_update_timestamp: u64,
    post_only: bool,
    reduce_only: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    cancel_reason: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    average_price: Option<Num>,
    #[serde(skip_serializing_if = "Option::is_none")]
    trigger_price: Option<Num>,
    #[serde(skip_serializing_if = "Option::is_none")]
    trigger_offset: Option<Num>,
    #[serde(skip_serializing_if = "Option::is_none")]
    trigger: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    triggered: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    trigger_order_id: Option<String>,
    mmp: bool,
    contracts: Num,
    reject_post_only: bool,
    order_state: &'static str,
    order_type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    original_order_type: Option<&'static str>,
    is_liquidation: bool,
    risk_reducing: bool,
}

/// The number an account is known by.
pub(crate) const fn user_id(account: AccountIx) -> u64 {
    1_000 + account.0 as u64
}

/// The word for a side.
pub(crate) const fn side_word(side: Side) -> &'static str {
    match side {
        Side::Buy => "buy",
        Side::Sell => "sell",
    }
}

/// The text of an order's id: digits for bitcoin, with the currency before them for the others;
/// conditional orders carry a word for their trigger.
pub(crate) fn id_text(exchange: &Exchange, order: &Order) -> String {
    let settle = exchange.market(order.ask.instrument).map(|market| market.listing.settle.clone());
    let currency = settle.as_deref().unwrap_or("BTC");
    match (&order.ask.trigger, currency) {
        (Some(trigger), "BTC") => format!("{}-{}", trigger_word(trigger, order.ask.side), order.id),
        (Some(trigger), other) => {
            format!("{other}-{}-{}", trigger_word(trigger, order.ask.side), order.id)
        }
        (None, "BTC") => order.id.to_string(),
        (None, other) => format!("{other}-{}", order.id),
    }
}

fn trigger_word(trigger: &Trigger, side: Side) -> String {
    let kind = match trigger.kind {
        TriggerKind::Stop => "SL",
        TriggerKind::Take => "TP",
        TriggerKind::Trailing { .. } => "TS",
    };
    let by = match trigger.by {
        TriggerBy::Mark => 'M',
        TriggerBy::Index => 'I',
        TriggerBy::Last => 'T',
    };
    format!("{kind}{by}{}", if side == Side::Buy { 'B' } else { 'S' })
}

/// The number in an order's id; the text must be the one the order has.
pub(crate) fn read_id(text: &str) -> Option<OrderId> {
    text.rsplit('-').next()?.parse().ok()
}

/// The word for an order's type.
pub(crate) const fn type_word(kind: OrderType, trigger: Option<&Trigger>) -> &'static str {
    let limit = matches!(kind, OrderType::Limit);
    match trigger {
        None if matches!(kind, OrderType::Market) => "market",
        None => "limit",
        Some(Trigger { kind: TriggerKind::Stop, .. }) if limit => "stop_limit",
        Some(Trigger { kind: TriggerKind::Stop, .. }) => "stop_market",
        Some(Trigger { kind: TriggerKind::Take, .. }) if limit => "take_limit",
        Some(Trigger { kind: TriggerKind::Take, .. }) => "take_market",
        Some(Trigger { kind: TriggerKind::Trailing { .. }, .. }) => "trailing_stop",
    }
}

/// The word for where an order stands.
pub(crate) const fn state_word(status: Status) -> &'static str {
    match status {
        Status::Untriggered => "untriggered",
        Status::Triggered => "triggered",
        Status::Open => "open",
        Status::Filled => "filled",
        Status::Ended { reason: EndReason::TriggerRefused } => "rejected",
        Status::Ended { .. } => "cancelled",
    }
}

const fn cancel_reason(status: Status) -> Option<&'static str> {
    let Status::Ended { reason } = status else { return None };
    match reason {
        EndReason::User | EndReason::Countdown => Some("user_request"),
        EndReason::SelfTrade => Some("order_overlap"),
        EndReason::Liquidation => Some("autoliquidation"),
        EndReason::Settlement => Some("settlement"),
        EndReason::ReduceOnly => Some("risk_mitigation"),
        EndReason::Amend => Some("edit_post_only_reject"),
        EndReason::Disconnect => Some("cancel_on_disconnect"),
        EndReason::Immediate | EndReason::Expired | EndReason::TriggerRefused => None,
    }
}

const fn tif_word(tif: Tif) -> &'static str {
    match tif {
        Tif::Gtc => "good_til_cancelled",
        Tif::Ioc => "immediate_or_cancel",
        Tif::Fok => "fill_or_kill",
        Tif::Gtd { .. } => "good_til_day",
    }
}

impl OrderView {
    /// The view of an order.
    pub(crate) fn of(exchange: &Exchange, order: &Order) -> OrderView {
        let market = exchange.market(order.ask.instrument);
        let ask = &order.ask;
        let size =
            market.map_or(tidegate_types::decimal::Decimal::ONE, |m| m.listing.contract_size);
        let parent = order.parent.and_then(|id| exchange.order(id));
        let trigger = ask.trigger.as_ref().or(parent.and_then(|p| p.ask.trigger.as_ref()));
        let unit = market.map_or(Unit::Inverse, |market| market.listing.unit);
        let places = if unit == Unit::CoinOption { 8 } else { 4 };
        let average = Num::rounded(order.average(unit), places);
        let untriggered = matches!(order.status, Status::Untriggered);
        OrderView {
            label: ask.client_id.to_string(),
            price: ask.price.map_or(Price::Market("market_price"), |price| Price::At(Num(price))),
            user_id: user_id(order.account),
            amount: Num(ask.quantity),
            direction: side_word(ask.side),
            time_in_force: tif_word(ask.tif),
            instrument_name: market.map(|m| m.listing.symbol.to_string()).unwrap_or_default(),
            web: false,
            api: true,
            order_id: id_text(exchange, order),
            creation_timestamp: order.created.millis(),
            replaced: order.amended > 0,
            filled_amount: (!untriggered).then_some(Num(order.filled)),
            last_update_timestamp: order.updated.millis(),
            post_only: ask.post_only != PostOnly::No,
            reduce_only: ask.reduce_only,
            cancel_reason: cancel_reason(order.status),
            average_price: (!untriggered).then_some(average),
            trigger_price: trigger.map(|trigger| Num(trigger.price)),
            trigger_offset: trigger.and_then(|trigger| match trigger.kind {
                TriggerKind::Trailing { offset, .. } => Some(Num(offset)),
                TriggerKind::Stop | TriggerKind::Take => None,
            }),
            trigger: trigger.map(|trigger| match trigger.by {
                TriggerBy::Mark => "mark_price",
                TriggerBy::Index => "index_price",
                TriggerBy::Last => "last_price",
            }),
            triggered: trigger
                .map(|_| !untriggered && order.triggered.is_some() || parent.is_some()),
            trigger_order_id: parent.map(|parent| id_text(exchange, parent)),
            mmp: false,
            contracts: Num(calc::div(ask.quantity, size)),
            reject_post_only: ask.post_only == PostOnly::Reject,
            order_state: state_word(order.status),
            order_type: type_word(ask.kind, ask.trigger.as_ref()),
            original_order_type: (ask.kind == OrderType::MarketLimit).then_some("market_limit"),
            is_liquidation: order.liquidation,
            risk_reducing: ask.reduce_only,
        }
    }
}

//! The user data stream's events.

use super::market::Day;
use super::render::{
    self, Tag, algo_status, amount, good_till, places, position_side, price, quantity, self_trade,
    side, status, time_in_force,
};
use crate::engine::effect::{Cause, Setting};
use crate::engine::order::{EndReason, PosSide, TriggerKind};
use crate::engine::{
    AccountIx, Effect, Exchange, Fill, InstrumentIx, Listing, Order, OrderEvent, Status, calc,
};
use serde_json::{Value, json};
use std::sync::Arc;
use tidegate_types::decimal::Decimal;
use tidegate_types::time::Time;

/// What an account's stream says of an effect.
pub(super) fn of(
    exchange: &Exchange,
    account: AccountIx,
    effect: &Effect,
    now: Time,
) -> Vec<Value> {
    match effect {
        Effect::Order { order, event } if order.account == account => {
            let Some(market) = exchange.market(order.ask.instrument) else { return Vec::new() };
            if order.ask.trigger.is_some() {
                return vec![algo_update(exchange, &market.listing, order, now)];
            }
            order_events(&market.listing, order, event, now)
        }
        Effect::Account { account: of, cause, assets, positions } if *of == account => {
            vec![account_update(exchange, account, *cause, assets, positions, now)]
        }
        Effect::Setting { account: of, setting } if *of == account => {
            setting_update(exchange, setting, now).into_iter().collect()
        }
        Effect::ListenExpired { account: of, key } if *of == account => {
            vec![json!({"e": "listenKeyExpired", "E": now.millis(), "listenKey": key})]
        }
        _ => Vec::new(),
    }
}

fn order_events(listing: &Listing, order: &Order, event: &OrderEvent, now: Time) -> Vec<Value> {
    let (kind, fill): (&str, Option<&Fill>) = match event {
        OrderEvent::New => ("NEW", None),
        OrderEvent::Traded(fill) if order.liquidation => ("CALCULATED", Some(fill)),
        OrderEvent::Traded(fill) => ("TRADE", Some(fill)),
        OrderEvent::Amended => ("AMENDMENT", None),
        OrderEvent::Triggered => return Vec::new(),
        OrderEvent::Ended => (ending(order), None),
    };
    let update = order_update(listing, order, kind, fill, now);
    match fill {
        Some(fill) => vec![trade_lite(listing, order, fill, now), update],
        None => vec![update],
    }
}

fn ending(order: &Order) -> &'static str {
    match status(order) {
        "CANCELED" => "CANCELED",
        _ => "EXPIRED",
    }
}

/// Why an order expired, as the venue numbers it.
const fn expiry_reason(order: &Order) -> &'static str {
    match order.status {
        Status::Ended { reason: EndReason::SelfTrade } => "1",
        Status::Ended { reason: EndReason::Immediate } => "2",
        Status::Ended { reason: EndReason::ReduceOnly } => "4",
        Status::Ended { reason: EndReason::Liquidation } => "5",
        _ => "0",
    }
}

fn order_update(
    listing: &Listing,
    order: &Order,
    kind: &str,
    fill: Option<&Fill>,
    now: Time,
) -> Value {
    let tag = Tag::read(order);
    let last = |value: fn(&Fill) -> Decimal| fill.map(value).unwrap_or_default();
    let mut told = json!({
        "s": &*listing.symbol,
        "c": &*order.ask.client_id,
        "S": side(order.ask.side),
        "o": render::order_type(order.ask.kind),
        "f": time_in_force(order),
        "q": quantity(listing, order.ask.quantity),
        "p": price(listing, order.ask.price.unwrap_or_default()),
        "ap": order.average(listing.unit).to_fixed(places(listing.tick) + 1),
        "sp": "0",
        "x": kind,
        "X": status_after(order, kind),
        "i": order.id,
        "l": quantity(listing, last(|fill| fill.quantity)),
        "z": quantity(listing, order.filled),
        "L": price(listing, last(|fill| fill.price)),
        "n": amount(last(|fill| fill.fee)),
        "N": &*listing.settle,
        "T": order.updated.millis(),
        "t": fill.map_or(0, |fill| fill.trade),
        "b": "0",
        "a": "0",
        "m": fill.is_some_and(|fill| fill.maker),
        "R": order.ask.reduce_only,
        "wt": tag.working_type,
        "ot": tag.placed_as,
        "ps": position_side(order.ask.pos_side),
        "cp": order.ask.close_position,
        "rp": fill.map_or_else(|| "0".to_owned(), |fill| amount(fill.realized)),
        "pP": tag.protect,
        "si": 0,
        "ss": 0,
        "V": self_trade(order.ask.self_trade),
        "pm": tag.price_match,
        "gtd": good_till(order),
        "er": expiry_reason(order),
    });
    if fill.is_none()
        && let Some(fields) = told.as_object_mut()
    {
        fields.shift_remove("n");
        fields.shift_remove("N");
    }
    json!({"e": "ORDER_TRADE_UPDATE", "T": order.updated.millis(), "E": now.millis(), "o": told})
}

/// The status an event is about: `NEW` even when the order traded at once.
fn status_after(order: &Order, kind: &str) -> &'static str {
    if kind == "NEW" { "NEW" } else { status(order) }
}

fn trade_lite(listing: &Listing, order: &Order, fill: &Fill, now: Time) -> Value {
    json!({
        "e": "TRADE_LITE",
        "E": now.millis(),
        "T": fill.time.millis(),
        "s": &*listing.symbol,
        "q": quantity(listing, order.ask.quantity),
        "p": price(listing, order.ask.price.unwrap_or_default()),
        "m": fill.maker,
        "c": &*order.ask.client_id,
        "S": side(order.ask.side),
        "L": price(listing, fill.price),
        "l": quantity(listing, fill.quantity),
        "t": fill.trade,
        "i": order.id,
    })
}

fn algo_update(exchange: &Exchange, listing: &Listing, order: &Order, now: Time) -> Value {
    let tag = Tag::read(order);
    let child = order.child.and_then(|id| exchange.order(id));
    let trigger = order.ask.trigger.map(|trigger| trigger.price).unwrap_or_default();
    let mut told = json!({
        "caid": &*order.ask.client_id,
        "aid": order.id,
        "at": "CONDITIONAL",
        "o": tag.placed_as,
        "s": &*listing.symbol,
        "S": side(order.ask.side),
        "ps": position_side(order.ask.pos_side),
        "f": time_in_force(order),
        "q": quantity(listing, order.ask.quantity),
        "X": algo_status(exchange, order),
        "ai": child.map(|child| child.id.to_string()).unwrap_or_default(),
        "ap": price(listing, child.map(|child| child.average(listing.unit)).unwrap_or_default()),
        "aq": quantity(listing, child.map(|child| child.filled).unwrap_or_default()),
        "act": child.map_or("0", |child| render::order_type(child.ask.kind)),
        "tp": price(listing, trigger),
        "p": price(listing, order.ask.price.unwrap_or_default()),
        "V": self_trade(order.ask.self_trade),
        "wt": tag.working_type,
        "pm": tag.price_match,
        "cp": order.ask.close_position,
        "pP": tag.protect,
        "R": order.ask.reduce_only,
        "tt": order.triggered.map_or(0, Time::millis),
        "gtd": good_till(order),
        "rm": if algo_status(exchange, order) == "REJECTED" { "Order rejected" } else { "" },
    });
    if let Some(trigger) = order.ask.trigger
        && let TriggerKind::Trailing { offset, activation, .. } = trigger.kind
        && let Some(fields) = told.as_object_mut()
    {
        let percent = calc::mul(offset, Decimal::new(100, 0)).to_string();
        fields.insert("cr".to_owned(), json!(percent));
        fields.insert("AP".to_owned(), json!(price(listing, activation.unwrap_or_default())));
    }
    json!({"e": "ALGO_UPDATE", "T": order.updated.millis(), "E": now.millis(), "o": told})
}

const fn cause_name(cause: Cause) -> &'static str {
    match cause {
        Cause::Order => "ORDER",
        Cause::Funding => "FUNDING_FEE",
        Cause::Settlement => "ADJUSTMENT",
        Cause::Transfer => "DEPOSIT",
        Cause::Margin => "MARGIN_TRANSFER",
        Cause::Insurance => "INSURANCE_CLEAR",
    }
}

fn account_update(
    exchange: &Exchange,
    account: AccountIx,
    cause: Cause,
    assets: &[(Arc<str>, Decimal)],
    positions: &[(InstrumentIx, PosSide)],
    now: Time,
) -> Value {
    let balances = assets.iter().map(|(asset, change)| {
        let sum = exchange.summary(account, asset);
        json!({
            "a": &**asset,
            "wb": amount(sum.wallet),
            "cw": amount(calc::sub(sum.wallet, sum.isolated)),
            "bc": amount(*change),
        })
    });
    let held = positions.iter().filter_map(|(instrument, pos_side)| {
        let market = exchange.market(*instrument)?;
        let owner = exchange.account(account)?;
        let terms = &market.listing;
        let position = owner.position(*instrument, *pos_side);
        let isolated = owner.is_isolated(*instrument);
        Some(json!({
            "s": &*terms.symbol,
            "pa": quantity(terms, position.size),
            "ep": position.entry(terms).to_fixed(places(terms.tick) + 1),
            "cr": amount(position.realized),
            "up": amount(position.profit(terms, market.mark)),
            "mt": if isolated { "isolated" } else { "cross" },
            "iw": amount(position.isolated_margin),
            "ps": position_side(*pos_side),
            "ma": &*terms.settle,
            "bep": position.entry(terms).to_string(),
        }))
    });
    json!({
        "e": "ACCOUNT_UPDATE",
        "T": now.millis(),
        "E": now.millis(),
        "a": {
            "B": balances.collect::<Vec<_>>(),
            "P": held.collect::<Vec<_>>(),
            "m": cause_name(cause),
        },
    })
}

fn setting_update(exchange: &Exchange, setting: &Setting, now: Time) -> Option<Value> {
    let millis = now.millis();
    match setting {
        Setting::Leverage(instrument, leverage) => {
            let symbol = &exchange.market(*instrument)?.listing.symbol;
            Some(json!({
                "e": "ACCOUNT_CONFIG_UPDATE", "E": millis, "T": millis,
                "ac": {"s": &**symbol, "l": leverage},
            }))
        }
        Setting::Flag(name, value) if &**name == "multiAssetsMargin" => Some(json!({
            "e": "ACCOUNT_CONFIG_UPDATE", "E": millis, "T": millis,
            "ai": {"j": &**value == "true"},
        })),
        Setting::Flag(..) => None,
    }
}

/// `24hrTicker`, or `24hrMiniTicker` when `mini`.
pub(super) fn ticker(listing: &Listing, last: Decimal, day: &Day, mini: bool, now: Time) -> Value {
    let candle = &day.candle;
    if mini {
        return json!({
            "e": "24hrMiniTicker",
            "E": now.millis(),
            "s": &*listing.symbol,
            "c": price(listing, last),
            "o": price(listing, candle.open),
            "h": price(listing, candle.high),
            "l": price(listing, candle.low),
            "v": quantity(listing, candle.volume),
            "q": candle.turnover.to_fixed(2),
            "st": 1,
        });
    }
    json!({
        "e": "24hrTicker",
        "E": now.millis(),
        "s": &*listing.symbol,
        "p": price(listing, day.change),
        "P": day.percent.to_fixed(3),
        "w": price(listing, day.average),
        "c": price(listing, last),
        "Q": quantity(listing, day.last_quantity),
        "o": price(listing, candle.open),
        "h": price(listing, candle.high),
        "l": price(listing, candle.low),
        "v": quantity(listing, candle.volume),
        "q": candle.turnover.to_fixed(2),
        "O": now.millis().saturating_sub(86_400_000),
        "C": now.millis(),
        "F": day.first_id,
        "L": day.last_id,
        "n": candle.trades,
        "st": 1,
    })
}

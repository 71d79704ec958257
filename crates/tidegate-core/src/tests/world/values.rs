//! Values that tests are made of: names, instruments, orders, grants and limits.

use tidegate_types::decimal::Decimal;
use tidegate_types::grant::{AccountLimits, Grant, OnRepeat, Pattern};
use tidegate_types::hours::Window;
use tidegate_types::ids::*;
use tidegate_types::instrument::*;
use tidegate_types::order::*;
use tidegate_types::proof::Authenticated;
use tidegate_types::time::Span;

pub(in crate::tests) const VENUE: &str = "paper";
pub(in crate::tests) const MAIN: &str = "main";
pub(in crate::tests) const PERP: &str = "BTC-PERP";
pub(in crate::tests) const INVERSE: &str = "BTC-INV";
pub(in crate::tests) const OPTION: &str = "BTC-OPT";
/// Another venue, and the account there.
pub(in crate::tests) const AWAY: &str = "away";

pub(in crate::tests) fn d(text: &str) -> Decimal {
    text.parse().unwrap()
}

pub(in crate::tests) fn name<T: std::str::FromStr<Err = BadName>>(text: &str) -> T {
    text.parse().unwrap()
}

pub(in crate::tests) fn instrument(text: &str) -> InstrumentId {
    InstrumentId { venue: name(VENUE), name: name(text) }
}

/// The perpetual at the other venue.
pub(in crate::tests) fn away_perp() -> InstrumentId {
    InstrumentId { venue: name(AWAY), name: name(PERP) }
}

pub(in crate::tests) fn who(caller: &str) -> Authenticated {
    Authenticated::vouch(name(caller), name(caller), name(VENUE), name(MAIN))
}

/// A caller of the account at the other venue.
pub(in crate::tests) fn who_away(caller: &str) -> Authenticated {
    let key = format!("{caller}-{AWAY}");
    Authenticated::vouch(name(caller), name(&key), name(AWAY), name(AWAY))
}

/// `buy 2 @ 99.5` of the perpetual.
pub(in crate::tests) fn limit(side: Side, qty: &str, price: &str) -> NewOrder {
    NewOrder {
        instrument: instrument(PERP),
        side,
        order_type: OrderType::Limit,
        qty: Qty(d(qty)),
        price: Some(Price(d(price))),
        trigger: None,
        time_in_force: TimeInForce::GoodTilCancelled,
        post_only: PostOnly::No,
        reduce_only: false,
        self_trade: None,
        caller_id: None,
        valid_until: None,
        full_answer: false,
    }
}

pub(in crate::tests) fn buy(qty: &str, price: &str) -> NewOrder {
    limit(Side::Buy, qty, price)
}

pub(in crate::tests) fn sell(qty: &str, price: &str) -> NewOrder {
    limit(Side::Sell, qty, price)
}

pub(in crate::tests) fn own(id: OrderId) -> OrderName {
    OrderName::Own { id }
}

pub(in crate::tests) fn grant(caller: &str) -> Grant {
    use OrderType::*;
    Grant {
        caller: name(caller),
        venue: name(VENUE),
        account: name(MAIN),
        trade: true,
        instruments: vec![Pattern::new("*").unwrap()],
        sides: vec![Side::Buy, Side::Sell],
        order_types: vec![Limit, Market, MarketLimit, StopMarket, StopLimit, TakeMarket, TakeLimit],
        reduce_only: false,
        max_order_qty: None,
        max_order_notional: Usd(d("1000000")),
        max_open_notional: Usd(d("1000000")),
        max_daily_notional: None,
        orders_per_second: 1000,
        burst: 1000,
        settings: false,
        account_wide: false,
        window: Window::ALWAYS,
        until: None,
    }
}

pub(in crate::tests) fn limits() -> AccountLimits {
    AccountLimits {
        account: name(MAIN),
        max_order_qty: vec![(Pattern::new("BTC-*").unwrap(), Qty(d("1000")))],
        max_order_notional: Usd(d("10000")),
        max_open_notional: Usd(d("20000")),
        max_position_notional: Usd(d("15000")),
        max_exposure: Usd(d("30000")),
        collar_bps: 500,
        option_collar_bps: 1000,
        max_mark_age: Span::from_secs(5),
        orders_per_second: 1000,
        burst: 1000,
        repeat_window: Span::ZERO,
        on_repeat: OnRepeat::Refuse,
        dead_man: Span::ZERO,
    }
}

pub(in crate::tests) fn terms(
    text: &str,
    kind: Kind,
    unit: Unit,
    tick: &str,
    lot: &str,
) -> Instrument {
    Instrument {
        id: instrument(text),
        kind,
        unit,
        base: name("BTC"),
        settlement: name(if unit == Unit::Linear { "USDT" } else { "BTC" }),
        index: name("btc_usd"),
        contract_size: Qty(Decimal::ONE),
        tick: Price(d(tick)),
        tick_steps: Vec::new(),
        lot: Qty(d(lot)),
        min_qty: Qty(d(lot)),
        max_qty: Some(Qty(d("100000"))),
        open: true,
    }
}

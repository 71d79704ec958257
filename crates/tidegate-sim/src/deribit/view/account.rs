//! Accounts and positions.

use super::order::{side_word, user_id};
use super::trade::terms;
use super::{index_name, kind_word, underlying};
use crate::deribit::num::Num;
use crate::engine::account::{Position, value};
use crate::engine::margin::Summary;
use crate::engine::universe::{Kind, Unit};
use crate::engine::{AccountIx, Exchange, InstrumentIx, Market, Venue, calc};
use serde::Serialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use tidegate_types::decimal::Decimal;
use tidegate_types::order::Side;
use tidegate_types::time::Time;

/// A position.
#[derive(Serialize)]
pub(crate) struct PositionView<'a> {
    instrument_name: &'a str,
    kind: &'static str,
    direction: &'static str,
    size: Num,
    #[serde(skip_serializing_if = "Option::is_none")]
    size_currency: Option<Num>,
    average_price: Num,
    #[serde(skip_serializing_if = "Option::is_none")]
    average_price_usd: Option<Num>,
    mark_price: Num,
    index_price: Num,
    settlement_price: Num,
    initial_margin: Num,
    maintenance_margin: Num,
    open_orders_margin: Num,
    #[serde(skip_serializing_if = "Option::is_none")]
    leverage: Option<u32>,
    floating_profit_loss: Num,
    #[serde(skip_serializing_if = "Option::is_none")]
    floating_profit_loss_usd: Option<Num>,
    realized_profit_loss: Num,
    total_profit_loss: Num,
    #[serde(skip_serializing_if = "Option::is_none")]
    realized_funding: Option<Num>,
    #[serde(skip_serializing_if = "Option::is_none")]
    estimated_liquidation_price: Option<Num>,
    delta: Num,
    #[serde(skip_serializing_if = "Option::is_none")]
    gamma: Option<Num>,
    #[serde(skip_serializing_if = "Option::is_none")]
    vega: Option<Num>,
    #[serde(skip_serializing_if = "Option::is_none")]
    theta: Option<Num>,
}

/// Greeks of a whole position, and its size in coin.
struct Exposure {
    delta: Decimal,
    gamma: f64,
    vega: f64,
    theta: f64,
    option: bool,
}

fn exposure(exchange: &Exchange, market: &Market, size: Decimal, now: Time) -> Exposure {
    let coins = match market.listing.unit {
        Unit::Inverse => calc::div(size, market.mark),
        Unit::Linear | Unit::CoinOption => size,
    };
    let (_, forward) = underlying(exchange, market);
    match terms(market, forward, now) {
        None => Exposure { delta: coins, gamma: 0.0, vega: 0.0, theta: 0.0, option: false },
        Some(terms) => {
            let greeks = terms.greeks(market.vol.to_f64());
            let size = size.to_f64();
            Exposure {
                delta: calc::from_f64(greeks.delta * size),
                gamma: greeks.gamma * size,
                vega: greeks.vega * size,
                theta: greeks.theta * size,
                option: true,
            }
        }
    }
}

impl<'a> PositionView<'a> {
    /// The view of an account's net position in an instrument.
    pub(crate) fn of(
        exchange: &'a Exchange,
        account: AccountIx,
        ix: InstrumentIx,
        market: &'a Market,
        now: Time,
    ) -> PositionView<'a> {
        let position = net(exchange, account, ix);
        let terms = &market.listing;
        let size = position.size;
        let direction = match size {
            size if size.is_positive() => "buy",
            size if size.is_negative() => "sell",
            _ => "zero",
        };
        let profit = position.profit(terms, market.mark);
        let (initial, orders) = exchange.instrument_margin(account, ix);
        let risk = exposure(exchange, market, size, now);
        let option = risk.option;
        let dollars = |coin: Decimal| Num::rounded(calc::mul(coin, market.index), 6);
        let entry = position.entry(terms);
        let perpetual = terms.kind == Kind::Perpetual;
        let leverage = exchange.account(account).map_or(1, |owner| owner.leverage_of(ix, terms));
        PositionView {
            instrument_name: &terms.symbol,
            kind: kind_word(terms),
            direction,
            size: Num(size),
            size_currency: (!option).then(|| Num(in_coin(market, size))),
            average_price: Num(entry),
            average_price_usd: option.then(|| dollars(entry)),
            mark_price: Num(market.mark),
            index_price: Num::rounded(market.index, 4),
            settlement_price: Num(market.days.back().map_or(market.mark, |day| day.open)),
            initial_margin: Num(initial),
            maintenance_margin: Num(market.maintenance(size)),
            open_orders_margin: Num(orders),
            leverage: (!option).then_some(leverage),
            floating_profit_loss: Num(profit),
            floating_profit_loss_usd: option.then(|| dollars(profit)),
            realized_profit_loss: Num(position.realized),
            total_profit_loss: Num(calc::add(profit, position.realized)),
            realized_funding: perpetual.then_some(Num(position.funding)),
            estimated_liquidation_price: (!option)
                .then(|| liquidation_price(exchange, account, market, size)),
            delta: Num::rounded(risk.delta, 6),
            gamma: option.then(|| Num::float(risk.gamma, 6)),
            vega: option.then(|| Num::float(risk.vega, 5)),
            theta: option.then(|| Num::float(risk.theta, 5)),
        }
    }
}

fn in_coin(market: &Market, size: Decimal) -> Decimal {
    match market.listing.unit {
        Unit::Inverse => calc::div(size, market.mark),
        Unit::Linear | Unit::CoinOption => size,
    }
}

/// The net position of an account in an instrument.
pub(crate) fn net(exchange: &Exchange, account: AccountIx, ix: InstrumentIx) -> Position {
    let owner = exchange.account(account);
    owner.map(|owner| owner.position(ix, crate::engine::order::PosSide::Both)).unwrap_or_default()
}

/// Where the mark would leave the account at its maintenance margin, this position moving alone.
fn liquidation_price(
    exchange: &Exchange,
    account: AccountIx,
    market: &Market,
    size: Decimal,
) -> Num {
    let summary = exchange.summary(account, &market.listing.settle);
    let spare = calc::sub(calc::add(summary.wallet, summary.profit), summary.maintenance);
    let worth = value(&market.listing, size, market.mark);
    let price = match market.listing.unit {
        _ if size.is_zero() => Decimal::ZERO,
        Unit::Inverse => {
            // Worth is −size ÷ price; it may fall by what is spare.
            calc::div(size.neg(), calc::sub(worth, spare))
        }
        Unit::Linear | Unit::CoinOption => calc::div(calc::sub(worth, spare), size),
    };
    Num::rounded(price.max(Decimal::ZERO), 2)
}

/// Every instrument in which an account has a position that settles in one of the currencies.
pub(crate) fn positions(
    exchange: &Exchange,
    account: AccountIx,
) -> impl Iterator<Item = (InstrumentIx, &Market)> {
    let owner = exchange.account(account);
    let held = owner.into_iter().flat_map(|owner| &owner.positions);
    let open = held.filter(|(_, position)| !position.size.is_zero());
    open.filter_map(|((ix, _), _)| exchange.market(*ix).map(|market| (*ix, market)))
}

/// Totals of options and futures in one currency.
#[derive(Default)]
struct Totals {
    delta: Decimal,
    options_delta: Decimal,
    gamma: f64,
    vega: f64,
    theta: f64,
    futures: Decimal,
    options: Decimal,
    realized_futures: Decimal,
    realized_options: Decimal,
    indexes: BTreeMap<String, Share>,
}

/// The part of one index in the totals.
#[derive(Clone, Copy, Default)]
struct Share {
    delta: Decimal,
    gamma: f64,
    vega: f64,
    theta: f64,
}

fn totals(exchange: &Exchange, account: AccountIx, currency: &str, now: Time) -> Totals {
    let mut sum = Totals::default();
    for (ix, market) in positions(exchange, account) {
        if &*market.listing.settle != currency {
            continue;
        }
        let position = net(exchange, account, ix);
        let risk = exposure(exchange, market, position.size, now);
        let profit = position.profit(&market.listing, market.mark);
        sum.delta = calc::add(sum.delta, risk.delta);
        if risk.option {
            sum.options_delta = calc::add(sum.options_delta, risk.delta);
            sum.options = calc::add(sum.options, profit);
            sum.realized_options = calc::add(sum.realized_options, position.realized);
        } else {
            sum.futures = calc::add(sum.futures, profit);
            sum.realized_futures = calc::add(sum.realized_futures, position.realized);
        }
        sum.gamma += risk.gamma;
        sum.vega += risk.vega;
        sum.theta += risk.theta;
        let index = sum.indexes.entry(index_name(&market.listing)).or_default();
        index.delta = calc::add(index.delta, risk.delta);
        index.gamma += risk.gamma;
        index.vega += risk.vega;
        index.theta += risk.theta;
    }
    sum
}

/// The summary of an account in one currency, and what the extended form adds to it.
pub(crate) fn summary(
    exchange: &Exchange,
    account: AccountIx,
    currency: &str,
    extended: bool,
    now: Time,
) -> Value {
    let money: Summary = exchange.summary(account, currency);
    let sum = totals(exchange, account, currency, now);
    let margin_balance = calc::add(money.wallet, money.profit);
    let initial = calc::add(money.positions, money.orders);
    let available = money.available();
    let session = exchange.account(account).map_or(Decimal::ZERO, |a| a.session(currency, now));
    let realized = calc::add(session, sum.realized_options);
    let futures = calc::add(sum.futures, sum.realized_futures);
    let options = calc::add(sum.options, sum.realized_options);
    let floating = calc::add(sum.futures, sum.options);
    let ratio = calc::div(money.maintenance, margin_balance.max(Decimal::from_raw(1)));
    let ratios: BTreeMap<&String, Num> =
        sum.indexes.keys().map(|name| (name, Num(ratio))).collect();
    let map = |pick: fn(&Share) -> Num| {
        let of = sum.indexes.iter().map(|(name, all)| (name.clone(), num(pick(all))));
        Value::Object(of.collect())
    };
    let mut fields = json!({
        "currency": currency,
        "balance": Num(calc::sub(money.wallet, session)),
        "equity": Num(money.equity()),
        "margin_balance": Num(margin_balance),
        "available_funds": Num(available),
        "available_withdrawal_funds": Num(available.min(money.wallet).max(Decimal::ZERO)),
        "initial_margin": Num(initial),
        "maintenance_margin": Num(money.maintenance),
        "projected_initial_margin": Num(initial),
        "projected_maintenance_margin": Num(money.maintenance),
        "total_pl": Num(calc::add(futures, options)),
        "session_upl": Num(floating),
        "session_rpl": Num(realized),
        "futures_pl": Num(futures),
        "futures_session_upl": Num(sum.futures),
        "futures_session_rpl": Num(session),
        "options_pl": Num(options),
        "options_session_upl": Num(sum.options),
        "options_session_rpl": Num(sum.realized_options),
        "options_value": Num(money.options),
        "options_delta": Num::rounded(sum.options_delta, 5),
        "options_gamma": Num::float(sum.gamma, 5),
        "options_vega": Num::float(sum.vega, 4),
        "options_theta": Num::float(sum.theta, 5),
        "options_gamma_map": map(|share| Num::float(share.gamma, 5)),
        "options_vega_map": map(|share| Num::float(share.vega, 4)),
        "options_theta_map": map(|share| Num::float(share.theta, 5)),
        "delta_total": Num::rounded(sum.delta, 6),
        "delta_total_map": map(|share| Num::rounded(share.delta, 6)),
        "projected_delta_total": Num::rounded(sum.delta, 6),
        "estimated_liquidation_ratio": Num(ratio),
        "estimated_liquidation_ratio_map": ratios,
        "spot_reserve": Num::ZERO,
        "additional_reserve": Num::ZERO,
        "locked_balance": Num::ZERO,
        "fee_balance": Num::ZERO,
        "margin_model": "segregated_sm",
        "portfolio_margining_enabled": false,
        "cross_collateral_enabled": false,
        "limits": limits(1),
    });
    if extended && let Some(fields) = fields.as_object_mut() {
        fields.insert("fees".to_owned(), fees(exchange, currency));
    }
    fields
}

fn num(number: Num) -> Value {
    serde_json::to_value(number).unwrap_or_default()
}

/// What an account may ask at so many times the credits of the lowest tier; without limit at none.
pub(crate) fn limits(scale: u64) -> Value {
    let scale = if scale == 0 { 1_000_000 } else { scale };
    let rate = |burst: u64, rate: u64| json!({ "burst": burst.saturating_mul(scale), "rate": rate.saturating_mul(scale) });
    json!({
        "limits_per_currency": false,
        "non_matching_engine": rate(1500, 1000),
        "matching_engine": {
            "trading": { "total": rate(20, 5) },
            "spot": rate(20, 5),
            "quotes": rate(500, 500),
            "max_quotes": rate(10, 10),
            "guaranteed_quotes": rate(2, 2),
            "cancel_all": rate(20, 5),
        },
    })
}

/// The fees of each kind of instrument that settles in a currency.
fn fees(exchange: &Exchange, currency: &str) -> Value {
    let mut kinds: BTreeMap<(String, &str), Value> = BTreeMap::new();
    for (_, market) in exchange.markets(Venue::Deribit) {
        let terms = &market.listing;
        if &*terms.settle != currency {
            continue;
        }
        let kind = match terms.kind {
            Kind::Perpetual => "perpetual",
            Kind::Future { .. } => "future",
            Kind::Option { .. } => "option",
        };
        kinds.entry((index_name(terms), kind)).or_insert_with(|| {
            json!({
                "index_name": index_name(terms),
                "kind": kind,
                "value": {
                    "default": {
                        "type": "fixed", "maker": Num(terms.maker_fee), "taker": Num(terms.taker_fee),
                    },
                    "block_trade": Num(Decimal::new(25, 5)),
                },
            })
        });
    }
    Value::Array(kinds.into_values().collect())
}

/// What there is to say about the user beside the money.
pub(crate) fn user(exchange: &Exchange, account: AccountIx) -> Value {
    let name = exchange.account(account).map(|owner| owner.name.to_string()).unwrap_or_default();
    let flag = |flag: &str, default: &str| {
        let owner = exchange.account(account);
        let set = owner.and_then(|owner| owner.flags.get(flag)).map(ToString::to_string);
        set.unwrap_or_else(|| default.to_owned())
    };
    json!({
        "id": user_id(account),
        "email": format!("{name}@simulator.invalid"),
        "system_name": name,
        "username": name,
        "block_rfq_self_match_prevention": true,
        "creation_timestamp": 1_687_352_432_143_u64,
        "type": "main",
        "referrer_id": null,
        "login_enabled": false,
        "security_keys_enabled": false,
        "mmp_enabled": false,
        "interuser_transfers_enabled": false,
        "self_trading_reject_mode": flag(SELF_TRADE_MODE, "cancel_maker"),
        "self_trading_extended_to_subaccounts": false,
    })
}

/// The account switch that holds the self-trade mode.
pub(crate) const SELF_TRADE_MODE: &str = "self_trading_reject_mode";

/// The margin an order of `amount` at `price` would take if it were the only one.
pub(crate) fn order_margin(
    market: &Market,
    side: Side,
    amount: Decimal,
    price: Decimal,
) -> Decimal {
    let size = if side_word(side) == "buy" { amount } else { amount.neg() };
    let worth = value(&market.listing, amount, price).abs();
    match market.listing.unit {
        Unit::CoinOption if side == Side::Buy => worth,
        Unit::CoinOption => crate::engine::options::initial(market, size),
        Unit::Linear | Unit::Inverse => {
            calc::div(worth, calc::int(i64::from(market.listing.max_leverage.max(1))))
        }
    }
}

//! Trades, as everyone sees them and as their owner does.

use super::order::{id_text, side_word, state_word, type_word};
use super::underlying;
use crate::deribit::num::Num;
use crate::engine::effect::PublicTrade;
use crate::engine::options::Terms;
use crate::engine::order::{Fill, OrderType, PostOnly};
use crate::engine::universe::Kind;
use crate::engine::{Exchange, Market, calc};
use serde::Serialize;
use tidegate_types::decimal::Decimal;
use tidegate_types::time::Time;

/// A trade as everyone sees it.
#[derive(Serialize)]
pub(crate) struct TradeView<'a> {
    timestamp: u64,
    price: Num,
    amount: Num,
    direction: &'static str,
    index_price: Num,
    instrument_name: &'a str,
    trade_seq: u64,
    mark_price: Num,
    tick_direction: u8,
    contracts: Num,
    trade_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    iv: Option<Num>,
    #[serde(skip_serializing_if = "Option::is_none")]
    liquidation: Option<&'static str>,
}

/// A trade as its owner sees it.
#[derive(Serialize)]
pub(crate) struct UserTradeView<'a> {
    timestamp: u64,
    price: Num,
    amount: Num,
    direction: &'static str,
    index_price: Num,
    instrument_name: &'a str,
    trade_seq: u64,
    mark_price: Num,
    tick_direction: u8,
    contracts: Num,
    trade_id: String,
    order_id: String,
    order_type: &'static str,
    state: &'static str,
    fee: Num,
    fee_currency: &'a str,
    liquidity: &'static str,
    #[serde(skip_serializing_if = "str::is_empty")]
    label: &'a str,
    profit_loss: Num,
    post_only: bool,
    reduce_only: bool,
    risk_reducing: bool,
    self_trade: bool,
    mmp: bool,
    api: bool,
    matching_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    iv: Option<Num>,
    #[serde(skip_serializing_if = "Option::is_none")]
    underlying_price: Option<Num>,
    #[serde(skip_serializing_if = "Option::is_none")]
    liquidation: Option<&'static str>,
}

/// The text of a trade's id: digits for bitcoin, with the currency before them for the others.
pub(crate) fn trade_id(market: &Market, id: i64) -> String {
    match &*market.listing.settle {
        "BTC" => id.to_string(),
        other => format!("{other}-{id}"),
    }
}

/// The implied volatility of an option at a price in coin, percent; none for what is no option.
pub(crate) fn iv_percent(
    market: &Market,
    forward: Decimal,
    price: Decimal,
    now: Time,
) -> Option<Num> {
    let terms = terms(market, forward, now)?;
    let vol = terms.implied_vol(price.to_f64() * terms.forward).unwrap_or(0.0);
    Some(Num::float(vol * 100.0, 2))
}

/// An option's terms for pricing.
pub(crate) fn terms(market: &Market, forward: Decimal, now: Time) -> Option<Terms> {
    let Kind::Option { expiry, strike, call } = market.listing.kind else { return None };
    Some(Terms {
        forward: forward.to_f64(),
        strike: strike.to_f64(),
        years: crate::engine::options::years(now, expiry),
        call,
    })
}

impl<'a> TradeView<'a> {
    /// The view of a trade on its market.
    pub(crate) fn of(exchange: &'a Exchange, market: &'a Market, trade: &PublicTrade) -> Self {
        let iv = market.listing.is_option().then(|| underlying(exchange, market).1);
        TradeView {
            timestamp: trade.time.millis(),
            price: Num(trade.price),
            amount: Num(trade.quantity),
            direction: side_word(trade.taker),
            index_price: Num::rounded(trade.index, 2),
            instrument_name: &market.listing.symbol,
            trade_seq: trade.seq,
            mark_price: Num(trade.mark),
            tick_direction: trade.direction,
            contracts: Num(calc::div(trade.quantity, market.listing.contract_size)),
            trade_id: trade_id(market, trade.id),
            iv: iv.and_then(|forward| iv_percent(market, forward, trade.price, trade.time)),
            liquidation: trade.liquidation.then_some("T"),
        }
    }
}

impl<'a> UserTradeView<'a> {
    /// The view of a fill on its market.
    pub(crate) fn of(exchange: &'a Exchange, market: &'a Market, fill: &'a Fill) -> Self {
        let order = exchange.order(fill.order);
        let forward = market.listing.is_option().then(|| underlying(exchange, market).1);
        let public = market.trades.iter().rev().find(|trade| trade.seq == fill.seq);
        UserTradeView {
            timestamp: fill.time.millis(),
            price: Num(fill.price),
            amount: Num(fill.quantity),
            direction: side_word(fill.side),
            index_price: Num::rounded(fill.index, 2),
            instrument_name: &market.listing.symbol,
            trade_seq: fill.seq,
            mark_price: Num(fill.mark),
            tick_direction: public.map_or(0, |trade| trade.direction),
            contracts: Num(calc::div(fill.quantity, market.listing.contract_size)),
            trade_id: trade_id(market, fill.trade),
            order_id: order.map_or_else(|| fill.order.to_string(), |o| id_text(exchange, o)),
            order_type: match order {
                Some(order) if order.liquidation => "liquidation",
                _ if fill.kind == OrderType::Market => type_word(OrderType::Market, None),
                _ => "limit",
            },
            state: order.map_or("archive", |order| state_word(order.status)),
            fee: Num(fill.fee),
            fee_currency: &fill.fee_asset,
            liquidity: if fill.maker { "M" } else { "T" },
            label: &fill.client_id,
            profit_loss: Num(fill.realized),
            post_only: order.is_some_and(|order| order.ask.post_only != PostOnly::No),
            reduce_only: order.is_some_and(|order| order.ask.reduce_only),
            risk_reducing: order.is_some_and(|order| order.ask.reduce_only),
            self_trade: false,
            mmp: false,
            api: true,
            matching_id: None,
            iv: forward.and_then(|forward| iv_percent(market, forward, fill.price, fill.time)),
            underlying_price: forward.map(|forward| Num::rounded(forward, 4)),
            liquidation: order
                .filter(|order| order.liquidation)
                .map(|_| if fill.maker { "M" } else { "T" }),
        }
    }
}

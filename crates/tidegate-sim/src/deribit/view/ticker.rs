//! Tickers, order books and book summaries.

use super::instrument::state_word;
use super::trade::{iv_percent, terms};
use super::underlying;
use crate::deribit::num::Num;
use crate::engine::market::DayStats;
use crate::engine::universe::{Kind, Unit};
use crate::engine::{Exchange, Market, calc};
use serde::Serialize;
use std::borrow::Cow;
use tidegate_types::decimal::Decimal;
use tidegate_types::order::Side;
use tidegate_types::time::Time;

#[derive(Serialize)]
struct Stats {
    high: Option<Num>,
    low: Option<Num>,
    price_change: Option<Num>,
    volume: Num,
    volume_usd: Num,
    #[serde(skip_serializing_if = "Option::is_none")]
    volume_notional: Option<Num>,
}

#[derive(Serialize)]
struct Greeks {
    delta: Num,
    gamma: Num,
    vega: Num,
    theta: Num,
    rho: Num,
}

/// What only options have.
#[derive(Serialize)]
struct OptionPart<'a> {
    greeks: Greeks,
    mark_iv: Num,
    bid_iv: Num,
    ask_iv: Num,
    underlying_price: Num,
    underlying_index: Cow<'a, str>,
    interest_rate: Num,
}

/// What only perpetuals have.
#[derive(Serialize)]
struct PerpetualPart {
    current_funding: Num,
    funding_8h: Num,
    interest_value: Num,
}

/// A ticker.
#[derive(Serialize)]
pub(crate) struct Ticker<'a> {
    timestamp: u64,
    state: &'static str,
    stats: Stats,
    index_price: Num,
    instrument_name: &'a str,
    last_price: Option<Num>,
    settlement_price: Num,
    min_price: Num,
    max_price: Num,
    open_interest: Num,
    mark_price: Num,
    best_ask_price: Num,
    best_bid_price: Num,
    best_ask_amount: Num,
    best_bid_amount: Num,
    estimated_delivery_price: Num,
    #[serde(skip_serializing_if = "Option::is_none")]
    delivery_price: Option<Num>,
    #[serde(flatten)]
    option: Option<OptionPart<'a>>,
    #[serde(flatten)]
    perpetual: Option<PerpetualPart>,
}

/// The best price of a side and the quantity there; zeros when there is none.
pub(crate) fn best(market: &Market, side: Side) -> (Num, Num) {
    let best = market.book.levels(side).next();
    best.map_or((Num::ZERO, Num::ZERO), |(price, amount)| (Num(price), Num(amount)))
}

/// The daily volume in coins and in dollars.
fn volumes(market: &Market, day: &DayStats) -> (Decimal, Decimal) {
    let (quantity, turnover) = (day.candle.volume, day.candle.turnover);
    match market.listing.unit {
        Unit::Inverse => (turnover, quantity),
        Unit::Linear => (quantity, turnover),
        Unit::CoinOption => (quantity, calc::mul(turnover, market.index)),
    }
}

impl Stats {
    fn of(market: &Market, now: Time) -> Stats {
        let day = market.day(now);
        let (volume, dollars) = volumes(market, &day);
        let traded = day.candle.trades > 0;
        let change = calc::sub(day.candle.close, day.candle.open);
        let percent = calc::mul_div(change, Decimal::new(100, 0), day.candle.open);
        Stats {
            high: traded.then_some(Num(day.candle.high)),
            low: traded.then_some(Num(day.candle.low)),
            price_change: traded.then_some(Num::rounded(percent, 4)),
            volume: Num(volume),
            volume_usd: Num::rounded(dollars, 2),
            volume_notional: (!market.listing.is_option()).then(|| Num::rounded(dollars, 2)),
        }
    }
}

impl<'a> Ticker<'a> {
    /// The ticker of a market.
    pub(crate) fn of(exchange: &'a Exchange, market: &'a Market, now: Time) -> Ticker<'a> {
        let terms = &market.listing;
        let ((bid, bid_amount), (ask, ask_amount)) =
            (best(market, Side::Buy), best(market, Side::Sell));
        let (low, high) = market.price_limits();
        let today = market.days.back().map_or(market.mark, |day| day.open);
        Ticker {
            timestamp: now.millis(),
            state: state_word(market),
            stats: Stats::of(market, now),
            index_price: Num::rounded(market.index, 4),
            instrument_name: &terms.symbol,
            last_price: (market.trade_count > 0).then_some(Num(market.last)),
            settlement_price: Num(today),
            min_price: Num(low),
            max_price: Num(high),
            open_interest: Num(market.open_interest),
            mark_price: Num(market.mark),
            best_ask_price: ask,
            best_bid_price: bid,
            best_ask_amount: ask_amount,
            best_bid_amount: bid_amount,
            estimated_delivery_price: Num::rounded(market.index, 4),
            delivery_price: market.delivered_at.map(Num),
            option: OptionPart::of(exchange, market, (bid, ask), now),
            perpetual: (terms.kind == Kind::Perpetual).then(|| PerpetualPart {
                current_funding: Num(market.funding_rate()),
                funding_8h: Num(market.funding_rate()),
                interest_value: Num(market.premium),
            }),
        }
    }
}

impl<'a> OptionPart<'a> {
    fn of(
        exchange: &'a Exchange,
        market: &'a Market,
        (bid, ask): (Num, Num),
        now: Time,
    ) -> Option<OptionPart<'a>> {
        let (name, forward) = underlying(exchange, market);
        let terms = terms(market, forward, now)?;
        let greeks = terms.greeks(market.vol.to_f64());
        let iv = |price: Num| match price {
            Num::ZERO => Num::ZERO,
            Num(price) => iv_percent(market, forward, price, now).unwrap_or_default(),
        };
        Some(OptionPart {
            greeks: Greeks {
                delta: Num::float(greeks.delta, 5),
                gamma: Num::float(greeks.gamma, 5),
                vega: Num::float(greeks.vega, 5),
                theta: Num::float(greeks.theta, 5),
                rho: Num::float(greeks.rho, 5),
            },
            mark_iv: Num::rounded(calc::mul(market.vol, Decimal::new(100, 0)), 2),
            bid_iv: iv(bid),
            ask_iv: iv(ask),
            underlying_price: Num::rounded(forward, 4),
            underlying_index: name,
            interest_rate: Num::ZERO,
        })
    }
}

/// An order book with its ticker.
#[derive(Serialize)]
pub(crate) struct OrderBook<'a> {
    #[serde(flatten)]
    ticker: Ticker<'a>,
    change_id: u64,
    bids: Vec<(Num, Num)>,
    asks: Vec<(Num, Num)>,
}

/// The best levels of a side.
pub(crate) fn levels(market: &Market, side: Side, depth: usize) -> Vec<(Num, Num)> {
    let levels = market.book.levels(side).take(depth);
    levels.map(|(price, amount)| (Num(price), Num(amount))).collect()
}

impl<'a> OrderBook<'a> {
    /// The book of a market, with the best `depth` levels.
    pub(crate) fn of(exchange: &'a Exchange, market: &'a Market, depth: usize, now: Time) -> Self {
        OrderBook {
            ticker: Ticker::of(exchange, market, now),
            change_id: market.book.update,
            bids: levels(market, Side::Buy, depth),
            asks: levels(market, Side::Sell, depth),
        }
    }
}

/// A line of the book summary.
#[derive(Serialize)]
pub(crate) struct BookSummary<'a> {
    instrument_name: &'a str,
    base_currency: &'a str,
    quote_currency: &'a str,
    high: Option<Num>,
    low: Option<Num>,
    last: Option<Num>,
    bid_price: Option<Num>,
    ask_price: Option<Num>,
    mid_price: Option<Num>,
    mark_price: Num,
    open_interest: Num,
    volume: Num,
    volume_usd: Num,
    #[serde(skip_serializing_if = "Option::is_none")]
    volume_notional: Option<Num>,
    price_change: Option<Num>,
    creation_timestamp: u64,
    estimated_delivery_price: Num,
    #[serde(skip_serializing_if = "Option::is_none")]
    mark_iv: Option<Num>,
    #[serde(skip_serializing_if = "Option::is_none")]
    interest_rate: Option<Num>,
    #[serde(skip_serializing_if = "Option::is_none")]
    underlying_price: Option<Num>,
    #[serde(skip_serializing_if = "Option::is_none")]
    underlying_index: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    current_funding: Option<Num>,
    #[serde(skip_serializing_if = "Option::is_none")]
    funding_8h: Option<Num>,
}

impl<'a> BookSummary<'a> {
    /// The summary of a market.
    pub(crate) fn of(exchange: &'a Exchange, market: &'a Market, now: Time) -> BookSummary<'a> {
        let stats = Stats::of(market, now);
        let terms = &market.listing;
        let option = terms.is_option().then(|| underlying(exchange, market));
        let perpetual = terms.kind == Kind::Perpetual;
        BookSummary {
            instrument_name: &terms.symbol,
            base_currency: &terms.coin,
            quote_currency: &terms.quote,
            high: stats.high,
            low: stats.low,
            last: (market.trade_count > 0).then_some(Num(market.last)),
            bid_price: market.book.best(Side::Buy).map(Num),
            ask_price: market.book.best(Side::Sell).map(Num),
            mid_price: market.book.middle().map(Num),
            mark_price: Num(market.mark),
            open_interest: Num(market.open_interest),
            volume: stats.volume,
            volume_usd: stats.volume_usd,
            volume_notional: stats.volume_notional,
            price_change: stats.price_change,
            creation_timestamp: now.millis(),
            estimated_delivery_price: Num::rounded(market.index, 4),
            mark_iv: option
                .as_ref()
                .map(|_| Num::rounded(calc::mul(market.vol, Decimal::new(100, 0)), 2)),
            interest_rate: option.as_ref().map(|_| Num::ZERO),
            underlying_price: option.as_ref().map(|(_, forward)| Num::rounded(*forward, 4)),
            underlying_index: option.map(|(name, _)| name),
            current_funding: perpetual.then(|| Num(market.funding_rate())),
            funding_8h: perpetual.then(|| Num(market.funding_rate())),
        }
    }
}

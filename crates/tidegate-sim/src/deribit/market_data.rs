//! Prices, books, trades, candles and funding.

use super::fault::Fault;
use super::methods::Context;
use super::num::Num;
use super::public::{of_kind, wanted_kind};
use super::rpc::{Answer, answer};
use super::view::of_currency;
use super::view::ticker::{BookSummary, OrderBook, Ticker};
use super::view::trade::TradeView;
use crate::engine::effect::PublicTrade;
use crate::engine::market::{Candle, Phase};
use crate::engine::universe::Kind;
use crate::engine::{Market, Venue, calc};
use serde::Serialize;
use serde_json::json;
use tidegate_types::decimal::Decimal;
use tidegate_types::time::{Span, Time};

pub(crate) fn ticker(context: &mut Context<'_>) -> Answer {
    let (_, market) = context.instrument()?;
    answer(&Ticker::of(context.exchange(), market, context.now))
}

pub(crate) fn order_book(context: &mut Context<'_>) -> Answer {
    let depth = context.params.int("depth")?.unwrap_or(5);
    if ![1, 5, 10, 20, 50, 100, 1_000, 10_000].contains(&depth) {
        return Err(Fault::param("depth"));
    }
    let (_, market) = context.instrument()?;
    let depth = usize::try_from(depth).unwrap_or(usize::MAX);
    answer(&OrderBook::of(context.exchange(), market, depth, context.now))
}

pub(crate) fn book_summary_by_instrument(context: &mut Context<'_>) -> Answer {
    let (_, market) = context.instrument()?;
    answer(&[BookSummary::of(context.exchange(), market, context.now)])
}

pub(crate) fn book_summary_by_currency(context: &mut Context<'_>) -> Answer {
    let currency = context.params.need_text("currency")?;
    let kind = wanted_kind(context)?;
    let exchange = context.exchange();
    let wanted = exchange.markets(Venue::Deribit).map(|(_, market)| market).filter(|market| {
        market.phase == Phase::Trading
            && of_kind(market, kind)
            && of_currency(&market.listing, currency)
    });
    answer(&wanted.map(|m| BookSummary::of(exchange, m, context.now)).collect::<Vec<_>>())
}

/// Which trades are asked for, and how many.
pub(crate) struct Page {
    from: Option<Time>,
    to: Option<Time>,
    seq: (u64, u64),
    ascending: bool,
    count: usize,
}

impl Page {
    /// Reads the page that the parameters ask for.
    pub(crate) fn read(context: &Context<'_>) -> Result<Page, Fault> {
        let params = context.params;
        let directions = [("asc", true), ("desc", false), ("default", false)];
        Ok(Page {
            from: params.time("start_timestamp")?,
            to: params.time("end_timestamp")?,
            seq: (
                params.int("start_seq")?.unwrap_or(0),
                params.int("end_seq")?.unwrap_or(u64::MAX),
            ),
            ascending: params.choice("sorting", &directions)?.unwrap_or(false),
            count: params.count(10, 1000)?,
        })
    }

    /// Whether a row of that time and place is asked for.
    pub(crate) fn holds(&self, time: Time, seq: u64) -> bool {
        self.from.is_none_or(|from| time.millis() >= from.millis())
            && self.to.is_none_or(|to| time.millis() <= to.millis())
            && self.seq.0 <= seq
            && seq <= self.seq.1
    }

    /// Of rows from oldest to newest, those on the page, and whether there are more.
    pub(crate) fn cut<T>(&self, mut rows: Vec<T>) -> (Vec<T>, bool) {
        if !self.ascending {
            rows.reverse();
        }
        let more = rows.len() > self.count;
        rows.truncate(self.count);
        (rows, more)
    }
}

#[derive(Serialize)]
struct Trades<T> {
    trades: Vec<T>,
    has_more: bool,
}

/// A page of trades as an answer.
pub(crate) fn trades_answer<T: Serialize>((trades, has_more): (Vec<T>, bool)) -> Answer {
    answer(&Trades { trades, has_more })
}

pub(crate) fn trades_by_instrument(context: &mut Context<'_>) -> Answer {
    let page = Page::read(context)?;
    let (_, market) = context.instrument()?;
    let rows = market.trades.iter().filter(|trade| page.holds(trade.time, trade.seq)).collect();
    let (rows, more) = page.cut(rows);
    let view = |trade: &&PublicTrade| TradeView::of(context.exchange(), market, trade);
    trades_answer((rows.iter().map(view).collect(), more))
}

pub(crate) fn trades_by_currency(context: &mut Context<'_>) -> Answer {
    let page = Page::read(context)?;
    let currency = context.params.need_text("currency")?;
    let kind = wanted_kind(context)?;
    let exchange = context.exchange();
    let mut rows: Vec<(&Market, &PublicTrade)> = Vec::new();
    for (_, market) in exchange.markets(Venue::Deribit) {
        if of_kind(market, kind) && of_currency(&market.listing, currency) {
            let held = market.trades.iter().filter(|trade| page.holds(trade.time, trade.seq));
            rows.extend(held.map(|trade| (market, trade)));
        }
    }
    rows.sort_by_key(|(_, trade)| trade.id);
    let (rows, more) = page.cut(rows);
    let views = rows.into_iter().map(|(market, trade)| TradeView::of(exchange, market, trade));
    trades_answer((views.collect(), more))
}

/// The resolutions of charts and their minutes.
pub(crate) const RESOLUTIONS: [(&str, u64); 12] = [
    ("1", 1),
    ("3", 3),
    ("5", 5),
    ("10", 10),
    ("15", 15),
    ("30", 30),
    ("60", 60),
    ("120", 120),
    ("180", 180),
    ("360", 360),
    ("720", 720),
    ("1D", 1_440),
];

#[derive(Serialize, Default)]
struct Chart {
    ticks: Vec<u64>,
    open: Vec<Num>,
    high: Vec<Num>,
    low: Vec<Num>,
    close: Vec<Num>,
    volume: Vec<Num>,
    cost: Vec<Num>,
    status: &'static str,
}

/// What a candle traded, in coins and in the quantity's dollars.
pub(crate) fn volume_and_cost(market: &Market, candle: &Candle) -> (Num, Num) {
    use crate::engine::universe::Unit;
    match market.listing.unit {
        Unit::Inverse => (Num(candle.turnover), Num(candle.volume)),
        Unit::Linear | Unit::CoinOption => (Num(candle.volume), Num(candle.turnover)),
    }
}

pub(crate) fn chart(context: &mut Context<'_>) -> Answer {
    let (_, market) = context.instrument()?;
    let (from, to) = span(context)?;
    let minutes = context.params.choice("resolution", &RESOLUTIONS)?;
    let minutes = minutes.ok_or_else(|| Fault::param("resolution"))?;
    let mut chart = Chart { status: "no_data", ..Chart::default() };
    for candle in market.candles(Span::from_secs(minutes * 60)) {
        let tick = candle.open_time.millis();
        if tick + minutes * 60_000 > from.millis() && tick <= to.millis() {
            let (volume, cost) = volume_and_cost(market, &candle);
            chart.ticks.push(tick);
            chart.open.push(Num(candle.open));
            chart.high.push(Num(candle.high));
            chart.low.push(Num(candle.low));
            chart.close.push(Num(candle.close));
            chart.volume.push(volume);
            chart.cost.push(cost);
            chart.status = "ok";
        }
    }
    answer(&chart)
}

fn span(context: &Context<'_>) -> Result<(Time, Time), Fault> {
    let from = context.params.need_time("start_timestamp")?;
    let to = context.params.need_time("end_timestamp")?;
    if from > to { Err(Fault::param("start_timestamp")) } else { Ok((from, to)) }
}

fn perpetual<'a>(context: &'a Context<'_>) -> Result<&'a Market, Fault> {
    let (_, market) = context.instrument()?;
    match market.listing.kind {
        Kind::Perpetual => Ok(market),
        Kind::Future { .. } | Kind::Option { .. } => Err(Fault::INVALID_INSTRUMENT),
    }
}

pub(crate) fn funding_rate_value(context: &mut Context<'_>) -> Answer {
    let (from, to) = span(context)?;
    let fundings = perpetual(context)?.fundings.iter();
    let paid = fundings.filter(|paid| from <= paid.time && paid.time <= to);
    answer(&Num(paid.fold(Decimal::ZERO, |sum, paid| calc::add(sum, paid.rate))))
}

/// One row for each hour: what the fundings within it add up to.
pub(crate) fn funding_rate_history(context: &mut Context<'_>) -> Answer {
    const HOUR: u64 = 3_600_000;
    let (from, to) = span(context)?;
    let market = perpetual(context)?;
    let mut hours: Vec<(u64, Decimal, Decimal)> = Vec::new();
    for paid in &market.fundings {
        let ends = paid.time.millis().div_ceil(HOUR) * HOUR;
        match hours.last_mut() {
            Some((hour, sum, index)) if *hour == ends => {
                *sum = calc::add(*sum, paid.rate);
                *index = paid.index;
            }
            _ => hours.push((ends, paid.rate, paid.index)),
        }
    }
    let mut last_eight = std::collections::VecDeque::new();
    let mut previous = None;
    let mut rows = Vec::new();
    for (ends, rate, index) in hours {
        last_eight.push_back(rate);
        if last_eight.len() > 8 {
            last_eight.pop_front();
        }
        let eight = last_eight.iter().fold(Decimal::ZERO, |sum, rate| calc::add(sum, *rate));
        if from.millis() <= ends && ends <= to.millis() {
            rows.push(json!({
                "timestamp": ends,
                "index_price": Num::rounded(index, 4),
                "prev_index_price": Num::rounded(previous.unwrap_or(index), 4),
                "interest_1h": Num(rate),
                "interest_8h": Num(eight),
            }));
        }
        previous = Some(index);
    }
    answer(&rows)
}

/// The marks that are remembered: those at which trades were made, and the present one.
pub(crate) fn mark_price_history(context: &mut Context<'_>) -> Answer {
    let (from, to) = span(context)?;
    let (_, market) = context.instrument()?;
    let at_trades = market.trades.iter().map(|trade| (trade.time, trade.mark));
    let marks = at_trades.chain([(context.now, market.mark)]);
    let within = marks.filter(|(time, _)| from <= *time && *time <= to);
    answer(&within.map(|(time, mark)| (time.millis(), Num(mark))).collect::<Vec<_>>())
}

/// The volatility index of a coin: the mean implied volatility of the options whose strike is
/// nearest the index.
pub(crate) fn volatility_of(exchange: &crate::engine::Exchange, coin: &str) -> Option<Decimal> {
    let options = exchange.markets(Venue::Deribit).filter_map(|(_, market)| {
        let Kind::Option { expiry, strike, .. } = market.listing.kind else { return None };
        let trading = market.phase == Phase::Trading && &*market.listing.coin == coin;
        trading.then(|| (expiry, calc::sub(strike, market.index).abs(), market.vol))
    });
    let mut nearest: std::collections::BTreeMap<Time, (Decimal, Decimal)> = Default::default();
    for (expiry, distance, vol) in options {
        let best = nearest.entry(expiry).or_insert((distance, vol));
        if distance < best.0 {
            *best = (distance, vol);
        }
    }
    let sum = nearest.values().fold(Decimal::ZERO, |sum, (_, vol)| calc::add(sum, *vol));
    let count = i64::try_from(nearest.len()).ok().filter(|count| *count > 0)?;
    Some(calc::mul_div(sum, Decimal::new(100, 0), calc::int(count)))
}

/// One open candle: of the volatility index only the present is known.
pub(crate) fn volatility_index(context: &mut Context<'_>) -> Answer {
    let (from, to) = span(context)?;
    let words = [("1", 1), ("60", 60), ("3600", 3_600), ("43200", 43_200), ("1D", 86_400)];
    let seconds = context.params.choice("resolution", &words)?;
    let seconds: u64 = seconds.ok_or_else(|| Fault::param("resolution"))?;
    let value = volatility_of(context.exchange(), context.params.need_text("currency")?);
    let tick = context.now.millis() / (seconds * 1000) * seconds * 1000;
    let here = from.millis() <= context.now.millis() && tick <= to.millis();
    let row = value.filter(|_| here).map(|value| {
        let value = Num::rounded(value, 2);
        (tick, value, value, value, value)
    });
    answer(&json!({ "data": row.into_iter().collect::<Vec<_>>(), "continuation": null }))
}

/// Realised volatility of the perpetual, in percent a year, at each hour that is remembered: over
/// the day before it, or as much of it as there is.
pub(crate) fn historical_volatility(context: &mut Context<'_>) -> Answer {
    let currency = context.params.need_text("currency")?;
    let (_, market) = super::lookup(context.exchange(), &format!("{currency}-PERPETUAL"))
        .map_err(|_| Fault::param("currency"))?;
    let hours: Vec<&Candle> = market.hours.iter().collect();
    let moves: Vec<f64> = hours
        .windows(2)
        .filter_map(|pair| match pair {
            [before, after] => Some((after.close.to_f64() / before.close.to_f64()).ln()),
            _ => None,
        })
        .collect();
    let rows = hours.iter().skip(1).zip(1..).map(|(hour, count)| {
        let seen: Vec<f64> = moves.iter().take(count).rev().take(24).copied().collect();
        let mean = seen.iter().map(|step| step * step).sum::<f64>() / to_f64(seen.len());
        (hour.open_time.millis(), Num::float((mean * 24.0 * 365.0).sqrt() * 100.0, 4))
    });
    answer(&rows.collect::<Vec<_>>())
}

#[allow(clippy::cast_precision_loss)]
fn to_f64(count: usize) -> f64 {
    count.max(1) as f64
}

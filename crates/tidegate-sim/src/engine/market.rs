//! One instrument with its book, prices, trades and candles.

use super::account::value;
use super::book::Book;
use super::calc;
use super::effect::PublicTrade;
use super::keep::{Queue, Set};
use super::order::OrderId;
use super::universe::Listing;
use tidegate_types::decimal::Decimal;
use tidegate_types::time::{Span, Time};
use tidegate_types::{codec_enum, codec_newtype, codec_struct};

/// The place of an instrument among the exchange's instruments.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct InstrumentIx(pub u32);
codec_newtype!(InstrumentIx);

/// An instrument and everything that happens on it.
#[derive(Clone, Debug)]
pub struct Market {
    /// Its terms.
    pub listing: Listing,
    /// Whether it trades.
    pub phase: Phase,
    /// Its book.
    pub book: Book,
    /// The mark price.
    pub mark: Decimal,
    /// The index of its coin.
    pub index: Decimal,
    /// Implied volatility as a fraction; zero for what is not an option.
    pub vol: Decimal,
    /// The last traded price; the mark until there is one.
    pub last: Decimal,
    /// The last trade's direction code.
    pub direction: u8,
    /// How many trades there were.
    pub trade_count: u64,
    /// The newest trades, oldest first.
    pub trades: Queue<PublicTrade>,
    /// One-minute candles, oldest first.
    pub minutes: Queue<Candle>,
    /// One-hour candles, oldest first.
    pub hours: Queue<Candle>,
    /// One-day candles, oldest first.
    pub days: Queue<Candle>,
    /// Average premium of the book over the index since the last funding, as a fraction.
    pub premium: Decimal,
    /// When funding is next exchanged.
    pub next_funding: Time,
    /// Past fundings: time, rate, mark.
    pub fundings: Queue<Funding>,
    /// Contracts held long.
    pub open_interest: Decimal,
    /// The delivery price, once delivered.
    pub delivered_at: Option<Decimal>,
    /// Conditional orders that watch it.
    pub waiting: Set<OrderId>,
}

/// Whether an instrument trades.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Phase {
    /// It trades.
    Trading,
    /// It has expired.
    Delivered,
}
codec_enum!(Phase { 0 => Trading, 1 => Delivered });

/// Prices and volume of a span of time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Candle {
    /// When it opens.
    pub open_time: Time,
    /// First price.
    pub open: Decimal,
    /// Highest price.
    pub high: Decimal,
    /// Lowest price.
    pub low: Decimal,
    /// Last price.
    pub close: Decimal,
    /// Quantity traded.
    pub volume: Decimal,
    /// Its worth: quantity × price, for inverse quantity ÷ price.
    pub turnover: Decimal,
    /// Quantity bought by incoming orders.
    pub taker_volume: Decimal,
    /// The worth bought by incoming orders.
    pub taker_turnover: Decimal,
    /// How many trades.
    pub trades: u32,
    /// The first and last trade's place in the instrument's count; zero without trades.
    pub first_trade: u64,
    /// The last trade's place.
    pub last_trade: u64,
}
codec_struct!(Candle {
    open_time,
    open,
    high,
    low,
    close,
    volume,
    turnover,
    taker_volume,
    taker_turnover,
    trades,
    first_trade,
    last_trade
});

/// A past funding.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Funding {
    /// When.
    pub time: Time,
    /// The rate longs paid shorts, as a fraction of position value.
    pub rate: Decimal,
    /// The mark price.
    pub mark: Decimal,
    /// The index price.
    pub index: Decimal,
}
codec_struct!(Funding { time, rate, mark, index });

/// What happened over the last day.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DayStats {
    /// First, highest, lowest, last price; volume; turnover.
    pub candle: Candle,
    /// The price a day ago is `candle.open`; where the window begins.
    pub from: Time,
}

/// The newest trades kept per instrument.
pub(crate) const TRADES_KEPT: usize = 1_000;
/// The newest candles kept per resolution.
pub(crate) const CANDLES_KEPT: usize = 1_500;

impl Market {
    /// Candles of `length`, built of the stored ones, oldest first; the last one is still open.
    pub fn candles(&self, length: Span) -> Vec<Candle> {
        const MINUTE: u64 = 60_000_000;
        let micros = length.micros().max(MINUTE);
        let source = match micros {
            _ if micros < 60 * MINUTE => &self.minutes,
            _ if micros < 24 * 60 * MINUTE => &self.hours,
            _ => &self.days,
        };
        let mut out: Vec<Candle> = Vec::new();
        for candle in source {
            let start = candle.open_time.micros() / micros * micros;
            match out.last_mut() {
                Some(open) if open.open_time.micros() == start => open.merge(candle),
                _ => out.push(Candle { open_time: Time::from_micros(start), ..*candle }),
            }
        }
        out
    }

    /// The last 24 hours.
    pub fn day(&self, now: Time) -> DayStats {
        let from = now.minus(Span::from_secs(86_400));
        let mut stats: Option<Candle> = None;
        for candle in self.minutes.iter().filter(|candle| candle.open_time >= from) {
            match &mut stats {
                Some(day) => day.merge(candle),
                None => stats = Some(*candle),
            }
        }
        DayStats { candle: stats.unwrap_or_else(|| Candle::flat(now, self.last)), from }
    }

    /// The rate of the next funding, as it stands.
    pub fn funding_rate(&self) -> Decimal {
        // A premium within ±0.05 % counts as the interest of 0.01 %, as both venues have it.
        let interest = Decimal::new(1, 4);
        let damp = Decimal::new(5, 4);
        let shift = calc::sub(interest, self.premium).min(damp).max(damp.neg());
        let cap = Decimal::new(3, 3);
        calc::add(self.premium, shift).min(cap).max(cap.neg())
    }

    pub(crate) fn record_trade(&mut self, trade: PublicTrade) {
        let minute = Span::from_secs(60);
        let turnover = value(&self.listing, trade.quantity, trade.price).abs();
        for (candles, span) in [
            (&mut self.minutes, minute),
            (&mut self.hours, Span::from_secs(3_600)),
            (&mut self.days, Span::from_secs(86_400)),
        ] {
            advance(candles, span, trade.time, self.last);
            if let Some(candle) = candles.back_mut() {
                candle.take(&trade, turnover);
            }
        }
        self.last = trade.price;
        if self.trades.len() == TRADES_KEPT {
            self.trades.pop_front();
        }
        self.trades.push_back(trade);
    }

    /// Opens the candles that `now` falls into.
    pub(crate) fn advance_candles(&mut self, now: Time) {
        advance(&mut self.minutes, Span::from_secs(60), now, self.last);
        advance(&mut self.hours, Span::from_secs(3_600), now, self.last);
        advance(&mut self.days, Span::from_secs(86_400), now, self.last);
    }
}

fn advance(candles: &mut Queue<Candle>, span: Span, now: Time, last: Decimal) {
    let start = Time::from_micros(now.micros() / span.micros() * span.micros());
    if candles.back().is_none_or(|candle| candle.open_time < start) {
        if candles.len() == CANDLES_KEPT {
            candles.pop_front();
        }
        candles.push_back(Candle::flat(start, last));
    }
}

impl Candle {
    fn flat(open_time: Time, price: Decimal) -> Candle {
        Candle {
            open_time,
            open: price,
            high: price,
            low: price,
            close: price,
            volume: Decimal::ZERO,
            turnover: Decimal::ZERO,
            taker_volume: Decimal::ZERO,
            taker_turnover: Decimal::ZERO,
            trades: 0,
            first_trade: 0,
            last_trade: 0,
        }
    }

    fn take(&mut self, trade: &PublicTrade, turnover: Decimal) {
        if self.trades == 0 {
            self.open = trade.price;
            self.high = trade.price;
            self.low = trade.price;
            self.first_trade = trade.seq;
        }
        self.high = self.high.max(trade.price);
        self.low = self.low.min(trade.price);
        self.close = trade.price;
        self.volume = calc::add(self.volume, trade.quantity);
        self.turnover = calc::add(self.turnover, turnover);
        if trade.taker == tidegate_types::order::Side::Buy {
            self.taker_volume = calc::add(self.taker_volume, trade.quantity);
            self.taker_turnover = calc::add(self.taker_turnover, turnover);
        }
        self.trades += 1;
        self.last_trade = trade.seq;
    }

    fn merge(&mut self, later: &Candle) {
        self.high = self.high.max(later.high);
        self.low = self.low.min(later.low);
        self.close = later.close;
        self.volume = calc::add(self.volume, later.volume);
        self.turnover = calc::add(self.turnover, later.turnover);
        self.taker_volume = calc::add(self.taker_volume, later.taker_volume);
        self.taker_turnover = calc::add(self.taker_turnover, later.taker_turnover);
        self.trades += later.trades;
        if self.first_trade == 0 {
            self.first_trade = later.first_trade;
        }
        if later.last_trade > 0 {
            self.last_trade = later.last_trade;
        }
    }
}

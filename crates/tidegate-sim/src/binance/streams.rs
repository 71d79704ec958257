//! What each stream says, and when.

use super::events;
use super::market::{best, contract_type, day, interval, levels, pair};
use super::render::{amount, places, price, quantity, side as side_name};
use crate::engine::effect::PublicTrade;
use crate::engine::market::Phase;
use crate::engine::{AccountIx, Effect, Exchange, InstrumentIx, Kind, Market, Order, Venue};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use tidegate_types::decimal::Decimal;
use tidegate_types::order::Side;
use tidegate_types::time::{Span, Time};

/// What a stream is about.
#[derive(Debug, Clone, PartialEq)]
enum Topic {
    /// Changed levels.
    Depth(InstrumentIx),
    /// The best so many levels.
    Partial(InstrumentIx, usize),
    /// Trades, as aggregates or one by one.
    Trades(InstrumentIx, &'static str),
    /// The best prices; of every instrument without one.
    BookTicker(Option<InstrumentIx>),
    /// Mark, index and funding.
    Mark(Option<InstrumentIx>),
    /// Candles.
    Kline(InstrumentIx, String, Span),
    /// The day.
    Ticker(Option<InstrumentIx>, bool),
    /// Liquidations.
    Force(Option<InstrumentIx>),
    /// Listings.
    Contracts,
    /// An account's events.
    User(AccountIx),
}

/// The best price of a side and its quantity.
type Best = (String, String);

/// A subscribed stream.
#[derive(Debug)]
pub(super) struct Stream {
    /// Its name as the client wrote it.
    pub(super) name: String,
    topic: Topic,
    every: Span,
    sent: Time,
    update: u64,
    dirty: BTreeSet<(Side, Decimal)>,
    /// What was last sent of a best price, so that it is not sent twice.
    last: Vec<(InstrumentIx, Best, Best)>,
}

/// Which of the split addresses a stream is served at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lane {
    /// All streams: the address that is not split.
    Any,
    /// Books and best prices.
    Public,
    /// Everything else that is public.
    Market,
    /// User data.
    Private,
}

impl Stream {
    /// The stream of that name, if there is one on this lane.
    pub(super) fn open(name: &str, lane: Lane, exchange: &Exchange, now: Time) -> Option<Stream> {
        let (topic, every) = topic(name, exchange)?;
        let fits = match lane {
            Lane::Any => true,
            // Clients ask for trades on the public lane, and are served there.
            Lane::Public => matches!(
                topic,
                Topic::Depth(_) | Topic::Partial(..) | Topic::BookTicker(_) | Topic::Trades(..)
            ),
            Lane::Market => {
                !matches!(topic, Topic::Depth(_) | Topic::Partial(..) | Topic::BookTicker(_))
            }
            Lane::Private => false,
        };
        let update = match topic {
            Topic::Depth(instrument) => exchange.market(instrument)?.book.update,
            _ => 0,
        };
        fits.then(|| Stream {
            name: name.to_owned(),
            topic,
            every,
            sent: now,
            update,
            dirty: BTreeSet::new(),
            last: Vec::new(),
        })
    }

    /// An account's stream.
    pub(super) fn user(key: &str, account: AccountIx, now: Time) -> Stream {
        Stream {
            name: key.to_owned(),
            topic: Topic::User(account),
            every: Span::ZERO,
            sent: now,
            update: 0,
            dirty: BTreeSet::new(),
            last: Vec::new(),
        }
    }

    /// What it says of an effect at once.
    pub(super) fn take(&mut self, effect: &Effect, exchange: &Exchange, now: Time) -> Vec<Value> {
        match (&self.topic, effect) {
            (Topic::Depth(of), Effect::Level { instrument, side, price, update })
                if of == instrument =>
            {
                if *update > self.update {
                    self.dirty.insert((*side, *price));
                }
                Vec::new()
            }
            (Topic::Trades(of, name), Effect::Trade(trade)) if *of == trade.instrument => {
                trade_event(exchange, trade, name, now).into_iter().collect()
            }
            (Topic::Force(of), Effect::Liquidated { order, price })
                if of.is_none_or(|of| of == order.ask.instrument) =>
            {
                force_event(exchange, order, *price, now).into_iter().collect()
            }
            (Topic::Contracts, Effect::Listed(ix) | Effect::Delivered(ix)) => {
                contract_event(exchange, *ix, now).into_iter().collect()
            }
            (Topic::User(account), effect) => events::of(exchange, *account, effect, now),
            _ => Vec::new(),
        }
    }

    /// What it says because its time has come. Every effect so far must have been taken.
    pub(super) fn due(&mut self, exchange: &Exchange, now: Time) -> Vec<Value> {
        if let Topic::BookTicker(of) = self.topic {
            return self.best_prices(of, exchange, now);
        }
        let tick = Span::from_millis(20);
        if self.every == Span::ZERO || now.plus(tick) < self.sent.plus(self.every) {
            return Vec::new();
        }
        let said = match &self.topic {
            Topic::Depth(of) => return self.depth(*of, exchange, now),
            Topic::Partial(of, count) => {
                let market = exchange.market(*of);
                let from = std::mem::replace(
                    &mut self.update,
                    market.map_or(0, |market| market.book.update),
                );
                market.map(|m| partial(m, *count, from, now)).into_iter().collect()
            }
            Topic::Mark(Some(of)) => {
                exchange.market(*of).map(|m| mark_event(m, now)).into_iter().collect()
            }
            Topic::Mark(None) => {
                vec![Value::Array(trading(exchange).map(|m| mark_event(m, now)).collect())]
            }
            Topic::Kline(of, name, length) => exchange
                .market(*of)
                .and_then(|m| kline(m, name, *length, now))
                .into_iter()
                .collect(),
            Topic::Ticker(of, mini) => tickers(exchange, *of, *mini, now),
            Topic::Trades(..)
            | Topic::BookTicker(_)
            | Topic::Force(_)
            | Topic::Contracts
            | Topic::User(_) => Vec::new(),
        };
        self.sent = now;
        said
    }

    fn depth(&mut self, of: InstrumentIx, exchange: &Exchange, now: Time) -> Vec<Value> {
        let Some(market) = exchange.market(of) else { return Vec::new() };
        if self.dirty.is_empty() {
            return Vec::new();
        }
        let dirty = std::mem::take(&mut self.dirty);
        let changed = |wanted: Side| -> Vec<Value> {
            let of_side = dirty.iter().filter(|(side, _)| *side == wanted);
            let level = |(side, at): &(Side, Decimal)| {
                let total = market.book.at(*side, *at);
                json!([price(&market.listing, *at), quantity(&market.listing, total)])
            };
            of_side.map(level).collect()
        };
        let before = std::mem::replace(&mut self.update, market.book.update);
        self.sent = now;
        vec![json!({
            "e": "depthUpdate",
            "E": now.millis(),
            "T": exchange.now().millis(),
            "s": &*market.listing.symbol,
            "ps": pair(market),
            "st": 1,
            "U": before + 1,
            "u": self.update,
            "pu": before,
            "b": changed(Side::Buy),
            "a": changed(Side::Sell),
        })]
    }

    fn best_prices(
        &mut self,
        of: Option<InstrumentIx>,
        exchange: &Exchange,
        now: Time,
    ) -> Vec<Value> {
        let mut said = Vec::new();
        for (instrument, market) in exchange.markets(Venue::Binance) {
            if of.is_some_and(|of| of != instrument) || market.phase != Phase::Trading {
                continue;
            }
            let (bid, ask) = (best(market, Side::Buy), best(market, Side::Sell));
            let fresh = (instrument, bid.clone(), ask.clone());
            match self.last.iter_mut().find(|(ix, ..)| *ix == instrument) {
                Some(last) if *last == fresh => continue,
                Some(last) => *last = fresh,
                None => self.last.push(fresh),
            }
            said.push(json!({
                "e": "bookTicker",
                "u": market.book.update,
                "E": now.millis(),
                "T": exchange.now().millis(),
                "s": &*market.listing.symbol,
                "ps": pair(market),
                "b": bid.0,
                "B": bid.1,
                "a": ask.0,
                "A": ask.1,
                "st": 1,
            }));
        }
        said
    }
}

fn trading(exchange: &Exchange) -> impl Iterator<Item = &Market> {
    let all = exchange.markets(Venue::Binance).map(|(_, market)| market);
    all.filter(|market| market.phase == Phase::Trading)
}

fn topic(name: &str, exchange: &Exchange) -> Option<(Topic, Span)> {
    let second = Span::from_secs(1);
    match name {
        "!bookTicker" => return Some((Topic::BookTicker(None), Span::ZERO)),
        "!ticker@arr" => return Some((Topic::Ticker(None, false), second)),
        "!miniTicker@arr" => return Some((Topic::Ticker(None, true), second)),
        "!markPrice@arr" => return Some((Topic::Mark(None), Span::from_secs(3))),
        "!markPrice@arr@1s" => return Some((Topic::Mark(None), second)),
        "!forceOrder@arr" => return Some((Topic::Force(None), Span::ZERO)),
        "!contractInfo" => return Some((Topic::Contracts, Span::ZERO)),
        _ => {}
    }
    let (symbol, kind) = name.split_once('@')?;
    let of = exchange.instrument(Venue::Binance, &symbol.to_uppercase())?;
    let (kind, speed) =
        kind.split_once('@').map_or((kind, None), |(kind, speed)| (kind, Some(speed)));
    let pace = match speed {
        None => Span::from_millis(250),
        Some("100ms") => Span::from_millis(100),
        Some("250ms") => Span::from_millis(250),
        Some("500ms") => Span::from_millis(500),
        Some("1s") => second,
        Some("3s") => Span::from_secs(3),
        Some(_) => return None,
    };
    Some(match kind {
        "depth" | "rpiDepth" => (Topic::Depth(of), pace),
        "depth5" => (Topic::Partial(of, 5), pace),
        "depth10" => (Topic::Partial(of, 10), pace),
        "depth20" => (Topic::Partial(of, 20), pace),
        "aggTrade" => (Topic::Trades(of, "aggTrade"), Span::ZERO),
        "trade" => (Topic::Trades(of, "trade"), Span::ZERO),
        "bookTicker" => (Topic::BookTicker(Some(of)), Span::ZERO),
        "markPrice" => (Topic::Mark(Some(of)), speed.map_or(Span::from_secs(3), |_| pace)),
        "ticker" => (Topic::Ticker(Some(of), false), second),
        "miniTicker" => (Topic::Ticker(Some(of), true), second),
        "forceOrder" => (Topic::Force(Some(of)), Span::ZERO),
        other => {
            let length = other.strip_prefix("kline_")?;
            let span = interval(length).ok()?;
            (Topic::Kline(of, length.to_owned(), span), Span::from_millis(250))
        }
    })
}

fn trade_event(exchange: &Exchange, trade: &PublicTrade, name: &str, now: Time) -> Option<Value> {
    let terms = &exchange.market(trade.instrument)?.listing;
    let (at, size) = (price(terms, trade.price), quantity(terms, trade.quantity));
    let (millis, maker) = (trade.time.millis(), trade.taker == Side::Sell);
    Some(if name == "trade" {
        json!({
            "e": "trade", "E": now.millis(), "T": millis, "s": &*terms.symbol, "t": trade.id,
            "p": at, "q": size, "X": "MARKET", "m": maker,
        })
    } else {
        json!({
            "e": "aggTrade", "E": now.millis(), "s": &*terms.symbol, "a": trade.seq, "p": at,
            "q": size, "nq": size, "f": trade.id, "l": trade.id, "T": millis, "m": maker, "st": 1,
        })
    })
}

fn force_event(exchange: &Exchange, order: &Order, last: Decimal, now: Time) -> Option<Value> {
    let terms = &exchange.market(order.ask.instrument)?.listing;
    Some(json!({
        "e": "forceOrder",
        "E": now.millis(),
        "o": {
            "s": &*terms.symbol,
            "S": side_name(order.ask.side),
            "o": "LIMIT",
            "f": "IOC",
            "q": quantity(terms, order.ask.quantity),
            "p": price(terms, last),
            "ap": order.average(terms.unit).to_fixed(places(terms.tick) + 1),
            "X": super::render::status(order),
            "l": quantity(terms, order.filled),
            "z": quantity(terms, order.filled),
            "T": order.updated.millis(),
        },
    }))
}

fn contract_event(exchange: &Exchange, of: InstrumentIx, now: Time) -> Option<Value> {
    let market = exchange.market(of)?;
    if market.listing.venue != Venue::Binance {
        return None;
    }
    let status = if market.phase == Phase::Trading { "TRADING" } else { "SETTLING" };
    Some(json!({
        "e": "contractInfo",
        "E": now.millis(),
        "s": &*market.listing.symbol,
        "ps": pair(market),
        "ct": contract_type(market, exchange),
        "dt": market.listing.expiry().map_or(4_133_404_800_000, Time::millis),
        "ot": market.listing.listed.millis(),
        "cs": status,
        "st": 1,
    }))
}

fn partial(market: &Market, count: usize, before: u64, now: Time) -> Value {
    json!({
        "e": "depthUpdate",
        "E": now.millis(),
        "T": now.millis(),
        "s": &*market.listing.symbol,
        "ps": pair(market),
        "st": 1,
        "U": (before + 1).min(market.book.update),
        "u": market.book.update,
        "pu": before,
        "b": levels(market, Side::Buy, count),
        "a": levels(market, Side::Sell, count),
    })
}

fn mark_event(market: &Market, now: Time) -> Value {
    let perpetual = market.listing.kind == Kind::Perpetual;
    let rate = if perpetual { amount(market.funding_rate()) } else { String::new() };
    json!({
        "e": "markPriceUpdate",
        "E": now.millis(),
        "s": &*market.listing.symbol,
        "p": amount(market.mark),
        "ap": amount(market.mark),
        "P": amount(market.index),
        "i": amount(market.index),
        "r": rate,
        "T": if perpetual { market.next_funding.millis() } else { 0 },
        "st": 1,
    })
}

fn kline(market: &Market, name: &str, length: Span, now: Time) -> Option<Value> {
    let candle = *market.candles(length).last()?;
    let terms = &market.listing;
    Some(json!({
        "e": "kline",
        "E": now.millis(),
        "s": &*terms.symbol,
        "k": {
            "t": candle.open_time.millis(),
            "T": candle.open_time.plus(length).millis() - 1,
            "s": &*terms.symbol,
            "i": name,
            "f": candle.first_trade,
            "L": candle.last_trade,
            "o": price(terms, candle.open),
            "c": price(terms, candle.close),
            "h": price(terms, candle.high),
            "l": price(terms, candle.low),
            "v": quantity(terms, candle.volume),
            "n": candle.trades,
            "x": candle.open_time.plus(length) <= now,
            "q": candle.turnover.to_string(),
            "V": quantity(terms, candle.taker_volume),
            "Q": candle.taker_turnover.to_string(),
            "B": "0",
        },
        "st": 1,
    }))
}

fn tickers(exchange: &Exchange, of: Option<InstrumentIx>, mini: bool, now: Time) -> Vec<Value> {
    let tell = |market: &Market| {
        events::ticker(&market.listing, market.last, &day(market, now), mini, now)
    };
    match of {
        Some(of) => exchange.market(of).map(tell).into_iter().collect(),
        None => vec![Value::Array(trading(exchange).map(tell).collect())],
    }
}

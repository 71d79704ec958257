//! The names of subscriptions.

use super::public::INDEXES;
use super::scope::Area;
use super::view::instrument::CURRENCIES;
use super::view::{kind_word, of_currency};
use super::{lookup, market_data};
use crate::engine::{Exchange, InstrumentIx, Market};
use tidegate_types::decimal::Decimal;

/// How often a subscription is told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Pace {
    /// At every change.
    Raw,
    /// Ten times a second.
    Fast,
    /// Once a second.
    Slow,
}

/// Which instruments a subscription covers.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Which {
    /// One.
    One(InstrumentIx),
    /// Those of a kind and a currency; either may be `any`.
    Group(String, String),
}

/// What is subscribed to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Channel {
    /// Changes of a book.
    Book(InstrumentIx),
    /// The best levels of a book, whole, with prices grouped.
    Window { ix: InstrumentIx, group: Option<Decimal>, depth: usize },
    /// The ticker.
    Ticker(InstrumentIx),
    /// The best prices.
    Quote(InstrumentIx),
    /// Trades.
    Trades(Which),
    /// The interest of a perpetual.
    Perpetual(InstrumentIx),
    /// The open candle, whose length is in minutes.
    Chart(InstrumentIx, u64),
    /// An index.
    Index(&'static str),
    /// The marks of all options on an index.
    OptionMarks(&'static str),
    /// The volatility index.
    Volatility(&'static str),
    /// Listings and deliveries.
    InstrumentState(Which),
    /// Whether the venue is locked; it never is.
    PlatformState,
    /// The caller's orders.
    Orders(Which),
    /// The caller's trades.
    UserTrades(Which),
    /// Orders, trades and positions of the caller together.
    Changes(Which),
    /// The caller's money in a currency; all when none.
    Portfolio(Option<&'static str>),
}

impl Which {
    /// Whether a market is covered.
    pub(crate) fn holds(&self, ix: InstrumentIx, market: &Market) -> bool {
        match self {
            Which::One(one) => *one == ix,
            Which::Group(kind, currency) => {
                (kind == "any" || kind_word(&market.listing) == kind)
                    && of_currency(&market.listing, currency)
            }
        }
    }
}

impl Channel {
    /// Reads a channel's name; nothing when there is no such channel.
    pub(crate) fn read(exchange: &Exchange, name: &str) -> Option<(Channel, Pace)> {
        let parts: Vec<&str> = name.split('.').collect();
        let one = |name: &str| lookup(exchange, name).ok().map(|(ix, _)| ix);
        Some(match parts.as_slice() {
            ["book", name, pace] => (Channel::Book(one(name)?), read_pace(pace)?),
            ["book", name, group, depth, pace] => {
                let depth = depth.parse().ok().filter(|depth| [1, 10, 20].contains(depth))?;
                let group = read_group(name, group)?;
                let pace = read_pace(pace).filter(|pace| *pace != Pace::Raw)?;
                (Channel::Window { ix: one(name)?, group, depth }, pace)
            }
            ["ticker", name, pace] => (Channel::Ticker(one(name)?), read_pace(pace)?),
            ["quote", name] => (Channel::Quote(one(name)?), Pace::Fast),
            ["trades", which @ .., pace] => {
                (Channel::Trades(read_which(exchange, which)?), read_pace(pace)?)
            }
            ["perpetual", name, pace] => {
                let (ix, market) = lookup(exchange, name).ok()?;
                let perpetual = market.listing.expiry().is_none();
                (Channel::Perpetual(perpetual.then_some(ix)?), read_pace(pace)?)
            }
            ["chart", "trades", name, resolution] => {
                let known = market_data::RESOLUTIONS.iter();
                let minutes = known.clone().find(|(word, _)| word == resolution)?.1;
                (Channel::Chart(one(name)?, minutes), Pace::Fast)
            }
            ["deribit_price_index", index] => (Channel::Index(read_index(index)?), Pace::Slow),
            ["markprice", "options", index] => {
                (Channel::OptionMarks(read_index(index)?), Pace::Slow)
            }
            ["deribit_volatility_index", index] => {
                (Channel::Volatility(read_index(index)?), Pace::Slow)
            }
            ["instrument", "state", which @ ..] => {
                (Channel::InstrumentState(read_which(exchange, which)?), Pace::Fast)
            }
            ["platform_state"] => (Channel::PlatformState, Pace::Slow),
            ["user", "orders", which @ .., pace] => {
                (Channel::Orders(read_which(exchange, which)?), read_pace(pace)?)
            }
            ["user", "trades", which @ .., pace] => {
                (Channel::UserTrades(read_which(exchange, which)?), read_pace(pace)?)
            }
            ["user", "changes", which @ .., pace] => {
                (Channel::Changes(read_which(exchange, which)?), read_pace(pace)?)
            }
            ["user", "portfolio", "any"] => (Channel::Portfolio(None), Pace::Fast),
            ["user", "portfolio", currency] => {
                let known = CURRENCIES.iter().find(|known| known.eq_ignore_ascii_case(currency))?;
                (Channel::Portfolio(Some(known)), Pace::Fast)
            }
            _ => return None,
        })
    }

    /// The right that a private channel needs; none for public ones.
    pub(crate) const fn area(&self) -> Option<Area> {
        match self {
            Channel::Orders(_) | Channel::UserTrades(_) | Channel::Changes(_) => Some(Area::Trade),
            Channel::Portfolio(_) => Some(Area::Account),
            _ => None,
        }
    }

    /// The one instrument it is about, if there is one.
    pub(crate) const fn instrument(&self) -> Option<InstrumentIx> {
        match self {
            Channel::Book(ix)
            | Channel::Window { ix, .. }
            | Channel::Ticker(ix)
            | Channel::Quote(ix)
            | Channel::Perpetual(ix)
            | Channel::Chart(ix, _)
            | Channel::Trades(Which::One(ix))
            | Channel::InstrumentState(Which::One(ix))
            | Channel::Orders(Which::One(ix))
            | Channel::UserTrades(Which::One(ix))
            | Channel::Changes(Which::One(ix)) => Some(*ix),
            _ => None,
        }
    }
}

fn read_pace(word: &str) -> Option<Pace> {
    match word {
        "raw" => Some(Pace::Raw),
        "100ms" => Some(Pace::Fast),
        "agg2" => Some(Pace::Slow),
        _ => None,
    }
}

fn read_index(name: &str) -> Option<&'static str> {
    INDEXES.into_iter().find(|index| *index == name)
}

fn read_which(exchange: &Exchange, parts: &[&str]) -> Option<Which> {
    match parts {
        [name] => lookup(exchange, name).ok().map(|(ix, _)| Which::One(ix)),
        [kind, currency] => {
            let kinds = ["any", "future", "option", "spot", "future_combo", "option_combo"];
            let known =
                kinds.contains(kind) && (*currency == "any" || CURRENCIES.contains(currency));
            known.then(|| Which::Group((*kind).to_owned(), (*currency).to_owned()))
        }
        _ => None,
    }
}

/// A price group: `none`, or a step in the futures' units, for ether in hundredths.
fn read_group(instrument: &str, word: &str) -> Option<Option<Decimal>> {
    let steps = ["1", "2", "5", "10", "25", "100", "250"];
    match word {
        "none" => Some(None),
        step if steps.contains(&step) => {
            let places = if instrument.starts_with("ETH") { 2 } else { 0 };
            step.parse().ok().map(|digits| Some(Decimal::new(digits, places)))
        }
        _ => None,
    }
}

//! Accounts: balances, positions, settings and history.

use super::calc;
use super::effect::PublicTrade;
use super::keep::{Queue, Set};
use super::market::{InstrumentIx, Market};
use super::order::{Fill, Order, OrderId, PosSide};
use super::universe::{Listing, Unit, Venue};
use crate::calendar;
use std::collections::BTreeMap;
use std::sync::Arc;
use tidegate_types::decimal::Decimal;
use tidegate_types::order::Side;
use tidegate_types::time::Time;
use tidegate_types::{codec_newtype, codec_struct};

/// The place of an account among the exchange's accounts.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct AccountIx(pub u32);
codec_newtype!(AccountIx);

/// One account at one venue.
#[derive(Clone, Debug)]
pub struct Account {
    /// Where.
    pub venue: Venue,
    /// Its name in the set-up.
    pub name: Arc<str>,
    /// Whether it is one of the exchange's own traders: no margin, no history.
    pub background: bool,
    /// Money by asset.
    pub wallets: BTreeMap<Arc<str>, Decimal>,
    /// What futures realized by asset, funding included, since the 08:00 UTC that stands beside: a venue that settles
    /// then does not count it to the balance before.
    pub session: BTreeMap<Arc<str>, (Time, Decimal)>,
    /// Positions; flat ones stay for their realized profit.
    pub positions: BTreeMap<(InstrumentIx, PosSide), Position>,
    /// Leverage by instrument, where it is not the default.
    pub leverage: BTreeMap<InstrumentIx, u32>,
    /// Instruments with isolated margin.
    pub isolated: BTreeMap<InstrumentIx, bool>,
    /// Whether long and short positions are kept apart.
    pub hedge: bool,
    /// Switches of the dialect.
    pub flags: BTreeMap<Arc<str>, Arc<str>>,
    /// Live orders, conditional ones too.
    pub open: Set<OrderId>,
    /// The newest order of each client id.
    pub clients: BTreeMap<Arc<str>, OrderId>,
    /// Ended orders that are still remembered, oldest first.
    pub closed: Queue<OrderId>,
    /// Fills, oldest first.
    pub fills: Queue<Fill>,
    /// Money movements, oldest first.
    pub ledger: Queue<Entry>,
    /// What rests on each book.
    pub resting: BTreeMap<InstrumentIx, Resting>,
    /// How many conditional orders wait.
    pub waiting: u32,
    /// Dead-man timers.
    pub countdowns: BTreeMap<InstrumentIx, Time>,
    /// The listen key and when it expires.
    pub listen_key: Option<(Arc<str>, Time)>,
}

/// A position.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Position {
    /// Signed size in the instrument's unit.
    pub size: Decimal,
    /// What was paid for it: the signed `value` at entry.
    pub cost: Decimal,
    /// Profit realized since the position was opened, in the settlement asset.
    pub realized: Decimal,
    /// Funding received less paid since it was opened.
    pub funding: Decimal,
    /// Money set aside when isolated.
    pub isolated_margin: Decimal,
    /// When it last changed.
    pub updated: Time,
}
codec_struct!(Position { size, cost, realized, funding, isolated_margin, updated });

/// Totals of what an account has resting on a book.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Resting {
    /// Quantity bid for.
    pub bids: Decimal,
    /// Its value in the settlement asset (in dollars × for options: premium).
    pub bid_value: Decimal,
    /// Quantity offered.
    pub asks: Decimal,
    /// Its value.
    pub ask_value: Decimal,
    /// How many orders.
    pub count: u32,
}
codec_struct!(Resting { bids, bid_value, asks, ask_value, count });

/// A movement of money.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entry {
    /// Its number, growing.
    pub id: u64,
    /// `REALIZED_PNL`, `COMMISSION`, `FUNDING_FEE`, `TRANSFER`, ….
    pub kind: Arc<str>,
    /// Which asset.
    pub asset: Arc<str>,
    /// How much came (negative: went).
    pub amount: Decimal,
    /// What the wallet held after it.
    pub balance: Decimal,
    /// Through which instrument.
    pub instrument: Option<InstrumentIx>,
    /// Through which trade.
    pub trade: Option<i64>,
    /// When.
    pub time: Time,
}
codec_struct!(Entry { id, kind, asset, amount, balance, instrument, trade, time });

/// Signed worth of `size` at `price` in the settlement asset: profit is the difference of two.
pub fn value(listing: &Listing, size: Decimal, price: Decimal) -> Decimal {
    match listing.unit {
        Unit::Linear | Unit::CoinOption => calc::mul(size, price),
        Unit::Inverse => calc::div(size, price).neg(),
    }
}

impl Position {
    /// The average entry price; zero when flat.
    pub fn entry(&self, listing: &Listing) -> Decimal {
        match listing.unit {
            _ if self.size.is_zero() => Decimal::ZERO,
            Unit::Linear | Unit::CoinOption => calc::div(self.cost, self.size),
            Unit::Inverse => calc::div(self.size.neg(), self.cost),
        }
    }

    /// Profit not realized yet, at `price`.
    pub fn profit(&self, listing: &Listing, price: Decimal) -> Decimal {
        calc::sub(value(listing, self.size, price), self.cost)
    }

    /// Takes a trade in and returns the profit it realized.
    pub fn trade(
        &mut self,
        listing: &Listing,
        side: Side,
        quantity: Decimal,
        price: Decimal,
        now: Time,
    ) -> Decimal {
        let change = if side == Side::Buy { quantity } else { quantity.neg() };
        self.updated = now;
        let opposite = self.size.is_positive() && change.is_negative()
            || self.size.is_negative() && change.is_positive();
        let closed = if opposite { quantity.min(self.size.abs()) } else { Decimal::ZERO };
        let mut realized = Decimal::ZERO;
        if closed.is_positive() {
            let part = if self.size.is_positive() { closed } else { closed.neg() };
            let released = calc::mul_div(self.cost, part, self.size);
            realized = calc::sub(value(listing, part, price), released);
            self.cost = calc::sub(self.cost, released);
            self.size = calc::sub(self.size, part);
            self.realized = calc::add(self.realized, realized);
        }
        let opened = calc::sub(quantity, closed);
        if opened.is_positive() {
            if self.size.is_zero() {
                self.realized = realized;
                self.funding = Decimal::ZERO;
                self.cost = Decimal::ZERO;
            }
            let part = if side == Side::Buy { opened } else { opened.neg() };
            self.cost = calc::add(self.cost, value(listing, part, price));
            self.size = calc::add(self.size, part);
        }
        realized
    }
}

impl Position {
    /// Keeps the money set aside for an isolated position in step with its size.
    fn set_aside(&mut self, terms: &Listing, before: Decimal, price: Decimal, leverage: u32) {
        let same_way = before.is_negative() == self.size.is_negative();
        if self.size.is_zero() {
            self.isolated_margin = Decimal::ZERO;
        } else if same_way && self.size.abs() < before.abs() {
            let kept = calc::mul_div(self.isolated_margin, self.size.abs(), before.abs());
            self.isolated_margin = kept;
        } else {
            let base = if same_way { before.abs() } else { Decimal::ZERO };
            let opened = calc::sub(self.size.abs(), base);
            let worth = value(terms, opened, price).abs();
            let margin = calc::div(worth, calc::int(i64::from(leverage)));
            let held = if same_way { self.isolated_margin } else { Decimal::ZERO };
            self.isolated_margin = calc::add(held, margin);
        }
    }
}

/// The fee of a trade in the settlement asset.
fn fee_of(terms: &Listing, quantity: Decimal, trade: &PublicTrade, rate: Decimal) -> Decimal {
    match terms.unit {
        Unit::Linear | Unit::Inverse => calc::mul(value(terms, quantity, trade.price).abs(), rate),
        // A share of the coin, an eighth of the premium at most.
        Unit::CoinOption => {
            calc::mul(quantity, rate).min(calc::mul(calc::mul(quantity, trade.price), EIGHTH))
        }
    }
}

const EIGHTH: Decimal = Decimal::new(125, 3);

impl Account {
    pub(crate) fn new(venue: Venue, name: &str, background: bool) -> Account {
        Account {
            venue,
            name: Arc::from(name),
            background,
            wallets: BTreeMap::new(),
            session: BTreeMap::new(),
            positions: BTreeMap::new(),
            leverage: BTreeMap::new(),
            isolated: BTreeMap::new(),
            hedge: false,
            flags: BTreeMap::new(),
            open: Set::default(),
            clients: BTreeMap::new(),
            closed: Queue::default(),
            fills: Queue::default(),
            ledger: Queue::default(),
            resting: BTreeMap::new(),
            waiting: 0,
            countdowns: BTreeMap::new(),
            listen_key: None,
        }
    }

    /// Money in an asset.
    pub fn wallet(&self, asset: &str) -> Decimal {
        self.wallets.get(asset).copied().unwrap_or_default()
    }

    /// What futures realized in an asset since the last 08:00 UTC before `now`.
    pub fn session(&self, asset: &str, now: Time) -> Decimal {
        let this = self.session.get(asset).filter(|(since, _)| *since == calendar::session(now));
        this.map_or(Decimal::ZERO, |(_, realized)| *realized)
    }

    /// Futures realized more.
    pub(crate) fn realize(&mut self, asset: &Arc<str>, amount: Decimal, now: Time) {
        let realized = calc::add(self.session(asset, now), amount);
        self.session.insert(asset.clone(), (calendar::session(now), realized));
    }

    /// The position in an instrument, flat when there is none.
    pub fn position(&self, instrument: InstrumentIx, side: PosSide) -> Position {
        self.positions.get(&(instrument, side)).copied().unwrap_or_default()
    }

    /// The signed size over both hedged positions.
    pub fn net(&self, instrument: InstrumentIx) -> Decimal {
        [PosSide::Both, PosSide::Long, PosSide::Short]
            .into_iter()
            .fold(Decimal::ZERO, |sum, side| calc::add(sum, self.position(instrument, side).size))
    }

    /// The leverage an instrument is traded with: 20 unless set.
    pub fn leverage_of(&self, instrument: InstrumentIx, listing: &Listing) -> u32 {
        let set = self.leverage.get(&instrument).copied();
        set.unwrap_or_else(|| match listing.venue {
            Venue::Binance => listing.max_leverage.min(20),
            Venue::Deribit => listing.max_leverage,
        })
    }

    /// Whether an instrument has isolated margin.
    pub fn is_isolated(&self, instrument: InstrumentIx) -> bool {
        self.isolated.get(&instrument).copied().unwrap_or(false)
    }

    /// Books a trade on the position and returns its fee and the profit it realized. The money
    /// itself moves for the exchange's own traders only; callers' is entered in the ledger.
    pub(crate) fn take_fill(
        &mut self,
        market: &Market,
        order: &Order,
        trade: &PublicTrade,
        maker: bool,
    ) -> (Decimal, Decimal) {
        let terms = &market.listing;
        let (side, quantity) = (order.ask.side, trade.quantity);
        let key = (trade.instrument, order.ask.pos_side);
        let isolated = self.is_isolated(trade.instrument);
        let leverage = self.leverage_of(trade.instrument, terms).max(1);
        let position = self.positions.entry(key).or_default();
        let before = position.size;
        let realized = position.trade(terms, side, quantity, trade.price, trade.time);
        if isolated {
            position.set_aside(terms, before, trade.price, leverage);
        }
        let rate = if maker { terms.maker_fee } else { terms.taker_fee };
        let fee = fee_of(terms, quantity, trade, rate);
        if self.background {
            let moved = if terms.is_option() {
                let change = if side == Side::Buy { quantity } else { quantity.neg() };
                value(terms, change, trade.price).neg()
            } else {
                realized
            };
            self.pay(&terms.settle, calc::sub(moved, fee));
        }
        (fee, realized)
    }

    pub(crate) fn pay(&mut self, asset: &Arc<str>, amount: Decimal) -> Decimal {
        let wallet = self.wallets.entry(asset.clone()).or_default();
        *wallet = calc::add(*wallet, amount);
        *wallet
    }
}

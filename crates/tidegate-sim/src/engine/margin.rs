//! What an account must hold for its positions and orders.

use super::account::{Account, AccountIx, Resting, value};
use super::calc;
use super::exchange::Exchange;
use super::input::Refusal;
use super::market::{InstrumentIx, Market};
use super::matching::signed;
use super::options;
use super::order::{NewOrder, Order};
use super::universe::{Listing, Unit, Venue};
use tidegate_types::decimal::Decimal;
use tidegate_types::order::Side;

/// An account's money in one settlement asset.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Summary {
    /// What is in the wallet.
    pub wallet: Decimal,
    /// Profit of open futures positions at the mark, cross and isolated.
    pub profit: Decimal,
    /// The part of `profit` on isolated positions.
    pub isolated_profit: Decimal,
    /// Money set aside for isolated positions.
    pub isolated: Decimal,
    /// Market value of options held.
    pub options: Decimal,
    /// Initial margin of cross positions.
    pub positions: Decimal,
    /// Initial margin that open orders add.
    pub orders: Decimal,
    /// Maintenance margin of cross positions.
    pub maintenance: Decimal,
}

impl Summary {
    /// Wallet, profit and options together.
    pub fn equity(&self) -> Decimal {
        calc::add(calc::add(self.wallet, self.profit), self.options)
    }

    /// What is free for new orders.
    pub fn available(&self) -> Decimal {
        let cross = calc::sub(self.profit, self.isolated_profit);
        let free = calc::add(calc::sub(self.wallet, self.isolated), cross);
        calc::sub(calc::sub(free, self.positions), self.orders)
    }
}

/// A step of the leverage ladder of a linear contract.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Bracket {
    /// Up to which position value, in dollars.
    pub cap: i64,
    /// The largest leverage there.
    pub leverage: u32,
    /// The share of the value that must be held.
    pub maintenance: Decimal,
    /// What is taken off so that the steps join, in dollars.
    pub off: i64,
}

const fn bracket(cap: i64, leverage: u32, maintenance: Decimal, off: i64) -> Bracket {
    Bracket { cap, leverage, maintenance, off }
}

/// The leverage ladder of linear contracts.
pub const BRACKETS: [Bracket; 6] = [
    bracket(300_000, 125, Decimal::new(4, 3), 0),
    bracket(800_000, 100, Decimal::new(5, 3), 300),
    bracket(3_000_000, 75, Decimal::new(65, 4), 1_500),
    bracket(12_000_000, 50, Decimal::new(1, 2), 12_000),
    bracket(70_000_000, 25, Decimal::new(2, 2), 132_000),
    bracket(1_000_000_000, 20, Decimal::new(25, 3), 482_000),
];

/// The step a position value falls into.
pub fn bracket_of(notional: Decimal) -> (usize, Bracket) {
    let [.., top] = BRACKETS;
    let found = BRACKETS.into_iter().enumerate().find(|(_, b)| notional <= calc::int(b.cap));
    found.unwrap_or((BRACKETS.len() - 1, top))
}

impl Market {
    /// Maintenance margin of a position of `size`.
    pub fn maintenance(&self, size: Decimal) -> Decimal {
        let worth = value(&self.listing, size, self.mark).abs();
        match self.listing.unit {
            Unit::Linear => {
                let (_, step) = bracket_of(worth);
                calc::sub(calc::mul(worth, step.maintenance), calc::int(step.off))
            }
            // One percent and half a basis point more per coin.
            Unit::Inverse => calc::mul(
                worth,
                calc::add(Decimal::new(1, 2), calc::mul(worth, Decimal::new(5, 5))),
            ),
            Unit::CoinOption => options::maintenance(self, size),
        }
    }

    /// Initial margin of a position of `size` worth `worth`.
    fn initial(&self, size: Decimal, worth: Decimal, leverage: u32) -> Decimal {
        match self.listing.unit {
            Unit::Linear => calc::div(worth, calc::int(i64::from(leverage.max(1)))),
            Unit::Inverse => {
                let floor = calc::div(Decimal::ONE, calc::int(i64::from(leverage.max(1))));
                let rate = calc::add(floor, calc::mul(worth, Decimal::new(5, 5)));
                calc::mul(worth, rate)
            }
            Unit::CoinOption => options::initial(self, size),
        }
    }
}

/// Initial margin of a position and of it with what rests beside it.
fn needs(market: &Market, size: Decimal, resting: &Resting, leverage: u32) -> (Decimal, Decimal) {
    let worth = value(&market.listing, size, market.mark).abs();
    let alone = market.initial(size, worth, leverage);
    if market.listing.is_option() {
        // Bids reserve their premium, offers what the short position would need.
        let short = calc::sub(size, resting.asks);
        let with_asks = market.initial(short, worth, leverage).max(alone);
        return (alone, calc::add(with_asks, resting.bid_value));
    }
    let net = if size.is_negative() { worth.neg() } else { worth };
    let up = calc::add(net, resting.bid_value).abs();
    let down = calc::sub(net, resting.ask_value).abs();
    let up = market.initial(calc::add(size, resting.bids), up, leverage);
    let down = market.initial(calc::sub(size, resting.asks), down, leverage);
    (alone, up.max(down).max(alone))
}

impl Exchange {
    /// The state of an account's money in one asset.
    pub fn summary(&self, account: AccountIx, asset: &str) -> Summary {
        let Some(owner) = self.account(account) else { return Summary::default() };
        let mut sum = Summary { wallet: owner.wallet(asset), ..Summary::default() };
        let mut touched: Vec<InstrumentIx> =
            owner.positions.iter().filter(|(_, p)| !p.size.is_zero()).map(|(k, _)| k.0).collect();
        touched.extend(owner.resting.iter().filter(|(_, r)| r.count > 0).map(|(ix, _)| *ix));
        touched.sort_unstable();
        touched.dedup();
        for instrument in touched {
            let Some(market) = self.market(instrument) else { continue };
            if &*market.listing.settle == asset {
                add_instrument(&mut sum, owner, instrument, market);
            }
        }
        sum
    }

    /// The initial margin of an account's position in an instrument, and what its orders there
    /// add to it.
    pub fn instrument_margin(&self, account: AccountIx, of: InstrumentIx) -> (Decimal, Decimal) {
        let (Some(owner), Some(market)) = (self.account(account), self.market(of)) else {
            return (Decimal::ZERO, Decimal::ZERO);
        };
        let resting = owner.resting.get(&of).copied().unwrap_or_default();
        let (alone, with) =
            needs(market, owner.net(of), &resting, owner.leverage_of(of, &market.listing));
        (alone, calc::sub(with, alone))
    }

    pub(crate) fn check_margin(&self, account: AccountIx, order: &NewOrder) -> Result<(), Refusal> {
        let owner = self.account(account).ok_or(Refusal::UnknownInstrument)?;
        if owner.background || order.reduce_only || order.close_position {
            return Ok(());
        }
        let none = Resting::default();
        let resting = owner.resting.get(&order.instrument).unwrap_or(&none);
        self.check_more(account, owner, order, order.quantity, (resting, resting))
    }

    pub(crate) fn check_amended_margin(&self, old: &Order, ask: &NewOrder) -> Result<(), Refusal> {
        let owner = self.account(old.account).ok_or(Refusal::UnknownInstrument)?;
        if owner.background || ask.reduce_only {
            return Ok(());
        }
        let market = self.listing(ask.instrument)?;
        let before = owner.resting.get(&ask.instrument).copied().unwrap_or_default();
        let mut resting = before;
        let price = old.ask.price.unwrap_or(market.mark);
        let worth = value(&market.listing, old.left(), price).abs();
        match ask.side {
            Side::Buy => {
                resting.bids = calc::sub(resting.bids, old.left());
                resting.bid_value = calc::sub(resting.bid_value, worth);
            }
            Side::Sell => {
                resting.asks = calc::sub(resting.asks, old.left());
                resting.ask_value = calc::sub(resting.ask_value, worth);
            }
        }
        let left = calc::sub(ask.quantity, old.filled);
        self.check_more(old.account, owner, ask, left, (&before, &resting))
    }

    /// Whether the account can bear `order`: what rests now, and what will still rest beside it.
    fn check_more(
        &self,
        account: AccountIx,
        owner: &Account,
        order: &NewOrder,
        quantity: Decimal,
        (before, beside): (&Resting, &Resting),
    ) -> Result<(), Refusal> {
        let market = self.listing(order.instrument)?;
        let terms = &market.listing;
        let price = order.price.unwrap_or_else(|| market.worst_price(order.side));
        let worth = value(terms, quantity, price).abs();
        let mut with = *beside;
        match order.side {
            Side::Buy => {
                with.bids = calc::add(with.bids, quantity);
                with.bid_value = calc::add(with.bid_value, worth);
            }
            Side::Sell => {
                with.asks = calc::add(with.asks, quantity);
                with.ask_value = calc::add(with.ask_value, worth);
            }
        }
        let leverage = owner.leverage_of(order.instrument, terms);
        let size = owner.net(order.instrument);
        let (_, now) = needs(market, size, before, leverage);
        let (_, then) = needs(market, size, &with, leverage);
        let more = calc::sub(then, now);
        if !more.is_positive() {
            return Ok(());
        }
        let after = calc::add(size, signed(order.side, quantity));
        check_leverage(terms, value(terms, after, market.mark).abs(), leverage)?;
        let fee = calc::mul(worth, terms.taker_fee);
        let free = self.summary(account, &terms.settle).available();
        if calc::add(more, fee) > free { Err(Refusal::Margin) } else { Ok(()) }
    }
}

fn check_leverage(terms: &Listing, worth: Decimal, leverage: u32) -> Result<(), Refusal> {
    match terms.venue {
        Venue::Binance if bracket_of(worth).1.leverage < leverage => Err(Refusal::Leverage),
        Venue::Binance | Venue::Deribit => Ok(()),
    }
}

fn add_instrument(sum: &mut Summary, owner: &Account, of: InstrumentIx, market: &Market) {
    let isolated = owner.is_isolated(of);
    for ((_, _), position) in owner
        .positions
        .range((of, super::order::PosSide::Both)..=(of, super::order::PosSide::Short))
    {
        if market.listing.is_option() {
            let worth = value(&market.listing, position.size, market.mark);
            sum.options = calc::add(sum.options, worth);
            continue;
        }
        let profit = position.profit(&market.listing, market.mark);
        sum.profit = calc::add(sum.profit, profit);
        if isolated {
            sum.isolated_profit = calc::add(sum.isolated_profit, profit);
            sum.isolated = calc::add(sum.isolated, position.isolated_margin);
        }
    }
    let size = owner.net(of);
    let resting = owner.resting.get(&of).copied().unwrap_or_default();
    let (alone, with) = needs(market, size, &resting, owner.leverage_of(of, &market.listing));
    sum.orders = calc::add(sum.orders, calc::sub(with, alone));
    if !isolated {
        sum.positions = calc::add(sum.positions, alone);
        sum.maintenance = calc::add(sum.maintenance, market.maintenance(size));
    }
}

impl Market {
    /// A price a market order is valued at: five ticks beyond the opposite best, or the mark.
    fn worst_price(&self, side: Side) -> Decimal {
        self.book.best(side.opposite()).unwrap_or(self.mark).max(self.mark)
    }
}

//! What is listed: the terms of every instrument of every venue.

use std::collections::BTreeSet;
use std::sync::Arc;
use tidegate_types::decimal::Decimal;
use tidegate_types::time::{Span, Time};
use tidegate_types::{codec_enum, codec_struct};

/// A venue the simulator stands in for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Venue {
    /// Binance USDⓈ-M futures.
    Binance,
    /// Deribit.
    Deribit,
}
codec_enum!(Venue { 0 => Binance, 1 => Deribit });

impl Venue {
    /// Every venue.
    pub const ALL: [Venue; 2] = [Venue::Binance, Venue::Deribit];

    /// The name in paths and on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Venue::Binance => "binance",
            Venue::Deribit => "deribit",
        }
    }

    /// The venue of that name.
    pub fn find(name: &str) -> Option<Venue> {
        Venue::ALL.into_iter().find(|venue| venue.name() == name)
    }
}

/// What an instrument is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// A perpetual future.
    Perpetual,
    /// A future with an expiry.
    Future {
        /// When it is delivered.
        expiry: Time,
    },
    /// A European option.
    Option {
        /// When it expires.
        expiry: Time,
        /// The strike in dollars.
        strike: Decimal,
        /// Whether it is a call.
        call: bool,
    },
}
codec_enum!(Kind { 0 => Perpetual, 1 => Future { expiry }, 2 => Option { expiry, strike, call } });

/// What a quantity counts and what a price is in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unit {
    /// Quantity in coin, price in the settlement asset.
    Linear,
    /// Quantity in dollars, price in dollars, settled in coin.
    Inverse,
    /// Quantity in coin, premium in coin.
    CoinOption,
}
codec_enum!(Unit { 0 => Linear, 1 => Inverse, 2 => CoinOption });

/// The terms of an instrument.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Listing {
    /// Where it trades.
    pub venue: Venue,
    /// Its name there.
    pub symbol: Arc<str>,
    /// What it is.
    pub kind: Kind,
    /// What quantity and price mean.
    pub unit: Unit,
    /// The coin whose index it follows: `BTC`.
    pub coin: Arc<str>,
    /// The asset it is quoted in.
    pub quote: Arc<str>,
    /// The asset profit and margin are in.
    pub settle: Arc<str>,
    /// The base price step.
    pub tick: Decimal,
    /// Coarser steps above prices, ascending.
    pub tick_steps: Vec<(Decimal, Decimal)>,
    /// The quantity step.
    pub step: Decimal,
    /// The smallest order.
    pub min_quantity: Decimal,
    /// The largest limit order.
    pub max_quantity: Decimal,
    /// The largest market order.
    pub max_market_quantity: Decimal,
    /// The smallest order value in the quote asset; zero for none.
    pub min_notional: Decimal,
    /// One contract, in the quantity's unit.
    pub contract_size: Decimal,
    /// Fee of the resting side, as a fraction.
    pub maker_fee: Decimal,
    /// Fee of the incoming side, as a fraction.
    pub taker_fee: Decimal,
    /// The largest leverage of a position.
    pub max_leverage: u32,
    /// How far from the mark a limit price may be, as a fraction; zero for no band.
    pub band: Decimal,
    /// How often funding is exchanged; zero for never.
    pub funding_every: Span,
    /// When it was listed.
    pub listed: Time,
}
codec_struct!(Listing {
    venue,
    symbol,
    kind,
    unit,
    coin,
    quote,
    settle,
    tick,
    tick_steps,
    step,
    min_quantity,
    max_quantity,
    max_market_quantity,
    min_notional,
    contract_size,
    maker_fee,
    taker_fee,
    max_leverage,
    band,
    funding_every,
    listed
});

impl Listing {
    /// When it ends, if it does.
    pub const fn expiry(&self) -> Option<Time> {
        match self.kind {
            Kind::Perpetual => None,
            Kind::Future { expiry } | Kind::Option { expiry, .. } => Some(expiry),
        }
    }

    /// Whether it is an option.
    pub const fn is_option(&self) -> bool {
        matches!(self.kind, Kind::Option { .. })
    }

    /// How far its strike is away, if it has one.
    fn strike(&self, away: impl Fn(Decimal) -> i64) -> Option<i64> {
        match self.kind {
            Kind::Option { strike, .. } => Some(away(strike)),
            Kind::Perpetual | Kind::Future { .. } => None,
        }
    }

    /// The price step that holds at `price`.
    pub fn tick_at(&self, price: Decimal) -> Decimal {
        self.tick_steps.iter().rev().find(|(above, _)| price > *above).map_or(self.tick, |s| s.1)
    }
}

/// What the desk of `venue` should find listed at `now`: expired instruments are followed by new
/// ones. `index` is the present index of a coin.
pub(crate) fn due(venue: Venue, now: Time, index: &dyn Fn(&str) -> Decimal) -> Vec<Listing> {
    match venue {
        Venue::Binance => crate::binance::universe::due(now, index),
        Venue::Deribit => crate::deribit::universe::due(now, index),
    }
}

/// Leaves a few of each kind: perpetuals, and of one coin and one expiry the future and the options
/// nearest to the money.
pub(crate) fn thin(listings: &mut Vec<Listing>, index: &dyn Fn(&str) -> Decimal) {
    let dated =
        listings.iter().filter_map(|listing| Some((listing.coin.clone(), listing.expiry()?)));
    let expiries: BTreeSet<_> = dated.collect();
    // Not the first: it may end while somebody still trades it.
    let Some((coin, expiry)) = expiries.iter().nth(1).cloned() else { return };
    let far = |strike: Decimal| (strike.raw() - index(&coin).raw()).abs();
    listings.retain(|listing| match listing.expiry() {
        None => true,
        Some(of) => of == expiry && listing.coin == coin,
    });
    let strikes: BTreeSet<_> = listings.iter().filter_map(|listing| listing.strike(far)).collect();
    let near: Vec<_> = strikes.into_iter().take(2).collect();
    listings.retain(|listing| listing.strike(far).is_none_or(|away| near.contains(&away)));
}

//! What options are valued by, and the limits of an account's options.

use crate::codec_struct;
use crate::decimal::{Decimal, Rounding};
use crate::ids::{AccountName, InstrumentId};
use crate::instrument::{Price, Qty, Usd};
use crate::time::Time;

const BASIS_POINTS: Decimal = Decimal::new(10_000, 0);

/// A venue's own sensitivities of one option, for a quantity of one coin.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct VenueGreeks {
    /// Black-Scholes delta, not adjusted for a premium that is paid in coin.
    pub delta: Decimal,
    /// Dollars for one point of volatility.
    pub vega: Decimal,
    /// Dollars for one day.
    pub theta: Decimal,
}
codec_struct!(VenueGreeks { delta, vega, theta });

/// What a venue says an option is to be valued by.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OptionQuote {
    /// Which option.
    pub instrument: InstrumentId,
    /// The price of the underlying at the option's expiry, in dollars.
    pub forward: Price,
    /// The implied volatility of the mark, a year's, as a fraction: 0.65.
    pub volatility: Decimal,
    /// The venue's own sensitivities, if it tells them.
    pub greeks: Option<VenueGreeks>,
    /// When the venue made it.
    pub at: Time,
}
codec_struct!(OptionQuote { instrument, forward, volatility, greeks, at });

/// By what a portfolio is tried: moves of the price, each with volatility up, as it is and down.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Stress {
    /// The farthest ordinary move of the price to either side, in basis points.
    pub range_bps: u32,
    /// How far volatility rises, relative, for an option with 30 days to go, in basis points.
    pub vol_up_bps: u32,
    /// How far it falls.
    pub vol_down_bps: u32,
    /// What is added for options sold more than bought, of one series, by the worth of their underlying.
    pub short_bps: u32,
    /// What is added to that in the last day before their expiry.
    pub expiry_bps: u32,
    /// From this worth of the underlying on, options sold are a concentration ...
    pub concentrated_above: Usd,
    /// ... for which this is added, by the worth above.
    pub concentration_bps: u32,
}
codec_struct!(Stress {
    range_bps,
    vol_up_bps,
    vol_down_bps,
    short_bps,
    expiry_bps,
    concentrated_above,
    concentration_bps,
});

impl Stress {
    /// What holds where nobody set another: ±16 %, volatility up by 40 % and down by 22 %, 1 % for
    /// options sold and as much again in their last day, 2 % of what is above ten million dollars.
    pub const STANDARD: Stress = Stress {
        range_bps: 1600,
        vol_up_bps: 4000,
        vol_down_bps: 2200,
        short_bps: 100,
        expiry_bps: 100,
        concentrated_above: Usd(Decimal::new(10_000_000, 0)),
        concentration_bps: 200,
    };
}

/// The limits of an account's options, with everything else it holds of the same coins, all open orders at
/// their worst fill.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OptionLimits {
    /// Of which account.
    pub account: AccountName,
    /// Dollars by which the account follows its coins, all coins together.
    pub max_delta: Option<Usd>,
    /// Dollars by which that changes when every price moves by one percent.
    pub max_gamma: Option<Usd>,
    /// Dollars gained or lost by one point of volatility.
    pub max_vega: Option<Usd>,
    /// Dollars gained or lost by a day.
    pub max_theta: Option<Usd>,
    /// Coins of one expiry sold more than bought, calls and puts each for themselves, added.
    pub max_net_short: Option<Qty>,
    /// The part of the equity that the scenario margin may take, in basis points.
    pub max_margin_bps: u32,
    /// What the margin is counted by.
    pub stress: Stress,
}
codec_struct!(OptionLimits {
    account,
    max_delta,
    max_gamma,
    max_vega,
    max_theta,
    max_net_short,
    max_margin_bps,
    stress,
});

/// What an account's options were found to come to with an order, open orders at their worst fill; in dollars.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct OptionFigures {
    /// What the worst scenario would take, with what is added for options sold.
    pub margin: Usd,
    /// What the account has.
    pub equity: Usd,
    /// How far it follows its coins, either way.
    pub delta: Usd,
    /// How far that changes by one percent.
    pub gamma: Usd,
    /// What one point of volatility may cost or bring.
    pub vega: Usd,
    /// What a day may cost or bring.
    pub theta: Usd,
}
codec_struct!(OptionFigures { margin, equity, delta, gamma, vega, theta });

impl OptionLimits {
    /// The part of this equity that the scenario margin may take, rounded down; none where it cannot be counted.
    pub fn most_margin(&self, equity: Usd) -> Option<Usd> {
        let bps = Decimal::from_int(i64::from(self.max_margin_bps)).ok()?;
        let most = equity.0.max(Decimal::ZERO).mul_div(bps, BASIS_POINTS, Rounding::Floor);
        most.ok().map(Usd)
    }
}

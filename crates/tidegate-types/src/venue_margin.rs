//! What a venue itself says of an account's margin.

use crate::codec_struct;
use crate::decimal::Decimal;
use crate::ids::Currency;

/// An account's margin by its venue's own count, all figures in one currency.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct VenueMargin {
    /// Which currency; `USD` where the venue adds several up in dollars.
    pub asset: Currency,
    /// How the venue counts, in its own word, if it tells.
    pub model: Option<String>,
    /// What the margin is taken from.
    pub equity: Decimal,
    /// What positions and open orders take.
    pub initial: Decimal,
    /// Below this the account is liquidated.
    pub maintenance: Decimal,
    /// What is left for new orders, if it tells.
    pub available: Option<Decimal>,
    /// What positions will take after the next expiry, if it tells.
    pub projected_initial: Option<Decimal>,
    /// Below what the account will be liquidated after the next expiry, if it tells.
    pub projected_maintenance: Option<Decimal>,
    /// By how much it follows what, if the venue tells.
    pub greeks: Option<MarginGreeks>,
}
codec_struct!(VenueMargin {
    asset,
    model,
    equity,
    initial,
    maintenance,
    available,
    projected_initial,
    projected_maintenance,
    greeks,
});

impl VenueMargin {
    /// Whether there is anything to tell.
    pub fn is_empty(&self) -> bool {
        [self.equity, self.initial, self.maintenance].iter().all(|figure| figure.is_zero())
    }
}

/// A venue's own sums over a portfolio, in its own units.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct MarginGreeks {
    /// Delta of everything.
    pub delta: Decimal,
    /// Gamma of the options.
    pub gamma: Decimal,
    /// Vega of the options.
    pub vega: Decimal,
    /// Theta of the options.
    pub theta: Decimal,
}
codec_struct!(MarginGreeks { delta, gamma, vega, theta });

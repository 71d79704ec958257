//! Instruments and what a quantity of them is worth.

use crate::decimal::{Decimal, DecimalError, Rounding};
use crate::ids::{Currency, IndexName, InstrumentId};
use crate::time::Time;
use crate::{codec_enum, codec_newtype, codec_struct};
use std::fmt;

macro_rules! measures {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
        pub struct $name(pub Decimal);
        codec_newtype!($name);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }
    )*};
}

measures! {
    /// A price in the instrument's quote unit: dollars, or coin for inverse options.
    Price;
    /// An unsigned amount in the instrument's own unit (`Unit` says which).
    Qty;
    /// A signed amount in the instrument's own unit: positions.
    SignedQty;
    /// An amount in US dollars (stablecoins count as one dollar).
    Usd;
}

/// What an instrument is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Kind {
    /// A perpetual future.
    Perpetual,
    /// A future with an expiry.
    Future {
        /// When it expires.
        expiry: Time,
    },
    /// A European option.
    Option {
        /// When it expires.
        expiry: Time,
        /// The strike in dollars.
        strike: Price,
        /// Whether it is a call.
        call: bool,
    },
}
codec_enum!(Kind { 0 => Perpetual, 1 => Future { expiry }, 2 => Option { expiry, strike, call } });

/// What a quantity counts and what a price is in: together they give money.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unit {
    /// Quantity in coin, price in dollars: worth quantity × price.
    Linear,
    /// Quantity in dollars, price in dollars, settled in coin: worth the quantity itself.
    Inverse,
    /// Quantity in coin, price (premium) in coin: worth quantity × index as exposure, and
    /// quantity × price × index as premium.
    CoinOption,
}
codec_enum!(Unit { 0 => Linear, 1 => Inverse, 2 => CoinOption });

/// From `above` on, prices come in steps of `tick` instead of the instrument's base tick.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TickStep {
    /// The price above which the step holds.
    pub above: Price,
    /// The step.
    pub tick: Price,
}
codec_struct!(TickStep { above, tick });

/// The terms of an instrument, read from its venue.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Instrument {
    /// Which one.
    pub id: InstrumentId,
    /// What it is.
    pub kind: Kind,
    /// What its quantities and prices count.
    pub unit: Unit,
    /// The base coin.
    pub base: Currency,
    /// What gains, losses and margin are paid in.
    pub settlement: Currency,
    /// The index its mark follows.
    pub index: IndexName,
    /// Quantity of one contract, in the quantity's unit.
    pub contract_size: Qty,
    /// Base price step.
    pub tick: Price,
    /// Coarser steps at higher prices.
    pub tick_steps: Vec<TickStep>,
    /// Quantity step.
    pub lot: Qty,
    /// Smallest quantity.
    pub min_qty: Qty,
    /// Largest quantity, if the venue says.
    pub max_qty: Option<Qty>,
    /// Whether it takes orders.
    pub open: bool,
}
codec_struct!(Instrument {
    id,
    kind,
    unit,
    base,
    settlement,
    index,
    contract_size,
    tick,
    tick_steps,
    lot,
    min_qty,
    max_qty,
    open,
});

/// Mark and index of an instrument at a time.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Mark {
    /// Of which instrument.
    pub instrument: InstrumentId,
    /// The mark price, in the price's unit.
    pub mark: Price,
    /// The index in dollars.
    pub index: Price,
    /// When the venue made it.
    pub at: Time,
}
codec_struct!(Mark { instrument, mark, index, at });

impl Instrument {
    /// Whether it is traded no more, since its time came.
    pub fn has_expired(&self, now: Time) -> bool {
        match self.kind {
            Kind::Perpetual => false,
            Kind::Future { expiry } | Kind::Option { expiry, .. } => now >= expiry,
        }
    }

    /// The price step that holds at `price`.
    pub fn tick_at(&self, price: Price) -> Price {
        let steps = self.tick_steps.iter().filter(|step| price > step.above);
        steps.max_by_key(|step| step.above).map_or(self.tick, |step| step.tick)
    }

    /// What `qty` exposes to, in dollars, at `price` (for coin options: at `index`), rounded up.
    pub fn notional(&self, qty: Qty, price: Price, index: Price) -> Result<Usd, DecimalError> {
        match self.unit {
            Unit::Linear => qty.0.mul(price.0, Rounding::Ceil).map(Usd),
            Unit::Inverse => Ok(Usd(qty.0)),
            Unit::CoinOption => qty.0.mul(index.0, Rounding::Ceil).map(Usd),
        }
    }
}

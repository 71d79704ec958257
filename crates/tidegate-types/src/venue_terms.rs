//! What a venue itself lets be traded at the moment: its halts and its bands of prices.

use crate::decimal::{Decimal, DecimalError, Rounding};
use crate::ids::InstrumentId;
use crate::instrument::Price;
use crate::time::Time;
use crate::{codec_enum, codec_struct};
use std::fmt;

/// Whether the venue takes orders for an instrument.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub enum Trading {
    /// It does.
    #[default]
    Open,
    /// It has stopped trading for now.
    Halted,
    /// It is settling or delivering.
    Settling,
    /// It trades the instrument no more.
    Closed,
}
codec_enum!(Trading { 0 => Open, 1 => Halted, 2 => Settling, 3 => Closed });

impl fmt::Display for Trading {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Trading::Open => "open",
            Trading::Halted => "halted",
            Trading::Settling => "settling",
            Trading::Closed => "closed",
        })
    }
}

/// The prices that a venue takes. A buy above the highest is refused, and a sell below the lowest.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub enum PriceBand {
    /// Any price, as far as is known.
    #[default]
    None,
    /// Multiples of the mark.
    OfMark {
        /// Of the lowest sell.
        down: Decimal,
        /// Of the highest buy.
        up: Decimal,
    },
    /// Prices, as the venue last told them.
    Prices {
        /// The lowest sell.
        lowest: Price,
        /// The highest buy.
        highest: Price,
    },
}
codec_enum!(PriceBand {
    0 => None, 1 => OfMark { down, up }, 2 => Prices { lowest, highest },
});

impl PriceBand {
    /// The lowest sell and the highest buy at this mark, rounded outward: what is near the edge is the
    /// venue's to judge.
    ///
    /// # Errors
    /// When they are out of range.
    pub fn at(self, mark: Price) -> Result<Option<(Price, Price)>, DecimalError> {
        Ok(match self {
            PriceBand::None => None,
            PriceBand::OfMark { down, up } => Some((
                Price(mark.0.mul(down, Rounding::Floor)?),
                Price(mark.0.mul(up, Rounding::Ceil)?),
            )),
            PriceBand::Prices { lowest, highest } => Some((lowest, highest)),
        })
    }
}

/// What a venue lets be traded of one instrument.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct VenueTerms {
    /// Of which.
    pub instrument: InstrumentId,
    /// Whether it takes orders; `None`: this reading does not tell, what was told before holds.
    pub trading: Option<Trading>,
    /// The prices it takes; `None`: this reading does not tell.
    pub band: Option<PriceBand>,
    /// When this was read, on the gateway's clock.
    pub at: Time,
}
codec_struct!(VenueTerms { instrument, trading, band, at });

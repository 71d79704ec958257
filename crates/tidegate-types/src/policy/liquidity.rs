//! What a market shows of itself.

use crate::codec_struct;
use crate::ids::InstrumentId;
use crate::instrument::{Price, Usd};
use crate::time::Time;

/// How near to the best price a side of the book counts as depth, in basis points of that price.
pub const DEPTH_BPS: u32 = 50;

/// The best prices, the depth and the volume of a market at a time; what is not known is `None`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Liquidity {
    /// Of which instrument.
    pub instrument: InstrumentId,
    /// The best price that somebody buys at.
    pub bid: Option<Price>,
    /// The best price that somebody sells at.
    pub ask: Option<Price>,
    /// What the bids within `DEPTH_BPS` of the best one are worth.
    pub bid_depth: Option<Usd>,
    /// What the asks within `DEPTH_BPS` of the best one are worth.
    pub ask_depth: Option<Usd>,
    /// What was traded in the last 24 hours.
    pub volume: Option<Usd>,
    /// When the venue made it.
    pub at: Time,
}
codec_struct!(Liquidity { instrument, bid, ask, bid_depth, ask_depth, volume, at });

impl Liquidity {
    /// The depth of the thinner side, if both are known.
    pub fn depth(&self) -> Option<Usd> {
        Some(self.bid_depth?.min(self.ask_depth?))
    }
}

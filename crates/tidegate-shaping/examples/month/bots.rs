//! What the bots want, and when: each the same as the others, and one of them runs away for half an hour a day.

use tidegate_shaping::Rank;
use tidegate_types::limits::{ORDER_PATIENCE, READ_PATIENCE, SEND_TIMEOUT};
use tidegate_types::time::Span;

pub(crate) const BOTS: usize = 50;
pub(crate) const MINUTE_MS: u64 = 60_000;
pub(crate) const DAY_MS: u64 = 24 * 60 * MINUTE_MS;
/// The bots are busy from midnight until then.
pub(crate) const BUSY_MS: u64 = DAY_MS * 2 / 3;
/// When the one that runs away does so.
const STORM_MS: std::ops::Range<u64> = 10 * 60 * MINUTE_MS..(10 * 60 + 30) * MINUTE_MS;
/// The one that runs away.
pub(crate) const RUNAWAY: usize = 0;
/// So many cancels at a time it has on the way.
pub(crate) const AT_ONCE: usize = 60;
/// What somebody wants.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Kind {
    /// To cancel all, as a halt does.
    Kill,
    Cancel,
    /// One of the cancels of the bot that runs away.
    Flood,
    /// To place an order that reduces.
    Reduce,
    /// To place another one.
    New,
    Read,
}

impl Kind {
    /// What all bots want all day.
    pub(crate) const COMMON: [Kind; 4] = [Kind::Cancel, Kind::Reduce, Kind::New, Kind::Read];

    pub(crate) fn rank(self) -> Rank {
        match self {
            Kind::Kill => Rank::Kill,
            Kind::Cancel | Kind::Flood => Rank::Cancel,
            Kind::Reduce => Rank::Reduce,
            Kind::New => Rank::New,
            Kind::Read => Rank::Read,
        }
    }

    /// How long it may wait for room.
    pub(crate) fn patience(self) -> Span {
        match self {
            Kind::Kill | Kind::Cancel | Kind::Flood => SEND_TIMEOUT,
            Kind::Reduce | Kind::New => ORDER_PATIENCE,
            Kind::Read => READ_PATIENCE,
        }
    }

    /// Whether the venue counts it as an order; orders weigh nothing.
    pub(crate) fn is_order(self) -> bool {
        matches!(self, Kind::Reduce | Kind::New)
    }

    /// When it is wanted next, by who had the last one just now and thinks for so long at most.
    pub(crate) fn next(self, now: u64, think: u64, dice: &mut Dice) -> u64 {
        let at = now + 1 + dice.below(think);
        if matches!(self, Kind::Kill | Kind::Flood) { in_storm(at) } else { at }
    }
}

/// Whether bots want more than there is.
pub(crate) fn is_day(at: u64) -> bool {
    at % DAY_MS < BUSY_MS
}

/// Whether it is storming.
pub(crate) fn storms(at: u64) -> bool {
    STORM_MS.contains(&(at % DAY_MS))
}

/// The same moment if it is storming, else the beginning of the next storm.
fn in_storm(at: u64) -> u64 {
    let of_day = at % DAY_MS;
    if storms(at) {
        return at;
    }
    let days = at / DAY_MS + u64::from(of_day >= STORM_MS.end);
    days * DAY_MS + STORM_MS.start + at % 1_000
}

/// SplitMix64.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn below(&mut self, most: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % most
    }
}

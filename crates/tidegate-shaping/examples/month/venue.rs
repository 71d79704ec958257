//! The venues, each written from its published rules and from nothing of ours.

mod binance;
mod deribit;

use crate::bots::{Dice, Kind, MINUTE_MS};
use tidegate_types::ids::VenueName;
use tidegate_venues::registry;
use tidegate_venues::upstream::{AccountLimit, Allowance, Stops, Units};

/// What a venue answers.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Answer {
    /// Done; so much is used now of each of its limits, where it tells.
    Done(Vec<u64>),
    /// Not so much: nothing of this for so many ms.
    Stopped(Stops, u64),
}

/// What it counted.
#[derive(Default)]
pub(crate) struct Counts {
    /// How often it banned.
    pub(crate) bans: u64,
    /// For how long, in ms.
    pub(crate) banned_ms: u64,
    /// Requests beyond the limit.
    pub(crate) too_many: u64,
    /// Orders beyond theirs.
    pub(crate) too_many_orders: u64,
    /// What it served of what reads cost, by minute.
    pub(crate) served: Vec<u64>,
    /// What it took of what orders cost, by minute.
    pub(crate) orders: Vec<u64>,
}

pub(crate) trait Venue {
    fn name(&self) -> &'static str;

    /// How much reads may cost in a minute, and orders.
    fn limits(&self) -> (u64, u64);

    /// The part of that which reads may have behind the shaper.
    fn open(&self) -> f64;

    /// What the account's summary tells.
    fn tells(&self) -> Option<AccountLimit> {
        None
    }

    /// What one of a kind costs.
    fn weight(&self, kind: Kind, dice: &mut Dice) -> u32;

    /// The same as the shaper is asked for it.
    fn costs(&self, kind: Kind, weight: u32) -> Vec<Units>;

    /// For how long a client library's own limiter holds the next one back, in ms.
    fn throttle(&self, kind: Kind, weight: u32) -> u64;

    /// Within how many ms a bot wants the next of a kind: by day all together want more than there is, by night a
    /// third of it.
    fn think(&self, kind: Kind, busy: bool) -> u64;

    fn arrives(&mut self, kind: Kind, weight: u32, now: u64) -> Answer;

    fn counts(&self) -> &Counts;
}

pub(crate) fn find(name: &str) -> Option<Box<dyn Venue>> {
    match name {
        "binance" => Some(Box::new(binance::Binance::default())),
        "deribit" => Some(Box::new(deribit::Deribit::new())),
        _ => None,
    }
}

/// The limits as the gateway has them.
pub(crate) fn table(venue: &str) -> &'static [Allowance] {
    let found = VenueName::new(venue).ok().and_then(|name| registry::find(&name));
    found.map_or(&[], |venue| venue.allowances())
}

fn count(minutes: &mut Vec<u64>, now: u64, units: u64) {
    let place = (now / MINUTE_MS) as usize;
    if minutes.len() <= place {
        minutes.resize(place + 1, 0);
    }
    minutes[place] += units;
}

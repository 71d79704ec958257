//! What came of it.

use crate::bots::{BOTS, BUSY_MS, DAY_MS, Kind, MINUTE_MS, RUNAWAY, storms};
use crate::venue::Venue;
use std::collections::BTreeMap;
use std::ops::Range;

/// What is counted while it runs.
#[derive(Default)]
pub(crate) struct Tally {
    /// The weight of its reads that each bot was served.
    pub(crate) read: Vec<u64>,
    /// How many of its new orders each bot was served.
    pub(crate) ordered: Vec<u64>,
    /// From being wanted to arriving, in ms, by kind; what is wanted in storms and at other times.
    pub(crate) waits: BTreeMap<(Kind, bool), Vec<u64>>,
    /// What was refused here, and why.
    pub(crate) refused: BTreeMap<(Kind, &'static str), u64>,
}

impl Tally {
    pub(crate) fn new() -> Tally {
        Tally { read: vec![0; BOTS], ordered: vec![0; BOTS], ..Tally::default() }
    }

    pub(crate) fn print(&mut self, venue: &dyn Venue, minutes: &Range<u64>) {
        let (counts, (reads, orders)) = (venue.counts(), venue.limits());
        let full = |at: u64| storms(at) && storms(at + MINUTE_MS);
        let by_day = used(&counts.served, minutes.clone(), is_busy) / reads as f64;
        let in_storm = used(&counts.served, minutes.clone(), full) / reads as f64;
        let ordered = used(&counts.orders, minutes.clone(), is_busy) / orders as f64;
        println!("  bans                        {}", counts.bans);
        println!("  time banned                 {:.1} h", counts.banned_ms as f64 / 3_600_000.0);
        println!("  requests beyond the limit   {}", counts.too_many);
        println!("  orders beyond theirs        {}", counts.too_many_orders);
        println!("  used by day                 {by_day:.1} %");
        println!("  the same of what is open    {:.1} %", by_day / venue.open());
        println!("  used in the storm           {in_storm:.1} %");
        println!("  of orders by day            {ordered:.1} %");
        evenly("reads", &self.read);
        evenly("new orders", &self.ordered);
        for ((kind, stormy), waits) in &mut self.waits {
            waits.sort_unstable();
            let last = waits.len().saturating_sub(1);
            let what = format!("{kind:?}{}", if *stormy { ", in the storm" } else { "" });
            let (p99, worst) = (waits[last * 99 / 100], waits[last]);
            println!(
                "  {what:22} {:9}, at the venue after p99 {p99} ms, worst {worst} ms",
                waits.len()
            );
        }
        for ((kind, why), count) in &self.refused {
            println!("  {:22} {count:9}, {why}", format!("{kind:?} refused here"));
        }
    }

    /// Something that was wanted then reached the venue now, or ends as not yet there. Reads are not counted.
    pub(crate) fn waited(&mut self, bot: usize, kind: Kind, since: u64, now: u64) {
        if kind == Kind::Read {
            return;
        }
        // What else the one that runs away cancels waits behind its own.
        let own = kind == Kind::Cancel && bot == RUNAWAY && storms(since);
        let kind = if own { Kind::Flood } else { kind };
        self.waits.entry((kind, storms(since))).or_default().push(now - since);
    }

    /// What 99 of a hundred of a kind waited at most, and the longest, in ms; of those sorted when they are printed.
    pub(crate) fn wait(&self, kind: Kind, stormy: bool) -> (u64, u64) {
        let waits = self.waits.get(&(kind, stormy)).map_or(&[][..], Vec::as_slice);
        let last = waits.len().saturating_sub(1);
        let at = |place: usize| waits.get(place).copied().unwrap_or(0);
        (at(last * 99 / 100), at(last))
    }
}

/// Whether the bots are busy, for some minutes already, and none of them runs away.
pub(crate) fn is_busy(at: u64) -> bool {
    let of_day = at % DAY_MS;
    of_day > 5 * MINUTE_MS && of_day < BUSY_MS - 5 * MINUTE_MS && !storms(at)
}

/// The mean of such minutes, in hundredths.
pub(crate) fn used(served: &[u64], minutes: Range<u64>, counts: impl Fn(u64) -> bool) -> f64 {
    let such = minutes.filter(|minute| counts(minute * MINUTE_MS));
    let (sum, count) = such.fold((0, 0_u64), |(sum, count), minute| {
        (sum + served.get(minute as usize).copied().unwrap_or(0), count + 1)
    });
    100.0 * sum as f64 / count.max(1) as f64
}

/// Jain's index.
pub(crate) fn jain(served: &[u64]) -> f64 {
    let (sum, squares) = served.iter().fold((0.0, 0.0), |(sum, squares), units| {
        (sum + *units as f64, squares + (*units as f64).powi(2))
    });
    sum * sum / f64::max(BOTS as f64 * squares, 1.0)
}

fn evenly(what: &str, served: &[u64]) {
    let sum = served.iter().sum::<u64>() as f64;
    let share = |units: Option<&u64>| {
        100.0 * units.copied().unwrap_or(0) as f64 * BOTS as f64 / f64::max(sum, 1.0)
    };
    let (least, most) = (share(served.iter().min()), share(served.iter().max()));
    let jain = jain(served);
    println!("  Jain's index of {what:11} {jain:.4}, of an even share {least:.1} % to {most:.1} %");
}

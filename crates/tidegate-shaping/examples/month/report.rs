//! What came of it.

use crate::bots::{BOTS, BUSY_MS, DAY_MS, Kind, MINUTE_MS, storms};
use crate::venue::{LIMIT, ORDERS, Venue};
use std::collections::BTreeMap;

/// What is counted while it runs.
#[derive(Default)]
pub(crate) struct Tally {
    /// The weight of its reads that each bot was served.
    pub(crate) read: Vec<u64>,
    /// How many of its new orders each bot was served.
    pub(crate) ordered: Vec<u64>,
    /// From being wanted to arriving, in ms, by kind; what is wanted in storms and at other times.
    pub(crate) waits: BTreeMap<(Kind, bool), Vec<u64>>,
    pub(crate) refused: u64,
}

impl Tally {
    pub(crate) fn new() -> Tally {
        Tally { read: vec![0; BOTS], ordered: vec![0; BOTS], ..Tally::default() }
    }

    pub(crate) fn print(&mut self, venue: &Venue, days: u64) {
        println!("  bans                        {}", venue.bans);
        println!("  time banned                 {:.1} h", venue.banned_ms as f64 / 3_600_000.0);
        println!("  requests beyond the weight  {}", venue.too_many);
        println!("  orders beyond the limit     {}", venue.too_many_orders);
        let busy = |at: u64| {
            let of_day = at % DAY_MS;
            of_day > 5 * MINUTE_MS && of_day < BUSY_MS - 5 * MINUTE_MS && !storms(at)
        };
        let by_day = used(&venue.served, days, busy);
        println!("  weight used by day          {:.1} %", by_day / LIMIT as f64);
        println!("  the same of what is open    {:.1} %", by_day / (LIMIT as f64 * 0.8));
        let full = |at: u64| storms(at) && storms(at + MINUTE_MS);
        println!(
            "  weight used in the storm    {:.1} %",
            used(&venue.served, days, full) / LIMIT as f64
        );
        let orders = used(&venue.orders, days, busy);
        println!("  orders used by day          {:.1} %", orders / ORDERS as f64);
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
        println!("  refused here                {}", self.refused);
    }
}

/// The mean of such minutes, in hundredths.
fn used(minutes: &[u64], days: u64, counts: impl Fn(u64) -> bool) -> f64 {
    let such = (0..days * DAY_MS / MINUTE_MS).filter(|minute| counts(minute * MINUTE_MS));
    let (sum, count) = such.fold((0, 0_u64), |(sum, count), minute| {
        (sum + minutes.get(minute as usize).copied().unwrap_or(0), count + 1)
    });
    100.0 * sum as f64 / count.max(1) as f64
}

fn evenly(what: &str, served: &[u64]) {
    let (sum, squares) = served.iter().fold((0.0, 0.0), |(sum, squares), units| {
        (sum + *units as f64, squares + (*units as f64).powi(2))
    });
    let share = |units: Option<&u64>| {
        100.0 * units.copied().unwrap_or(0) as f64 * BOTS as f64 / f64::max(sum, 1.0)
    };
    let (least, most) = (share(served.iter().min()), share(served.iter().max()));
    let jain = sum * sum / f64::max(BOTS as f64 * squares, 1.0);
    println!("  Jain's index of {what:11} {jain:.4}, of an even share {least:.1} % to {most:.1} %");
}

//! Thirty days of fifty bots behind one address: through the shaper, and each with a client library's own
//! limiter alone. `cargo run --release -p tidegate-shaping --example month [DAYS]`
#![expect(
    clippy::indexing_slicing,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a program for measuring, over bots it made itself"
)]

mod venue;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use tidegate_shaping::{Answer, Ask, Paid, Payer, Rank, Refusal, Shaper, Ticket};
use tidegate_types::ids::{AccountName, CallerName, VenueName};
use tidegate_types::limits::{READ_PATIENCE, SEND_TIMEOUT};
use tidegate_types::time::{Span, Time};
use tidegate_venues::registry;
use tidegate_venues::upstream::{BackOff, Stops, Units};
use venue::{LIMIT, Venue};

const BOTS: usize = 50;
const DAY_MS: u64 = 24 * 3_600_000;
/// The first minute of the run, since 1970.
const EPOCH_MS: u64 = 1_700_000_040_000;
/// What ccxt's own limiter waits for each unit of weight (its `rateLimit` for this venue).
const CCXT_MS: u64 = 50;
/// The weights of what bots read: tickers, books of several depths, accounts, open orders of all symbols.
const READS: &[u32] = &[1, 2, 5, 5, 5, 10, 10, 20, 20, 40];

#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Due {
    /// A bot wants something: to read so much, or to cancel, which it has wanted since.
    Wants {
        bot: usize,
        weight: u32,
        cancel: bool,
        since: u64,
    },
    Arrives {
        number: u64,
    },
    Answered {
        number: u64,
        used: Option<u64>,
        wait: Option<(bool, u64)>,
    },
    Turn,
}

struct Request {
    bot: usize,
    weight: u32,
    cancel: bool,
    since: u64,
    paid: Option<Paid>,
    left: Time,
}

struct Month {
    shaper: Option<Shaper>,
    account: AccountName,
    names: Vec<CallerName>,
    venue: Venue,
    dice: u64,
    now: u64,
    number: u64,
    queue: BinaryHeap<Reverse<(u64, u64, Due)>>,
    flying: BTreeMap<u64, Request>,
    waiting: BTreeMap<Ticket, Request>,
    /// When each bot's own limiter lets it go on.
    throttle: Vec<u64>,
    served: Vec<u64>,
    /// From being wanted to arriving, in ms.
    cancel_waits: Vec<u64>,
    refused: u64,
    next_turn: u64,
}

fn main() {
    let days: u64 = std::env::args().nth(1).and_then(|days| days.parse().ok()).unwrap_or(30);
    println!("{days} days, {BOTS} bots, one address, {LIMIT} units of weight a minute");
    for (name, shaped) in [("shaper", true), ("each its own limiter", false)] {
        let began = std::time::Instant::now();
        let mut month = Month::new(shaped);
        month.run(days * DAY_MS);
        month.report(name, days, began.elapsed().as_secs_f64());
    }
}

impl Month {
    fn new(shaped: bool) -> Month {
        let venue = VenueName::new("binance").ok().and_then(|name| registry::find(&name));
        let table = venue.map_or(&[][..], |venue| venue.allowances());
        let name = |bot| CallerName::new(&format!("bot{bot}"));
        let mut month = Month {
            shaper: shaped.then(|| Shaper::new(table)),
            account: AccountName::new("main").expect("a name"),
            names: (0..BOTS).map(|bot| name(bot).expect("a name")).collect(),
            venue: Venue::default(),
            dice: 7,
            now: 0,
            number: 0,
            queue: BinaryHeap::new(),
            flying: BTreeMap::new(),
            waiting: BTreeMap::new(),
            throttle: vec![0; BOTS],
            served: vec![0; BOTS],
            cancel_waits: Vec::new(),
            refused: 0,
            next_turn: u64::MAX,
        };
        for bot in 0..BOTS {
            month.wants(bot, false, month.now);
            month.wants(bot, true, month.now);
        }
        month
    }

    fn run(&mut self, until: u64) {
        while let Some(Reverse((at, _, due))) = self.queue.pop() {
            if at >= until {
                return;
            }
            self.now = at;
            match due {
                Due::Wants { bot, weight, cancel, since } => {
                    self.asks(Request {
                        bot,
                        weight,
                        cancel,
                        since,
                        paid: None,
                        left: Time::default(),
                    });
                }
                Due::Arrives { number } => self.arrives(number),
                Due::Answered { number, used, wait } => self.answered(number, used, wait),
                // One that was planned sooner has taken its place.
                Due::Turn if at != self.next_turn => {}
                Due::Turn => self.turn(),
            }
        }
    }

    /// A bot wants the next thing, after it has thought. By day all together want twice what there is; by
    /// night a third of it.
    fn wants(&mut self, bot: usize, cancel: bool, from: u64) {
        let busy = from % DAY_MS < DAY_MS * 2 / 3;
        let think = match (cancel, busy) {
            (true, true) => 20_000,
            (true, false) => 30_000,
            (false, true) => 6_000,
            (false, false) => 36_000,
        };
        let weight = if cancel { 1 } else { READS[self.below(READS.len() as u64) as usize] };
        let since = from + 1 + self.below(think);
        self.at(since, Due::Wants { bot, weight, cancel, since });
    }

    fn asks(&mut self, mut request: Request) {
        let Request { bot, weight, cancel, .. } = request;
        let now = self.time();
        let Some(shaper) = &mut self.shaper else {
            // The client waits by itself, whatever the others at the address do.
            let go = self.throttle[bot].max(self.now);
            self.throttle[bot] = go + CCXT_MS * u64::from(weight);
            return self.leaves(request, go - self.now);
        };
        let (rank, payer, patience) = match cancel {
            true => (Rank::Cancel, Payer::Account(self.account.clone()), SEND_TIMEOUT),
            false => (Rank::Read, Payer::Caller(self.names[bot].clone()), READ_PATIENCE),
        };
        let costs = vec![Units { allowance: 0, count: weight }];
        let (account, deadline) = (Some(self.account.clone()), now.plus(patience));
        let ask = Ask { rank, payer, account, from: 0, costs, weight: 1, deadline };
        match shaper.ask(ask, now) {
            Answer::Go(paid) => {
                request.paid = Some(paid);
                self.leaves(request, 0);
            }
            Answer::Waits(ticket) => drop(self.waiting.insert(ticket, request)),
            Answer::Refused(refusal) => self.refused(request, &refusal),
        }
        self.plan_turn();
    }

    fn turn(&mut self) {
        self.next_turn = u64::MAX;
        let now = self.time();
        let Some(shaper) = &mut self.shaper else { return };
        for served in shaper.turn(now) {
            let Some(mut request) = self.waiting.remove(&served.ticket) else { continue };
            match served.outcome {
                Ok(paid) => {
                    request.paid = Some(paid);
                    self.leaves(request, 0);
                }
                Err(refusal) => self.refused(request, &refusal),
            }
        }
        self.plan_turn();
    }

    fn plan_turn(&mut self) {
        let now = self.time();
        let due = self.shaper.as_mut().and_then(|shaper| shaper.due(now));
        if let Some(due) = due {
            let due = (due.micros().div_ceil(1000) - EPOCH_MS).max(self.now + 1);
            if due < self.next_turn {
                self.next_turn = due;
                self.at(due, Due::Turn);
            }
        }
    }

    /// The bot asks again: a read when it wants the next one, a cancel at once.
    fn refused(&mut self, request: Request, refusal: &Refusal) {
        self.refused += 1;
        let _ = refusal;
        self.again(request, 1_000);
    }

    fn again(&mut self, request: Request, wait: u64) {
        let Request { bot, weight, cancel, since, .. } = request;
        let at = self.now + wait;
        self.at(at, Due::Wants { bot, weight, cancel, since });
    }

    fn leaves(&mut self, mut request: Request, wait: u64) {
        request.left = self.time();
        self.number += 1;
        let number = self.number;
        self.flying.insert(number, request);
        let at = self.now + wait + 10 + self.below(70);
        self.at(at, Due::Arrives { number });
    }

    fn arrives(&mut self, number: u64) {
        let Some(request) = self.flying.get(&number) else { return };
        let answer = self.venue.arrives(u64::from(request.weight), self.now);
        let (used, wait) = match answer {
            venue::Answer::Done(used) => {
                if request.cancel {
                    self.cancel_waits.push(self.now - request.since);
                } else {
                    self.served[request.bot] += u64::from(request.weight);
                }
                (Some(used), None)
            }
            venue::Answer::TooMany(wait) => (None, Some((false, wait))),
            venue::Answer::Banned(wait) => (None, Some((true, wait))),
        };
        let at = self.now + 10 + self.below(70);
        self.at(at, Due::Answered { number, used, wait });
    }

    fn answered(&mut self, number: u64, used: Option<u64>, wait: Option<(bool, u64)>) {
        let Some(mut request) = self.flying.remove(&number) else { return };
        let now = self.time();
        if let Some(shaper) = &mut self.shaper {
            if let Some(paid) = request.paid.take() {
                shaper.settle(paid, now);
            }
            if let Some(used) = used {
                let count = u32::try_from(used).unwrap_or(u32::MAX);
                shaper.told(Units { allowance: 0, count }, (0, None), request.left, now);
            }
            if let Some((banned, wait)) = wait {
                let stops = if banned { Stops::Everything } else { Stops::Requests };
                let wait = Span::from_millis(wait);
                shaper.freeze(BackOff { stops, wait, until: None }, (0, None), now);
            }
        }
        match wait {
            None => self.wants(request.bot, request.cancel, self.now),
            // A client that is told to wait raises an error; bots try again after a second.
            Some(_) => self.again(request, 1_000),
        }
        self.plan_turn();
    }

    fn report(&mut self, name: &str, days: u64, seconds: f64) {
        let venue = &self.venue;
        let busy: Vec<u64> = (0..days * 24 * 60)
            .filter(|minute| {
                let of_day = minute % (24 * 60);
                of_day > 5 && of_day < 16 * 60 - 5
            })
            .map(|minute| venue.served.get(minute as usize).copied().unwrap_or(0))
            .collect();
        let mean = busy.iter().sum::<u64>() as f64 / busy.len().max(1) as f64;
        let (sum, squares) = self.served.iter().fold((0.0, 0.0), |(sum, squares), units| {
            (sum + *units as f64, squares + (*units as f64).powi(2))
        });
        self.cancel_waits.sort_unstable();
        let last = self.cancel_waits.len().saturating_sub(1);
        println!("{name}");
        println!("  bans                        {}", venue.bans);
        println!("  time banned                 {:.1} h", venue.banned_ms as f64 / 3_600_000.0);
        println!("  requests beyond the limit   {}", venue.too_many);
        println!("  used of the limit by day    {:.1} %", 100.0 * mean / LIMIT as f64);
        println!("  the same of what is open    {:.1} %", 100.0 * mean / (LIMIT as f64 * 0.8));
        println!("  Jain's index of the bots    {:.4}", sum * sum / (BOTS as f64 * squares));
        let share = |units: Option<&u64>| {
            100.0 * units.copied().unwrap_or(0) as f64 * BOTS as f64 / sum.max(1.0)
        };
        let (least, most) = (share(self.served.iter().min()), share(self.served.iter().max()));
        println!("  of an even share            {least:.1} % to {most:.1} %");
        println!("  cancels                     {}", self.cancel_waits.len());
        if let (Some(p99), Some(worst)) =
            (self.cancel_waits.get(last * 99 / 100), self.cancel_waits.last())
        {
            println!("  cancel at the venue after   p99 {p99} ms, worst {worst} ms");
        }
        println!("  refused here                {}", self.refused);
        println!("  computed in                 {seconds:.0} s");
    }

    fn time(&self) -> Time {
        Time::from_millis(EPOCH_MS + self.now)
    }

    fn at(&mut self, at: u64, due: Due) {
        self.number += 1;
        self.queue.push(Reverse((at, self.number, due)));
    }

    /// SplitMix64.
    fn below(&mut self, most: u64) -> u64 {
        self.dice = self.dice.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.dice;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % most
    }
}

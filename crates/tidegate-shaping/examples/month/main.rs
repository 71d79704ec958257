//! Thirty days of fifty bots behind one address and on one account: through the shaper, and each with a client
//! library's own limiter alone. `cargo run --release -p tidegate-shaping --example month [DAYS [VENUE [FROM]]]`: until
//! that many days are over, from that many on. It fails where the shaper does not keep what `bounds.rs` has.
#![expect(
    clippy::indexing_slicing,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a program for measuring, over bots it made itself"
)]

mod bots;
mod bounds;
mod report;
mod venue;

use bots::{AT_ONCE, BOTS, DAY_MS, Dice, Kind, MINUTE_MS, RUNAWAY, is_day};
use report::Tally;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::process::ExitCode;
use tidegate_shaping::{Answer, Ask, Paid, Payer, Refusal, Shaper, Ticket};
use tidegate_types::ids::{AccountName, CallerName};
use tidegate_types::time::{Span, Time};
use tidegate_venues::upstream::{BackOff, Units};
use venue::{Answer as Told, Venue};

/// The first minute of the run, since 1970.
const EPOCH_MS: u64 = 1_700_000_040_000;
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Due {
    /// A bot wants something, and has since.
    Wants(Wish),
    Arrives {
        number: u64,
    },
    Answered {
        number: u64,
        answer: Told,
    },
    Turn,
}

/// What somebody wants.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Wish {
    bot: usize,
    kind: Kind,
    weight: u32,
    since: u64,
}

struct Request {
    wish: Wish,
    paid: Option<Paid>,
    left: Time,
}

struct Month {
    shaper: Option<Shaper>,
    account: AccountName,
    names: Vec<CallerName>,
    venue: Box<dyn Venue>,
    dice: Dice,
    now: u64,
    number: u64,
    queue: BinaryHeap<Reverse<(u64, u64, Due)>>,
    flying: BTreeMap<u64, Request>,
    waiting: BTreeMap<Ticket, Request>,
    /// When each bot's own limiter lets it go on.
    throttle: Vec<u64>,
    tally: Tally,
    next_turn: u64,
}

fn main() -> ExitCode {
    let days = |at| std::env::args().nth(at).and_then(|days| days.parse().ok());
    let (days, from): (f64, f64) = (days(1).unwrap_or(30.0), days(3).unwrap_or(0.0));
    let name = std::env::args().nth(2).unwrap_or_else(|| "binance".to_owned());
    let [begin, end] = [from, days].map(|days| (days * DAY_MS as f64) as u64 / MINUTE_MS);
    let minutes = begin..end;
    let mut broken = Vec::new();
    for (side, shaped) in [("shaper", true), ("each its own limiter", false)] {
        let began = std::time::Instant::now();
        let Some(venue) = venue::find(&name) else {
            println!("there is no venue {name} here: binance or deribit");
            return ExitCode::FAILURE;
        };
        if shaped {
            let (reads, orders) = venue.limits();
            println!("{name}, days {from} to {days}, {BOTS} bots on one account and address");
            println!("a minute has {reads} units for reads, {orders} for orders");
        }
        let mut month = Month::new(venue, shaped, begin * MINUTE_MS);
        month.run(end * MINUTE_MS);
        println!("{side}");
        month.tally.print(month.venue.as_ref(), &minutes);
        println!("  computed in                 {:.0} s", began.elapsed().as_secs_f64());
        if shaped {
            broken = bounds::broken(&month.tally, month.venue.as_ref(), minutes.clone());
        }
    }
    for bound in &broken {
        println!("NOT KEPT: {bound}");
    }
    if broken.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

impl Month {
    fn new(venue: Box<dyn Venue>, shaped: bool, now: u64) -> Month {
        let account = AccountName::new("main").expect("a name");
        let mut shaper = shaped.then(|| Shaper::new(venue::table(venue.name())));
        if let (Some(shaper), Some(told)) = (&mut shaper, venue.tells()) {
            shaper.publish_of(&account, told, Time::from_millis(EPOCH_MS));
        }
        let name = |bot| CallerName::new(&format!("bot{bot}"));
        let mut month = Month {
            shaper,
            account,
            names: (0..BOTS).map(|bot| name(bot).expect("a name")).collect(),
            venue,
            dice: Dice(7),
            now,
            number: 0,
            queue: BinaryHeap::new(),
            flying: BTreeMap::new(),
            waiting: BTreeMap::new(),
            throttle: vec![0; BOTS + 1],
            tally: Tally::new(),
            next_turn: u64::MAX,
        };
        for bot in 0..BOTS {
            Kind::COMMON.into_iter().for_each(|kind| month.wants(bot, kind));
        }
        (0..AT_ONCE).for_each(|_| month.wants(RUNAWAY, Kind::Flood));
        // Somebody with a limiter of its own stops it.
        month.wants(BOTS, Kind::Kill);
        month
    }

    fn run(&mut self, until: u64) {
        while let Some(Reverse((at, _, due))) = self.queue.pop() {
            if at >= until {
                return self.end(until);
            }
            self.now = at;
            match due {
                Due::Wants(wish) => self.asks(wish),
                Due::Arrives { number } => self.arrives(number),
                Due::Answered { number, answer } => self.answered(number, answer),
                // One that was planned sooner has taken its place.
                Due::Turn if at != self.next_turn => {}
                Due::Turn => self.turn(),
            }
        }
    }

    /// What waits at the end has waited for so long at least.
    fn end(&mut self, until: u64) {
        let queued = self.queue.drain().filter_map(|Reverse((.., due))| match due {
            Due::Wants(wish) => Some(wish),
            _ => None,
        });
        let held = self.waiting.values().chain(self.flying.values()).map(|request| request.wish);
        for wish in queued.chain(held).filter(|wish| wish.since < until) {
            self.tally.waited(wish.bot, wish.kind, wish.since, until);
        }
    }

    /// A bot wants the next of a kind, after it has thought.
    fn wants(&mut self, bot: usize, kind: Kind) {
        let weight = self.venue.weight(kind, &mut self.dice);
        let think = self.venue.think(kind, is_day(self.now));
        let since = kind.next(self.now, think, &mut self.dice);
        self.at(since, Due::Wants(Wish { bot, kind, weight, since }));
    }

    fn asks(&mut self, wish: Wish) {
        let now = self.time();
        let Wish { bot, kind, weight, .. } = wish;
        let mut request = Request { wish, paid: None, left: Time::default() };
        let Some(shaper) = &mut self.shaper else {
            // The client waits by itself, whatever the others at the address do.
            let go = self.throttle[bot].max(self.now);
            self.throttle[bot] = go + self.venue.throttle(kind, weight);
            return self.leaves(request, go - self.now);
        };
        let payer = match kind {
            Kind::Kill => Payer::Account(self.account.clone()),
            _ => Payer::Caller(self.names[bot].clone()),
        };
        let costs = self.venue.costs(kind, weight);
        let (account, deadline) = (Some(self.account.clone()), now.plus(kind.patience()));
        let ask = Ask { rank: kind.rank(), payer, account, from: 0, costs, weight: 1, deadline };
        match shaper.ask(ask, now) {
            Answer::Go(paid) => {
                request.paid = Some(paid);
                self.leaves(request, 0);
            }
            Answer::Waits(ticket) => drop(self.waiting.insert(ticket, request)),
            Answer::Refused(why) => self.refused(wish, &why),
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
                Err(why) => self.refused(request.wish, &why),
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

    /// The bot asks again after a second, and has wanted it ever since; who runs away thinks of something else.
    fn refused(&mut self, wish: Wish, why: &Refusal) {
        let word = match why {
            Refusal::NoRoom { .. } => "no room in time",
            Refusal::TooOld { .. } => "waited too long",
            Refusal::Crowded => "too many wait",
            Refusal::Frozen(_) => "stopped by the venue",
        };
        *self.tally.refused.entry((wish.kind, word)).or_default() += 1;
        self.again(wish);
    }

    fn again(&mut self, wish: Wish) {
        let at = self.now + 1_000;
        match wish.kind {
            Kind::Flood => self.wants(wish.bot, wish.kind),
            // An order that is asked for again is another one: its price is.
            kind if kind.is_order() => self.at(at, Due::Wants(Wish { since: at, ..wish })),
            _ => self.at(at, Due::Wants(wish)),
        }
    }

    fn leaves(&mut self, mut request: Request, wait: u64) {
        request.left = self.time();
        self.number += 1;
        let number = self.number;
        self.flying.insert(number, request);
        let at = self.now + wait + 10 + self.dice.below(70);
        self.at(at, Due::Arrives { number });
    }

    fn arrives(&mut self, number: u64) {
        let Some(Request { wish, .. }) = self.flying.get(&number) else { return };
        let Wish { bot, kind, weight, since } = *wish;
        let answer = self.venue.arrives(kind, weight, self.now);
        if let Told::Done(_) = answer {
            match kind {
                Kind::Read => self.tally.read[bot] += u64::from(weight),
                Kind::New => self.tally.ordered[bot] += 1,
                _ => {}
            }
            self.tally.waited(bot, kind, since, self.now);
        }
        let at = self.now + 10 + self.dice.below(70);
        self.at(at, Due::Answered { number, answer });
    }

    fn answered(&mut self, number: u64, answer: Told) {
        let Some(Request { wish, paid, left }) = self.flying.remove(&number) else { return };
        let now = self.time();
        if let Some(shaper) = &mut self.shaper {
            if let Some(paid) = paid {
                shaper.settle(paid, now);
            }
            let of = (0, Some(&self.account));
            match &answer {
                Told::Done(used) => {
                    for (allowance, used) in used.iter().enumerate() {
                        let count = u32::try_from(*used).unwrap_or(u32::MAX);
                        shaper.told(Units { allowance, count }, of, left, (now, now));
                    }
                }
                Told::Stopped(stops, wait) => {
                    let wait = Span::from_millis(*wait);
                    shaper.freeze(BackOff { stops: *stops, wait, until: None }, of, now);
                }
            }
        }
        match answer {
            Told::Done(_) => self.wants(wish.bot, wish.kind),
            // A client that is told to wait raises an error; bots try again after a second.
            Told::Stopped(..) => self.again(wish),
        }
        self.plan_turn();
    }

    fn time(&self) -> Time {
        Time::from_millis(EPOCH_MS + self.now)
    }

    fn at(&mut self, at: u64, due: Due) {
        self.number += 1;
        self.queue.push(Reverse((at, self.number, due)));
    }
}

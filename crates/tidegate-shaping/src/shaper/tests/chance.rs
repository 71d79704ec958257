//! A thousand runs of chance against venues that count for themselves.

use super::*;

/// Short spans, so that each run goes through several of them.
const SPAN: u64 = 6_000;
const MINUTE: Allowance = Allowance {
    counting: Counting::Within(Span::from_millis(SPAN)),
    units: 240,
    reserved: 48,
    ..WEIGHT
};

const SEEDS: u64 = 1000;

/// SplitMix64.
struct Dice(u64);

impl Dice {
    fn below(&mut self, most: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % most
    }
}

/// A venue: so many units in each minute of its clock, which begins anywhere; and credits that come back.
#[derive(Default)]
struct Venue {
    begins: u64,
    minute: u64,
    weight: u64,
    credits_owed: u64,
    credits_at: u64,
}

impl Venue {
    fn arrives(&mut self, ask: &Ask, millis: u64) {
        for cost in &ask.costs {
            let units = u64::from(cost.count);
            if cost.allowance == 0 {
                let minute = (millis + self.begins) / SPAN;
                if minute != self.minute {
                    (self.minute, self.weight) = (minute, 0);
                }
                self.weight += units;
                assert!(self.weight <= 240, "banned: {} in a minute", self.weight);
            } else {
                // Ten credits come back in a millisecond.
                let back = (millis - self.credits_at) * 10;
                self.credits_owed = self.credits_owed.saturating_sub(back) + units;
                self.credits_at = millis;
                assert!(self.credits_owed <= 50_000, "too many requests: {}", self.credits_owed);
            }
        }
    }
}

fn any(dice: &mut Dice, now: Time) -> Ask {
    let ranks = [
        Rank::Kill,
        Rank::Cancel,
        Rank::Reduce,
        Rank::New,
        Rank::Upkeep,
        Rank::Read,
        Rank::Read,
        Rank::Public,
    ];
    let rank = ranks[dice.below(8) as usize];
    let payer = caller(["ann", "bob", "eve"][dice.below(3) as usize]);
    let count = [1, 2, 5, 10, 40][dice.below(5) as usize];
    let weight = Units { allowance: 0, count };
    let credits = Units { allowance: 1, count: 500 * (1 + dice.below(4) as u32) };
    let costs = [vec![weight], vec![credits], vec![weight, credits]];
    let costs = costs[dice.below(3) as usize].clone();
    let deadline = now.plus(Span::from_millis(dice.below(5_000)));
    Ask { costs, deadline, weight: 1 + dice.below(3) as u32, ..ask(rank, payer, 1, now) }
}

#[test]
fn with_honest_counting_no_limit_is_ever_exceeded() {
    let mut left = 0;
    for seed in 0..SEEDS {
        left += a_few_spans(seed);
    }
    assert!(left > SEEDS * 40, "it was tried in earnest: {left}");
}

fn a_few_spans(seed: u64) -> u64 {
    let mut dice = Dice(seed);
    let mut shaper = Shaper::new(&[MINUTE, CREDITS]);
    let mut venue = Venue { begins: dice.below(SPAN), ..Venue::default() };
    let mut waiting: BTreeMap<Ticket, Ask> = BTreeMap::new();
    // By time: arrivals at the venue, and answers.
    let mut arrivals: BTreeMap<(u64, u64), Ask> = BTreeMap::new();
    let mut answers: BTreeMap<(u64, u64), Paid> = BTreeMap::new();
    let (mut millis, mut number, mut left) = (0, 0, 0);
    let busy = 30 + dice.below(60);
    while millis < 15_000 {
        millis += dice.below(2 * busy);
        while let Some(next) = arrivals.first_entry().filter(|next| next.key().0 <= millis) {
            let ((at, _), ask) = next.remove_entry();
            venue.arrives(&ask, at);
        }
        while let Some(next) = answers.first_entry().filter(|next| next.key().0 <= millis) {
            let ((when, _), paid) = next.remove_entry();
            shaper.settle(paid, at(when));
        }
        let now = at(millis);
        let mut gone = Vec::new();
        let asked = any(&mut dice, now);
        match shaper.ask(asked.clone(), now) {
            Answer::Go(paid) => gone.push((asked, paid)),
            Answer::Waits(ticket) => drop(waiting.insert(ticket, asked)),
            Answer::Refused(_) => {}
        }
        for served in shaper.turn(now) {
            let asked = waiting.remove(&served.ticket).unwrap();
            if let Ok(paid) = served.outcome {
                assert!(asked.deadline > now, "nothing is sent late");
                gone.push((asked, paid));
            }
        }
        for (asked, paid) in gone {
            if dice.below(20) == 0 {
                shaper.give_back(paid);
                continue;
            }
            let arrives = millis + dice.below(3_000);
            number += 1;
            left += 1;
            arrivals.insert((arrives, number), asked);
            answers.insert((arrives + dice.below(7_000), number), paid);
        }
    }
    assert_eq!(waiting.len(), shaper.waiting(), "seed {seed}");
    left
}

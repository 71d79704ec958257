//! The promises, one after the other; then all at once under chance.

use super::*;
use crate::ask::Whose;
use crate::freeze::Frozen;
use crate::{Payer, Rank, Ticket};
use tidegate_types::ids::AccountName;
use tidegate_types::ids::CallerName;
use tidegate_types::limits::{MAX_BUDGET_SHARES, MAX_QUEUED_OF_ONE};
use tidegate_venues::upstream::{BackOff, Counting, Per, Stops, Units};

const WEIGHT: Allowance = Allowance {
    name: "weight",
    per: Per::Address,
    counting: Counting::Within(Span::from_secs(60)),
    units: 2400,
    reserved: 480,
    cancels: true,
};
const CREDITS: Allowance = Allowance {
    name: "credits",
    per: Per::Account,
    counting: Counting::Refill { per_minute: 600_000 },
    units: 50_000,
    reserved: 10_000,
    cancels: true,
};

/// The beginning of a minute.
fn start() -> Time {
    Time::from_millis(1_700_000_040_000)
}

fn at(millis: u64) -> Time {
    start().plus(Span::from_millis(millis))
}

fn caller(name: &str) -> Payer {
    Payer::Caller(CallerName::new(name).unwrap())
}

fn ask(rank: Rank, payer: Payer, count: u32, now: Time) -> Ask {
    Ask {
        rank,
        payer,
        account: Some(AccountName::new("main").unwrap()),
        from: 0,
        costs: vec![Units { allowance: 0, count }],
        weight: 1,
        deadline: now.plus(Span::from_secs(2)),
    }
}

fn go(shaper: &mut Shaper, rank: Rank, count: u32, now: Time) -> bool {
    let asked = ask(rank, caller("ann"), count, now);
    let paid = shaper.ask_now(&asked, now);
    paid.map(|paid| shaper.settle(paid, now)).is_ok()
}

/// How many units somebody gets at once, in requests of ten.
fn drain(shaper: &mut Shaper, rank: Rank, payer: &Payer, now: Time) -> u32 {
    let mut got = 0;
    while let Ok(paid) = shaper.ask_now(&ask(rank, payer.clone(), 10, now), now) {
        shaper.settle(paid, now);
        got += 10;
    }
    got
}

#[test]
fn a_fifth_is_there_for_what_cannot_wait() {
    let mut shaper = Shaper::new(&[WEIGHT]);
    assert_eq!(drain(&mut shaper, Rank::New, &caller("ann"), start()), 1920);
    assert!(!go(&mut shaper, Rank::Upkeep, 1, start()));
    for (rank, count) in [(Rank::Kill, 160), (Rank::Cancel, 160), (Rank::Reduce, 130)] {
        assert!(go(&mut shaper, rank, count, start()), "{rank:?}");
    }
    for rank in [Rank::Cancel, Rank::Reduce] {
        assert!(!go(&mut shaper, rank, 1, start()), "the last thirty are a halt's: {rank:?}");
    }
    assert!(go(&mut shaper, Rank::Kill, 30, start()));
    assert!(!go(&mut shaper, Rank::Kill, 1, start()), "the limit itself holds for halts as well");
}

#[test]
fn a_unit_counts_until_the_venue_s_minute_is_surely_over() {
    let mut shaper = Shaper::new(&[WEIGHT]);
    let asked = ask(Rank::Cancel, caller("ann"), 2400, start());
    let paid = shaper.ask_now(&asked, start()).unwrap();
    // It may arrive as late as it is answered.
    shaper.settle(paid, at(5_000));
    assert!(!go(&mut shaper, Rank::Cancel, 1, at(64_999)));
    assert!(go(&mut shaper, Rank::Cancel, 2400, at(65_300)));
}

#[test]
fn what_never_left_costs_nothing() {
    let mut shaper = Shaper::new(&[WEIGHT]);
    for rank in [Rank::Cancel, Rank::New, Rank::Read, Rank::Public] {
        for _ in 0..500 {
            let paid = shaper.ask_now(&ask(rank, caller("ann"), 10, start()), start()).unwrap();
            shaper.give_back(paid);
        }
    }
    assert!(shaper.uses(start()).iter().all(|told| told.used == 0));
}

#[test]
fn a_burst_of_reads_leaves_others_something_every_second() {
    let mut shaper = Shaper::new(&[WEIGHT]);
    let burst = drain(&mut shaper, Rank::Public, &Payer::at([10, 0, 0, 1].into()), start());
    assert!((600..=660).contains(&burst), "two thirds of half of 1920, and a little: {burst}");
    let others: u32 = (2..9)
        .map(|n| drain(&mut shaper, Rank::Public, &Payer::at([10, 0, 0, n].into()), start()))
        .sum();
    assert!((700..=760).contains(&(burst + others)), "public reads together: {others}");
    assert!(drain(&mut shaper, Rank::Read, &caller("ann"), start()) >= 230, "callers have more");
    let mut read = 0;
    for second in 1..60 {
        let now = at(1000 * second);
        let got = drain(&mut shaper, Rank::Read, &caller("bob"), now);
        assert!(got >= 10, "in second {second}");
        read += got;
    }
    assert!((880..=980).contains(&read), "the even half: {read}");
}

#[test]
fn those_who_wait_share_by_weight_and_the_urgent_go_first() {
    let mut shaper = Shaper::new(&[CREDITS]);
    let mut tickets = BTreeMap::new();
    assert_eq!(drain_credits(&mut shaper), 80);
    let mut wait = |shaper: &mut Shaper, rank, name: &str, count: u32, weight| {
        for _ in 0..count {
            let deadline = at(60_000);
            let asked = Ask { weight, deadline, ..ask(rank, caller(name), 500, start()) };
            let Answer::Waits(ticket) = shaper.ask(asked, start()) else { panic!("{name}") };
            tickets.insert(ticket, name.to_owned());
        }
    };
    wait(&mut shaper, Rank::Read, "greedy", 60, 1);
    wait(&mut shaper, Rank::Read, "plain", 10, 1);
    wait(&mut shaper, Rank::Read, "twice", 20, 2);
    wait(&mut shaper, Rank::New, "order", 1, 1);
    let mut got: Vec<String> = Vec::new();
    let mut now = start();
    while got.len() < 41 {
        now = shaper.due(now).unwrap();
        for served in shaper.turn(now) {
            shaper.settle(served.outcome.unwrap(), now);
            got.push(tickets[&served.ticket].clone());
        }
    }
    assert_eq!(got[0], "order");
    let share = |name| got.iter().filter(|got| *got == name).count();
    assert_eq!((share("greedy"), share("plain"), share("twice")), (10, 10, 20), "{got:?}");
    assert!(now.since(start()) >= Span::from_millis(1_900), "20 a second, and no faster");
}

fn drain_credits(shaper: &mut Shaper) -> usize {
    let mut got = 0;
    while let Ok(paid) = shaper.ask_now(&ask(Rank::New, Payer::Gateway, 500, start()), start()) {
        shaper.settle(paid, start());
        got += 1;
    }
    got
}

#[test]
fn a_large_request_is_not_overtaken_for_ever_and_accounts_do_not_wait_for_each_other() {
    let mut shaper = Shaper::new(&[CREDITS]);
    drain_credits(&mut shaper);
    let large = Ask { deadline: at(60_000), ..ask(Rank::Read, caller("ann"), 10_000, start()) };
    let Answer::Waits(large) = shaper.ask(large, start()) else { panic!() };
    let mut small = Vec::new();
    for _ in 0..30 {
        let asked = Ask { deadline: at(60_000), ..ask(Rank::Read, caller("bob"), 500, start()) };
        let Answer::Waits(ticket) = shaper.ask(asked, start()) else { panic!() };
        small.push(ticket);
    }
    let other = AccountName::new("other").ok();
    let asked = Ask { account: other, ..ask(Rank::Read, caller("eve"), 500, start()) };
    let elsewhere = shaper.ask(asked, start());
    assert!(matches!(elsewhere, Answer::Go(_)), "{elsewhere:?}");
    assert!(shaper.turn(start()).is_empty());
    let mut now = start();
    let mut order = Vec::new();
    while order.len() < 31 {
        now = shaper.due(now).unwrap();
        for served in shaper.turn(now) {
            shaper.settle(served.outcome.unwrap(), now);
            order.push(served.ticket);
        }
    }
    assert!(order[..3].contains(&large), "{order:?}");
}

#[test]
fn who_waits_too_long_is_told_so_and_who_would_is_told_at_once() {
    let mut shaper = Shaper::new(&[WEIGHT]);
    drain(&mut shaper, Rank::New, &Payer::Gateway, start());
    let hopeless = shaper.ask(ask(Rank::New, caller("ann"), 10, start()), start());
    let Answer::Refused(Refusal::NoRoom { name, used, most, wait }) = hopeless else {
        panic!("{hopeless:?}")
    };
    assert_eq!((name, used, most), ("weight", 1920, 1920));
    assert!(wait > Span::from_secs(59) && wait < Span::from_secs(61), "{wait:?}");

    let mut shaper = Shaper::new(&[CREDITS]);
    drain_credits(&mut shaper);
    for _ in 0..MAX_QUEUED_OF_ONE {
        let answer = shaper.ask(ask(Rank::Read, caller("ann"), 500, start()), start());
        assert!(matches!(answer, Answer::Waits(_)), "{answer:?}");
    }
    let one_more = shaper.ask(ask(Rank::Read, caller("ann"), 500, start()), start());
    assert_eq!(one_more, Answer::Refused(Refusal::Crowded));
    let others = shaper.ask(ask(Rank::Read, caller("bob"), 500, start()), start());
    assert!(matches!(others, Answer::Waits(_)), "{others:?}");
    // Nobody looked for two seconds: what waited is not sent late.
    let served = shaper.turn(at(2_000));
    assert_eq!(served.len(), MAX_QUEUED_OF_ONE + 1);
    let waited = Span::from_secs(2);
    assert!(served.iter().all(|s| s.outcome == Err(Refusal::TooOld { waited })));
    assert_eq!((shaper.waiting(), shaper.due(at(2_000))), (0, None));
}

#[test]
fn what_the_venue_tells_wins_where_it_is_more() {
    let mut shaper = Shaper::new(&[WEIGHT]);
    let told = |count| Units { allowance: 0, count };
    // Its last minute may speak from an answer to what left before this one, or as it began.
    shaper.told(told(2400), (0, None), at(900), (at(1_100), at(1_100)));
    shaper.told(told(1915), (0, None), at(1_000), (at(1_100), at(1_100)));
    assert!(go(&mut shaper, Rank::Read, 5, at(1_100)), "others used it");
    assert!(!go(&mut shaper, Rank::Read, 5, at(1_100)));
    shaper.told(told(3), (0, None), at(1_000), (at(1_100), at(1_100)));
    assert!(!go(&mut shaper, Rank::Read, 5, at(1_100)), "less gives nothing back");
    // In the venue's next minute what others used is gone; ours counts for its own sixty seconds.
    shaper.told(told(0), (0, None), at(61_000), (at(61_100), at(61_100)));
    assert!(go(&mut shaper, Rank::Read, 1900, at(61_200)));
    // Of its own requests it is not told twice.
    let mut shaper = Shaper::new(&[WEIGHT]);
    assert!(go(&mut shaper, Rank::Read, 100, at(1_000)));
    shaper.told(told(100), (0, None), at(1_000), (at(1_000), at(1_000)));
    assert_eq!(shaper.uses(at(1_000))[0].used, 100);

    shaper.publish(told(24_000));
    assert_eq!(drain(&mut shaper, Rank::New, &caller("ann"), at(1_000)), 19_100);
}

#[test]
fn the_venue_s_minute_is_its_own_clock_s() {
    let told = |count| Units { allowance: 0, count };
    // The machine is two seconds ahead: the venue's old minute is not over when the machine's is.
    let mut shaper = Shaper::new(&[WEIGHT]);
    let there = |millis: u64| at(millis).minus(Span::from_secs(2));
    assert!(go(&mut shaper, Rank::Read, 1_000, at(30_000)));
    shaper.told(told(1_000), (0, None), at(61_200), (at(61_300), there(61_300)));
    assert_eq!(shaper.uses(at(61_300))[0].used, 1_000, "all of it was ours");
    // Behind, it is the other way round.
    let mut shaper = Shaper::new(&[WEIGHT]);
    shaper.told(told(300), (0, None), at(59_200), (at(59_300), at(61_300)));
    assert_eq!(shaper.uses(at(59_300))[0].used, 300, "others', of a minute that began 1.3 s ago");
    assert_eq!(shaper.uses(at(118_900))[0].used, 300);
    assert_eq!(shaper.uses(at(119_100))[0].used, 0);
}

#[test]
fn a_freeze_stops_what_the_venue_said_and_lasts_as_long() {
    let main = AccountName::new("main").unwrap();
    let stop = |stops| BackOff { stops, wait: Span::from_secs(10), until: None };
    let passes = |shaper: &mut Shaper, rank, now| go(shaper, rank, 1, now);
    for (stops, pass) in [
        (Stops::Orders, [true, true, false, false, true]),
        (Stops::Reads, [true, true, true, true, false]),
        (Stops::Requests, [true, true, false, false, false]),
        (Stops::Everything, [false; 5]),
    ] {
        let mut shaper = Shaper::new(&[WEIGHT]);
        assert!(shaper.freeze(stop(stops), (0, Some(&main)), start()));
        assert!(!shaper.freeze(stop(stops), (0, Some(&main)), start()), "no news");
        let ranks = [Rank::Kill, Rank::Cancel, Rank::Reduce, Rank::New, Rank::Read];
        assert_eq!(ranks.map(|rank| passes(&mut shaper, rank, at(9_999))), pass, "{stops:?}");
        assert_eq!(shaper.frozen(at(9_999)).len(), 1);
        assert!(ranks.into_iter().all(|rank| passes(&mut shaper, rank, at(10_000))));
    }
    let mut shaper = Shaper::new(&[CREDITS]);
    drain_credits(&mut shaper);
    let Answer::Waits(_) = shaper.ask(ask(Rank::Read, caller("ann"), 500, start()), start()) else {
        panic!()
    };
    let until = Some(at(120_000));
    shaper.freeze(BackOff { until, ..stop(Stops::Everything) }, (0, None), start());
    let served = shaper.turn(at(1));
    let frozen = Frozen { stops: Stops::Everything, until: at(120_000) };
    assert_eq!(served[0].outcome, Err(Refusal::Frozen(frozen)), "who waits is told at once");
}

#[test]
fn a_ban_is_seen_coming() {
    let mut shaper = Shaper::new(&[WEIGHT]);
    drain(&mut shaper, Rank::New, &Payer::Gateway, start());
    assert_eq!(shaper.uses(start())[0].reaches_limit, None, "what is held back bans nobody");
    for second in 0..10 {
        assert!(go(&mut shaper, Rank::Cancel, 20, at(second * 1000)));
    }
    let told = shaper.uses(at(9_000))[0].reaches_limit.unwrap();
    assert_eq!(told, Span::from_secs(14), "280 units left, 20 a second");
    assert_eq!(shaper.uses(at(40_000))[0].reaches_limit, None, "they stopped");
}

#[test]
fn credits_are_seen_to_run_out() {
    let mut shaper = Shaper::new(&[CREDITS]);
    drain_credits(&mut shaper);
    assert_eq!(shaper.uses(start())[0].reaches_limit, None, "what is held back uses nothing up");
    for step in 0..10 {
        assert!(go(&mut shaper, Rank::Cancel, 900, at(step * 100)));
    }
    assert_eq!(shaper.uses(at(900))[0].reaches_limit, None, "less than what comes back");
    for step in 10..20 {
        assert!(go(&mut shaper, Rank::Cancel, 1_500, at(step * 100)));
    }
    let [told] = shaper.uses(at(1_900)).try_into().unwrap();
    let left = 50_000 - told.used;
    let exact = left * 1_000_000 / 5_000;
    let forecast = told.reaches_limit.unwrap().micros();
    // What was a little more than a second ago may count, never less than what was in it.
    let sound = exact * 4 / 5..=exact;
    assert!(sound.contains(&forecast), "{left} left, 15,000 a second and 10,000 back: {forecast}");
}

#[test]
fn after_a_restart_the_window_counts_as_used_until_told() {
    let mut shaper = Shaper::new(&[WEIGHT, CREDITS]).after(start());
    assert!(!go(&mut shaper, Rank::Read, 200, at(1_000)));
    assert!(go(&mut shaper, Rank::Read, 40, at(1_000)), "enough to be told");
    assert!(go(&mut shaper, Rank::Cancel, 400, at(1_000)));
    shaper.told(Units { allowance: 0, count: 440 }, (0, None), at(1_000), (at(1_100), at(1_100)));
    assert!(go(&mut shaper, Rank::Read, 200, at(1_200)));
    let mut untold = Shaper::new(&[WEIGHT]).after(start());
    assert!(!go(&mut untold, Rank::New, 200, at(59_000)));
    assert!(go(&mut untold, Rank::New, 200, at(60_000)));
}

#[test]
fn payers_are_bounded_and_one_host_is_one() {
    let host = |text: &str| Payer::at(text.parse().unwrap());
    assert_eq!(host("2001:db8::1"), host("2001:db8::2"));
    assert_ne!(host("2001:db8::1"), host("2001:db8:1::1"));
    assert_eq!(host("::ffff:10.0.0.1"), host("10.0.0.1"));
    let mut shaper = Shaper::new(&[Allowance { units: u32::MAX, ..WEIGHT }]);
    for n in 0..2 * MAX_BUDGET_SHARES as u32 {
        let payer = Payer::at(n.to_be_bytes().into());
        let asked = ask(Rank::Public, payer, 90_000_000, start());
        let _ = shaper.ask(asked, start());
    }
    assert!(shaper.waiting() <= 512);
}

#[test]
fn who_was_turned_away_is_not_behind_who_was_served() {
    let mut shaper = Shaper::new(&[CREDITS]);
    drain_credits(&mut shaper);
    let wait = |shaper: &mut Shaper, name: &str, until: u64| {
        let asked = Ask { deadline: at(until), ..ask(Rank::Read, caller(name), 500, start()) };
        let Answer::Waits(ticket) = shaper.ask(asked, start()) else { panic!("{name}") };
        ticket
    };
    // Ann gives up twenty times while bob waits on.
    for _ in 0..20 {
        wait(&mut shaper, "ann", 51);
    }
    let bob: Vec<Ticket> = (0..3).map(|_| wait(&mut shaper, "bob", 60_000)).collect();
    assert_eq!(shaper.turn(at(51)).len(), 21, "twenty of ann's, and bob's first");
    let ann = wait(&mut shaper, "ann", 60_000);
    let served = |shaper: &mut Shaper, millis| {
        let served = shaper.turn(at(millis));
        served.iter().map(|served| served.ticket).collect::<Vec<_>>()
    };
    assert_eq!(served(&mut shaper, 110), [ann]);
    assert_eq!(served(&mut shaper, 160), [bob[1]]);
}

mod addresses;
mod chance;
mod greedy;
mod hastened;
mod places;
mod told;

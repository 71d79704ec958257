//! A caller that cancels without end leaves something for the cancels of others.

use super::*;

#[test]
fn who_had_more_than_half_of_all_leaves_half_of_the_reserve() {
    let mut shaper = Shaper::new(&[WEIGHT]);
    let runaway = drain(&mut shaper, Rank::Cancel, &caller("runaway"), start());
    assert_eq!(runaway, 2160, "2400 less half of 480");
    assert_eq!(drain(&mut shaper, Rank::Cancel, &caller("ann"), start()), 210, "less the halt's");
    let kill = drain(&mut shaper, Rank::Kill, &caller("runaway"), start());
    assert_eq!(kill, 30, "a halt is never greedy");
}

#[test]
fn a_caller_alone_is_stopped_by_no_share_of_its_own_before_half_of_all() {
    let mut shaper = Shaper::new(&[WEIGHT]);
    assert_eq!(drain(&mut shaper, Rank::New, &caller("reader"), start()), 1920);
    assert_eq!(drain(&mut shaper, Rank::Cancel, &caller("ann"), start()), 450);
}

#[test]
fn a_share_comes_back_and_what_never_left_took_none() {
    let mut shaper = Shaper::new(&[WEIGHT]);
    for _ in 0..10 {
        let all = ask(Rank::Cancel, caller("ann"), 2370, start());
        let paid = shaper.ask_now(&all, start()).unwrap();
        shaper.give_back(paid);
    }
    assert_eq!(drain(&mut shaper, Rank::Cancel, &caller("ann"), start()), 2160);
    let later = at(130_000);
    assert_eq!(drain(&mut shaper, Rank::Cancel, &caller("ann"), later), 2160);
}

#[test]
fn whoever_waits_for_its_own_share_holds_nobody_else_up() {
    let mut shaper = Shaper::new(&[WEIGHT]);
    drain(&mut shaper, Rank::Cancel, &caller("runaway"), start());
    let patient = |who| Ask { deadline: at(90_000), ..ask(Rank::Cancel, caller(who), 10, start()) };
    assert!(matches!(shaper.ask(patient("runaway"), start()), Answer::Waits(_)));
    let other = shaper.ask(patient("ann"), start());
    let Answer::Go(paid) = other else { panic!("{other:?}") };
    shaper.settle(paid, start());
    assert!(shaper.turn(start()).is_empty(), "it waits still");
    assert!(shaper.due(start()).is_some_and(|due| due > at(1_000)), "for a long time");
    let waits = shaper.turn(at(61_000));
    assert!(waits.iter().all(|served| served.outcome.is_ok()) && waits.len() == 1, "{waits:?}");
}

#[test]
fn who_is_greedy_for_a_moment_more_waits_that_moment() {
    let mut shaper = Shaper::new(&[WEIGHT]);
    assert!(go(&mut shaper, Rank::New, 960, start()));
    // Of what comes back in a minute half is its own: 1228 are worth 61.4 s, less the two they took.
    for second in 0..2 {
        let cancels = ask(Rank::Cancel, caller("runaway"), 614, at(1_000 * second));
        let paid = shaper.ask_now(&cancels, at(1_000 * second)).unwrap();
        shaper.settle(paid, at(1_000 * second));
    }
    let next = |now| ask(Rank::Cancel, caller("runaway"), 10, now);
    let Err(Refusal::NoRoom { wait, most, .. }) = shaper.ask_now(&next(at(1_350)), at(1_350))
    else {
        panic!("2188 are used of 2160")
    };
    assert_eq!((wait, most), (Span::from_millis(50), 2160));
    let soon = Ask { deadline: at(4_000), ..next(at(1_350)) };
    assert!(matches!(shaper.ask(soon, at(1_350)), Answer::Waits(_)), "it is not refused");
    assert_eq!(shaper.due(at(1_350)), Some(at(1_400)));
    let served = shaper.turn(at(1_400));
    assert!(matches!(served.as_slice(), [Served { outcome: Ok(_), .. }]), "{served:?}");
}

#[test]
fn where_no_cancel_costs_anything_nothing_is_kept_for_those_of_halts() {
    let orders = Allowance { cancels: false, ..WEIGHT };
    let mut shaper = Shaper::new(&[orders]);
    assert_eq!(drain(&mut shaper, Rank::New, &caller("ann"), start()), 1920);
    assert_eq!(drain(&mut shaper, Rank::Reduce, &caller("ann"), start()), 480);
}

#[test]
fn what_the_venue_told_of_an_account_is_shared_as_well() {
    use tidegate_venues::upstream::{AccountLimit, UNTOLD};
    let orders = Allowance {
        counting: Counting::Refill { per_minute: UNTOLD },
        units: UNTOLD,
        reserved: 0,
        ..CREDITS
    };
    let mut shaper = Shaper::new(&[orders]);
    let told = AccountLimit { allowance: 0, units: 1_000, per_minute: 600 };
    shaper.publish_of(&AccountName::new("main").unwrap(), told, start());
    let runaway = drain(&mut shaper, Rank::Cancel, &caller("runaway"), at(60_000));
    assert_eq!(runaway, 900, "a thousand less half of two hundred");
    assert_eq!(drain(&mut shaper, Rank::Cancel, &caller("ann"), at(60_000)), 80);
    assert_eq!(drain(&mut shaper, Rank::Kill, &caller("runaway"), at(60_000)), 20);
}

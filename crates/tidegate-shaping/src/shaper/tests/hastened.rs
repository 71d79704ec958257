//! What becomes more urgent while it waits.

use super::*;
use tidegate_types::limits::MAX_QUEUED_REQUESTS;

/// One that waits for what a whole minute has, beside others that do.
fn waits(shaper: &mut Shaper, rank: Rank, payer: Payer) -> Ticket {
    let asked = Ask { deadline: at(90_000), ..ask(rank, payer, 1000, start()) };
    match shaper.ask(asked, start()) {
        Answer::Waits(ticket) => ticket,
        answer => panic!("{answer:?}"),
    }
}

fn full() -> Shaper {
    let mut shaper = Shaper::new(&[WEIGHT]);
    assert!(go(&mut shaper, Rank::Cancel, 2400, start()));
    shaper
}

/// Who is served, in turn, until nobody waits.
fn served(shaper: &mut Shaper) -> Vec<Ticket> {
    let (mut now, mut served) = (start(), Vec::new());
    while let Some(due) = shaper.due(now) {
        now = due;
        for one in shaper.turn(now) {
            shaper.settle(one.outcome.unwrap(), now);
            served.push(one.ticket);
        }
    }
    served
}

#[test]
fn it_overtakes_whoever_came_before() {
    let mut shaper = full();
    let first = waits(&mut shaper, Rank::Cancel, caller("ann"));
    let second = waits(&mut shaper, Rank::Cancel, caller("ann"));
    shaper.hasten(second, Rank::Kill, &caller("desk"));
    assert_eq!(shaper.waiting(), 2);
    assert_eq!(served(&mut shaper), [second, first]);
    // One that waits no more stays gone.
    shaper.hasten(first, Rank::Kill, &caller("desk"));
    assert_eq!(shaper.waiting(), 0);
}

#[test]
fn it_waits_no_longer_than_it_would_have() {
    let mut shaper = full();
    let soon = Ask { deadline: at(62_000), ..ask(Rank::Cancel, caller("ann"), 1, start()) };
    let Answer::Waits(ticket) = shaper.ask(soon, start()) else { panic!("there was room") };
    shaper.hasten(ticket, Rank::Kill, &caller("desk"));
    let told = shaper.turn(at(62_000));
    assert_eq!(told.len(), 1);
    assert!(matches!(told[0].outcome, Err(Refusal::TooOld { .. })), "{told:?}");
}

#[test]
fn it_stays_in_its_line_where_the_other_is_full() {
    let mut shaper = full();
    let mut kills = Vec::new();
    for n in 0..MAX_QUEUED_REQUESTS {
        let payer = caller(&format!("desk{}", n / MAX_QUEUED_OF_ONE));
        kills.push(waits(&mut shaper, Rank::Kill, payer));
    }
    let late = waits(&mut shaper, Rank::Cancel, caller("ann"));
    shaper.hasten(late, Rank::Kill, &caller("ann"));
    assert_eq!(shaper.waiting(), MAX_QUEUED_REQUESTS + 1, "and nobody gives way to it");
    let told = shaper.turn(at(90_000));
    assert!(told.iter().any(|served| served.ticket == late));
}

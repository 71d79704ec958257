//! The same order again within the account's window.

use super::world::*;
use crate::action::Answer;
use tidegate_types::approval::Showing;
use tidegate_types::grant::{AccountLimits, OnRepeat};
use tidegate_types::ids::Ticket;
use tidegate_types::order::NewOrder;
use tidegate_types::record::{Body, Change};
use tidegate_types::reject::Code;
use tidegate_types::time::Span;

fn world(window_ms: u64, on_repeat: OnRepeat) -> World {
    let mut world = World::new();
    let repeat_window = Span::from_millis(window_ms);
    let limits = AccountLimits { repeat_window, on_repeat, ..limits() };
    world.change(Change::LimitsSet { limits });
    world
}

fn passes(world: &mut World, caller: &str, order: NewOrder) -> bool {
    let ticket = world.place(caller, order);
    world.settle();
    match world.code(ticket) {
        None => true,
        Some(Code::RepeatedOrder) => false,
        Some(code) => panic!("{code:?}"),
    }
}

fn warnings(world: &World) -> usize {
    world.journal.iter().filter(|record| matches!(record.body, Body::Warned { .. })).count()
}

#[test]
fn a_repeat_is_refused_within_the_window() {
    let mut world = world(1_000, OnRepeat::Refuse);
    let labelled = |label: &str| NewOrder { caller_id: Some(name(label)), ..buy("1", "99") };
    assert!(passes(&mut world, "ann", labelled("a")));
    assert!(!passes(&mut world, "ann", labelled("b")), "another id is no other order");
    assert!(passes(&mut world, "bob", buy("1", "99")));
    assert!(passes(&mut world, "ann", sell("1", "101")));
    assert!(passes(&mut world, "ann", buy("2", "99")));
    assert!(passes(&mut world, "ann", buy("1", "99.1")));
    world.pass(900);
    assert!(!passes(&mut world, "ann", buy("1", "99")));
    world.pass(200);
    assert!(passes(&mut world, "ann", buy("1", "99")), "a refused repeat does not count");
    assert!(!passes(&mut world, "ann", buy("1", "99")));
    assert_eq!(warnings(&world), 0);
    world.check_replay();
}

#[test]
fn a_warned_repeat_passes_and_is_on_record() {
    let mut world = world(1_000, OnRepeat::Warn);
    assert!(passes(&mut world, "ann", buy("1", "99")));
    assert_eq!(warnings(&world), 0);
    assert!(passes(&mut world, "ann", buy("1", "99")));
    let warned = world.journal.iter().find_map(|record| match &record.body {
        Body::Warned { order, reject } => Some((*order, reject.code)),
        _ => None,
    });
    let newest = world.core.state().orders().open().map(|order| order.id).max();
    assert_eq!(warned, newest.map(|id| (id, Code::RepeatedOrder)));
    world.check_replay();
}

#[test]
fn what_did_nothing_and_what_reduces_may_come_again() {
    let mut world = world(10_000, OnRepeat::Refuse);
    world.venue.refuse = true;
    assert!(passes(&mut world, "ann", buy("2", "99")));
    assert!(passes(&mut world, "ann", buy("2", "99")), "the venue refused the first");
    let at = *world.venue.open().next().unwrap().0;
    world.venue.fill(at, d("2").raw());
    world.settle();
    assert!(passes(&mut world, "ann", sell("1", "101")));
    for _ in 0..2 {
        assert!(passes(&mut world, "ann", sell("1", "101")), "as reduce-only, up to the position");
    }
    assert!(!passes(&mut world, "ann", sell("1", "101")), "nothing is left to reduce");
    world.check_replay();
}

#[test]
fn without_a_window_nothing_is_a_repeat_and_a_long_one_is_refused() {
    let mut off = world(0, OnRepeat::Refuse);
    assert!(passes(&mut off, "ann", buy("1", "99")) && passes(&mut off, "ann", buy("1", "99")));
    let limits = AccountLimits { repeat_window: Span::from_secs(61), ..limits() };
    let ticket: Ticket = off.ticket();
    let change = Change::LimitsSet { limits };
    off.event(crate::event::Event::Administer {
        ticket,
        by: name("root"),
        showing: Showing::Door,
        change,
    });
    assert!(matches!(&off.answers[&ticket], Answer::Refused { reject }
        if reject.code == Code::OutOfRange));
}

#[test]
fn a_restart_does_not_forget() {
    let mut world = world(60_000, OnRepeat::Refuse);
    assert!(passes(&mut world, "ann", buy("1", "99")));
    world.kill(true);
    world.mark();
    world.up();
    assert!(!passes(&mut world, "ann", buy("1", "99")));
    world.pass(61_000);
    assert!(passes(&mut world, "ann", buy("1", "99")));
}

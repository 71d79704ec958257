//! Halts and what comes late: orders that wait for a connection, that turn up after the proof, and
//! answers of a journal that fails meanwhile.

use super::world::*;
use crate::action::Answer;
use crate::event::Event;
use crate::state::Flatten;
use tidegate_types::call::CallBody;
use tidegate_types::emergency::Emergency;
use tidegate_types::order::Side;
use tidegate_types::record::Body;
use tidegate_types::reject::Code;
use tidegate_types::report::Outcome;
use tidegate_types::time::Time;

/// Every halt is proven and the exchange has nothing open.
fn assert_nothing_left(world: &World) {
    assert_eq!(world.venue.open().count(), 0);
    assert!(world.core.state().halts().values().all(|halt| halt.proven));
    world.check_replay();
}

#[test]
fn an_order_that_waits_for_a_connection_is_called_back() {
    let mut world = World::new();
    let waits = world.place("ann", buy("1", "100"));
    world.flush();
    world.sign(0);
    assert_eq!(world.to_send.len(), 1, "handed out, and no byte left");
    let halt = world.halt("all", false);
    world.deliver(0);
    assert_eq!(world.code(waits), Some(Code::Halted));
    assert!(world.venue.orders.is_empty(), "nothing arrived");
    world.settle_for(5);
    assert!(matches!(world.answers[&halt], Answer::Halted { .. }));
    assert_nothing_left(&world);
    assert!(!world.journal.iter().any(|record| matches!(record.body, Body::Sent { .. })));
}

#[test]
fn what_left_before_the_halt_is_cancelled_and_not_called_back() {
    let mut world = World::new();
    world.place("ann", buy("1", "90"));
    world.flush();
    world.sign(0);
    let call = world.to_send.remove(0);
    assert!(world.core.may_leave(call.id));
    world.event(Event::Sent { call: call.id });
    world.halt("all", false);
    let outcome = world.venue.arrive(&call.body, world.now);
    world.reply(call.id, outcome);
    world.settle_for(10);
    assert_eq!(world.venue.orders.len(), 1);
    assert_nothing_left(&world);
}

#[test]
fn a_halt_calls_back_nothing_outside_its_scope() {
    let mut world = World::new();
    let waits = world.place("ann", buy("1", "100"));
    world.flush();
    world.sign(0);
    world.halt("caller:bob", false);
    let call = world.to_send[0].id;
    assert!(world.core.may_leave(call));
    world.settle();
    assert_eq!(world.code(waits), None);
}

#[test]
fn closing_orders_are_called_back_when_the_halt_is_lifted() {
    let mut world = World::new();
    let base = world.live("bob", buy("5", "100"));
    world.venue.fill(base.0.max(1), d("5").raw());
    world.settle();
    world.flatten("all");
    // Until the order that closes the position has been handed out.
    for _ in 0..200 {
        let closes =
            world.to_send.iter().position(|call| matches!(call.body, CallBody::Place { .. }));
        if let Some(at) = closes {
            world.resume("all");
            world.deliver(at);
            assert_eq!(world.venue.position(&instrument(PERP)).0, d("5"));
            return;
        }
        if !world.step() {
            world.pass(100);
        }
    }
    panic!("no order to close the position was handed out");
}

#[test]
fn a_foreign_order_after_the_proof_goes_too() {
    let mut world = World::new();
    let halt = world.halt("all", false);
    world.settle_for(5);
    assert!(matches!(world.answers[&halt], Answer::Halted { .. }));
    world.venue.place(instrument(PERP), Side::Buy, buy("1", "90").qty, buy("1", "90").price);
    world.settle_for(120);
    assert_eq!(world.core.state().foreign().count(), 0, "it is known, and gone");
    assert_nothing_left(&world);
}

#[test]
fn a_halt_is_not_proven_while_an_order_that_turned_up_is_open() {
    let mut world = World::new();
    world.halt("all", false);
    world.settle_for(5);
    world.venue.place(instrument(PERP), Side::Buy, buy("1", "90").qty, buy("1", "90").price);
    while world.core.state().foreign().count() == 0 {
        if !world.step() {
            world.pass(500);
        }
    }
    assert!(world.core.state().halts().values().all(|halt| !halt.proven));
    world.kill(false);
    world.up();
    world.settle_for(120);
    assert_nothing_left(&world);
}

#[test]
fn an_own_order_that_was_taken_for_dead_and_arrives_after_the_proof_goes_too() {
    let mut world = World::new();
    world.place("ann", buy("1", "90"));
    world.flush();
    world.sign(0);
    let call = world.to_send.remove(0);
    world.event(Event::Sent { call: call.id });
    world.reply(call.id, Outcome::Unknown { why: "reset".to_owned() });
    let halt = world.halt("all", false);
    world.settle_for(40);
    assert!(
        matches!(world.answers[&halt], Answer::Halted { .. }),
        "{:?}",
        world.answers.get(&halt)
    );
    // The venue's clock is behind by more than the margin: it takes the order all the same.
    let _ = world.venue.arrive(&call.body, deadline(&call.body));
    world.settle_for(120);
    assert_nothing_left(&world);
}

fn deadline(body: &CallBody) -> Time {
    match body {
        CallBody::Place { deadline, .. } => *deadline,
        other => panic!("{other:?} is no order"),
    }
}

#[test]
fn what_the_journal_did_not_confirm_is_not_told_as_refused() {
    let mut world = World::new();
    world.halt("all", false);
    world.settle_for(5);
    let resume = world.resume("all");
    // The disk says nothing for a while, and then it does.
    world.event(Event::JournalFailed { why: "its disk does not answer".to_owned() });
    assert_eq!(world.code(resume), Some(Code::OutcomeUnknown));
    world.event(Event::JournalRestored);
    world.settle_for(3);
    assert!(world.core.state().halts().is_empty(), "it was written after all");
    world.check_replay();
}

#[test]
fn a_flattening_without_a_journal_goes_on_after_the_restart() {
    let mut world = World::new();
    let base = world.live("bob", buy("5", "100"));
    world.venue.fill(base.0.max(1), d("5").raw());
    world.settle();
    world.event(Event::JournalFailed { why: "full".to_owned() });
    world.flatten("all");
    world.settle_for(10);
    let kept = std::mem::take(&mut world.kept);
    assert!(kept.iter().any(|(_, act)| matches!(act, Emergency::Flattening { .. })));
    world.kill(false);
    world.event(Event::Kept { acts: kept });
    world.up();
    world.settle_for(60);
    let flatten = world.core.state().halts().values().next().unwrap().flatten;
    assert_eq!(flatten, Some(Flatten::Flat));
    assert_eq!(world.venue.position(&instrument(PERP)).0.raw(), 0);
}

#[test]
fn a_flattening_that_was_under_way_when_the_journal_failed_is_kept() {
    let mut world = World::new();
    let base = world.live("bob", buy("5", "100"));
    world.venue.fill(base.0.max(1), d("5").raw());
    world.settle();
    world.flatten("all");
    world.event(Event::JournalFailed { why: "full".to_owned() });
    assert!(world.kept.iter().any(|(_, act)| matches!(act, Emergency::Flattening { .. })));
}

//! An order that a caller sends again is the order it sent, while that is open or in doubt, and until
//! it was told how that ended.

use super::world::*;
use crate::action::Answer;
use crate::event::Event;
use crate::orders::{Ending, Stage};
use tidegate_types::ids::{OrderId, Ticket};
use tidegate_types::order::{Intent, NewOrder};
use tidegate_types::reject::Code;
use tidegate_types::time::Span;

fn mine(qty: &str) -> NewOrder {
    NewOrder { caller_id: Some(name("mine")), ..buy(qty, "100") }
}

fn told(world: &World, ticket: Ticket) -> Option<OrderId> {
    match world.answers.get(&ticket) {
        Some(Answer::Venue { order, placed: true, .. }) => *order,
        _ => None,
    }
}

/// An order that left, and whose answer was lost.
fn lost(arrives: bool) -> (World, OrderId) {
    let mut world = World::new();
    let ticket = world.place("ann", mine("1"));
    world.flush();
    world.sign(0);
    world.lose(0, arrives);
    world.venue.stream.clear();
    assert_eq!(world.code(ticket), Some(Code::OutcomeUnknown));
    let id = world.core.state().orders().open().next().unwrap().id;
    (world, id)
}

#[test]
fn a_retry_joins_the_request_in_flight() {
    let mut world = World::new();
    let first = world.place("ann", mine("1"));
    let again = world.place("ann", NewOrder { full_answer: true, ..mine("1") });
    let bob = world.place("bob", mine("1"));
    let other = world.place("ann", mine("2"));
    assert_eq!(world.code(other), Some(Code::DuplicateOrderId));
    world.sign(0);
    let meanwhile = world.place("ann", mine("1"));
    world.settle();
    let id = told(&world, first);
    assert!(id.is_some() && told(&world, again) == id && told(&world, meanwhile) == id);
    assert!(told(&world, bob).is_some_and(|bobs| Some(bobs) != id));
    assert_eq!(world.venue.arrivals.len(), 2);
    let late = world.place("ann", mine("1"));
    world.settle();
    assert_eq!(told(&world, late), id, "it is open, whoever was told what");
    assert_eq!(world.venue.arrivals.len(), 2);
    world.check_replay();
}

#[test]
fn while_an_order_is_open_the_same_again_is_that_order_and_another_a_duplicate() {
    let mut world = World::new();
    let id = world.live("ann", mine("2"));
    let at_venue = *world.venue.open().next().unwrap().0;
    for (price, left) in [("100", 2), ("99", 2), ("99", 1)] {
        if price == "99" && left == 2 {
            world.amend("ann", id, None, Some("99"));
            world.settle();
        } else if left == 1 {
            world.venue.fill(at_venue, d("1").raw());
            world.settle();
        }
        let again = world.place("ann", mine("2"));
        let other = world.place("ann", mine("1"));
        assert_eq!(world.code(other), Some(Code::DuplicateOrderId));
        world.settle_for(2);
        assert_eq!(told(&world, again), Some(id), "{price} {left}");
    }
    assert_eq!(world.venue.arrivals.len(), 1);
    world.cancel("ann", own(id));
    world.settle();
    let anew = world.place("ann", mine("2"));
    world.settle();
    assert!(told(&world, anew).is_some_and(|new| new != id), "it was told of the end");
    world.check_replay();
}

#[test]
fn a_request_that_was_overtaken_is_its_order_while_that_is_open_and_none_after_it() {
    let mut world = World::new();
    let held_up = |world: &mut World| {
        let (ticket, who) = (world.ticket(), who("ann").overtaken(true));
        let intent = Intent::New { order: mine("1") };
        world.event(Event::Submit { ticket, who, session: None, intent });
        world.settle();
        ticket
    };
    let id = world.live("ann", mine("1"));
    let joined = held_up(&mut world);
    assert_eq!(told(&world, joined), Some(id));
    world.cancel("ann", own(id));
    world.settle();
    let late = held_up(&mut world);
    assert_eq!(world.code(late), Some(Code::DuplicateOrderId));
    assert_eq!(world.venue.arrivals.len(), 1);
    world.check_replay();
}

#[test]
fn however_often_an_order_is_sent_again_the_venue_is_asked_once_a_second() {
    let mut world = World::new();
    let id = world.live("ann", mine("1"));
    let mut asked = 0;
    let mut tickets = Vec::new();
    for _ in 0..30 {
        tickets.push(world.place("ann", mine("1")));
        asked += world.to_sign.len();
        world.settle();
        world.pass(100);
        asked += world.to_sign.len();
        world.settle();
    }
    world.settle_for(2);
    assert!((2..=4).contains(&asked), "{asked}");
    assert!(tickets.iter().all(|ticket| told(&world, *ticket) == Some(id)));
}

#[test]
fn a_retry_of_what_was_never_sent_is_told_so() {
    let mut world = World::new();
    let tickets = [world.place("ann", mine("1")), world.place("ann", mine("1"))];
    world.not_sent(0);
    assert_eq!(tickets.map(|t| world.code(t)), [Some(Code::SignerUnavailable); 2]);
    let anew = world.place("ann", mine("1"));
    world.settle();
    assert!(told(&world, anew).is_some());
}

#[test]
fn a_retry_after_a_time_out_is_answered_with_what_the_venue_shows() {
    let (mut world, id) = lost(true);
    let other = world.place("ann", mine("2"));
    assert_eq!(world.code(other), Some(Code::DuplicateOrderId));
    let retries = [world.place("ann", mine("1")), world.place("ann", mine("1"))];
    assert_eq!(world.to_sign.len(), 1, "one question for both");
    world.settle();
    assert_eq!(retries.map(|t| told(&world, t)), [Some(id); 2]);
    assert_eq!(world.venue.arrivals.len(), 1);
    let late = world.place("ann", mine("1"));
    world.settle_for(2);
    assert_eq!(told(&world, late), Some(id));
    world.check_replay();
}

#[test]
fn a_retry_is_a_new_order_only_once_the_first_cannot_arrive() {
    let (mut world, id) = lost(false);
    let early = world.place("ann", mine("1"));
    world.settle();
    assert_eq!(world.code(early), Some(Code::OutcomeUnknown));
    world.settle_for(2);
    let unasked = world.place("ann", mine("1"));
    world.not_sent(0);
    assert_eq!(world.code(unasked), Some(Code::OutcomeUnknown));
    assert!(world.venue.arrivals.is_empty());
    world.settle_for(30);
    let stage = world.core.state().orders().get(id).unwrap().stage;
    assert_eq!(stage, Stage::Done { how: Ending::NeverArrived });
    let anew = world.place("ann", mine("1"));
    world.settle();
    assert!(told(&world, anew).is_some_and(|new| new != id));
    world.check_replay();
}

#[test]
fn a_retry_of_what_traded_meanwhile_is_no_second_trade() {
    for (after_s, second) in [(5, false), (90, true)] {
        let (mut world, id) = lost(true);
        let at_venue = *world.venue.open().next().unwrap().0;
        world.venue.fill(at_venue, d("1").raw());
        world.settle_for(after_s);
        assert!(!world.core.state().orders().get(id).unwrap().is_open());
        let retry = world.place("ann", mine("1"));
        world.settle();
        assert_eq!(told(&world, retry) == Some(id), !second);
        assert_eq!(world.venue.arrivals.len(), if second { 2 } else { 1 });
        let anew = world.place("ann", mine("1"));
        world.settle();
        if second {
            assert_eq!(told(&world, anew), told(&world, retry), "that one is open");
        } else {
            assert!(told(&world, anew).is_some_and(|new| new != id), "the id is free");
        }
        world.check_replay();
    }
}

#[test]
fn a_retry_at_the_gateway_after_a_crash_is_the_order_before_it() {
    for arrives in [true, false] {
        let mut world = World::new();
        world.place("ann", mine("1"));
        world.sign(0);
        world.flush();
        world.kill(arrives);
        world.mark();
        world.up();
        let retry = world.place("ann", mine("1"));
        world.settle();
        assert_eq!(told(&world, retry).is_some(), arrives);
        assert_eq!(world.code(retry).is_none(), arrives);
        assert_eq!(world.venue.arrivals.len(), usize::from(arrives));
        world.check_replay();
    }
}

#[test]
fn an_answer_that_nobody_heard_was_not_told() {
    let mut world = World::new();
    let id = world.live("ann", mine("1"));
    world.event(Event::Unheard { order: id });
    let at_venue = *world.venue.open().next().unwrap().0;
    world.venue.fill(at_venue, d("1").raw());
    world.settle();
    let retry = world.place("ann", mine("1"));
    world.settle();
    assert_eq!(told(&world, retry), Some(id));
    assert_eq!(world.venue.arrivals.len(), 1);
    let anew = world.place("ann", mine("1"));
    world.settle();
    assert!(told(&world, anew).is_some_and(|new| new != id));
}

#[test]
fn an_answer_that_nobody_heard_before_a_crash_was_not_told() {
    let mut world = World::new();
    let id = world.live("ann", mine("1"));
    world.event(Event::Unheard { order: id });
    let at_venue = *world.venue.open().next().unwrap().0;
    world.venue.fill(at_venue, d("1").raw());
    world.settle();
    world.flush();
    world.kill(true);
    world.mark();
    world.up();
    let retry = world.place("ann", mine("1"));
    world.settle();
    assert_eq!(told(&world, retry), Some(id));
    assert_eq!(world.venue.arrivals.len(), 1);
    world.check_replay();
}

#[test]
fn a_retry_of_what_was_made_reduce_only_is_no_second_trade() {
    let mut world = World::new();
    world.live("ann", buy("5", "100"));
    world.venue.fill(1, d("5").raw());
    world.settle();
    // Its mark is stale, so it passes as one that reduces the position.
    world.now = world.now.plus(Span::from_secs(60));
    let order = || NewOrder { caller_id: Some(name("mine")), ..sell("2", "100") };
    let id = world.live("ann", order());
    assert!(world.core.state().orders().get(id).unwrap().request.reduce_only);
    world.event(Event::Unheard { order: id });
    let at_venue = *world.venue.open().next().unwrap().0;
    world.venue.fill(at_venue, d("2").raw());
    world.settle();
    let retry = world.place("ann", order());
    world.settle();
    assert_eq!(told(&world, retry), Some(id));
    assert_eq!(world.venue.arrivals.len(), 2);
}

#[test]
fn labels_are_no_keys() {
    let mut world = World::new();
    world.core.settings.label_venues.insert(name(VENUE));
    let first = world.place("ann", mine("1"));
    let second = world.place("ann", mine("1"));
    world.settle();
    assert!(told(&world, first).is_some() && told(&world, second).is_some());
    assert_eq!(world.venue.arrivals.len(), 2);
}

#[test]
fn a_revoked_key_is_told_nothing() {
    let (mut world, _) = lost(true);
    world.change(tidegate_types::record::Change::KeyRevoked { id: name("ann") });
    world.now = world.now.plus(Span::from_millis(1));
    let retry = world.place("ann", mine("1"));
    assert_eq!(world.code(retry), Some(Code::UnknownKey));
}

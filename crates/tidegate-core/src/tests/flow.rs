//! The life of an order, step by step.

use super::world::*;
use crate::action::Answer;
use crate::event::Event;
use crate::orders::{Ending, Heard, Stage, next};
use tidegate_types::call::{CallClass, Warrant};
use tidegate_types::instrument::Qty;
use tidegate_types::order::{CancelFilter, Intent};
use tidegate_types::reject::Code;
use tidegate_types::report::VenueState;

fn stage(world: &World, id: tidegate_types::ids::OrderId) -> Stage {
    world.core.state().orders().get(id).unwrap().stage
}

#[test]
fn nothing_leaves_before_it_is_signed_and_durable() {
    let mut world = World::new();
    world.place("ann", buy("1", "100"));
    world.sign(0);
    assert!(world.to_send.is_empty());
    world.flush();
    assert_eq!(world.to_send.len(), 1);
    world.place("ann", buy("1", "100"));
    world.flush();
    assert_eq!(world.to_send.len(), 1);
    world.sign(0);
    assert_eq!(world.to_send.len(), 2);
}

#[test]
fn every_state_hears_everything() {
    use Ending::*;
    let done = |how| Stage::Done { how };
    let told = Heard::Told;
    let rows = [
        (Stage::Pending, Heard::Left, Stage::Sent),
        (Stage::Pending, Heard::DidNotLeave, done(NotSent)),
        (Stage::Pending, told(VenueState::Open), Stage::Live),
        (Stage::Sent, Heard::DidNotLeave, Stage::Unknown),
        (Stage::Sent, Heard::NoWord, Stage::Unknown),
        (Stage::Sent, Heard::Refused, done(Rejected)),
        (Stage::Sent, told(VenueState::Filled), done(Filled)),
        (Stage::Unknown, Heard::NotThere, done(NeverArrived)),
        (Stage::Unknown, told(VenueState::Untriggered), Stage::Live),
        (Stage::Live, Heard::Refused, Stage::Live),
        (Stage::Live, Heard::Left, Stage::Live),
        (Stage::Live, Heard::NotThere, done(Gone)),
        (done(Gone), told(VenueState::Open), Stage::Live),
        (done(Gone), told(VenueState::Filled), done(Filled)),
        (done(Gone), told(VenueState::Cancelled), done(Cancelled)),
        (done(Gone), Heard::NotThere, done(Gone)),
        (Stage::Live, told(VenueState::Cancelled), done(Cancelled)),
        (done(Filled), told(VenueState::Open), done(Filled)),
        (done(Cancelled), told(VenueState::Filled), done(Cancelled)),
        (done(NeverArrived), told(VenueState::Open), Stage::Live),
        (done(NeverArrived), Heard::NoWord, done(NeverArrived)),
    ];
    for (stage, heard, then) in rows {
        assert_eq!(next(stage, heard), then, "{stage:?} {heard:?}");
    }
}

#[test]
fn fills_count_once_in_whatever_order_they_are_told() {
    let mut world = World::new();
    let id = world.live("ann", buy("10", "100"));
    world.venue.fill(1, d("3").raw());
    world.venue.fill(1, d("2").raw());
    let told = world.venue.stream.clone();
    world.venue.stream.extend(told);
    world.venue.stream.reverse();
    world.settle();
    let order = world.core.state().orders().get(id).unwrap();
    assert_eq!((order.filled, order.remaining()), (Qty(d("5")), Qty(d("5"))));
    let book = world.core.state().positions().book(&name(MAIN), &instrument(PERP));
    assert_eq!(book.position().0, d("5"));
    assert_eq!(world.core.state().positions().account_open(&name(MAIN)).0, d("500"));
    world.check();
}

#[test]
fn an_unanswered_order_stays_reserved_until_the_venue_tells() {
    for arrives in [true, false] {
        let mut world = World::new();
        let ticket = world.place("ann", buy("1", "100"));
        world.flush();
        world.sign(0);
        world.lose(0, arrives);
        assert_eq!(world.code(ticket), Some(Code::OutcomeUnknown));
        let id = world.core.state().orders().open().next().unwrap().id;
        world.venue.stream.clear();
        assert_eq!(stage(&world, id), Stage::Unknown);
        assert_eq!(world.core.state().positions().account_open(&name(MAIN)).0, d("100"));
        world.pass(3000);
        world.settle();
        let early = if arrives { Stage::Live } else { Stage::Unknown };
        assert_eq!(stage(&world, id), early);
        world.settle_for(40);
        let end = if arrives { Stage::Live } else { Stage::Done { how: Ending::NeverArrived } };
        assert_eq!(stage(&world, id), end);
        world.check();
        world.check_replay();
    }
}

#[test]
fn an_order_that_never_left_is_released() {
    let mut world = World::new();
    let ticket = world.place("ann", buy("1", "100"));
    world.not_sent(0);
    assert_eq!(world.code(ticket), Some(Code::SignerUnavailable));
    assert_eq!(world.core.state().positions().account_open(&name(MAIN)).0, d("0"));
    assert_eq!(world.core.requests_in_flight(), 0);
}

#[test]
fn cancels_join_the_one_in_flight() {
    let mut world = World::new();
    let id = world.live("ann", buy("1", "100"));
    let first = world.cancel("ann", own(id));
    let second = world.cancel("ann", own(id));
    assert_eq!(world.to_sign.len(), 1);
    let foreign = world.cancel("bob", own(id));
    assert_eq!(world.code(foreign), Some(Code::OrderNotFound));
    world.settle();
    for ticket in [first, second] {
        assert!(matches!(world.answers[&ticket], Answer::Venue { .. }));
    }
    let late = world.cancel("ann", own(id));
    assert_eq!(world.code(late), Some(Code::OrderEnded));
}

#[test]
fn a_cancel_waits_for_its_orders_placement() {
    let mut world = World::new();
    world.place("ann", buy("1", "100"));
    let id = world.core.state().orders().open().next().unwrap().id;
    let cancel = world.cancel("ann", own(id));
    assert_eq!(world.to_sign.len(), 1);
    world.settle();
    assert!(matches!(world.answers[&cancel], Answer::Venue { .. }));
    assert_eq!(stage(&world, id), Stage::Done { how: Ending::Cancelled });
}

#[test]
fn a_mass_cancel_takes_the_callers_own_orders() {
    let mut world = World::new();
    let ids = [world.live("ann", buy("1", "100")), world.live("ann", sell("1", "101"))];
    let other = world.live("bob", buy("1", "99"));
    let ticket = world.submit("ann", Intent::CancelMany { filter: CancelFilter::default() });
    assert!(!world.answers.contains_key(&ticket));
    world.settle();
    match &world.answers[&ticket] {
        Answer::Cancelled { orders, failed } => {
            assert_eq!((orders.as_slice(), failed.len()), (ids.as_slice(), 0));
        }
        answer => panic!("{answer:?}"),
    }
    assert_eq!(stage(&world, other), Stage::Live);
    let none = world.submit("ann", Intent::CancelMany { filter: CancelFilter::default() });
    assert!(matches!(world.answers[&none], Answer::Cancelled { .. }));
}

#[test]
fn an_amend_reserves_the_larger_of_old_and_new() {
    let mut world = World::new();
    let id = world.live("ann", buy("10", "100"));
    let open = |world: &World| world.core.state().positions().account_open(&name(MAIN)).0;
    let down = world.amend("ann", id, Some("5"), None);
    assert_eq!(open(&world), d("1000"));
    let second = world.amend("ann", id, Some("6"), None);
    assert_eq!(world.code(second), Some(Code::TooManyInFlight));
    world.settle();
    assert!(matches!(world.answers[&down], Answer::Venue { .. }));
    assert_eq!(open(&world), d("500"));
    let over = world.amend("ann", id, Some("101"), None);
    assert_eq!(world.code(over), Some(Code::OrderNotional));
    let collar = world.amend("ann", id, None, Some("106"));
    assert_eq!(world.code(collar), Some(Code::PriceCollar));
    world.amend("ann", id, Some("20"), Some("101"));
    assert_eq!(open(&world), d("2020"));
    world.not_sent(0);
    assert_eq!(open(&world), d("500"));
    world.check();
}

#[test]
fn with_a_broken_journal_only_cancels_go_on() {
    let mut world = World::new();
    let id = world.live("ann", buy("1", "100"));
    let waiting = world.place("ann", buy("1", "100"));
    let records = world.journal.len();
    world.event(Event::JournalFailed { why: "disk full".to_owned() });
    assert_eq!(world.code(waiting), Some(Code::JournalUnavailable));
    let refused = world.place("ann", buy("1", "100"));
    assert_eq!(world.code(refused), Some(Code::JournalUnavailable));
    world.to_sign.clear();
    let cancel = world.cancel("ann", own(id));
    assert_eq!(world.to_sign[0].1, Warrant::Emergency);
    assert_eq!(world.to_sign[0].0.body.class(), CallClass::Cancel);
    world.sign(0);
    world.deliver(0);
    assert!(matches!(world.answers[&cancel], Answer::Venue { .. }));
    assert_eq!(world.journal.len(), records);
    assert!(world.core.held().0 > 0);
    world.event(Event::JournalRestored);
    assert!(world.journal.len() > records);
    world.check_replay();
}

#[test]
fn a_waiting_cancel_goes_when_the_journal_breaks() {
    let mut world = World::new();
    let id = world.live("ann", buy("1", "100"));
    world.cancel("ann", own(id));
    world.sign(0);
    assert!(world.to_send.is_empty());
    let (call, _) = world.signed.values().next().cloned().unwrap();
    world.signed.insert(call.id, (call, Warrant::Emergency));
    world.event(Event::JournalFailed { why: "disk full".to_owned() });
    assert_eq!(world.to_send.len(), 1);
}

#[test]
fn silence_of_the_server_is_bounded() {
    let mut world = World::new();
    let unsigned = world.place("ann", buy("1", "100"));
    world.pass(16_000);
    assert_eq!(world.code(unsigned), Some(Code::SignerUnavailable));
    let silent = world.place("ann", buy("1", "100"));
    world.to_sign.remove(0);
    world.sign(0);
    world.flush();
    assert_eq!(world.to_send.len(), 1);
    world.pass(16_000);
    assert_eq!(world.code(silent), Some(Code::OutcomeUnknown));
}

#[test]
fn done_orders_are_kept_up_to_a_bound_and_found() {
    let mut world = World::new();
    world.core.settings.max_done_orders = 2;
    let ids: Vec<_> = (0..4).map(|_| world.live("ann", buy("1", "100"))).collect();
    for id in &ids {
        world.cancel("ann", own(*id));
        world.settle();
    }
    let state = world.core.state();
    assert_eq!(state.orders().iter().map(|order| order.id).collect::<Vec<_>>(), ids[2..]);
    let last = state.find(&who("ann"), &own(ids[3]), None).unwrap();
    assert!(!last.is_open());
    let client = last.client_id.clone().unwrap();
    assert_eq!(state.owner(&name(MAIN), Some(client.as_str()), None).unwrap().id, ids[3]);
    assert_eq!(state.owner(&name(MAIN), None, Some("v4")).unwrap().id, ids[3]);
    assert!(state.owner(&name(MAIN), None, Some("v1")).is_none());
    assert!(state.find(&who("bob"), &own(ids[3]), None).is_none());
}

#[test]
fn an_unanswered_amend_reserves_both_until_the_venue_tells() {
    for arrives in [true, false] {
        let mut world = World::new();
        let id = world.live("ann", buy("10", "100"));
        let open = |world: &World| world.core.state().positions().account_open(&name(MAIN)).0;
        let ticket = world.amend("ann", id, Some("5"), Some("104"));
        world.flush();
        world.sign(0);
        world.lose(0, arrives);
        world.venue.stream.clear();
        assert_eq!(world.code(ticket), Some(Code::OutcomeUnknown));
        assert_eq!(open(&world), d("1000"));
        world.settle_for(20);
        assert_eq!(open(&world), if arrives { d("520") } else { d("1000") });
        assert!(world.core.state().orders().get(id).unwrap().amend.is_none());
        world.check_replay();
    }
}

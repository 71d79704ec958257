//! What a breaker stops and counts, tripped and half-open, and what its refusals tell.

use super::*;
use tidegate_types::ids::TradeId;
use tidegate_types::instrument::Qty;
use tidegate_types::report::{AccountEvent, FillReport, Outcome};

fn refused(world: &mut World, order: NewOrder) -> Option<Code> {
    let ticket = world.place("ann", order);
    world.settle();
    world.code(ticket)
}

fn text(world: &World, ticket: Ticket) -> String {
    match &world.answers[&ticket] {
        Answer::Refused { reject } => reject.to_string(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn half_open_lets_few_orders_pass_and_a_full_stop_stops_what_reduces_too() {
    let mut world = World::new();
    world.live("ann", buy("50", "100"));
    world.venue.fill(1, d("50").raw());
    world.settle();
    let breaker = Breaker { stops: Stops::All, ..breaker("repeats@caller:ann", "3") };
    world.change(Change::BreakerSet { breaker: breaker.clone() });
    for _ in 0..3 {
        world.place("ann", buy("1", "97"));
    }
    world.settle();
    let reduces = |at: &str| NewOrder { reduce_only: true, ..sell("1", at) };
    assert_eq!(refused(&mut world, reduces("101")), Some(Code::BreakerTripped), "all is stopped");
    let (id, scope) = (breaker.id.clone(), "caller:ann".parse().unwrap());
    let reason = "mended".to_owned();
    world.change(Change::BreakerHalfOpened { breaker: id, scope, reason });
    let codes: Vec<_> =
        ["102", "103", "104", "104.5"].map(|at| refused(&mut world, reduces(at))).into();
    let trial = Some(Code::BreakerTrial);
    assert_eq!(codes, [None, None, trial, trial], "two a minute");
}

#[test]
fn what_reduces_uses_up_no_trial_of_a_breaker_that_lets_it_pass() {
    let mut world = World::new();
    world.live("ann", buy("50", "100"));
    world.venue.fill(1, d("50").raw());
    world.settle();
    let breaker = breaker("repeats@caller:ann", "3");
    world.change(Change::BreakerSet { breaker: breaker.clone() });
    for _ in 0..3 {
        world.place("ann", buy("1", "97"));
    }
    world.settle();
    let (id, scope) = (breaker.id.clone(), "caller:ann".parse().unwrap());
    let reason = "mended".to_owned();
    world.change(Change::BreakerHalfOpened { breaker: id, scope, reason });
    let reduces = |at: &str| NewOrder { reduce_only: true, ..sell("1", at) };
    for at in ["101", "102", "103", "104"] {
        assert_eq!(refused(&mut world, reduces(at)), None);
    }
    assert_eq!(refused(&mut world, buy("1", "98")), None);
    assert_eq!(refused(&mut world, buy("1", "99")), None);
    let ticket = world.place("ann", buy("1", "99.5"));
    let told = text(&world, ticket);
    assert!(told.contains("3 > 2 (over by 1)"), "{told}");
    world.check_replay();
}

#[test]
fn what_a_trip_held_back_counts_as_stopped() {
    let mut world = World::new();
    let breaker = Breaker { stops: Stops::All, ..breaker("repeats@caller:ann", "3") };
    world.change(Change::BreakerSet { breaker });
    let tickets: Vec<_> = (0..3).map(|_| world.place("ann", buy("1", "97"))).collect();
    world.settle_for(2);
    let held = tickets.iter().filter(|t| world.code(**t) == Some(Code::BreakerTripped)).count();
    let trips = world.core.state().breakers().trips();
    let stopped: u64 = trips.values().map(|trip| trip.stopped).sum();
    assert_eq!(stopped, held as u64, "held back, and stopped as it says");
}

#[test]
fn refusals_of_breakers_tell_the_distance() {
    let mut world = World::new();
    let breaker = Breaker { stops: Stops::All, ..breaker("repeats@caller:ann", "2") };
    world.change(Change::BreakerSet { breaker });
    for _ in 0..2 {
        world.place("ann", buy("1", "97"));
    }
    world.settle();
    let ticket = world.place("ann", buy("1", "98"));
    let told = text(&world, ticket);
    assert!(told.contains("2 times, the limit is 2 (over by 0)"), "{told}");
}

#[test]
fn a_fill_of_more_than_was_ordered_is_a_stray_one() {
    let mut world = World::new();
    let breaker = breaker("stray-fills@account:main", "1");
    world.change(Change::BreakerSet { breaker });
    let id = world.live("ann", buy("1", "99"));
    let order = world.core.state().orders().get(id).unwrap().clone();
    let fill = FillReport {
        instrument: instrument(PERP),
        trade_id: TradeId::new("x1").unwrap(),
        client_id: order.client_id,
        venue_id: order.venue_id.unwrap(),
        side: Side::Buy,
        qty: Qty(d("50")),
        price: Price(d("99")),
        fee: d("0"),
        fee_currency: None,
        maker: true,
        at: world.now,
    };
    let event = AccountEvent::Fill { fill };
    world.event(Event::Streamed { account: name(MAIN), event });
    let state = world.core.state();
    let held = state.positions().book(&name(MAIN), &instrument(PERP)).position();
    let told = !state.breakers().trips().is_empty();
    assert!(told, "50 filled of an order of 1, {held:?} held, and nothing trips");
}

#[test]
fn fills_that_an_answer_tells_count_together_against_what_was_ordered() {
    let tripped = |quantities: &[&str]| {
        let mut world = World::new();
        let breaker = breaker("stray-fills@account:main", "1");
        world.change(Change::BreakerSet { breaker });
        world.place("ann", buy("1", "99"));
        world.flush();
        world.sign(0);
        let call = world.to_send.remove(0);
        world.event(Event::Sent { call: call.id });
        let outcome = world.venue.arrive(&call.body, world.now);
        let Outcome::Accepted { report, .. } = outcome else { panic!("{outcome:?}") };
        let fill = |(n, qty): (usize, &&str)| FillReport {
            instrument: instrument(PERP),
            trade_id: TradeId::new(&format!("x{n}")).unwrap(),
            client_id: report.client_id.clone(),
            venue_id: report.venue_id.clone(),
            side: Side::Buy,
            qty: Qty(d(qty)),
            price: Price(d("99")),
            fee: d("0"),
            fee_currency: None,
            maker: false,
            at: world.now,
        };
        let fills = quantities.iter().enumerate().map(fill).collect();
        let outcome = Outcome::Accepted { report, fills };
        world.event(Event::Replied { call: call.id, outcome, reply: None });
        !world.core.state().breakers().trips().is_empty()
    };
    assert!(!tripped(&["0.4", "0.6"]), "as much as was ordered");
    assert!(tripped(&["0.6", "0.6"]), "more than was ordered");
}

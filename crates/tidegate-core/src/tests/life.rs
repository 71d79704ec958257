//! The odd rows of an order's life, each by its name in docs/order-truth.md.

use super::world::*;
use crate::event::Event;
use crate::orders::{Ending, Order, Stage, TradePlace};
use tidegate_types::Decimal;
use tidegate_types::ids::OrderId;
use tidegate_types::report::{AccountEvent, OrderReport, VenueState};

fn order(world: &World, id: OrderId) -> &Order {
    world.core.state().orders().get(id).unwrap()
}

fn position(world: &World) -> Decimal {
    world.core.state().positions().book(&name(MAIN), &instrument(PERP)).position().0
}

fn done(how: Ending) -> Stage {
    Stage::Done { how }
}

fn tell(world: &mut World, report: OrderReport) {
    world.event(Event::Streamed { account: name(MAIN), event: AccountEvent::Order { report } });
}

#[test]
fn fill_after_cancel() {
    let mut world = World::new();
    let id = world.live("ann", buy("2", "100"));
    world.venue.fill(1, d("1").raw());
    let late = std::mem::take(&mut world.venue.stream);
    world.cancel("ann", own(id));
    world.settle();
    assert_eq!(order(&world, id).stage, done(Ending::Cancelled));
    world.venue.stream = late;
    world.settle();
    assert_eq!(order(&world, id).stage, done(Ending::Cancelled));
    assert_eq!((position(&world), order(&world, id).trades.len()), (d("1"), 1));
    world.check();
    world.check_replay();
}

#[test]
fn cancel_refused_because_filled() {
    let mut world = World::new();
    let id = world.live("ann", buy("2", "100"));
    world.venue.fill(1, d("2").raw());
    world.venue.stream.clear();
    let cancel = world.cancel("ann", own(id));
    world.settle_for(3);
    assert!(world.answers.contains_key(&cancel));
    assert_eq!(order(&world, id).stage, done(Ending::Filled));
    assert_eq!(position(&world), d("2"));
    assert!(world.core.state().alarms().unseen().is_empty());
    world.check_replay();
}

#[test]
fn amend_crossing_a_fill() {
    let mut world = World::new();
    let id = world.live("ann", buy("4", "100"));
    world.amend("ann", id, Some("2"), None);
    world.flush();
    world.sign(0);
    // It trades beyond what the amend would leave, before the amend arrives.
    world.venue.fill(1, d("3").raw());
    world.settle();
    let now = order(&world, id);
    assert_eq!((now.stage, now.filled.0, now.request.qty.0), (Stage::Live, d("3"), d("4")));
    assert_eq!((now.remaining().0, position(&world)), (d("1"), d("3")));
    assert!(now.amend.is_none());
    world.check();
    world.check_replay();
}

#[test]
fn duplicate_and_out_of_order_reports() {
    let mut world = World::new();
    let id = world.live("ann", buy("3", "100"));
    for _ in 0..3 {
        world.venue.fill(1, d("1").raw());
    }
    let told = world.venue.stream.clone();
    world.venue.stream.extend(told);
    world.venue.stream.reverse();
    world.settle();
    let now = order(&world, id);
    assert_eq!((now.stage, now.trades.len()), (done(Ending::Filled), 3));
    let listed = |before: Option<&TradePlace>| -> Vec<TradePlace> {
        let orders = world.core.state().orders();
        orders.trades_of(&now.account, before).map(|(place, ..)| place.clone()).collect()
    };
    let all = listed(None);
    assert_eq!(all.len(), 3);
    assert!(all.is_sorted_by(|a, b| a > b), "the newest first: {all:?}");
    assert_eq!(listed(Some(&all[0])), all[1..]);
    assert_eq!(position(&world), d("3"));
    assert!(world.core.state().alarms().unseen().is_empty(), "an old report is no amend");
    world.check();
    world.check_replay();
}

#[test]
fn venue_re_pricing() {
    let mut world = World::new();
    world.place("ann", buy("1", "100"));
    world.flush();
    world.sign(0);
    let call = world.to_send.remove(0);
    world.event(Event::Sent { call: call.id });
    let _ = world.venue.arrive(&call.body, world.now);
    // The venue moved a maker-only order behind the market, and its first word says so.
    let report = world.venue.orders.get_mut(&1).unwrap();
    report.price = buy("1", "99.5").price;
    let report = report.clone();
    world.venue.stream.clear();
    tell(&mut world, report);
    let now = world.core.state().orders().open().next().unwrap();
    assert_eq!((now.stage, now.request.price), (Stage::Live, buy("1", "99.5").price));
    assert_eq!(now.asked.price, buy("1", "100").price);
    assert!(world.core.state().alarms().unseen().is_empty());
    world.check_replay();
}

#[test]
fn taken_for_dead_and_there_after_all() {
    let mut world = World::new();
    world.place("ann", buy("1", "100"));
    world.flush();
    world.sign(0);
    world.lose(0, false);
    let id = world.core.state().orders().open().next().unwrap().id;
    world.settle_for(30);
    assert_eq!(order(&world, id).stage, done(Ending::NeverArrived));
    let client_id = order(&world, id).client_id.clone();
    let at = world.venue.place(
        instrument(PERP),
        tidegate_types::order::Side::Buy,
        buy("1", "1").qty,
        buy("1", "100").price,
    );
    let report = world.venue.orders.get_mut(&at).unwrap();
    (report.client_id, report.state) = (client_id, VenueState::Open);
    let report = report.clone();
    tell(&mut world, report);
    assert_eq!(order(&world, id).stage, Stage::Live);
    assert_eq!(world.core.state().positions().account_open(&name(MAIN)).0, d("100"));
    world.check();
    world.check_replay();
}

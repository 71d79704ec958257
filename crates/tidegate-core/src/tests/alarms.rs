//! What Tidegate did not cause is an alarm, and stays one until somebody has seen it.

use super::world::*;
use crate::alarms::AlarmKind;
use crate::event::Event;
use crate::orders::{Ending, Stage};
use tidegate_types::Decimal;
use tidegate_types::ids::{TradeId, VenueOrderId};
use tidegate_types::instrument::Qty;
use tidegate_types::limits::{MAX_ALARMS, MAX_STRAY_TRADES};
use tidegate_types::order::{NewOrder, Side, TimeInForce};
use tidegate_types::record::{Body, Change};
use tidegate_types::report::{AccountEvent, FillReport, OrderReport, VenueState};
use tidegate_types::time::{Span, Time};

fn alarms(world: &World) -> Vec<(AlarmKind, u64, Decimal)> {
    let unseen = world.core.state().alarms().unseen().iter();
    unseen.map(|alarm| (alarm.kind, alarm.count, alarm.qty)).collect()
}

fn position(world: &World) -> Decimal {
    world.core.state().positions().book(&name(MAIN), &instrument(PERP)).position().0
}

fn stray(no: usize, side: Side, qty: &str) -> FillReport {
    FillReport {
        instrument: instrument(PERP),
        trade_id: TradeId::new(&format!("stray{no}")).unwrap(),
        client_id: None,
        venue_id: VenueOrderId::new(&format!("s{no}")).unwrap(),
        side,
        qty: Qty(d(qty)),
        price: buy("1", "100").price.unwrap(),
        fee: Decimal::ZERO,
        fee_currency: None,
        maker: false,
        at: Time::default(),
    }
}

fn tell(world: &mut World, fill: FillReport) {
    world.event(Event::Streamed { account: name(MAIN), event: AccountEvent::Fill { fill } });
}

/// The venue ends or changes an order of ann's without Tidegate, and tells it.
fn elsewhere(world: &mut World, order: u64, change: impl Fn(&mut OrderReport)) {
    let report = world.venue.orders.get_mut(&order).unwrap();
    change(report);
    report.at = report.at.plus(Span::from_secs(1));
    let report = report.clone();
    world.event(Event::Streamed { account: name(MAIN), event: AccountEvent::Order { report } });
}

#[test]
fn an_order_placed_past_tidegate_is_an_alarm_and_so_is_its_trade() {
    let mut world = World::new();
    let id =
        world.venue.place(instrument(PERP), Side::Sell, buy("7", "1").qty, buy("7", "110").price);
    elsewhere(&mut world, id, |_| ());
    assert_eq!(alarms(&world), [(AlarmKind::ForeignOrder, 1, d("7"))]);
    let before = world.core.state().exposure(&name(MAIN));
    assert_eq!(before.0, d("700"), "it counts in the account's exposure, at the mark");
    world.venue.fill(id, d("2").raw());
    world.settle();
    assert_eq!(
        alarms(&world),
        [(AlarmKind::ForeignOrder, 1, d("7")), (AlarmKind::ForeignFill, 1, d("2"))]
    );
    assert_eq!(position(&world), d("-2"));
    world.settle_for(40);
    assert_eq!(alarms(&world).len(), 2, "and told once");
    let alarm = &world.core.state().alarms().unseen()[1];
    assert_eq!((alarm.side, alarm.about.account.as_str()), (Some(Side::Sell), MAIN));
    world.check();
    world.check_replay();
}

#[test]
fn a_trade_of_an_order_that_never_rested_counts_at_once_and_once() {
    let mut world = World::new();
    for _ in 0..2 {
        tell(&mut world, stray(1, Side::Buy, "3"));
        assert_eq!(position(&world), d("3"));
    }
    assert_eq!(alarms(&world), [(AlarmKind::ForeignFill, 1, d("3"))]);
    tell(&mut world, stray(2, Side::Sell, "1"));
    assert_eq!(position(&world), d("2"));
    assert_eq!(alarms(&world), [(AlarmKind::ForeignFill, 2, d("1"))]);
    // The venue agrees, so that there is nothing to correct.
    world.venue.positions.insert(instrument(PERP), d("2").raw());
    world.settle_for(65);
    assert_eq!(alarms(&world).len(), 1);
    world.check();
    world.check_replay();
}

#[test]
fn a_cancel_by_somebody_else_is_an_alarm() {
    let mut world = World::new();
    let id = world.live("ann", buy("1", "100"));
    elsewhere(&mut world, 1, |report| report.state = VenueState::Cancelled);
    let unseen = world.core.state().alarms().unseen();
    assert_eq!(unseen[0].kind, AlarmKind::ForeignCancel);
    assert_eq!((unseen[0].order, unseen[0].qty), (Some(id), d("1")));
    assert_eq!(unseen[0].about.caller, Some(name("ann")));
    assert_eq!(unseen[0].venue_id, Some(name("v1")));
    world.check_replay();
}

#[test]
fn an_order_that_vanished_was_cancelled_by_somebody_else() {
    let mut world = World::new();
    let id = world.live("ann", buy("1", "100"));
    world.venue.orders.clear();
    world.settle_for(65);
    let stage = world.core.state().orders().get(id).unwrap().stage;
    assert_eq!(stage, Stage::Done { how: Ending::Gone });
    assert_eq!(alarms(&world), [(AlarmKind::ForeignCancel, 1, d("1"))]);
    world.check_replay();
}

#[test]
fn what_tidegate_asked_for_and_what_the_venue_ends_by_its_rules_are_no_alarms() {
    let mut world = World::new();
    let mine = world.live("ann", buy("1", "100"));
    world.cancel("ann", own(mine));
    world.settle();
    let lapsed = world.live("ann", buy("1", "100"));
    elsewhere(&mut world, 2, |report| report.state = VenueState::Expired);
    let taker = NewOrder { time_in_force: TimeInForce::ImmediateOrCancel, ..buy("1", "100") };
    world.live("ann", taker);
    elsewhere(&mut world, 3, |report| report.state = VenueState::Cancelled);
    let amended = world.live("ann", buy("1", "100"));
    world.amend("ann", amended, Some("2"), Some("99"));
    world.settle();
    assert_eq!(world.core.state().orders().open().count(), 1);
    assert!(!world.core.state().orders().get(lapsed).unwrap().is_open());
    assert_eq!(alarms(&world), []);
    world.check_replay();
}

#[test]
fn an_order_that_is_shown_again_is_live_and_reserves_again() {
    let mut world = World::new();
    let id = world.live("ann", buy("1", "99"));
    let stage = |world: &World| world.core.state().orders().get(id).unwrap().stage;
    let open =
        |world: &World| world.core.state().positions.book(&name(MAIN), &instrument(PERP)).buys;
    assert!(open(&world) > 0);
    // A part of the venue that lags behind does not have it.
    world.settle_for(10);
    let hidden = std::mem::take(&mut world.venue.orders);
    world.event(Event::StreamDown { account: name(MAIN), why: "test".to_owned() });
    world.up();
    while world.core.state().orders().get(id).unwrap().is_open() {
        assert!(
            world.step() || {
                world.pass(100);
                true
            }
        );
    }
    assert_eq!((stage(&world), open(&world)), (Stage::Done { how: Ending::Gone }, 0));
    world.venue.orders = hidden;
    world.settle_for(60);
    assert_eq!(stage(&world), Stage::Live, "the venue shows it");
    assert!(open(&world) > 0);
    world.halt("all", false);
    world.settle_for(10);
    assert_eq!(world.venue.open().count(), 0, "a halt reaches it");
    world.check();
    world.check_replay();
}

#[test]
fn one_answer_does_not_end_an_order_that_rests() {
    let mut world = World::new();
    let id = world.live("ann", buy("1", "99"));
    world.settle_for(10);
    world.core.doubt_at_once(id, world.now);
    world.timers();
    world.flush();
    let hidden = std::mem::take(&mut world.venue.orders);
    while !world.core.doubts.was_not_there(id) {
        assert!(world.step(), "it is asked for");
    }
    world.venue.orders = hidden;
    world.settle_for(10);
    assert!(world.core.state().orders().get(id).unwrap().is_open());
    assert!(alarms(&world).is_empty());
}

#[test]
fn a_cancel_of_tidegates_that_was_refused_explains_nothing() {
    let mut world = World::new();
    let id = world.live("ann", buy("1", "100"));
    // Somebody else was faster, and the stream tells of it after the refusal of ours.
    world.venue.orders.get_mut(&1).unwrap().state = VenueState::Cancelled;
    world.cancel("ann", own(id));
    world.settle_for(2);
    assert_eq!(alarms(&world), [(AlarmKind::ForeignCancel, 1, d("1"))]);
    world.check_replay();
}

#[test]
fn an_amend_by_somebody_else_is_an_alarm() {
    let mut world = World::new();
    let id = world.live("ann", buy("1", "100"));
    elsewhere(&mut world, 1, |report| report.qty = buy("5", "1").qty);
    assert_eq!(alarms(&world), [(AlarmKind::ForeignAmend, 1, d("1"))]);
    assert_eq!(world.core.state().orders().get(id).unwrap().request.qty.0, d("5"));
    world.check();
    world.check_replay();
}

#[test]
fn a_position_is_taken_over_once_and_an_alarm_when_it_differs_later() {
    let mut world = World::closed();
    world.venue.positions.insert(instrument(PERP), d("-3").raw());
    world.up();
    world.settle_for(4);
    assert_eq!((position(&world), alarms(&world)), (d("-3"), Vec::new()));
    world.venue.positions.insert(instrument(PERP), d("4").raw());
    world.settle_for(65);
    assert_eq!(position(&world), d("4"));
    let alarm = &world.core.state().alarms().unseen()[0];
    assert_eq!((alarm.kind, alarm.qty), (AlarmKind::Position, d("4")));
    assert_eq!(alarm.counted, Some(d("-3")));
    world.check_replay();
}

#[test]
fn an_alarm_outlives_a_restart_until_somebody_has_seen_it() {
    let mut world = World::new();
    tell(&mut world, stray(1, Side::Buy, "3"));
    world.flush();
    world.kill(false);
    assert_eq!(alarms(&world).len(), 1);
    let until = world.core.state().alarms().unseen()[0].last;
    world.pass(10);
    tell(&mut world, stray(2, Side::Buy, "1"));
    world.change(Change::AlarmsSeen { until });
    assert_eq!(alarms(&world), [(AlarmKind::ForeignFill, 2, d("1"))], "there is a newer one");
    world.change(Change::AlarmsSeen { until: world.now });
    assert_eq!(alarms(&world), []);
    assert_eq!(world.core.state().alarms().raised(), 2);
    world.check_replay();
}

#[test]
fn alarms_are_bounded() {
    let mut world = World::new();
    for no in 0..MAX_STRAY_TRADES + 10 {
        let fill = FillReport {
            instrument: instrument(&format!("X{}", no % (MAX_ALARMS + 20))),
            ..stray(no, Side::Buy, "1")
        };
        tell(&mut world, fill);
    }
    assert_eq!(world.core.state().alarms().unseen().len(), MAX_ALARMS);
    let streamed = |r: &&tidegate_types::record::Record| matches!(r.body, Body::Streamed { .. });
    assert_eq!(world.journal.iter().filter(streamed).count(), MAX_STRAY_TRADES + 10);
    world.check_replay();
}

#[test]
fn an_order_made_larger_elsewhere_rests_after_all_it_was_known_for_traded() {
    let mut world = World::new();
    let id = world.live("ann", buy("1", "99"));
    let order = world.venue.orders.get_mut(&1).unwrap();
    (order.qty, order.at) = (Qty(d("6")), order.at.plus(Span::from_secs(1)));
    world.venue.fill(1, d("1").raw());
    // The trade is told, and what became of the order is not.
    world.venue.stream.retain(|event| matches!(event, AccountEvent::Fill { .. }));
    world.settle();
    assert!(!world.core.state().orders().get(id).unwrap().is_open());
    world.settle_for(40);
    let order = world.core.state().orders().get(id).unwrap();
    assert_eq!(
        (order.is_open(), order.request.qty, order.filled),
        (true, Qty(d("6")), Qty(d("1")))
    );
    assert_eq!(world.core.state().positions().account_open(&name(MAIN)).0, d("495"));
    world.check();
    world.check_replay();
}

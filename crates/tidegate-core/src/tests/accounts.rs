//! Accounts open when what the venue shows and what the journal says agree.

use super::world::*;
use crate::event::Event;
use crate::orders::{Ending, Stage};
use tidegate_types::call::CallBody;
use tidegate_types::ids::OrderId;
use tidegate_types::instrument::Price;
use tidegate_types::order::{OrderType, Side, Trigger, TriggerBy};
use tidegate_types::record::Body;
use tidegate_types::reject::Code;
use tidegate_types::report::{AccountEvent, AccountSnapshot, OrderReport, VenueState};
use tidegate_types::time::Time;

#[test]
fn closed_until_reconciled_and_when_the_stream_breaks() {
    let mut world = World::closed();
    let early = world.place("ann", buy("1", "100"));
    assert_eq!(world.code(early), Some(Code::AccountClosed));
    world.event(Event::StreamUp { account: name(MAIN) });
    world.answer_read(Err("503".to_owned()));
    assert!(!world.is_open());
    world.pass(600);
    world.settle();
    assert!(world.is_open());
    let id = world.live("ann", buy("5", "100"));
    world.venue.fill(1, d("2").raw());
    world.settle();
    world.event(Event::StreamDown { account: name(MAIN), why: "reset".to_owned() });
    let closed = world.place("ann", buy("1", "100"));
    assert_eq!(world.code(closed), Some(Code::AccountClosed));
    let reducing = world.place("ann", sell("2", "100"));
    assert_eq!(world.code(reducing), None);
    let cancel = world.cancel("ann", own(id));
    assert_eq!(world.code(cancel), None);
}

#[test]
fn what_happened_meanwhile_is_found_out() {
    let mut world = World::new();
    let filled = world.live("ann", buy("1", "100"));
    let part = world.live("ann", buy("2", "100"));
    let gone = world.live("bob", sell("1", "101"));
    world.event(Event::StreamDown { account: name(MAIN), why: "reset".to_owned() });
    world.pass(10);
    world.venue.fill(1, d("1").raw());
    world.venue.fill(2, d("1").raw());
    world.venue.orders.get_mut(&3).unwrap().state = VenueState::Cancelled;
    world.venue.place(instrument(PERP), Side::Sell, buy("7", "1").qty, buy("7", "110").price);
    world.venue.stream.clear();
    world.up();
    assert!(!world.is_open());
    world.settle_for(5);
    assert!(world.is_open());
    let stage = |id| world.core.state().orders().get(id).unwrap().stage;
    assert_eq!(stage(filled), Stage::Done { how: Ending::Filled });
    assert_eq!(stage(part), Stage::Live);
    assert_eq!(stage(gone), Stage::Done { how: Ending::Cancelled });
    let book = world.core.state().positions().book(&name(MAIN), &instrument(PERP));
    assert_eq!(book.position().0, d("2"));
    assert_eq!(world.core.state().foreign().count(), 1);
    assert_eq!(book.sells, i128::from(d("7").raw()));
    world.check();
    world.check_replay();
}

#[test]
fn a_position_is_corrected_when_it_differs_twice() {
    let mut world = World::closed();
    world.venue.positions.insert(instrument(PERP), d("-3").raw());
    world.up();
    assert!(!world.is_open());
    let position = |world: &World| {
        world.core.state().positions().book(&name(MAIN), &instrument(PERP)).position().0
    };
    assert_eq!(position(&world), d("0"));
    world.settle_for(4);
    assert!(world.is_open());
    assert_eq!(position(&world), d("-3"));
    world.check_replay();
}

#[test]
fn a_snapshot_that_crosses_an_order_does_not_lose_it() {
    let mut world = World::new();
    let early = world.venue.snapshot();
    world.pass(30_000);
    assert_eq!(world.to_read.len(), 1);
    let id = world.live_without_reading("ann");
    world.answer_read(Ok(early));
    assert_eq!(world.core.state().orders().get(id).unwrap().stage, Stage::Live);
    world.pass(1000);
    assert!(world.to_sign.is_empty());
}

/// A comparison is under way; what it will show is from now.
fn compares(world: &mut World) -> AccountSnapshot {
    world.pass(30_000);
    assert_eq!(world.to_read.len(), 1);
    world.venue.snapshot()
}

/// The stream breaks and comes back; in between somebody places an order past Tidegate.
fn gap_with_an_order(world: &mut World) {
    world.event(Event::StreamDown { account: name(MAIN), why: "reset".to_owned() });
    world.pass(200);
    let (qty, price) = (buy("140", "1").qty, buy("1", "100").price);
    world.venue.place(instrument(PERP), Side::Buy, qty, price);
    world.venue.stream.clear();
    world.pass(200);
    world.event(Event::StreamUp { account: name(MAIN) });
}

#[test]
fn an_answer_asked_for_before_a_gap_opens_nothing_after_it() {
    let mut world = World::new();
    let early = compares(&mut world);
    gap_with_an_order(&mut world);
    let records = world.journal.len();
    world.answer_read(Ok(early));
    assert!(!world.is_open());
    assert_eq!(world.journal.len(), records, "it tells nothing");
    assert_eq!(world.to_read.len(), 1, "it was asked anew as the stream came");
    let refused = world.place("ann", buy("90", "100"));
    assert_eq!(world.code(refused), Some(Code::AccountClosed));
    let why = |world: &World| world.core.waits_for(&name(MAIN));
    assert_eq!(why(&world).unwrap(), "the comparison with the venue is under way");
    world.answer_read(Err("503".to_owned()));
    assert!(!world.is_open());
    assert_eq!(why(&world).unwrap(), "the venue does not show its state: 503");
    world.settle_for(2);
    assert_eq!((world.is_open(), why(&world)), (true, None));
    world.mark();
    let refused = world.place("ann", buy("90", "100"));
    assert_eq!(world.code(refused), Some(Code::OpenNotional), "230 of 200");
}

#[test]
fn an_answer_asked_for_before_a_gap_opens_nothing_once_the_trades_are_read() {
    let mut world = World::new();
    world.live("bob", buy("5", "100"));
    world.venue.fill(1, d("5").raw());
    world.settle_for(5);
    let early = compares(&mut world);
    gap_with_an_order(&mut world);
    while !world.trades_to_read.is_empty() {
        world.read_trades();
    }
    world.answer_read(Ok(early));
    assert!(!world.is_open());
    world.settle_for(2);
    assert!(world.is_open());
}

#[test]
fn an_answer_asked_for_in_a_gap_opens_nothing_after_it() {
    let mut world = World::new();
    world.event(Event::StreamDown { account: name(MAIN), why: "reset".to_owned() });
    let early = compares(&mut world);
    gap_with_an_order(&mut world);
    world.answer_read(Ok(early));
    assert!(!world.is_open());
}

#[test]
fn late_answers_that_show_the_same_old_position_correct_nothing() {
    let mut world = World::new();
    let id = world.live("ann", buy("5", "100"));
    let early = compares(&mut world);
    // A minute without an answer: it is asked anew.
    world.pass(60_000);
    assert_eq!(world.to_read.len(), 2);
    let later = world.venue.snapshot();
    world.venue.fill(1, d("5").raw());
    while !world.venue.stream.is_empty() {
        world.tell(0);
    }
    world.answer_read(Ok(early));
    world.pass(1_500);
    world.answer_read(Ok(later));
    world.settle_for(10);
    let book = world.core.state().positions().book(&name(MAIN), &instrument(PERP));
    assert_eq!(book.position().0, d("5"));
    assert!(world.core.state().orders().get(id).unwrap().stage != Stage::Live);
    assert!(world.core.state().alarms().unseen().is_empty());
    assert!(world.is_open());
}

#[test]
fn comparing_in_passing_leaves_no_records() {
    let mut world = World::new();
    world.live("ann", buy("1", "100"));
    let before = world.journal.len();
    world.settle_for(65);
    let after = world.journal[before..].iter();
    assert_eq!(after.filter(|record| !matches!(record.body, Body::Marks { .. })).count(), 0);
}

#[test]
fn after_a_kill_everything_is_found_out() {
    for arrives in [true, false] {
        let mut world = World::new();
        world.place("ann", buy("1", "100"));
        world.flush();
        world.sign(0);
        world.kill(arrives);
        let order = world.core.state().orders().open().next().unwrap();
        assert_eq!(order.stage, Stage::Unknown);
        world.up();
        world.settle_for(30);
        assert!(world.is_open());
        let open = world.core.state().orders().open().count();
        assert_eq!(
            (open, world.venue.open().count()),
            (usize::from(arrives), usize::from(arrives))
        );
        world.check();
        world.check_replay();
    }
}

/// An order that never left would be in doubt until its deadline has passed. The account does not
/// wait for that: the order keeps what it reserves instead.
#[test]
fn after_a_kill_nobody_waits_for_an_order_that_the_venue_does_not_have() {
    let mut world = World::new();
    world.place("ann", buy("3", "100"));
    world.flush();
    world.kill(false);
    world.up();
    world.settle_for(2);
    assert!(world.is_open());
    let order = world.core.state().orders().open().next().unwrap();
    assert_eq!(order.stage, Stage::Unknown);
    let book =
        |world: &World| world.core.state().positions().book(&name(MAIN), &instrument(PERP)).buys;
    assert_eq!(book(&world), i128::from(d("3").raw()));
    world.settle_for(30);
    assert_eq!(world.core.state().orders().open().count(), 0);
    assert_eq!(book(&world), 0);
    world.check_replay();
}

/// A stop order of ann's that is live, and the venue's word on it.
fn stop(world: &mut World) -> (OrderId, OrderReport) {
    let mut stop = buy("1", "100");
    stop.order_type = OrderType::StopLimit;
    stop.trigger = Some(Trigger { price: Price(d("100")), by: TriggerBy::Mark });
    let id = world.live("ann", stop);
    let report = world.venue.open().map(|(_, row)| row.clone()).next().unwrap();
    (id, report)
}

fn is_cancelled_as(world: &mut World, id: OrderId, venue_id: &str) {
    world.cancel("ann", own(id));
    let CallBody::Cancel { order } = &world.to_sign[0].0.body else { panic!() };
    assert_eq!(order.venue_id.as_ref().map(|id| id.as_str()), Some(venue_id));
    assert!(!order.conditional);
}

#[test]
fn a_triggered_order_is_cancelled_by_what_it_became() {
    let mut world = World::new();
    let (id, mut report) = stop(&mut world);
    report.triggered_as = Some("77".parse().unwrap());
    world.event(Event::Streamed { account: name(MAIN), event: AccountEvent::Order { report } });
    is_cancelled_as(&mut world, id, "77");
}

#[test]
fn an_order_is_known_to_have_triggered_when_only_what_it_became_is_shown() {
    let mut world = World::new();
    let (id, mut report) = stop(&mut world);
    report.order_type = OrderType::Limit;
    report.venue_id = "77".parse().unwrap();
    world.event(Event::Streamed { account: name(MAIN), event: AccountEvent::Order { report } });
    is_cancelled_as(&mut world, id, "77");
}

#[test]
fn of_an_order_that_triggered_smaller_what_it_became_tells_the_quantity() {
    for child_first in [true, false] {
        let mut world = World::new();
        let (id, parent) = stop(&mut world);
        let triggered = OrderReport { triggered_as: Some("77".parse().unwrap()), ..parent.clone() };
        let child = OrderReport {
            venue_id: "77".parse().unwrap(),
            order_type: OrderType::Limit,
            trigger_price: None,
            qty: buy("0.5", "1").qty,
            ..parent
        };
        let told = if child_first { [child, triggered] } else { [triggered, child] };
        for report in told {
            let event = AccountEvent::Order { report };
            world.event(Event::Streamed { account: name(MAIN), event });
        }
        let order = world.core.state().orders().get(id).unwrap();
        assert_eq!(order.request.qty, buy("0.5", "1").qty, "child first: {child_first}");
        world.check_replay();
    }
}

#[test]
fn a_snapshot_from_before_a_refusal_revives_nothing() {
    let mut world = World::new();
    let (id, before) = stop(&mut world);
    world.pass(30_000);
    let early = world.venue.snapshot();
    // Refused as it triggers; the snapshot was made a moment before.
    let at = Time::from_micros(before.at.micros() + 1);
    let report = OrderReport { state: VenueState::Rejected, at, ..before.clone() };
    world.event(Event::Streamed { account: name(MAIN), event: AccountEvent::Order { report } });
    let question = world.to_read.remove(0);
    world.event(Event::Snapshot { account: name(MAIN), question, result: Ok(early) });
    assert!(!world.core.state().orders().get(id).unwrap().is_open());
    // What the venue shows later is believed.
    let report = OrderReport { at: Time::from_micros(at.micros() + 1), ..before };
    world.event(Event::Streamed { account: name(MAIN), event: AccountEvent::Order { report } });
    assert!(world.core.state().orders().get(id).unwrap().is_open());
    world.check_replay();
}

#[test]
fn an_account_that_cannot_be_compared_for_long_is_closed_and_opens_by_itself() {
    let mut world = World::new();
    world.settle();
    let fails = |world: &mut World, ms: u64| {
        for _ in 0..ms / 1_000 {
            world.pass(1_000);
            while !world.to_read.is_empty() {
                world.answer_read(Err("a row cannot be read".to_owned()));
            }
        }
    };
    fails(&mut world, 100_000);
    assert!(world.is_open(), "a while it goes on");
    fails(&mut world, 60_000);
    assert!(!world.is_open());
    let why = world.journal.iter().rev().find_map(|record| match &record.body {
        Body::Closed { why, .. } => Some(why.clone()),
        _ => None,
    });
    assert!(why.unwrap().ends_with("a row cannot be read"));
    world.settle_for(60);
    assert!(world.is_open());
}

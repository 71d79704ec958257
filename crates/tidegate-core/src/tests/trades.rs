//! Trades that the stream did not tell are read, recorded once, and explain what changed.

use super::world::*;
use crate::alarms::AlarmKind;
use crate::event::Event;
use crate::orders::{Ending, Stage};
use tidegate_types::Decimal;
use tidegate_types::ids::{OrderId, TradeId, VenueOrderId};
use tidegate_types::instrument::{Instrument, Qty};
use tidegate_types::order::Side;
use tidegate_types::record::Body;
use tidegate_types::reject::Code;
use tidegate_types::report::{AccountEvent, FillReport};

fn position(world: &World) -> Decimal {
    world.core.state().positions().book(&name(MAIN), &instrument(PERP)).position().0
}

fn alarms(world: &World) -> Vec<AlarmKind> {
    world.core.state().alarms().unseen().iter().map(|alarm| alarm.kind).collect()
}

fn trades(world: &World, id: OrderId) -> usize {
    world.core.state().orders().get(id).unwrap().trades.len()
}

/// How many trades are on record.
fn recorded(world: &World) -> usize {
    let fill =
        |body: &Body| matches!(body, Body::Streamed { event: AccountEvent::Fill { .. }, .. });
    world.journal.iter().filter(|record| fill(&record.body)).count()
}

fn down(world: &mut World) {
    world.event(Event::StreamDown { account: name(MAIN), why: "reset".to_owned() });
    world.pass(1000);
}

/// What the stream had to tell is lost.
fn silently(world: &mut World, order: u64, qty: &str) {
    world.venue.now = world.now;
    world.venue.fill(order, d(qty).raw());
    world.venue.stream.clear();
}

/// Somebody else buys at the market.
fn bought_elsewhere(world: &mut World, no: u64, qty: &str) {
    let fill = FillReport {
        instrument: instrument(PERP),
        trade_id: TradeId::new(&format!("else{no}")).unwrap(),
        client_id: None,
        venue_id: VenueOrderId::new(&format!("e{no}")).unwrap(),
        side: Side::Buy,
        qty: Qty(d(qty)),
        price: buy("1", "100").price.unwrap(),
        fee: d("0.1"),
        fee_currency: None,
        maker: false,
        at: world.now,
    };
    world.venue.traded.push(fill);
    *world.venue.positions.entry(instrument(PERP)).or_default() += d(qty).raw();
}

#[test]
fn trades_of_a_gap_are_read_and_recorded_with_their_ids() {
    let mut world = World::new();
    let id = world.live("ann", buy("4", "100"));
    let full = world.live("bob", buy("1", "100"));
    down(&mut world);
    for _ in 0..3 {
        silently(&mut world, 1, "1");
    }
    silently(&mut world, 2, "1");
    world.up();
    world.settle_for(6);
    assert!(world.is_open());
    assert_eq!((trades(&world, id), trades(&world, full)), (3, 1));
    let stage = world.core.state().orders().get(full).unwrap().stage;
    assert_eq!(stage, Stage::Done { how: Ending::Filled });
    assert_eq!((position(&world), recorded(&world)), (d("4"), 4));
    assert_eq!(alarms(&world), []);
    // Later gaps tell nothing anew.
    down(&mut world);
    world.up();
    world.settle_for(6);
    assert_eq!(recorded(&world), 4);
    world.check();
    world.check_replay();
}

#[test]
fn trades_of_orders_that_the_table_dropped_are_read_again_and_count_once() {
    let mut world = World::new();
    world.core.settings.max_done_orders = 1;
    let open = world.live("ann", buy("4", "100"));
    let dropped = world.live("ann", buy("3", "100"));
    world.venue.now = world.now;
    world.venue.fill(2, d("3").raw());
    world.settle();
    let kept = world.live("ann", buy("2", "100"));
    world.venue.now = world.now;
    world.venue.fill(3, d("2").raw());
    world.settle();
    assert!(world.core.state().orders().get(dropped).is_none());
    assert_eq!((recorded(&world), position(&world)), (2, d("5")));
    // The open order is told to have traded, and not how: all there was since it came is read.
    silently(&mut world, 1, "1");
    let report = world.venue.orders[&1].clone();
    world.event(Event::Streamed { account: name(MAIN), event: AccountEvent::Order { report } });
    down(&mut world);
    world.up();
    world.settle_for(6);
    assert!(world.is_open());
    assert_eq!((trades(&world, open), trades(&world, kept)), (1, 1));
    assert_eq!((recorded(&world), position(&world)), (3, d("6")));
    assert_eq!(alarms(&world), []);
    world.check();
    world.check_replay();
}

#[test]
fn a_trade_past_tidegate_in_a_gap_explains_the_position() {
    let mut world = World::new();
    down(&mut world);
    bought_elsewhere(&mut world, 1, "2");
    bought_elsewhere(&mut world, 2, "1");
    world.up();
    world.settle_for(6);
    assert!(world.is_open());
    assert_eq!(position(&world), d("3"));
    assert_eq!(alarms(&world), [AlarmKind::ForeignFill], "nothing is left to explain");
    world.check();
    world.check_replay();
}

#[test]
fn what_no_trade_explains_is_corrected_and_an_alarm() {
    let mut world = World::new();
    down(&mut world);
    bought_elsewhere(&mut world, 1, "2");
    *world.venue.positions.entry(instrument(PERP)).or_default() += d("5").raw();
    world.up();
    world.settle_for(8);
    assert!(world.is_open());
    assert_eq!(position(&world), d("7"));
    assert_eq!(alarms(&world), [AlarmKind::ForeignFill, AlarmKind::Position]);
    let alarm = &world.core.state().alarms().unseen()[1];
    assert_eq!((alarm.counted, alarm.qty), (Some(d("2")), d("7")));
    world.check_replay();
}

#[test]
fn an_account_waits_for_its_trades_and_not_for_ever() {
    let mut world = World::new();
    world.live("ann", buy("4", "100"));
    down(&mut world);
    silently(&mut world, 1, "1");
    bought_elsewhere(&mut world, 1, "2");
    world.venue.mute = true;
    world.up();
    world.settle_for(2);
    assert!(!world.is_open());
    let refused = world.place("ann", buy("1", "100"));
    assert_eq!(world.code(refused), Some(Code::AccountClosed));
    world.settle_for(240);
    assert!(world.is_open());
    assert_eq!(position(&world), d("3"));
    assert_eq!(alarms(&world), [AlarmKind::Position]);
    // Once it tells again, what is in the venue's figure already does not count twice.
    world.venue.mute = false;
    down(&mut world);
    world.up();
    world.settle_for(40);
    assert_eq!((world.is_open(), position(&world)), (true, d("3")));
    world.check();
    world.check_replay();
}

/// An open account that holds so many instruments.
fn holding(count: usize) -> World {
    let mut world = World::new();
    let perp = world.core.state().instruments()[&instrument(PERP)].clone();
    let named = |n| instrument(&format!("C{n:03}-PERP"));
    let terms = (0..count).map(|n| Instrument { id: named(n), ..perp.clone() });
    world.event(Event::Instruments { venue: name(VENUE), instruments: terms.collect() });
    for n in 0..count {
        world.venue.positions.insert(named(n), d("1").raw());
    }
    world.settle_for(70);
    assert!(world.is_open());
    assert_eq!(world.core.state().positions().iter().count(), count);
    world
}

#[test]
fn after_a_gap_the_trades_of_every_instrument_are_read_twenty_at_a_time() {
    let mut world = holding(70);
    down(&mut world);
    world.event(Event::StreamUp { account: name(MAIN) });
    world.flush();
    world.read();
    let mut asked = std::collections::BTreeSet::new();
    while let Some((_, instrument, _)) = world.trades_to_read.first() {
        assert!(!world.is_open(), "{} of 70 are read", asked.len());
        assert_eq!(world.trades_to_read.len(), 20.min(70 - asked.len()));
        let told = world.core.waits_for(&name(MAIN)).unwrap();
        let left = 70 - asked.len();
        assert_eq!(told, format!("instruments of which trades are still to be read: {left}"));
        asked.insert(instrument.clone());
        world.read_trades();
    }
    assert_eq!(asked.len(), 70);
    world.settle_for(2);
    assert!(world.is_open());
}

#[test]
fn trades_that_cannot_be_read_are_asked_for_at_the_next_comparison() {
    let mut world = holding(30);
    down(&mut world);
    world.venue.mute = true;
    world.up();
    assert!(!world.is_open());
    assert!(world.trades_to_read.is_empty(), "each was asked for once");
    let told = world.core.waits_for(&name(MAIN)).unwrap();
    assert_eq!(told, "instruments of which trades are still to be read: 30");
    world.venue.mute = false;
    world.settle_for(5);
    assert!(world.is_open());
}

#[test]
fn trades_asked_for_before_a_gap_do_not_stand_for_those_after_it() {
    let mut world = World::new();
    world.live("ann", buy("4", "100"));
    down(&mut world);
    world.event(Event::StreamUp { account: name(MAIN) });
    assert_eq!(world.trades_to_read.len(), 1);
    // The stream breaks again before it is answered, and the venue answered before the trade.
    let early = world.venue.trades(&instrument(PERP), world.trades_to_read[0].2);
    down(&mut world);
    bought_elsewhere(&mut world, 1, "2");
    world.event(Event::StreamUp { account: name(MAIN) });
    assert_eq!(world.trades_to_read.len(), 1, "one question at a time about an instrument");
    let (question, of, _) = world.trades_to_read.remove(0);
    world.event(Event::Trades { account: name(MAIN), question, instrument: of, result: early });
    assert_eq!(world.trades_to_read.len(), 1, "it is asked anew");
    world.settle_for(6);
    assert!(world.is_open());
    assert_eq!((position(&world), alarms(&world)), (d("2"), vec![AlarmKind::ForeignFill]));
}

#[test]
fn a_trade_told_in_a_gap_does_not_hide_earlier_ones_of_others() {
    let mut world = World::new();
    let id = world.live("ann", buy("4", "100"));
    down(&mut world);
    bought_elsewhere(&mut world, 1, "2");
    world.pass(1000);
    // The trade of our own is told by the venue's answer to a request, later than the other.
    world.venue.now = world.now;
    world.venue.fill(1, d("1").raw());
    let fill = |e: &AccountEvent| matches!(e, AccountEvent::Fill { .. });
    let at = world.venue.stream.iter().position(fill).unwrap();
    world.tell(at);
    world.venue.stream.clear();
    world.up();
    world.settle_for(6);
    assert!(world.is_open());
    assert_eq!((trades(&world, id), position(&world)), (1, d("3")));
    assert_eq!(alarms(&world), [AlarmKind::ForeignFill], "nothing is left to explain");
    world.check();
    world.check_replay();
}

#[test]
fn an_answer_on_its_way_does_not_add_to_a_corrected_position() {
    let mut world = World::new();
    world.live("ann", buy("4", "100"));
    down(&mut world);
    bought_elsewhere(&mut world, 1, "2");
    world.event(Event::StreamUp { account: name(MAIN) });
    let slow = world.trades_to_read.remove(0);
    let early = world.venue.trades(&slow.1, slow.2);
    for _ in 0..120 {
        world.flush();
        if !world.to_read.is_empty() {
            world.read();
        }
        world.pass(1000);
    }
    assert_eq!((position(&world), alarms(&world)), (d("2"), vec![AlarmKind::Position]));
    let (account, question, of) = (name(MAIN), slow.0, slow.1);
    world.event(Event::Trades { account, question, instrument: of, result: early });
    world.settle_for(10);
    assert!(world.is_open());
    assert_eq!((position(&world), alarms(&world)), (d("2"), vec![AlarmKind::Position]));
}

#[test]
fn a_trade_of_an_order_in_doubt_is_not_taken_for_somebody_elses() {
    let mut world = World::new();
    world.place("ann", buy("1", "100"));
    world.flush();
    world.sign(0);
    world.kill(true);
    world.venue.now = world.now;
    world.venue.fill(1, d("1").raw());
    world.venue.stream.clear();
    bought_elsewhere(&mut world, 1, "1");
    world.mark();
    world.up();
    world.settle_for(10);
    assert!(world.is_open());
    assert_eq!(position(&world), d("2"));
    let order = world.core.state().orders().iter().find(|o| !o.is_foreign()).unwrap();
    assert_eq!((order.filled.0, order.trades.len()), (d("1"), 1));
    assert_eq!(alarms(&world), [AlarmKind::ForeignFill]);
    world.check();
    world.check_replay();
}

#[test]
fn a_trade_whose_message_was_lost_is_found_in_passing() {
    let mut world = World::new();
    let id = world.live("ann", buy("2", "100"));
    silently(&mut world, 1, "1");
    world.settle_for(70);
    assert_eq!((trades(&world, id), position(&world)), (1, d("1")));
    silently(&mut world, 1, "1");
    world.settle_for(70);
    assert_eq!((trades(&world, id), position(&world)), (2, d("2")));
    assert_eq!(alarms(&world), []);
    world.check_replay();
}

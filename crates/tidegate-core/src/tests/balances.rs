//! Balances: the stream's word, compared with what the venue shows.

use super::world::*;
use crate::alarms::AlarmKind;
use crate::event::Event;
use tidegate_types::Decimal;
use tidegate_types::record::Body;
use tidegate_types::report::{AccountEvent, BalanceReport};

fn money(asset: &str, amount: &str) -> BalanceReport {
    BalanceReport { asset: name(asset), amount: d(amount) }
}

/// An account that held 1000 USDT when it was opened.
fn rich() -> World {
    let mut world = World::closed();
    world.venue.balances = vec![money("USDT", "1000"), money("BNB", "0")];
    world.up();
    world.settle_for(2);
    assert!(world.is_open());
    world
}

fn held(world: &World, asset: &str) -> Decimal {
    world.core.state().balances().amount(&name(MAIN), &name(asset))
}

fn tell(world: &mut World, balance: BalanceReport) {
    world.event(Event::Streamed { account: name(MAIN), event: AccountEvent::Balance { balance } });
}

/// How often balances were taken over, and whether that was an alarm.
fn taken(world: &World) -> Vec<bool> {
    let untold = |body: &Body| match body {
        Body::BalancesTaken { untold, .. } => Some(*untold),
        _ => None,
    };
    world.journal.iter().filter_map(|record| untold(&record.body)).collect()
}

fn alarms(world: &World) -> usize {
    world.core.state().alarms().unseen().len()
}

#[test]
fn what_is_seen_first_is_taken_over() {
    let world = rich();
    assert_eq!((held(&world, "USDT"), held(&world, "BNB")), (d("1000"), d("0")));
    assert_eq!(world.core.state().balances().of(&name(MAIN)).count(), 1);
    assert_eq!((taken(&world), alarms(&world)), (vec![false], 0));
    world.check_replay();
}

#[test]
fn what_the_stream_tells_is_no_difference() {
    let mut world = rich();
    world.venue.balances = vec![money("USDT", "990.5"), money("BNB", "2")];
    tell(&mut world, money("USDT", "990.5"));
    tell(&mut world, money("BNB", "2"));
    let records = world.journal.len();
    // The same again is no news.
    tell(&mut world, money("USDT", "990.5"));
    assert_eq!(world.journal.len(), records);
    world.settle_for(70);
    assert_eq!((held(&world, "USDT"), held(&world, "BNB")), (d("990.5"), d("2")));
    assert_eq!((taken(&world), alarms(&world)), (vec![false], 0));
    world.check_replay();
}

#[test]
fn what_the_stream_did_not_tell_is_taken_over_after_two_looks_and_an_alarm() {
    let mut world = rich();
    world.venue.balances = vec![money("BNB", "3")];
    world.pass(30_000);
    world.settle();
    assert_eq!((held(&world, "USDT"), taken(&world)), (d("1000"), vec![false]), "one look");
    world.settle_for(12);
    assert_eq!((held(&world, "USDT"), held(&world, "BNB")), (d("0"), d("3")));
    assert_eq!(taken(&world), [false, true]);
    let alarms = world.core.state().alarms().unseen();
    let told = alarms.iter().map(|a| {
        assert_eq!(a.kind, AlarmKind::Balance);
        (a.about.asset.clone().unwrap().to_string(), a.counted.unwrap(), a.qty)
    });
    assert_eq!(
        told.collect::<Vec<_>>(),
        [("BNB".to_owned(), d("0"), d("3")), ("USDT".to_owned(), d("1000"), d("0"))]
    );
    assert!(world.is_open());
    world.settle_for(70);
    assert_eq!(taken(&world).len(), 2, "once");
    world.check_replay();
}

#[test]
fn news_that_come_between_two_looks_explain_the_difference() {
    let mut world = rich();
    world.venue.balances = vec![money("USDT", "900")];
    world.pass(30_000);
    world.settle();
    world.pass(1000);
    tell(&mut world, money("USDT", "900"));
    world.settle_for(70);
    assert_eq!((taken(&world), alarms(&world)), (vec![false], 0));
}

#[test]
fn an_answer_older_than_the_news_changes_nothing() {
    let mut world = rich();
    let early = world.venue.snapshot();
    world.pass(30_000);
    assert_eq!(world.to_read.len(), 1);
    world.pass(10);
    world.venue.balances = vec![money("USDT", "900")];
    tell(&mut world, money("USDT", "900"));
    world.answer_read(Ok(early));
    world.settle_for(70);
    assert_eq!(held(&world, "USDT"), d("900"));
    assert_eq!((taken(&world), alarms(&world)), (vec![false], 0));
}

#[test]
fn after_a_gap_the_venues_word_is_taken_over_without_an_alarm() {
    let mut world = rich();
    world.event(Event::StreamDown { account: name(MAIN), why: "reset".to_owned() });
    world.venue.balances = vec![money("USDT", "700")];
    world.pass(1000);
    world.up();
    world.settle_for(2);
    assert!(world.is_open());
    assert_eq!(held(&world, "USDT"), d("700"));
    assert_eq!((taken(&world), alarms(&world)), (vec![false, false], 0));
    // The same after a kill.
    world.kill(false);
    assert_eq!(held(&world, "USDT"), d("700"));
    world.venue.balances = vec![money("USDT", "650")];
    world.up();
    world.settle_for(2);
    assert_eq!((held(&world, "USDT"), alarms(&world)), (d("650"), 0));
    world.check_replay();
}

#[test]
fn nothing_is_taken_over_while_an_order_is_in_doubt() {
    let mut world = rich();
    world.place("ann", buy("1", "100"));
    world.flush();
    world.sign(0);
    world.lose(0, true);
    world.venue.balances = vec![money("USDT", "900")];
    assert_eq!(world.core.state().orders().open().count(), 1);
    // What is asked of the order is not answered for a while, what is asked of the account is.
    for _ in 0..60 {
        world.pass(1000);
        world.flush();
        while !world.to_read.is_empty() {
            world.read();
        }
    }
    assert_eq!((held(&world, "USDT"), alarms(&world)), (d("1000"), 0));
    world.settle_for(30);
    assert_eq!((held(&world, "USDT"), alarms(&world)), (d("900"), 1));
    world.check_replay();
}

//! Restarts.

use super::{Store, StoreError};
use crate::engine::{Exchange, Input, NewOrder, Setup, Venue};
use std::path::Path;
use tidegate_types::decimal::Decimal;
use tidegate_types::order::Side;
use tidegate_types::time::{Span, Time};

const START: Time = Time::from_millis(1_795_284_000_000);

fn setup(seed: u64) -> Setup {
    let money = vec![("USDT".to_owned(), Decimal::new(100_000, 0))];
    let accounts = vec![(Venue::Binance, "desk".to_owned(), money)];
    Setup { seed, venues: vec![Venue::Binance], accounts, few: false }
}

fn run(store: &mut Store, exchange: &mut Exchange, from: u64, steps: u64) {
    let account = exchange.find_account(Venue::Binance, "desk").unwrap();
    let btc = exchange.instrument(Venue::Binance, "BTCUSDT").unwrap();
    for step in from..from + steps {
        let now = START.plus(Span::from_millis(100 * step));
        let order = Box::new(NewOrder::market(btc, Side::Buy, Decimal::new(2, 3)));
        for input in [Input::Tick, Input::Place { account, order }] {
            store.append(&input, now).unwrap();
            exchange.apply(&input, now, &mut Vec::new());
        }
    }
}

fn open(folder: &Path) -> (Store, Exchange) {
    Store::open(folder, &setup(3), START).unwrap()
}

#[test]
fn a_restart_after_a_kill_gives_the_same_state() {
    let folder = tempfile::tempdir().unwrap();
    let (mut store, mut exchange) = open(folder.path());
    run(&mut store, &mut exchange, 1, 40);
    drop(store);
    let (mut store, again) = open(folder.path());
    assert_eq!(again.digest(), exchange.digest());
    store.rotate(&exchange).unwrap();
    run(&mut store, &mut exchange, 41, 40);
    drop(store);
    let (_, again) = open(folder.path());
    assert_eq!(again.digest(), exchange.digest());
    // Without interruption the history is the same.
    let other = tempfile::tempdir().unwrap();
    let (mut store, mut whole) = open(other.path());
    run(&mut store, &mut whole, 1, 80);
    assert_eq!(whole.digest(), exchange.digest());
}

#[test]
fn a_record_cut_by_a_kill_is_dropped() {
    let folder = tempfile::tempdir().unwrap();
    let (mut store, mut exchange) = open(folder.path());
    run(&mut store, &mut exchange, 1, 5);
    let digest = exchange.digest();
    let now = START.plus(Span::from_secs(9));
    store.append(&Input::Tick, now).unwrap();
    drop(store);
    let log = folder.path().join("log.0");
    let length = std::fs::metadata(&log).unwrap().len();
    std::fs::OpenOptions::new().write(true).open(&log).unwrap().set_len(length - 1).unwrap();
    let (_, again) = open(folder.path());
    assert_eq!(again.digest(), digest);
    assert!(std::fs::metadata(&log).unwrap().len() < length - 1);
}

#[test]
fn another_seed_is_refused_and_damage_is_found() {
    let folder = tempfile::tempdir().unwrap();
    drop(open(folder.path()));
    let refused = Store::open(folder.path(), &setup(4), START);
    assert!(matches!(refused, Err(StoreError::OtherSeed { kept: 3 })));
    let snapshot = folder.path().join("snapshot.0");
    let mut bytes = std::fs::read(&snapshot).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&snapshot, bytes).unwrap();
    let refused = Store::open(folder.path(), &setup(3), START);
    assert!(matches!(refused, Err(StoreError::Damaged(_))));
}

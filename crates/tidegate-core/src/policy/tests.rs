//! What rules remember, by themselves; whole histories are in `tests/policy.rs`.

use super::flow::{Flow, Slots};
use super::values;
use super::*;
use tidegate_types::codec::{from_bytes, to_bytes};
use tidegate_types::decimal::Decimal;
use tidegate_types::ids::PolicyName;
use tidegate_types::instrument::{Kind, Price, Qty, Unit};
use tidegate_types::policy::{Each, Limit, Peg, Reach, Rule, Strength};
use tidegate_types::time::Span;

fn at(ms: u64) -> Time {
    Time::from_millis(1_700_000_000_000 + ms)
}

fn d(text: &str) -> Decimal {
    text.parse().unwrap()
}

#[test]
fn a_window_never_counts_less_than_happened_in_it() {
    let window = Span::from_secs(1);
    let mut slots = Slots::default();
    for ms in [0, 50, 990] {
        slots.add(1, at(ms), window);
    }
    assert_eq!(slots.count(at(999), window), 3);
    assert_eq!(slots.count(at(1_049), window), 3, "the first is in a tenth that the edge cuts");
    assert_eq!(slots.count(at(1_100), window), 1);
    assert_eq!(slots.count(at(2_100), window), 0);
}

#[test]
fn a_day_begins_at_midnight_utc_with_the_equity_of_before() {
    const LASTING: Span = Span::ZERO;
    let day = 86_400_000;
    let midnight = Time::from_millis(day * 20_000);
    let mut flow = Flow::stand(None, 100, LASTING, midnight.minus(Span::from_secs(5)));
    flow = Flow::stand(Some(&flow), 130, LASTING, midnight.minus(Span::from_secs(1)));
    assert_eq!(Flow::lost(Some(&flow), 90, LASTING, midnight.minus(Span::from_secs(1))), (10, 40));
    assert_eq!(Flow::lost(Some(&flow), 90, LASTING, midnight), (40, 40), "the day began at 130");
    flow = Flow::stand(Some(&flow), 90, LASTING, midnight);
    assert_eq!(Flow::lost(Some(&flow), 90, LASTING, midnight), (40, 40));
    let mut traded = Flow::Day { day: 0, ordered: 0, traded: 0 };
    traded.add_today((3, 1), midnight.minus(Span::from_secs(1)));
    assert_eq!(Flow::today(Some(&traded), midnight), (0, 0));
    traded.add_today((2, 0), midnight);
    assert_eq!(Flow::today(Some(&traded), midnight), (2, 0));
    assert_eq!(from_bytes(&to_bytes(&traded)), Ok(traded));
}

#[test]
fn a_height_counts_once_it_has_lasted() {
    const LASTING: Span = Span::from_secs(5);
    let mut flow = Flow::stand(None, 100, LASTING, at(0));
    let mut stand = |equity, ms| {
        flow = Flow::stand(Some(&flow), equity, LASTING, at(ms));
        Flow::lost(Some(&flow), equity, LASTING, at(ms)).1
    };
    // A profit counts twice between a trade and what it paid, and then no more.
    assert_eq!(stand(110, 10), 0);
    assert_eq!(stand(100, 20), 0);
    assert_eq!(stand(90, 30), 10, "it was 100");
    // It rises, and stays.
    assert_eq!(stand(120, 1_000), 0);
    assert_eq!(stand(115, 3_000), 0);
    assert_eq!(stand(118, 5_999), 0);
    assert_eq!(stand(100, 6_000), 15, "it was 115 for five seconds");
    // What lasted counts though nothing was heard at its end.
    assert_eq!(stand(130, 7_000), 0);
    assert_eq!(stand(100, 20_000), 30);
    flow.enter(1_000);
    assert_eq!(Flow::lost(Some(&flow), 1_100, LASTING, at(20_000)).1, 30);
    assert_eq!(from_bytes(&to_bytes(&flow)), Ok(flow));
}

#[test]
fn entries_are_averages_of_what_was_added() {
    let (account, id) = ("main".parse().unwrap(), id("BTC-PERP"));
    let mut entries = Entries::default();
    let mut moved = |by, price: &str| {
        entries.moved(&account, (&id, Unit::Linear), by, Some(Price(d(price))));
        entries.of(&account, &id).map(|price| price.to_string())
    };
    assert_eq!(moved((0, 100), "10").as_deref(), Some("10"));
    assert_eq!(moved((100, 300), "13").as_deref(), Some("12"));
    assert_eq!(moved((300, 200), "99").as_deref(), Some("12"), "less of it was entered as before");
    assert_eq!(moved((200, -50), "20").as_deref(), Some("20"), "a turn enters anew");
    assert_eq!(moved((-50, 0), "21"), None);
}

#[test]
fn an_inverse_position_was_entered_at_what_its_coins_cost() {
    let (account, id) = ("main".parse().unwrap(), id("BTC-PERP"));
    let mut entries = Entries::default();
    let mut moved = |by, price: &str| {
        entries.moved(&account, (&id, Unit::Inverse), by, Some(Price(d(price))));
        entries.of(&account, &id).map(|price| price.to_string())
    };
    assert_eq!(moved((0, -100), "100").as_deref(), Some("100"));
    // 1/100 and 1/120 are 1/109.09… each; a short one gains nothing by rounding.
    assert_eq!(moved((-100, -200), "120").as_deref(), Some("109.09090909"));
    assert_eq!(moved((-200, 0), "1"), None);
    assert_eq!(moved((0, 100), "120").as_deref(), Some("120"));
    assert_eq!(moved((100, 200), "100").as_deref(), Some("109.0909091"));
    assert_eq!(moved((200, 100_000_000_000_000), "65000.5").as_deref(), Some("65000.49992268"));
}

fn id(name: &str) -> InstrumentId {
    InstrumentId { venue: "paper".parse().unwrap(), name: name.parse().unwrap() }
}

fn terms(unit: Unit, kind: Kind, settlement: &str) -> Instrument {
    Instrument {
        id: id("X"),
        kind,
        unit,
        base: "BTC".parse().unwrap(),
        settlement: settlement.parse().unwrap(),
        index: "btc_usd".parse().unwrap(),
        contract_size: Qty(Decimal::ONE),
        tick: Price(d("0.5")),
        tick_steps: Vec::new(),
        lot: Qty(d("0.1")),
        min_qty: Qty(d("0.1")),
        max_qty: None,
        open: true,
    }
}

/// Ten linear coins, a thousand inverse dollars and two coin options, against numbers by hand.
#[test]
fn every_kind_of_position_is_valued_in_dollars() {
    let rule = Rule {
        id: RuleId::new("all").unwrap(),
        reach: Reach::default(),
        each: Each::All,
        strength: Strength::Hard,
        limit: Limit::Allow,
    };
    let peg = Peg { currency: "USDT".parse().unwrap(), price: Price(d("0.99")) };
    let name = PolicyName::new("p").unwrap();
    let policy = Policy::new(name, 1, Span::from_secs(5), vec![peg], vec![rule]).unwrap();
    let option = Kind::Option { expiry: at(0), strike: Price(d("20000")), call: true };
    let mark = |price: &str| Mark {
        instrument: id("X"),
        mark: Price(d(price)),
        index: Price(d("20000")),
        at: at(0),
    };
    let unit = |terms: &Instrument, price: &str| values::unit_value(&policy, terms, &mark(price));
    let gain = |terms: &Instrument, price: &str, qty: &str, entry: &str| {
        values::gain(&policy, terms, &mark(price), d(qty), Some(Price(d(entry)))).unwrap()
    };
    let linear = terms(Unit::Linear, Kind::Perpetual, "USDT");
    assert_eq!(unit(&linear, "20100"), Some(Price(d("19899"))));
    assert_eq!(gain(&linear, "20100", "-10", "20000"), d("-990"));
    let inverse = terms(Unit::Inverse, Kind::Perpetual, "BTC");
    assert_eq!(unit(&inverse, "20000"), Some(Price(Decimal::ONE)));
    // 1000 × (1/16000 − 1/20000) = 0.0125 coins of 20000 dollars.
    assert_eq!(gain(&inverse, "20000", "1000", "16000"), d("250"));
    let coin = terms(Unit::CoinOption, option.clone(), "BTC");
    assert_eq!(unit(&coin, "0.05"), Some(Price(d("20000"))));
    assert_eq!(gain(&coin, "0.05", "2", "0.04"), d("2000"), "its premium left the wallet");
    let in_dollars = terms(Unit::Linear, option, "USDT");
    assert_eq!(unit(&in_dollars, "1000"), Some(Price(d("19800"))), "as the underlying");
    let unpegged = terms(Unit::Linear, Kind::Perpetual, "USDC");
    assert_eq!(unit(&unpegged, "20000"), None, "a stablecoin counts only if the policy says so");
}

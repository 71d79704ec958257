//! Numbers that were true once: what rests on marks, indexes and accounts that nobody has heard of for long refuses.

use super::options;
use super::policy::{hard, policy};
use super::world::*;
use crate::event::Event;
use tidegate_types::ids::Ticket;
use tidegate_types::instrument::{Instrument, Kind, Mark, Price, Unit};
use tidegate_types::order::NewOrder;
use tidegate_types::policy::{Each, Limit};
use tidegate_types::record::Change;
use tidegate_types::reject::Code;
use tidegate_types::report::{AccountEvent, BalanceReport};
use tidegate_types::time::Span;

const MINUTE: Span = Span::from_secs(60);

fn mark(world: &mut World, text: &str, price: &str) {
    let (price, at) = (Price(d(price)), world.now);
    let mark = Mark { instrument: instrument(text), mark: price, index: price, at };
    world.event(Event::Marks { marks: vec![mark] });
}

fn asks(world: &mut World, order: NewOrder) -> (Ticket, Option<Code>) {
    let ticket = world.place("ann", order);
    world.settle();
    (ticket, world.code(ticket))
}

#[test]
fn an_exposure_that_rests_on_an_old_mark_refuses() {
    let mut world = World::new();
    let option = NewOrder { instrument: instrument(OPTION), ..buy("100", "0.05") };
    world.live("ann", option);
    world.venue.fill(1, d("100").raw());
    world.settle();
    world.now = world.now.plus(MINUTE);
    mark(&mut world, PERP, "100");
    assert_eq!(asks(&mut world, buy("1", "100")).1, None, "a minute is young enough");
    // The coin trebles, and nobody hears of the option: it counts 10000 dollars, and would be 30000.
    world.now = world.now.plus(Span::from_millis(1));
    mark(&mut world, PERP, "300");
    let (ticket, code) = asks(&mut world, buy("30", "300"));
    assert_eq!(code, Some(Code::StaleMark));
    let told = format!("{:?}", world.answers[&ticket]);
    assert!(told.contains("60001 > 60000 ms (over by 1) for paper/BTC-OPT"), "{told}");
    world.mark();
    assert_eq!(asks(&mut world, buy("1", "100")).1, None);
    world.check();
    world.check_replay();
}

/// An account with these balances, where a coin of its own is a hundred dollars.
fn having(balances: &[(&str, &str)]) -> World {
    let mut world = World::new();
    let eth = Instrument {
        base: name("ETH"),
        settlement: name("ETH"),
        ..terms("ETH-INV", Kind::Perpetual, Unit::Inverse, "0.5", "10")
    };
    world.event(Event::Instruments { venue: name(VENUE), instruments: vec![eth] });
    mark(&mut world, "ETH-INV", "100");
    for (asset, amount) in balances {
        let balance = BalanceReport { asset: name(asset), amount: d(amount) };
        world.venue.balances.push(balance.clone());
        let event = AccountEvent::Balance { balance };
        world.event(Event::Streamed { account: name(MAIN), event });
    }
    world
}

const OLD: &str = "ETH: its index is 61000 ms old, at most 60000 ms";

#[test]
fn the_equity_of_a_margin_limit_rests_on_no_old_index() {
    let mut world = having(&[("ETH", "1")]);
    world.change(Change::OptionLimitsSet { limits: options::open() });
    assert_eq!(asks(&mut world, buy("1", "100")).1, None);
    world.settle_for(61);
    let (ticket, code) = asks(&mut world, buy("1", "100"));
    assert_eq!(code, Some(Code::Unvalued));
    let told = format!("{:?}", world.answers[&ticket]);
    assert!(told.contains(OLD), "{told}");
    mark(&mut world, "ETH-INV", "100");
    assert_eq!(asks(&mut world, buy("1", "100")).1, None);
    world.check_replay();
}

#[test]
fn a_coin_with_an_old_index_refuses_only_what_it_is_needed_for() {
    for (eth, limits) in [("1", true), ("1", false), ("-0.001", true), ("-0.001", false)] {
        let mut world = having(&[("ETH", eth), ("USDT", "100")]);
        if limits {
            world.change(Change::OptionLimitsSet { limits: options::open() });
        } else {
            let option = NewOrder { instrument: instrument(OPTION), ..buy("0.1", "0.05") };
            world.live("ann", option);
            let mut rule = hard("m", Limit::ScenarioMargin { bps: 10_000 });
            rule.each = Each::Account;
            world.change(Change::PolicySet { policy: policy(1, vec![rule]) });
        }
        world.settle_for(61);
        // Sixteen dollars at worst, of a hundred; then 112 of them.
        let (ticket, code) = asks(&mut world, buy("1", "100"));
        let told = format!("{:?}", world.answers[&ticket]);
        if eth.starts_with('-') {
            assert!(
                code.is_some() && told.contains(&format!("owed {eth}, and its index")),
                "{told}"
            );
            continue;
        }
        assert_eq!(code, None, "it counts for nothing, and is not needed: {told}");
        let (ticket, code) = asks(&mut world, buy("7", "100"));
        let told = format!("{:?}", world.answers[&ticket]);
        assert!(code.is_some() && told.contains(OLD), "{told}");
        mark(&mut world, "ETH-INV", "100");
        assert_eq!(asks(&mut world, buy("7", "100")).1, None);
        world.check_replay();
    }
}

#[test]
fn a_foreign_order_that_came_before_any_mark_reserves_from_the_first_one_on() {
    use tidegate_types::instrument::Qty;
    use tidegate_types::order::{OrderType, Side};
    let mut world = World::new();
    let future = terms("BTC-NEW", Kind::Perpetual, Unit::Linear, "0.1", "0.001");
    world.event(Event::Instruments { venue: name(VENUE), instruments: vec![future] });
    let id = world.venue.place(instrument("BTC-NEW"), Side::Buy, Qty(d("500")), None);
    world.venue.orders.get_mut(&id).unwrap().order_type = OrderType::StopMarket;
    let report = world.venue.orders[&id].clone();
    world.event(Event::Streamed { account: name(MAIN), event: AccountEvent::Order { report } });
    let (_, code) = asks(&mut world, buy("1", "100"));
    assert_eq!(code, Some(Code::NoMark), "nothing more while it cannot be valued");
    mark(&mut world, "BTC-NEW", "100");
    let open = world.core.state().positions().account_open(&name(MAIN));
    assert_eq!(open.0, d("50000"), "500 at 100");
    world.check();
    world.check_replay();
}

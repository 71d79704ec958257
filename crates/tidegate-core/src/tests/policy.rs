//! Policies: each limit at its edge, soft rules and exceptions, the policy beside, restarts, and random
//! histories against what the venue itself shows.

mod callers;
mod callers_lost;
mod equity;
mod history;
mod instruments_lost;
mod market;
mod net;
mod options;
mod price;
mod rates;
mod reason;
mod soft;
mod veiled;

use super::model::{Step, step, worst_at_venue, worth_at_venue};
use super::world::*;
use crate::event::Event;
use crate::roles::loosens;
use proptest::prelude::*;
use tidegate_types::decimal::Decimal;
use tidegate_types::grant::Pattern;
use tidegate_types::ids::{ExceptionId, OrderId, PolicyName, RuleId, Ticket};
use tidegate_types::instrument::{Price, Qty, Usd};
use tidegate_types::limits::MAX_POLICY_RULES;
use tidegate_types::order::{NewOrder, OrderType, Side, Trigger, TriggerBy};
use tidegate_types::policy::{
    Each, Exception, Form, Limit, Liquidity, Peg, Policy, Reach, Rule, Strength,
};
use tidegate_types::record::{Body, Change, Decision};
use tidegate_types::reject::Code;
use tidegate_types::report::{AccountEvent, BalanceReport};
use tidegate_types::time::Span;

fn usd(text: &str) -> Usd {
    Usd(d(text))
}

pub(in crate::tests) fn hard(id: &str, limit: Limit) -> Rule {
    Rule {
        id: RuleId::new(id).unwrap(),
        reach: Reach::default(),
        each: Each::All,
        strength: Strength::Hard,
        limit,
    }
}

fn soft(id: &str, limit: Limit) -> Rule {
    Rule { strength: Strength::Soft, ..hard(id, limit) }
}

pub(in crate::tests) fn policy(version: u32, mut rules: Vec<Rule>) -> Box<Policy> {
    rules.push(hard("all", Limit::Allow));
    let name = PolicyName::new("desk").unwrap();
    let pegs = ["BTC", "USDT"].map(|coin| Peg { currency: name_of(coin), price: Price(d("1")) });
    Box::new(Policy::new(name, version, Span::from_secs(5), pegs.to_vec(), rules).unwrap())
}

fn name_of(coin: &str) -> tidegate_types::ids::Currency {
    name(coin)
}

fn world(rules: Vec<Rule>) -> World {
    let mut world = World::new();
    world.change(Change::PolicySet { policy: policy(1, rules) });
    world
}

fn refused(world: &World, ticket: Ticket) -> String {
    match &world.answers[&ticket] {
        crate::action::Answer::Refused { reject } => reject.to_string(),
        other => panic!("{other:?}"),
    }
}

fn decision(world: &World) -> Decision {
    let of = |body: &Body| match body {
        Body::Cleared { decision, .. } | Body::Refused { decision, .. } => Some(decision.clone()),
        _ => None,
    };
    world.journal.iter().rev().find_map(|record| of(&record.body)).unwrap()
}

/// The first passes and the second does not, with this text.
fn edge(world: &mut World, passes: NewOrder, over: NewOrder, code: Code, text: &str) {
    let at_limit = world.place("ann", passes);
    world.settle();
    assert_eq!(world.code(at_limit), None, "{:?}", world.answers[&at_limit]);
    let beyond = world.place("ann", over);
    world.settle();
    assert_eq!(world.code(beyond), Some(code), "{:?}", world.answers.get(&beyond));
    let told = refused(world, beyond);
    assert!(told.ends_with(text), "{told}");
    world.check();
    world.check_replay();
}

#[test]
fn an_order_is_held_to_its_size_worth_and_price() {
    let mut w = world(vec![hard("qty", Limit::OrderQuantity { max: Qty(d("2")) })]);
    let text = "qty v1: 2.001 > 2 order quantity of paper/BTC-PERP (over by 0.001)";
    edge(&mut w, buy("2", "99"), buy("2.001", "99"), Code::PolicyLimit, text);
    let mut w = world(vec![hard("worth", Limit::OrderNotional { max: usd("198") })]);
    let text = "worth v1: 198.099 > 198 USD order notional of paper/BTC-PERP (over by 0.099)";
    edge(&mut w, buy("2", "99"), buy("2.001", "99"), Code::PolicyLimit, text);
    let mut w = world(vec![hard("collar", Limit::Collar { bps: 100 })]);
    let text = "collar v1: 110 > 100 bp collar of paper/BTC-PERP (over by 10)";
    edge(&mut w, buy("1", "101"), buy("1", "101.1"), Code::PolicyLimit, text);
    let mut w = world(vec![hard("away", Limit::Distance { bps: 100 })]);
    let text = "away v1: 90 < 100 bp distance of paper/BTC-PERP (short by 10)";
    edge(&mut w, buy("1", "99"), buy("1", "99.1"), Code::PolicyLimit, text);
    let market = NewOrder { price: None, order_type: OrderType::Market, ..buy("1", "99") };
    let at_once = w.place("ann", market);
    assert_eq!(w.code(at_once), Some(Code::PolicyLimit), "it keeps no distance");
}

#[test]
fn what_waits_for_a_trigger_keeps_its_distance_on_the_side_it_waits_on() {
    let triggered = |side, order_type, at: &str| {
        let mut w = world(vec![hard("away", Limit::Distance { bps: 100 })]);
        let trigger = Some(Trigger { price: Price(d(at)), by: TriggerBy::Mark });
        let ticket = w
            .place("ann", NewOrder { order_type, price: None, trigger, ..limit(side, "1", "100") });
        w.settle();
        w.code(ticket)
    };
    let (stop, take) = (OrderType::StopMarket, OrderType::TakeMarket);
    for (side, order_type, waits, fires, near) in [
        (Side::Buy, stop, "110", "90", "100.9"),
        (Side::Sell, stop, "90", "110", "99.1"),
        (Side::Buy, take, "90", "110", "99.1"),
        (Side::Sell, take, "110", "90", "100.9"),
    ] {
        assert_eq!(triggered(side, order_type, waits), None, "{side:?} {order_type:?}");
        let refused = Some(Code::PolicyLimit);
        assert_eq!(triggered(side, order_type, fires), refused, "{side:?} {order_type:?}");
        assert_eq!(triggered(side, order_type, near), refused, "{side:?} {order_type:?}");
    }
}

#[test]
fn of_as_many_rules_as_there_may_be_the_tightest_wins_wherever_it_stands() {
    for tightest in [0, 100, MAX_POLICY_RULES - 2] {
        let max = |n: usize| if n == tightest { 1 } else { 500 + n as u32 };
        let rules = (0..MAX_POLICY_RULES - 1)
            .map(|n| hard(&format!("r{n}"), Limit::OpenOrders { max: max(n) }));
        let mut w = world(rules.collect());
        let text = format!("r{tightest} v1: 2 > 1 open orders of desk (over by 1)");
        w.live("ann", buy("1", "99"));
        let over = w.place("ann", buy("1", "99"));
        assert_eq!(w.code(over), Some(Code::PolicyLimit));
        let crate::action::Answer::Refused { reject } = &w.answers[&over] else { unreachable!() };
        assert!(reject.to_string().contains(&text), "{reject}");
    }
}

#[test]
fn what_is_open_is_counted_over_all_callers() {
    let mut w = world(vec![hard("open", Limit::OpenOrders { max: 2 })]);
    w.live("bob", buy("1", "99"));
    let text = "open v1: 3 > 2 open orders of desk (over by 1)";
    edge(&mut w, buy("1", "99"), buy("1", "99"), Code::PolicyLimit, text);
    let first = w.core.state().orders().open().next().unwrap().id;
    w.cancel("bob", own(first));
    w.settle();
    let again = w_place(&mut w);
    assert_eq!(w.code(again), None, "a cancel gives its room back");
    let mut w = world(vec![hard("worth", Limit::OpenNotional { max: usd("300") })]);
    w.live("bob", buy("1", "100"));
    let text = "worth v1: 300.1 > 300 USD open notional of desk (over by 0.1)";
    edge(&mut w, buy("2", "100"), buy("0.001", "100"), Code::PolicyLimit, text);
}

fn w_place(world: &mut World) -> Ticket {
    let ticket = world.place("ann", buy("1", "99"));
    world.settle();
    ticket
}

#[test]
fn what_may_come_to_be_held_is_counted_gross_and_net() {
    let mut w = world(vec![hard("gross", Limit::GrossPosition { max: usd("500") })]);
    w.live("bob", sell("3", "101"));
    w.live("bob", NewOrder { instrument: instrument(INVERSE), ..sell("190", "100") });
    let text = "gross v1: 501 > 500 USD gross position of desk (over by 1)";
    edge(&mut w, buy("3", "100"), buy("0.11", "100"), Code::PolicyLimit, text);
    let mut w = world(vec![hard("net", Limit::NetPosition { max: usd("300") })]);
    w.live("bob", NewOrder { instrument: instrument(INVERSE), ..buy("100", "100") });
    let text = "net v1: 300.1 > 300 USD net position of desk (over by 0.1)";
    edge(&mut w, buy("2", "100"), buy("0.001", "100"), Code::PolicyLimit, text);
    let short = w.place("ann", sell("3", "100"));
    assert_eq!(w.code(short), None, "the other side has its own room");
}

#[test]
fn one_underlying_has_at_most_its_share() {
    let share = Limit::Concentration { bps: 5_000, above: usd("100") };
    let mut w = world(vec![hard("share", share)]);
    let text = "share v1: 10,000 > 5,000 bp concentration of desk (over by 5,000)";
    edge(&mut w, buy("1", "100"), buy("0.5", "100"), Code::PolicyLimit, text);
}

fn venue_id(world: &World, id: OrderId) -> u64 {
    let order = world.core.state().orders().get(id).unwrap();
    let client = order.client_id.clone();
    *world.venue.open().find(|(_, open)| open.client_id == client).unwrap().0
}

fn name_rule(id: &str) -> RuleId {
    RuleId::new(id).unwrap()
}

fn told(world: &mut World, asset: &str, amount: &str) {
    let balance = BalanceReport { asset: name(asset), amount: d(amount) };
    world.event(Event::Streamed { account: name(MAIN), event: AccountEvent::Balance { balance } });
}

#[test]
fn leverage_loss_and_drawdown_are_of_equity() {
    let mut w = World::new();
    told(&mut w, "USDT", "1000");
    let rules = vec![hard("times", Limit::Leverage { max: d("2") })];
    w.change(Change::PolicySet { policy: policy(1, rules) });
    let text = "times v1: 2.001 > 2 times leverage of desk (over by 0.001)";
    edge(&mut w, buy("20", "100"), buy("0.01", "100"), Code::PolicyLimit, text);
    told(&mut w, "USDT", "0");
    let broke = w.place("ann", buy("1", "100"));
    assert_eq!(w.code(broke), Some(Code::PolicyLimit), "no equity, no leverage");

    let mut w = World::new();
    told(&mut w, "USDT", "1000");
    let rules = vec![
        hard("loss", Limit::DailyLoss { max: usd("100") }),
        hard("peak", Limit::Drawdown { max: usd("150") }),
    ];
    w.change(Change::PolicySet { policy: policy(1, rules) });
    told(&mut w, "USDT", "900");
    let at_limit = w_place(&mut w);
    assert_eq!(w.code(at_limit), None);
    told(&mut w, "USDT", "899.99");
    let over = w.place("ann", buy("1", "99"));
    let text = "loss v1: 100.01 > 100 USD daily loss of desk (over by 0.01)";
    assert!(refused(&w, over).ends_with(text), "{}", refused(&w, over));
    w.venue.balances = vec![BalanceReport { asset: name("USDT"), amount: d("899.99") }];
    w.live_through(86_400_000);
    let tomorrow = w_place(&mut w);
    assert_eq!(w.code(tomorrow), None, "a new day, and the drawdown is 100.01");
    told(&mut w, "USDT", "849");
    let down = w.place("ann", buy("1", "99"));
    assert!(refused(&w, down).contains("peak v1: 151 > 150 USD drawdown"), "{}", refused(&w, down));
    w.check_replay();
}

#[test]
fn what_cannot_be_valued_refuses_and_traps_nothing() {
    let mut w = world(vec![hard("gross", Limit::GrossPosition { max: usd("9999") })]);
    let id = w.live("ann", buy("3", "100"));
    w.venue.fill(venue_id(&w, id), d("3").raw());
    w.settle();
    // Only the inverse is marked from now on: the linear one that is held grows stale.
    w.now = w.now.plus(Span::from_millis(5_001));
    let at = w.now;
    let fresh = tidegate_types::instrument::Mark {
        instrument: instrument(INVERSE),
        mark: Price(d("100")),
        index: Price(d("100")),
        at,
    };
    w.event(Event::Marks { marks: vec![fresh] });
    let more = w.place("ann", NewOrder { instrument: instrument(INVERSE), ..buy("10", "100") });
    assert_eq!(w.code(more), Some(Code::PolicyUnmeasured));
    let text = "gross v1: the mark of paper/BTC-PERP is 5001 ms old, at most 5000 ms";
    assert!(refused(&w, more).ends_with(text), "{}", refused(&w, more));
    let out = w.place("ann", sell("3", "100"));
    w.settle();
    assert_eq!(w.code(out), None, "what reduces passes on the last good mark");
    assert!(decision(&w).reducing);
}

#[test]
fn what_no_rule_allows_is_refused() {
    let mut w = World::new();
    let reach = Reach { caller: Some(name("bob")), ..Reach::default() };
    let allow = Rule { reach, ..hard("bob", Limit::Allow) };
    let pegs = ["BTC", "USDT"].map(|coin| Peg { currency: name_of(coin), price: Price(d("1")) });
    let only = Limit::Only { names: vec![Pattern::new("BTC-*").unwrap()] };
    let rules = vec![allow, hard("list", only)];
    let of = PolicyName::new("desk").unwrap();
    let policy = Policy::new(of, 4, Span::from_secs(5), pegs.into(), rules).unwrap();
    w.change(Change::PolicySet { policy: Box::new(policy) });
    let ann = w.place("ann", buy("1", "99"));
    assert_eq!(w.code(ann), Some(Code::NotInPolicy));
    let bob = w.place("bob", buy("1", "99"));
    assert_eq!(w.code(bob), None);
    let stamp = decision(&w).policy.unwrap().to_string();
    assert_eq!(stamp, "desk v4");
}

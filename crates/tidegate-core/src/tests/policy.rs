//! Policies: each limit at its edge, soft rules and exceptions, the policy beside, restarts, and random
//! histories against what the venue itself shows.

mod callers;
mod equity;
mod net;
mod options;
mod price;
mod reason;
mod veiled;

use super::model::{Step, step, worst_at_venue};
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

fn hard(id: &str, limit: Limit) -> Rule {
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

fn policy(version: u32, mut rules: Vec<Rule>) -> Box<Policy> {
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

#[test]
fn a_day_is_traded_to_its_limit_and_begins_anew() {
    let mut w = world(vec![hard("day", Limit::DailyTraded { max: usd("300") })]);
    let id = w.live("bob", buy("2", "100"));
    w.venue.fill(venue_id(&w, id), d("2").raw());
    w.settle();
    let text = "day v1: 300.1 > 300 USD daily traded of desk (over by 0.1)";
    edge(&mut w, buy("1", "100"), buy("0.001", "100"), Code::PolicyLimit, text);
    w.pass(86_400_000);
    let tomorrow = w_place(&mut w);
    assert_eq!(w.code(tomorrow), None);
}

fn venue_id(world: &World, id: OrderId) -> u64 {
    let order = world.core.state().orders().get(id).unwrap();
    let client = order.client_id.clone();
    *world.venue.open().find(|(_, open)| open.client_id == client).unwrap().0
}

#[test]
fn messages_come_as_fast_as_the_window_has_them() {
    let window = Span::from_secs(1);
    let mut w = world(vec![hard("rate", Limit::MessageRate { max: 2, window })]);
    let id = w.live("ann", buy("1", "99"));
    w.amend("ann", id, Some("2"), None);
    w.settle();
    let third = w.place("ann", buy("1", "99"));
    assert_eq!(w.code(third), Some(Code::PolicyRate));
    assert!(refused(&w, third).ends_with("rate v1: 3 > 2 message rate of desk (over by 1)"));
    let cancel = w.cancel("ann", own(id));
    w.settle();
    assert_eq!(w.code(cancel), None, "cancels always pass");
    w.pass(1_100);
    w.mark();
    let later = w_place(&mut w);
    assert_eq!(w.code(later), None);
    w.check_replay();
}

#[test]
fn orders_are_set_against_trades() {
    let limit = Limit::OrderToTrade { form: Form::Count, max: d("3"), after: 3 };
    let mut w = world(vec![hard("otr", limit)]);
    let id = w.live("ann", buy("1", "99"));
    w.amend("ann", id, Some("2"), None);
    w.settle();
    // One placed (1), one changed (2): a fourth message is 4 / 1 - 1 = 3, a fifth is 4.
    let text = "otr v1: 4 > 3 times order to trade of desk (over by 1)";
    edge(&mut w, buy("1", "99"), buy("1", "99"), Code::PolicyLimit, text);
    w.venue.fill(venue_id(&w, id), d("1").raw());
    w.settle();
    w.venue.fill(venue_id(&w, id), d("1").raw());
    w.settle();
    let after_trades = w_place(&mut w);
    assert_eq!(w.code(after_trades), None, "5 / 2 - 1 = 1.5");
}

#[test]
fn what_executes_too_often_stops_until_a_person_lets_it_go_on() {
    let window = Span::from_secs(10);
    let mut w = world(vec![hard("again", Limit::RepeatedExecutions { max: 2, window })]);
    for _ in 0..2 {
        let id = w.live("ann", buy("1", "100"));
        w.venue.fill(venue_id(&w, id), d("1").raw());
        w.settle();
    }
    let third = w.place("ann", buy("1", "100"));
    assert_eq!(w.code(third), Some(Code::RepeatedExecutions));
    let text = "again v1: 3 > 2 repeated executions of ann in paper/BTC-PERP, buys (over by 1)";
    assert!(refused(&w, third).ends_with(text), "{}", refused(&w, third));
    let other = w.place("bob", buy("1", "100"));
    assert_eq!(w.code(other), None, "it is another strategy");
    w.pass(60_000);
    let later = w.place("ann", buy("1", "100"));
    assert_eq!(w.code(later), Some(Code::RepeatedExecutions), "time alone does not lift it");
    let out = w.place("ann", sell("1", "100"));
    assert_eq!(w.code(out), None, "the other side goes on");
    w.settle();
    w.check_replay();
    let release = Change::ThrottleFreed {
        rule: name_rule("again"),
        caller: name("ann"),
        instrument: instrument(PERP),
        side: Side::Buy,
        reason: "looked at".to_owned(),
    };
    assert!(loosens(w.core.state(), &release));
    w.change(release.clone());
    assert!(w.refused_by("root", release).contains("stopped no such strategy"));
    let again = w.place("ann", buy("1", "100"));
    assert_eq!(w.code(again), None);
}

fn name_rule(id: &str) -> RuleId {
    RuleId::new(id).unwrap()
}

#[test]
fn a_market_must_show_depth_and_volume() {
    let limit =
        Limit::ThinMarket { depth: usd("1000"), volume: usd("5000"), max_age: Span::from_secs(20) };
    let mut w = world(vec![hard("thin", limit)]);
    let blind = w.place("ann", buy("1", "99"));
    assert_eq!(w.code(blind), Some(Code::PolicyUnmeasured));
    let told = refused(&w, blind);
    assert!(told.contains("it was asked for; try again in 10 s"), "{told}");
    assert_eq!(w.markets_asked, [instrument(PERP)]);
    let show = |w: &mut World, depth: &str, volume: &str| {
        w.pass(6_000);
        let fact = Liquidity {
            instrument: instrument(PERP),
            bid: Some(Price(d("99"))),
            ask: Some(Price(d("101"))),
            bid_depth: Some(usd("9000")),
            ask_depth: Some(usd(depth)),
            volume: Some(usd(volume)),
            at: w.now,
        };
        w.event(Event::Liquidity { facts: vec![fact] });
    };
    show(&mut w, "1000", "5000");
    let passes = w_place(&mut w);
    assert_eq!(w.code(passes), None);
    show(&mut w, "999", "5000");
    let thin = w.place("ann", buy("1", "99"));
    let text = "thin v1: 999 < 1,000 USD thin market of paper/BTC-PERP (short by 1)";
    assert!(refused(&w, thin).ends_with(text), "{}", refused(&w, thin));
    show(&mut w, "1000", "4999");
    assert!({
        let t = w.place("ann", buy("1", "99"));
        refused(&w, t).contains("4,999 < 5,000")
    });
    show(&mut w, "1000", "5000");
    w.pass(20_001);
    let old = w.place("ann", buy("1", "99"));
    assert_eq!(w.code(old), Some(Code::PolicyUnmeasured));
    w.check_replay();
}

#[test]
fn what_a_market_shows_is_asked_for_where_a_rule_reads_it_and_one_may_trade() {
    let limit = Limit::ThinMarket {
        depth: usd("1000"),
        volume: Usd::default(),
        max_age: Span::from_secs(20),
    };
    let mut w = world(vec![hard("thin", limit)]);
    let stranger = w.place("bob", buy("1", "200"));
    assert_eq!(w.code(stranger), Some(Code::PriceCollar));
    assert_eq!(w.markets_asked, [], "it was refused before");
    let shown = |volume: Option<Usd>, at| Liquidity {
        instrument: instrument(PERP),
        bid: Some(Price(d("99"))),
        ask: Some(Price(d("101"))),
        bid_depth: Some(usd("9000")),
        ask_depth: Some(usd("1000")),
        volume,
        at,
    };
    w.pass(6_000);
    let at = w.now;
    w.event(Event::Liquidity { facts: vec![shown(None, at)] });
    let passes = w_place(&mut w);
    assert_eq!(w.code(passes), None, "no volume is asked for, so none must be known");
    assert_eq!(w.markets_asked, [instrument(PERP)], "it is followed for as long as it is traded");
    w.pass(100);
    let at = w.now;
    w.event(Event::Liquidity { facts: vec![shown(Some(usd("7")), at)] });
    let known = w.core.state().liquidity()[&instrument(PERP)].volume;
    assert_eq!(known, Some(usd("7")), "what tells more is taken at once");
    w.check_replay();
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
    w.pass(86_400_000);
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

fn exception(id: &str, rules: &[&str]) -> Exception {
    Exception {
        id: ExceptionId::new(id).unwrap(),
        caller: name("ann"),
        account: name(MAIN),
        instrument: instrument(PERP),
        side: Side::Buy,
        max_qty: Qty(d("3")),
        rules: rules.iter().map(|rule| name_rule(rule)).collect(),
        why: "client hedge, agreed by phone".to_owned(),
        expires: tidegate_types::Time::from_millis(1_700_000_600_000),
    }
}

#[test]
fn a_soft_rule_lets_one_named_trade_pass_once() {
    let mut w = world(vec![
        soft("big", Limit::OrderNotional { max: usd("100") }),
        hard("huge", Limit::OrderNotional { max: usd("1000") }),
    ]);
    let ask = w.place("ann", buy("2", "100"));
    assert_eq!(w.code(ask), Some(Code::SoftLimit));
    assert!(refused(&w, ask).ends_with("; risk may let it pass for once, with a reason"));
    let give = |rules: &[&str]| Change::OverrideSet { exception: exception("x1", rules) };
    assert!(loosens(w.core.state(), &give(&["big"])));
    let hard_one = w.refused_by("root", give(&["huge"]));
    assert!(hard_one.contains("rule huge is hard"), "{hard_one}");
    w.change(give(&["big"]));
    for other in [buy("4", "100"), sell("2", "100")] {
        let ticket = w.place("ann", other);
        assert_eq!(w.code(ticket), Some(Code::SoftLimit), "it is for another order");
    }
    let bob = w.place("bob", buy("2", "100"));
    assert_eq!(w.code(bob), Some(Code::SoftLimit), "it is another caller's");
    let passes = w.place("ann", buy("3", "100"));
    w.settle();
    assert_eq!(w.code(passes), None);
    let used = |body: &Body| matches!(body, Body::OverrideUsed { .. });
    let at = w.journal.iter().position(|record| used(&record.body)).unwrap();
    assert!(matches!(w.journal[at + 1].body, Body::Cleared { .. }));
    assert_eq!(decision(&w).measures[0].rule, name_rule("big"), "what it passed is on record");
    let again = w.place("ann", buy("3", "100"));
    assert_eq!(w.code(again), Some(Code::SoftLimit), "once");
    w.change(Change::OverrideSet { exception: exception("x2", &["big"]) });
    w.pass(600_000);
    let late = w.place("ann", buy("3", "100"));
    assert_eq!(w.code(late), Some(Code::SoftLimit), "it expired");
    w.check_replay();
}

#[test]
fn the_policy_beside_tells_and_refuses_nothing() {
    let mut w = world(Vec::new());
    let beside = policy(9, vec![hard("open", Limit::OpenOrders { max: 1 })]);
    assert!(!loosens(w.core.state(), &Change::ShadowSet { policy: beside.clone() }));
    w.change(Change::ShadowSet { policy: beside });
    for _ in 0..4 {
        let ticket = w_place(&mut w);
        assert_eq!(w.code(ticket), None);
    }
    let firsts: Vec<String> = w
        .journal
        .iter()
        .filter_map(|record| match &record.body {
            Body::ShadowRefused { detail, .. } => Some(detail.clone()),
            _ => None,
        })
        .collect();
    assert_eq!(firsts, ["open v9: 2 > 1 open orders of desk (over by 1)"]);
    w.pass(2_000);
    let counted = w.core.state().policies().shadowed().clone();
    assert_eq!(counted.into_iter().collect::<Vec<_>>(), [(Some(name_rule("open")), 3)]);
    w.check_replay();
    w.change(Change::ShadowRemoved);
    assert!(w.core.state().policies().shadow().is_none());
}

#[test]
fn a_policy_tightens_at_once_and_keeps_what_its_rules_remember() {
    let day = |max: &str| hard("day", Limit::DailyTraded { max: usd(max) });
    let mut w = world(vec![day("1000")]);
    let id = w.live("ann", buy("2", "100"));
    w.venue.fill(venue_id(&w, id), d("2").raw());
    w.settle();
    let set = |version, max: &str| Change::PolicySet { policy: policy(version, vec![day(max)]) };
    assert!(loosens(w.core.state(), &set(2, "1001")) && !loosens(w.core.state(), &set(2, "250")));
    assert!(loosens(w.core.state(), &Change::PolicyRemoved));
    assert!(w.refused_by("root", set(1, "250")).contains("give the new one version 2"));
    w.change(set(2, "250"));
    let over = w.place("ann", buy("1", "100"));
    assert!(refused(&w, over).contains("day v2: 300 > 250 USD"), "{}", refused(&w, over));
    let use_now = w.core.state().policy_usage(w.now);
    assert_eq!(use_now[0].measure.to_string(), "200 ≤ 250 USD daily traded of desk (50 left)");
    w.check_replay();
}

/// What the venue shows of plain orders: how many, what they are worth at worst, and to what the position
/// may come on each side.
fn at_venue(world: &World) -> (usize, Decimal, Decimal) {
    let plain = || world.venue.open().filter(|(_, o)| o.reduce_only == Some(false));
    let mut worth = Decimal::ZERO;
    for (_, order) in plain() {
        let left = order.qty.0.raw() - order.filled.0.raw();
        let price = order.price.unwrap_or_default();
        let unit = if order.side == Side::Buy { price } else { price.max(Price(d("100"))) };
        let value = Decimal::from_raw(left).mul(unit.0, tidegate_types::Rounding::Ceil).unwrap();
        worth = worth.add(value).unwrap();
    }
    let most = worst_at_venue(world, Side::Buy).max(worst_at_venue(world, Side::Sell));
    (plain().count(), worth, most)
}

fn history(steps: &[Step]) {
    let rules = || {
        vec![
            hard("count", Limit::OpenOrders { max: 6 }),
            hard("open", Limit::OpenNotional { max: usd("1500") }),
            Rule { each: Each::Caller, ..hard("own", Limit::OpenNotional { max: usd("900") }) },
            hard("gross", Limit::GrossPosition { max: usd("2000") }),
            hard("net", Limit::NetPosition { max: usd("1800") }),
            Rule { each: Each::Account, ..hard("day", Limit::DailyTraded { max: usd("9000") }) },
            hard("rate", Limit::MessageRate { max: 40, window: Span::from_secs(1) }),
        ]
    };
    let mut world = world(rules());
    let beside = policy(1, vec![hard("tight", Limit::OpenOrders { max: 2 })]);
    world.change(Change::ShadowSet { policy: beside });
    for what in steps {
        step(&mut world, *what);
        world.check();
        let (count, worth, most) = at_venue(&world);
        assert!(count <= 6, "{count} plain orders are open at the venue");
        assert!(worth <= d("1500"), "orders worth {worth} are open at the venue");
        // Net is the tighter of the two; marks stay at 100, prices may be 104.
        assert!(most <= d("18"), "the position may come to {most}");
    }
    world.check_replay();
    world.venue.refuse = false;
    world.settle_for(90);
    world.halt("all", false);
    world.settle_for(90);
    assert_eq!(world.venue.open().count(), 0);
    world.check();
    world.check_replay();
    let left = world.core.state().policy_usage(world.now);
    let position = world.core.state().positions().book(&name(MAIN), &instrument(PERP)).position();
    let held = Usd(position.0.abs().mul(d("100"), tidegate_types::Rounding::Ceil).unwrap());
    for usage in left {
        let expected = match usage.measure.rule.as_str() {
            "count" | "open" | "own" => Decimal::ZERO,
            "gross" | "net" => held.0,
            _ => continue,
        };
        assert_eq!(usage.measure.measured, expected, "{} leaks", usage.measure);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 120, failure_persistence: None, ..Default::default() })]
    #[test]
    fn no_interleaving_exceeds_a_limit_or_leaks(
        steps in prop::collection::vec((0_u8..59, any::<u8>(), any::<u8>()), 1..200)
    ) {
        history(&steps);
    }
}

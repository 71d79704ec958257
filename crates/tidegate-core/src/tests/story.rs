//! What is told of an order, gate by gate, and how it is found.

mod beside;

use super::world::*;
use crate::story::{Finder, Gate, Sought, Story, Subject, Teller};
use crate::{Core, CoreSettings};
use tidegate_types::grant::AccountLimits;
use tidegate_types::ids::{OrderId, Seq};
use tidegate_types::instrument::{Price, Usd};
use tidegate_types::order::NewOrder;
use tidegate_types::record::{Body, Change, RULES};
use tidegate_types::reject::Code;

fn story(world: &World, subject: Subject) -> Story {
    let mut teller = Teller::new(Core::new(CoreSettings::default()), subject);
    for (at, record) in world.journal.iter().enumerate() {
        teller.hear(Seq(at as u64), record);
    }
    teller.end().unwrap()
}

fn find(world: &World, sought: Sought) -> Finder {
    let mut finder = Finder::new(sought);
    for (at, record) in world.journal.iter().enumerate() {
        finder.look(Seq(at as u64), record);
    }
    finder
}

fn named(world: &World, text: &str) -> Vec<(OrderId, &'static str)> {
    find(world, Sought::Named(text.to_owned())).orders().collect()
}

fn held(story: &Story, gate: Gate) -> Vec<String> {
    let passage = story.gates.iter().find(|passage| passage.gate == gate).unwrap();
    passage.held.iter().map(ToString::to_string).collect()
}

fn mine(order: NewOrder) -> NewOrder {
    NewOrder { caller_id: Some(name("mine-1")), ..order }
}

#[test]
fn an_order_is_found_by_each_of_its_names() {
    let mut world = World::new();
    let other = world.live("bob", mine(buy("1", "99")));
    let id = world.live("ann", mine(buy("2", "99")));
    let order = world.core.state().orders().get(id).unwrap().clone();
    let client = order.client_id.unwrap();
    let venue = order.venue_id.unwrap();
    assert_eq!(named(&world, &id.to_string()), [(id, "Tidegate's number")]);
    assert_eq!(named(&world, client.as_str()), [(id, "the id it was sent with")]);
    assert_eq!(named(&world, venue.as_str()), [(id, "the venue's id")]);
    let own = find(&world, Sought::Own(name("ann"), "mine-1".to_owned()));
    assert_eq!(own.orders().collect::<Vec<_>>(), [(id, "the caller's own id")]);
    let own = find(&world, Sought::Own(name("bob"), "mine-1".to_owned()));
    assert_eq!(own.orders().map(|(order, _)| order).collect::<Vec<_>>(), [other]);
    assert_eq!(named(&world, "mine-1"), []);
}

#[test]
fn an_order_tells_each_gate_and_what_came_of_it() {
    let mut world = World::new();
    let id = world.live("ann", mine(buy("2", "99")));
    world.amend("ann", id, Some("3"), None);
    world.settle();
    world.venue.fill(1, d("1").raw());
    world.settle_for(1);
    world.cancel("ann", own(id));
    world.settle();
    let told = story(&world, Subject::Order(id));
    let gates: Vec<Gate> = told.gates.iter().map(|passage| passage.gate).collect();
    use Gate::{Authenticate, Authorize, Journal, Risk, Shape};
    assert_eq!(gates, [Authenticate, Authorize, Shape, Risk, Journal]);
    assert!(told.gates.iter().all(|passage| passage.passed));
    assert_eq!(told.asked, "buy 2 paper/BTC-PERP, Limit at 99, its own id mine-1");
    let shown = &told.gates[0].said[0];
    assert_eq!(shown, "ann by the key ann (shared secret); no signature is on record");
    let granted = held(&told, Authorize);
    let of = "the grant of ann on main";
    let line = format!("instruments of {of}, rules v{RULES}: BTC-PERP is one of: *");
    assert!(granted.contains(&line), "{granted:?}");
    let line = format!("burst of account main, rules v{RULES}: 1 ≤ 1000 orders at once (999 left)");
    assert!(held(&told, Shape).contains(&line), "{:?}", held(&told, Shape));
    let measured = held(&told, Risk);
    for line in [
        format!("collar of account main, rules v{RULES}: 99 ≤ 105 (6 left)"),
        format!("order quantity of account main, rules v{RULES}: 2 ≤ 1000 (998 left)"),
        format!("open notional of account main, rules v{RULES}: 198 ≤ 20000 USD (19802 left)"),
        format!("exposure of account main, rules v{RULES}: 200 ≤ 30000 USD (29800 left)"),
    ] {
        assert!(measured.contains(&line), "{line}: {measured:?}");
    }
    assert!(told.gates[4].said[0].contains(&format!("record {}", told.seq)));
    let life: Vec<&str> = told.life.iter().map(|happened| happened.what).collect();
    let order = ["sent", "answered", "amend", "sent", "answered"];
    assert_eq!(life[..5], order, "{:#?}", told.life);
    assert!(life.contains(&"filled") && life.contains(&"cancel"), "{:#?}", told.life);
    assert_eq!(life.iter().filter(|what| **what == "filled").count(), 1, "{:#?}", told.life);
    assert!(told.life[2].said.starts_with("by ann, to buy 3"), "{:?}", told.life[2]);
    assert!(!told.life[2].held.is_empty());
    assert!(told.standing.starts_with("cancelled, 1 of 3 filled"), "{}", told.standing);
}

#[test]
fn a_refusal_tells_the_gates_up_to_the_one_that_refused() {
    let mut world = World::new();
    for _ in 0..3 {
        let ticket = world.place("ann", buy("150", "100"));
        assert_eq!(world.code(ticket), Some(Code::OrderNotional));
    }
    world.settle_for(3);
    let finder = find(&world, Sought::LastRefusal(name("ann")));
    let told = story(&world, Subject::Refusal(finder.refusal().unwrap()));
    let passed: Vec<bool> = told.gates.iter().map(|passage| passage.passed).collect();
    assert_eq!(passed, [true, true, true, false]);
    let line = format!(
        "TG502 the order is larger than the notional limit: order notional of account main, rules \
         v{RULES}: 15000 > 10000 USD (over by 5000)"
    );
    assert_eq!(told.gates[3].said, std::slice::from_ref(&line));
    assert_eq!(told.standing, format!("refused: {line}"));
    let over: Vec<String> = held(&told, Gate::Risk);
    let last = over.last().unwrap();
    assert!(last.ends_with("15000 > 10000 USD (over by 5000)"), "{over:?}");
    assert_eq!(told.life.len(), 1, "{:?}", told.life);
    assert_eq!(told.life[0].said, "2 more of TG502");
    assert_eq!(find(&world, Sought::LastRefusal(name("bob"))).refusal(), None);
}

#[test]
fn what_is_past_its_limit_and_reduces_says_so() {
    let mut world = World::new();
    world.live("ann", buy("2", "99"));
    world.venue.fill(1, d("2").raw());
    world.settle();
    let tight = AccountLimits { max_order_notional: Usd(d("10")), ..limits() };
    world.change(Change::LimitsSet { limits: tight });
    let id = world.live("bob", NewOrder { price: Some(Price(d("101"))), ..sell("2", "101") });
    let told = story(&world, Subject::Order(id));
    let risk = told.gates.iter().find(|passage| passage.gate == Gate::Risk).unwrap();
    assert!(risk.said[0].starts_with("taken as one that reduces"), "{risk:?}");
    assert!(risk.held.iter().any(|held| !held.kept && held.rule == "order notional"), "{risk:?}");
}

#[test]
fn every_refusal_by_a_number_tells_rule_version_number_limit_and_distance() {
    let mut world = World::new();
    let mut given = grant("ann");
    given.max_open_notional = Usd(d("1000"));
    given.max_daily_notional = Some(Usd(d("1500")));
    world.change(Change::GrantSet { grant: given });
    let mut told = Vec::new();
    for order in [buy("1001", "100"), buy("1", "106"), sell("1", "94"), buy("11", "100")] {
        world.place("ann", order);
    }
    world.place("bob", buy("90", "100"));
    world.place("bob", buy("90", "100"));
    world.pass(6000);
    for record in &world.journal {
        if let Body::Refused { reject, .. } = &record.body {
            told.push(reject.to_string());
        }
    }
    assert!(told.len() >= 4, "{told:?}");
    for line in &told {
        assert!(line.contains(&format!("rules v{RULES}: ")), "{line}");
        assert!(line.contains("(over by ") || line.contains("(short by "), "{line}");
        assert!(!line.contains('\n'));
    }
}

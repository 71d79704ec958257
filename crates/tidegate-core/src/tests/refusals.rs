//! Of refusals the journal has the first of each kind in every second, and counts the rest.

use super::world::*;
use tidegate_types::ids::{PolicyName, RuleId};
use tidegate_types::instrument::{Price, Usd};
use tidegate_types::policy::{Each, Limit, Peg, Policy, Reach, Rule, Strength};
use tidegate_types::record::{Body, Change};
use tidegate_types::reject::Code;
use tidegate_types::time::Span;

fn rule(id: &str, limit: Limit) -> Rule {
    Rule {
        id: RuleId::new(id).unwrap(),
        reach: Reach::default(),
        each: Each::All,
        strength: Strength::Hard,
        limit,
    }
}

fn policy(rules: Vec<Rule>) -> Change {
    let pegs = ["BTC", "USDT"].map(|coin| Peg { currency: name(coin), price: Price(d("1")) });
    let desk = PolicyName::new("desk").unwrap();
    let policy = Policy::new(desk, 1, Span::from_secs(5), pegs.to_vec(), rules).unwrap();
    Change::PolicySet { policy: Box::new(policy) }
}

fn refusals(world: &World) -> Vec<String> {
    let of = |body: &Body| match body {
        Body::Refused { reject, .. } => Some(reject.to_string()),
        _ => None,
    };
    world.journal.iter().filter_map(|record| of(&record.body)).collect()
}

#[test]
fn each_second_of_refusals_has_one_on_record() {
    let mut world = World::new();
    for _ in 0..40 {
        let ticket = world.place("ann", buy("150", "100"));
        assert_eq!(world.code(ticket), Some(Code::OrderNotional));
        world.pass(500);
    }
    let whole = refusals(&world).len();
    assert!(whole >= 15, "{whole} on record, of 40 in 20 seconds");
}

#[test]
fn refusals_of_two_rules_are_both_on_record() {
    let mut world = World::new();
    let rules = [
        ("worth", Limit::OrderNotional { max: Usd(d("1000")) }),
        ("collar", Limit::Collar { bps: 10 }),
        ("all", Limit::Allow),
    ];
    world.change(policy(rules.map(|(id, limit)| rule(id, limit)).into()));
    for order in [buy("20", "100"), buy("1", "101")] {
        let ticket = world.place("ann", order);
        assert_eq!(world.code(ticket), Some(Code::PolicyLimit));
    }
    world.pass(1500);
    let told = refusals(&world);
    assert!(told.iter().any(|text| text.contains("collar v1")), "{told:?}");
}

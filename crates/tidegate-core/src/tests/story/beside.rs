//! What is told of an order beside its fixed limits: overrides, limits of options, halts, breakers.

use super::*;
use crate::rehearsal::{Again, Rehearsal};
use tidegate_types::ids::{ExceptionId, PolicyName, RuleId};
use tidegate_types::instrument::Qty;
use tidegate_types::options::{OptionLimits, Stress};
use tidegate_types::order::Side;
use tidegate_types::policy::{Each, Exception, Limit, Peg, Policy, Reach, Rule, Strength};
use tidegate_types::report::BalanceReport;
use tidegate_types::time::Span;

fn rule(id: &str, strength: Strength, limit: Limit) -> Rule {
    Rule { id: RuleId::new(id).unwrap(), reach: Reach::default(), each: Each::All, strength, limit }
}

/// An order that passes a soft rule by an override, on an account that has limits for its options.
fn overridden() -> (World, OrderId) {
    let mut world = World::new();
    let balances = vec![BalanceReport { asset: name("BTC"), amount: d("100") }];
    let mut out = Vec::new();
    let taken = Body::BalancesTaken { account: name(MAIN), balances, untold: false };
    world.core.append(taken, world.now, &mut out);
    world.carry_out(out);
    let limits = OptionLimits {
        account: name(MAIN),
        max_delta: Some(Usd(d("5000"))),
        max_gamma: None,
        max_vega: None,
        max_theta: None,
        max_net_short: None,
        max_margin_bps: 10_000,
        stress: Stress::STANDARD,
    };
    world.change(Change::OptionLimitsSet { limits });
    let soft = rule("worth", Strength::Soft, Limit::OrderNotional { max: Usd(d("50")) });
    let rules = vec![soft, rule("all", Strength::Hard, Limit::Allow)];
    let pegs = ["BTC", "USDT"].map(|coin| Peg { currency: name(coin), price: Price(d("1")) });
    let desk = PolicyName::new("desk").unwrap();
    let policy = Policy::new(desk, 1, Span::from_secs(5), pegs.into(), rules).unwrap();
    world.change(Change::PolicySet { policy: Box::new(policy) });
    let exception = Exception {
        id: ExceptionId::new("once").unwrap(),
        caller: name("ann"),
        account: name(MAIN),
        instrument: instrument(PERP),
        side: Side::Buy,
        max_qty: Qty(d("1")),
        rules: vec![RuleId::new("worth").unwrap()],
        why: "hedge".to_owned(),
        expires: world.now.plus(Span::from_secs(60)),
    };
    world.change(Change::OverrideSet { exception });
    let id = world.live("ann", buy("1", "99"));
    (world, id)
}

#[test]
fn why_tells_the_override_and_the_option_limits_that_an_order_passed() {
    let (world, id) = overridden();
    let told = story(&world, Subject::Order(id));
    let risk = told.gates.iter().find(|passage| passage.gate == Gate::Risk).unwrap();
    let held: Vec<String> = risk.held.iter().map(ToString::to_string).collect();
    assert!(risk.said.iter().any(|line| line.contains("override once")), "{:?}", risk.said);
    for rule in ["scenario margin", "option delta"] {
        let line = format!("{rule} of account main, rules v{RULES}: ");
        assert!(held.iter().any(|told| told.starts_with(&line)), "{rule}: {held:?}");
    }
    for line in ["no halt stands", "no breaker stands", "orders of the same owner"] {
        assert!(risk.said.iter().any(|told| told.starts_with(line)), "{line}: {:?}", risk.said);
    }
}

#[test]
fn why_tells_the_option_limits_that_an_amend_passed() {
    let (mut world, id) = overridden();
    world.change(Change::PolicyRemoved);
    world.amend("ann", id, Some("2"), Some("99"));
    world.settle();
    let told = story(&world, Subject::Order(id));
    let amend = told.life.iter().find(|happening| happening.what == "amend").unwrap();
    let held: Vec<String> = amend.held.iter().map(ToString::to_string).collect();
    for rule in ["scenario margin", "option delta"] {
        let line = format!("{rule} of account main, rules v{RULES}: ");
        assert!(held.iter().any(|told| told.starts_with(&line)), "{rule}: {held:?}");
    }
}

#[test]
fn an_override_beside_option_limits_is_decided_the_same_again() {
    let (world, _) = overridden();
    let mut rehearsal = Rehearsal::new(Core::new(CoreSettings::default()));
    for (at, record) in world.journal.iter().enumerate() {
        let said = rehearsal.again(Seq(at as u64), record);
        assert!(!matches!(said, Again::Other(_)), "{said:#?}");
    }
}

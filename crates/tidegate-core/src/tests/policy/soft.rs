//! Soft rules and who may pass them, the policy beside, and one policy after another.

use super::*;

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
    w.live_through(600_000);
    let late = w.place("ann", buy("3", "100"));
    assert_eq!(w.code(late), Some(Code::SoftLimit), "it expired");
    w.check_replay();
}

#[test]
fn what_a_soft_rule_refuses_without_a_number_may_be_let_pass_too() {
    let only = Limit::Only { names: vec![Pattern::new("ETH-*").unwrap()] };
    let mut w = world(vec![soft("only", only), soft("near", Limit::Collar { bps: 10 })]);
    let market = || NewOrder { order_type: OrderType::Market, price: None, ..buy("1", "100") };
    let ask = w.place("ann", market());
    assert!(refused(&w, ask).ends_with("; risk may let it pass for once, with a reason"));
    w.change(Change::OverrideSet { exception: exception("x1", &["only"]) });
    let one = w.place("ann", market());
    assert_eq!(w.code(one), Some(Code::SoftLimit), "it is near no price either");
    w.change(Change::OverrideSet { exception: exception("x2", &["only", "near"]) });
    let both = w.place("ann", market());
    w.settle();
    assert_eq!(w.code(both), None);
    w.check_replay();
}

#[test]
fn an_override_ends_with_the_rule_that_it_was_given_past() {
    let big = |max: &str| soft("big", Limit::OrderNotional { max: usd(max) });
    let other = |max: &str| hard("open", Limit::OpenNotional { max: usd(max) });
    let mut w = world(vec![big("100"), other("5000")]);
    let given = |w: &World| w.core.state().policies().exceptions().len();
    w.change(Change::OverrideSet { exception: exception("x1", &["big"]) });
    w.change(Change::PolicySet { policy: policy(2, vec![big("100"), other("4000")]) });
    assert_eq!(given(&w), 1, "its rule is the same");
    w.change(Change::PolicySet { policy: policy(3, vec![big("50"), other("4000")]) });
    assert_eq!(given(&w), 0);
    let over = w.place("ann", buy("2", "100"));
    assert_eq!(w.code(over), Some(Code::SoftLimit));
    w.change(Change::OverrideSet { exception: exception("x2", &["big"]) });
    w.change(Change::PolicyRemoved);
    assert_eq!(given(&w), 0);
    let again = w.refused_by("root", Change::PolicySet { policy: policy(3, vec![big("100")]) });
    assert!(again.contains("desk v3 is or was in force; give the new one version 4"), "{again}");
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

#[test]
fn the_policy_beside_refuses_nothing_that_would_go_as_one_that_reduces() {
    let mut w = world(Vec::new());
    let gross = hard("gross", Limit::GrossPosition { max: usd("300") });
    w.change(Change::ShadowSet { policy: policy(2, vec![gross]) });
    let id = w.live("ann", buy("2", "100"));
    w.venue.fill(venue_id(&w, id), i64::MAX);
    w.settle();
    let closes = w.place("ann", sell("2", "100"));
    w.settle();
    assert_eq!(w.code(closes), None);
    // Nor where no rule allows anything.
    let name = PolicyName::new("desk").unwrap();
    let rules = vec![hard("size", Limit::OrderQuantity { max: Qty(d("5")) })];
    let nothing = Policy::new(name, 3, Span::from_secs(5), Vec::new(), rules).unwrap();
    w.change(Change::ShadowSet { policy: Box::new(nothing) });
    let id = w.live("bob", buy("2", "100"));
    assert_eq!(w.core.state().policies().shadowed().values().sum::<u64>(), 1, "it opens");
    w.venue.fill(venue_id(&w, id), i64::MAX);
    w.settle();
    let closes = w.place("bob", sell("1", "100"));
    w.settle();
    assert_eq!(w.code(closes), None);
    assert_eq!(w.core.state().policies().shadowed().values().sum::<u64>(), 1);
    w.check_replay();
}

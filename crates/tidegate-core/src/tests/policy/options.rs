//! Rules over options: the same figures as an account's own limits have, over one account or over several, and an
//! account is followed for as long as a rule is over it.

use super::super::options::of;
use super::*;
use tidegate_types::self_trade::SelfTradeMode::Refuse;

impl World {
    /// A policy that follows the options of every account, and limits them to no less than anything.
    pub(in crate::tests) fn policy_over_options(&mut self, more: u32) {
        let known = self.core.state().policies().known(&PolicyName::new("desk").unwrap());
        let rules = vec![hard("delta", Limit::OptionDelta { max: usd("1000000") })];
        let policy = policy(known.unwrap_or(0) + 1 + more, rules);
        self.change(Change::PolicySet { policy });
    }
}

/// An account with a hundred coins of 100 dollars and an option, under these rules and without limits of its own.
fn under(rules: Vec<Rule>) -> World {
    let mut world = World::with_options("100", |_| {});
    world.change(Change::OptionLimitsRemoved { account: name(MAIN) });
    world.trades(of(OPTION, Side::Buy, "0.1", "0.05"));
    world.change(Change::PolicySet { policy: policy(1, rules) });
    world
}

fn short(qty: &str) -> NewOrder {
    of(OPTION, Side::Sell, qty, "0.05")
}

fn tried(rule: Rule, order: NewOrder) -> Option<Code> {
    under(vec![rule]).tries(order)
}

#[test]
fn each_figure_has_its_rule() {
    let refused = Some(Code::PolicyLimit);
    // As an account's own limits have it: delta 0.7 less the premium of 0.4, of 100 dollars.
    for (max, said) in [("26", refused), ("28", None)] {
        assert_eq!(tried(hard("d", Limit::OptionDelta { max: usd(max) }), short("1")), said);
    }
    for (max, said) in [("0.4", refused), ("0.7", None)] {
        assert_eq!(tried(hard("v", Limit::OptionVega { max: usd(max) }), short("1")), said);
    }
    for (max, said) in [("0", refused), ("5", None)] {
        assert_eq!(tried(hard("g", Limit::OptionGamma { max: usd(max) }), short("1")), said);
    }
    for (max, said) in [("0.001", refused), ("5", None)] {
        assert_eq!(tried(hard("t", Limit::OptionTheta { max: usd(max) }), short("1")), said);
    }
    for (max, said) in [("0.8", refused), ("0.9", None)] {
        let limit = Limit::NetShortOptions { max: Qty(d(max)) };
        assert_eq!(tried(hard("n", limit), short("1")), said);
    }
    assert_eq!(tried(hard("d", Limit::OptionDelta { max: usd("99") }), buy("1", "100")), refused);
    assert_eq!(tried(hard("v", Limit::OptionVega { max: usd("0") }), buy("1", "100")), None);
}

#[test]
fn a_refusal_tells_the_rule_its_version_the_number_and_the_distance() {
    let mut world = under(vec![hard("desk-delta", Limit::OptionDelta { max: usd("150") })]);
    let ticket = world.place("ann", buy("2", "100"));
    let told = refused(&world, ticket);
    let (number, text) = ("desk-delta v1: 202.9", " > 150 USD option delta of desk (over by 52.9");
    assert!(told.contains(number) && told.contains(text), "{told}");
    world.check_replay();
}

#[test]
fn a_margin_is_held_against_what_each_account_has() {
    let margin = |bps| {
        let rule = hard("m", Limit::ScenarioMargin { bps });
        Rule { each: Each::Account, ..rule }
    };
    let name = PolicyName::new("desk").unwrap();
    let over_all = vec![hard("m", Limit::ScenarioMargin { bps: 1 })];
    let flaw = Policy::new(name, 1, Span::from_secs(5), Vec::new(), over_all).unwrap_err();
    assert!(flaw.to_string().contains("each = \"account\""), "{flaw}");
    // Sixteen dollars, and what the option may lose, of 8,400: the coins that stand for dollars fall along.
    assert_eq!(tried(margin(30), buy("1", "100")), None);
    for bps in [10, 18, 19, 20, 40, 60] {
        let own = |l: &mut tidegate_types::options::OptionLimits| l.max_margin_bps = bps;
        let mut world = World::with_options("100", own);
        world.trades(of(OPTION, Side::Buy, "0.1", "0.05"));
        let said = world.tries(short("1"));
        assert_eq!(tried(margin(bps), short("1")).is_some(), said.is_some(), "{bps} bp");
    }
    let mut world = under(vec![margin(19)]);
    let ticket = world.place("ann", buy("1", "100"));
    let told = refused(&world, ticket);
    assert!(told.contains("> 19 bp scenario margin of account main (over by "), "{told}");
}

#[test]
fn an_account_without_options_is_held_to_none_of_them() {
    let mut world = World::new();
    let rules = vec![
        hard("d", Limit::OptionDelta { max: usd("0") }),
        Rule { each: Each::Account, ..hard("m", Limit::ScenarioMargin { bps: 0 }) },
        Rule { each: Each::Account, ..hard("v", Limit::OptionVega { max: usd("0") }) },
    ];
    world.change(Change::PolicySet { policy: policy(1, rules) });
    world.quote("0.6");
    assert_eq!(world.tries(buy("2", "100")), None);
    let used = world.core.state().policy_usage(world.now);
    let whole_desk = |kind| kind == tidegate_types::policy::LimitKind::OptionDelta;
    assert!(used.iter().all(|u| whole_desk(u.measure.kind) && u.measure.measured == d("0")));
    assert_eq!(world.tries(short("1")), Some(Code::PolicyLimit), "its first");
}

#[test]
fn what_makes_nothing_worse_and_what_buys_back_passes() {
    let mut world = under(Vec::new());
    world.trades(short("4.1"));
    let rules = vec![
        hard("d", Limit::OptionDelta { max: usd("1") }),
        hard("n", Limit::NetShortOptions { max: Qty(d("1")) }),
    ];
    world.change(Change::PolicySet { policy: policy(2, rules) });
    assert_eq!(world.tries(short("1")), Some(Code::PolicyLimit));
    assert_eq!(world.tries(of(OPTION, Side::Buy, "4", "0.05")), None);
    world.check_replay();
}

#[test]
fn the_futures_that_cover_sold_options_are_not_taken_off_past_a_rule() {
    let mut world = under(Vec::new());
    world.trades(buy("2", "100"));
    world.trades(short("6"));
    let delta = world.core.state().options_of(&name(MAIN)).unwrap().weighed.delta;
    let rules = vec![hard("d", Limit::OptionDelta { max: delta })];
    world.change(Change::PolicySet { policy: policy(2, rules.clone()) });
    let reducing = || NewOrder { reduce_only: true, ..sell("2", "100") };
    assert_eq!(world.tries(reducing()), Some(Code::PolicyLimit));
    // A rule that runs beside takes nothing off the right to reduce.
    world.change(Change::PolicyRemoved);
    world.change(Change::ShadowSet { policy: policy(3, rules) });
    assert_eq!(world.tries(reducing()), None);
}

#[test]
fn a_rule_over_the_desk_adds_accounts_up_and_tells_nobody_what_another_holds() {
    let mut world = World::with_other(Refuse);
    let rules = vec![hard("delta", Limit::OptionDelta { max: usd("450") })];
    world.change(Change::PolicySet { policy: policy(1, rules) });
    world.quote("0.6");
    world.place_on_other(of(OPTION, Side::Buy, "0.1", "0.05"));
    world.place_on_other(buy("3", "100"));
    assert_eq!(world.tries(of(OPTION, Side::Buy, "0.1", "0.05")), None);
    assert_eq!(world.tries(buy("1", "100")), None, "four hundred dollars");
    assert_eq!(world.tries(buy("1", "100")), Some(Code::PolicyLimit));
    let used = world.core.state().policy_usage(world.now);
    let delta = used.iter().find(|used| used.measure.rule.as_str() == "delta").unwrap();
    assert!(delta.measure.measured > d("404") && delta.measure.measured < d("408"));
    assert_eq!(delta.measure.limit, d("450"));
    world.check_replay();
}

#[test]
fn what_another_account_holds_is_not_named_where_it_cannot_be_counted() {
    let mut world = World::with_other(Refuse);
    let rules = vec![hard("delta", Limit::OptionDelta { max: usd("450") })];
    world.change(Change::PolicySet { policy: policy(1, rules) });
    world.place_on_other(of(OPTION, Side::Buy, "0.1", "0.05"));
    world.place_on_other(buy("3", "100"));
    world.now = world.now.plus(Span::from_secs(61));
    let known = world.core.state().marks()[&instrument(OPTION)].clone();
    let fresh = tidegate_types::instrument::Mark { at: world.now, ..known };
    world.event(Event::Marks { marks: vec![fresh] });
    let ticket = world.place("ann", short("1"));
    assert_eq!(world.code(ticket), Some(Code::PolicyUnmeasured));
    let veiled = "something that another account holds has no fresh figures";
    assert!(refused(&world, ticket).ends_with(veiled), "{}", refused(&world, ticket));
    let whole = "paper/BTC-PERP, which other holds, has no fresh figures".to_owned();
    let because = Body::RefusedBecause { detail: whole };
    assert!(world.journal.iter().any(|record| record.body == because));
    world.check_replay();
}

#[test]
fn what_another_account_holds_keeps_nobody_from_reducing() {
    let mut world = World::with_other(Refuse);
    world.quote("0.6");
    world.trades(of(OPTION, Side::Sell, "3", "0.05"));
    world.trades(buy("1", "100"));
    let rules = vec![hard("delta", Limit::OptionDelta { max: usd("150") })];
    world.change(Change::PolicySet { policy: policy(1, rules) });
    world.place_on_other(of(OPTION, Side::Buy, "0.1", "0.05"));
    world.place_on_other(NewOrder { instrument: instrument(INVERSE), ..buy("10", "100") });
    world.now = world.now.plus(Span::from_secs(61));
    let marks = [OPTION, PERP].map(|text| {
        let known = world.core.state().marks()[&instrument(text)].clone();
        tidegate_types::instrument::Mark { at: world.now, ..known }
    });
    world.event(Event::Marks { marks: marks.to_vec() });
    assert_eq!(world.tries(buy("1", "100")), Some(Code::PolicyUnmeasured));
    let reducing = NewOrder { reduce_only: true, ..sell("1", "100") };
    assert_eq!(world.tries(reducing), None, "by itself the account is within the rule");
    world.check_replay();
}

#[test]
fn an_account_is_followed_for_as_long_as_a_rule_is_over_it() {
    let mut world = World::new();
    let followed = |world: &World| world.core.state().follows(&name(MAIN));
    assert!(!followed(&world));
    let elsewhere = Reach { account: Some(name("other")), ..Reach::default() };
    let rule = hard("d", Limit::OptionDelta { max: usd("450") });
    let of_other = Rule { reach: elsewhere, ..rule.clone() };
    world.change(Change::PolicySet { policy: policy(1, vec![of_other]) });
    assert!(!followed(&world));
    world.change(Change::ShadowSet { policy: policy(1, vec![rule]) });
    assert!(followed(&world) && world.core.state().options_of(&name(MAIN)).is_none());
    world.quote("0.6");
    assert_eq!(world.core.state().option_quotes.len(), 1, "for a rule that runs beside, too");
    world.check_replay();
    world.change(Change::ShadowRemoved);
    assert!(!followed(&world));
    world.check_replay();
}

#[test]
fn a_soft_rule_is_passed_by_an_exception_and_rules_loosen_one_way() {
    let delta = |max: &str| Limit::OptionDelta { max: usd(max) };
    let mut world = under(vec![soft("d", delta("99"))]);
    assert_eq!(world.tries(buy("1", "100")), Some(Code::SoftLimit));
    let exception = Exception {
        id: ExceptionId::new("once").unwrap(),
        caller: name("ann"),
        account: name(MAIN),
        instrument: instrument(PERP),
        side: Side::Buy,
        max_qty: Qty(d("1")),
        rules: vec![RuleId::new("d").unwrap()],
        why: "a hedge".to_owned(),
        expires: world.now.plus(Span::from_secs(60)),
    };
    world.change(Change::OverrideSet { exception });
    assert_eq!(world.tries(buy("1", "100")), None);
    let of = |max: &str| policy(2, vec![hard("d", delta(max))]);
    assert!(of("100").loosens(&of("99")) && !of("98").loosens(&of("99")));
    assert!(policy(2, Vec::new()).loosens(&of("99")));
}

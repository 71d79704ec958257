use super::*;
use crate::decimal::Decimal;
use crate::grant::Pattern;
use crate::instrument::Usd;

fn usd(whole: i64) -> Usd {
    Usd(Decimal::new(whole, 0))
}

fn rule(id: &str, limit: Limit) -> Rule {
    Rule {
        id: RuleId::new(id).unwrap(),
        reach: Reach::default(),
        each: Each::All,
        strength: Strength::Hard,
        limit,
    }
}

fn policy(rules: Vec<Rule>) -> Result<Policy, Flaw> {
    Policy::new(PolicyName::new("desk").unwrap(), 3, Span::from_secs(5), Vec::new(), rules)
}

#[test]
fn a_policy_comes_back_from_its_bytes_and_no_malformed_one_does() {
    let gross = rule("gross", Limit::GrossPosition { max: usd(1_000_000) });
    let good = policy(vec![rule("all", Limit::Allow), gross.clone()]).unwrap();
    assert_eq!(codec::from_bytes(&codec::to_bytes(&good)), Ok(good.clone()));
    let twice = Policy { rules: vec![gross.clone(), gross], ..good };
    assert_eq!(codec::from_bytes::<Policy>(&codec::to_bytes(&twice)), Err(CodecError::Malformed));
}

#[test]
fn what_makes_no_sense_is_no_policy() {
    let wrong = |rules| policy(rules).unwrap_err().wrong;
    assert_eq!(wrong(Vec::new()), Wrong::RuleCount);
    assert_eq!(wrong(vec![rule("a", Limit::OpenNotional { max: usd(-1) })]), Wrong::Number);
    let soft = Rule { strength: Strength::Soft, ..rule("a", Limit::Allow) };
    assert_eq!(wrong(vec![soft]), Wrong::SoftAllow);
    let loss = Limit::DailyLoss { max: usd(5) };
    let of_caller = |limit| Rule { each: Each::Caller, ..rule("a", limit) };
    assert_eq!(wrong(vec![of_caller(Limit::OptionVega { max: usd(5) })]), Wrong::OfAccountsOnly);
    assert!(policy(vec![of_caller(loss.clone())]).is_ok());
    let of_instrument = |limit| Rule { each: Each::Instrument, ..rule("a", limit) };
    let vega = Limit::OptionVega { max: usd(5) };
    assert_eq!(wrong(vec![of_instrument(vega)]), Wrong::OfWholeAccountsOnly);
    assert!(policy(vec![of_instrument(loss)]).is_ok());
}

#[test]
fn a_wider_reach_contains_a_narrower_one_only() {
    let named = |name: &str| Reach {
        instruments: Instruments {
            name: Some(Pattern::new(name).unwrap()),
            ..Instruments::default()
        },
        ..Reach::default()
    };
    let desk = Reach::default();
    assert!(desk.contains(&named("BTC-*")) && !named("BTC-*").contains(&desk));
    assert!(named("BTC-*").contains(&named("BTC-PERPETUAL")));
    assert!(!named("BTC-*").contains(&named("ETH-*")) && named("*").contains(&desk));
    assert_eq!(desk.to_string(), "desk");
    assert_eq!(named("BTC-*").to_string(), "BTC-*");
}

#[test]
fn a_measure_tells_number_limit_and_distance() {
    let mut measure = Measure {
        rule: RuleId::new("desk-gross").unwrap(),
        kind: LimitKind::GrossPosition,
        of: "desk".into(),
        unit: Unit::Usd,
        measured: Decimal::new(1_250_000, 0),
        limit: Decimal::new(1_000_000, 0),
        least: false,
    };
    let over = "1,250,000 > 1,000,000 USD gross position of desk (over by 250,000)";
    assert_eq!(measure.to_string(), over);
    measure.measured = Decimal::new(9_999_995, 1);
    assert!(!measure.is_over());
    let within = "999,999.5 ≤ 1,000,000 USD gross position of desk (0.5 left)";
    assert_eq!(measure.to_string(), within);
    measure.least = true;
    assert!(measure.is_over() && measure.to_string().ends_with("(short by 0.5)"));
}

#[test]
fn what_is_not_shown_to_be_tighter_loosens() {
    let all = rule("all", Limit::Allow);
    let gross = |max| rule("gross", Limit::GrossPosition { max: usd(max) });
    let traded = |id: &str| rule(id, Limit::DailyTraded { max: usd(10) });
    let of = |rules: Vec<Rule>| policy(rules).unwrap();
    let old = of(vec![all.clone(), gross(100), traded("day")]);
    let loosens = |rules| of(rules).loosens(&old);
    assert!(!loosens(vec![all.clone(), gross(100), traded("day")]));
    assert!(!loosens(vec![all.clone(), gross(99), traded("day"), gross_of_main()]));
    assert!(!loosens(vec![gross(100), traded("day")]), "nothing is allowed any more");
    assert!(loosens(vec![all.clone(), gross(101), traded("day")]));
    assert!(loosens(vec![all.clone(), traded("day")]), "a limit is gone");
    assert!(loosens(vec![all.clone(), gross_of_main(), traded("day")]), "it is over less");
    assert!(loosens(vec![all.clone(), gross(100), traded("other")]), "it would count from nothing");
    let soft = Rule { strength: Strength::Soft, ..gross(100) };
    assert!(loosens(vec![all.clone(), soft, traded("day")]));
    let narrow = of(vec![Rule { reach: main(), ..all.clone() }, gross(100), traded("day")]);
    assert!(!narrow.loosens(&old) && old.loosens(&narrow), "an allow rule is wider");
}

#[test]
fn a_caller_s_own_position_is_bounded_by_no_rule_over_accounts() {
    let ann = Reach { caller: Some("ann".parse().unwrap()), ..Reach::default() };
    let gross =
        |reach: Reach, max| Rule { reach, ..rule("gross", Limit::GrossPosition { max: usd(max) }) };
    let of = |rule: Rule| policy(vec![rule]).unwrap();
    let own = of(gross(ann.clone(), 500));
    assert!(of(gross(Reach::default(), 400)).loosens(&own), "others may hold against hers");
    assert!(of(gross(ann.clone(), 501)).loosens(&own) && !of(gross(ann, 400)).loosens(&own));
    let open = |reach: Reach| Rule { reach, ..rule("open", Limit::OpenNotional { max: usd(5) }) };
    let of_ann = Reach { caller: Some("ann".parse().unwrap()), ..Reach::default() };
    assert!(!of(open(Reach::default())).loosens(&of(open(of_ann))), "hers are among all orders");
}

fn main() -> Reach {
    Reach { account: Some("main".parse().unwrap()), ..Reach::default() }
}

fn gross_of_main() -> Rule {
    Rule { reach: main(), ..rule("gross-of-main", Limit::GrossPosition { max: usd(1) }) }
}

//! Nothing of a policy is other than before without an approver being shown it.

use super::of_policy;
use tidegate_types::decimal::Decimal;
use tidegate_types::grant::Pattern;
use tidegate_types::ids::{PolicyName, RuleId};
use tidegate_types::instrument::{Price, Usd};
use tidegate_types::policy::{Class, Each, Instruments, Limit, Peg, Policy, Reach, Rule, Strength};
use tidegate_types::time::Span;

fn rule() -> Rule {
    Rule {
        id: RuleId::new("open").unwrap(),
        reach: Reach::default(),
        each: Each::All,
        strength: Strength::Hard,
        limit: Limit::OpenNotional { max: Usd(Decimal::new(1_000_000, 0)) },
    }
}

fn policy(mark_age: Span, peg: i64, rule: Rule) -> Policy {
    let peg = Peg { currency: "USDT".parse().unwrap(), price: Price(Decimal::new(peg, 2)) };
    let allow = Rule { id: RuleId::new("all").unwrap(), limit: Limit::Allow, ..self::rule() };
    let name = PolicyName::new("desk").unwrap();
    Policy::new(name, 3, mark_age, vec![peg], vec![rule, allow]).unwrap()
}

#[test]
fn whatever_is_other_than_before_shows() {
    let over = |instruments| Reach { instruments, ..Reach::default() };
    let rules = [
        rule(),
        Rule { id: RuleId::new("opened").unwrap(), ..rule() },
        Rule { each: Each::Account, ..rule() },
        Rule { each: Each::Caller, ..rule() },
        Rule { each: Each::Instrument, ..rule() },
        Rule { strength: Strength::Soft, ..rule() },
        Rule { limit: Limit::OpenNotional { max: Usd(Decimal::new(1_000_001, 0)) }, ..rule() },
        Rule { limit: Limit::NetPosition { max: Usd(Decimal::new(1_000_000, 0)) }, ..rule() },
        Rule { reach: Reach { account: "main".parse().ok(), ..Reach::default() }, ..rule() },
        Rule { reach: Reach { caller: "main".parse().ok(), ..Reach::default() }, ..rule() },
        Rule {
            reach: over(Instruments { venue: "main".parse().ok(), ..Instruments::default() }),
            ..rule()
        },
        Rule {
            reach: over(Instruments { class: Some(Class::Future), ..Instruments::default() }),
            ..rule()
        },
        Rule {
            reach: over(Instruments { base: "BTC".parse().ok(), ..Instruments::default() }),
            ..rule()
        },
        Rule {
            reach: over(Instruments { name: Pattern::new("BTC").ok(), ..Instruments::default() }),
            ..rule()
        },
    ];
    let (second, dollar) = (Span::from_secs(1), 100);
    let policies = rules.into_iter().map(|rule| policy(second, dollar, rule));
    let beside = [policy(Span::from_millis(1_001), dollar, rule()), policy(second, 101, rule())];
    let shown: Vec<_> = policies.chain(beside).map(|policy| of_policy(&policy)).collect();
    for (at, one) in shown.iter().enumerate() {
        for other in shown.iter().skip(at + 1) {
            assert_ne!(one, other);
        }
    }
}

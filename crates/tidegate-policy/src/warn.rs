//! What is odd about a policy that is well-formed.

use tidegate_types::policy::{Instruments, LimitKind, Policy, Reach, Rule};

/// What its writer may not have meant, one line each: no allow rule, rules that never bind, rules over
/// what nothing allows.
pub fn warnings(policy: &Policy) -> Vec<String> {
    let rules = policy.rules();
    let allows: Vec<&Rule> =
        rules.iter().filter(|rule| rule.limit.kind() == LimitKind::Allow).collect();
    if allows.is_empty() {
        return vec![
            "no rule allows anything, so every new order is refused; add one with `allow = true`"
                .to_owned(),
        ];
    }
    let mut found = Vec::new();
    for (at, rule) in rules.iter().enumerate() {
        let others = rules.iter().enumerate().filter(|(other, _)| *other != at);
        if let Some((_, by)) = others.clone().find(|(other, by)| overrules(by, rule, *other < at)) {
            let (id, by) = (&rule.id, &by.id);
            found.push(match rule.limit.kind() {
                LimitKind::Allow => format!("rule {id} allows nothing that {by} does not allow"),
                _ => format!("rule {id} never binds: {by} is over as much and at least as tight"),
            });
        } else if !allows.iter().any(|allow| meet(&allow.reach, &rule.reach)) {
            found.push(format!("rule {} is over orders that no rule allows", rule.id));
        }
    }
    found
}

/// Whether what passes `by` passes `rule`. Of two that are the same the first stays.
fn overrules(by: &Rule, rule: &Rule, earlier: bool) -> bool {
    let allow = |rule: &Rule| rule.limit.kind() == LimitKind::Allow;
    // Both count from the same time on, whatever they are called.
    let called = |rule: &Rule, other: &Rule| Rule { id: other.id.clone(), ..rule.clone() };
    let (holds, back) = match (allow(by), allow(rule)) {
        (true, true) => (by.reach.contains(&rule.reach), rule.reach.contains(&by.reach)),
        (false, false) => (called(by, rule).holds_for(rule), rule.holds_for(&called(by, rule))),
        _ => return false,
    };
    holds && (!back || earlier)
}

/// Whether an order may be of both; patterns of names are taken to meet.
fn meet(a: &Reach, b: &Reach) -> bool {
    fn alike<T: PartialEq>(a: Option<&T>, b: Option<&T>) -> bool {
        a.is_none_or(|a| b.is_none_or(|b| a == b))
    }
    let (x, y): (&Instruments, &Instruments) = (&a.instruments, &b.instruments);
    alike(a.account.as_ref(), b.account.as_ref())
        && alike(a.caller.as_ref(), b.caller.as_ref())
        && alike(x.venue.as_ref(), y.venue.as_ref())
        && alike(x.class.as_ref(), y.class.as_ref())
        && alike(x.base.as_ref(), y.base.as_ref())
}

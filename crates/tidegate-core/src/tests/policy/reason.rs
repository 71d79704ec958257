//! Why a policy is in force, or none is any more, is on record and known.

use super::*;

fn rules() -> Vec<Rule> {
    vec![hard("one", Limit::OrderQuantity { max: Qty(d("1")) })]
}

#[test]
fn the_reason_is_on_record_and_outlives_a_restart() {
    let mut w = World::new();
    let why = "smaller while the market is thin";
    w.change(Change::PolicyPut { policy: policy(1, rules()), reason: why.to_owned() });
    let refused = w.place("ann", buy("2", "100"));
    assert_eq!(w.code(refused), Some(Code::PolicyLimit), "it is in force");
    w.flush();
    w.kill(true);
    w.up();
    assert_eq!(w.core.state().policies().reason(), Some(why));
    let gone = "it is thick again";
    w.change(Change::PolicyTaken { reason: gone.to_owned() });
    let policies = w.core.state().policies();
    assert_eq!((policies.in_force(), policies.reason()), (None, Some(gone)));
    let told = |said: &str| {
        w.journal.iter().any(|record| match &record.body {
            Body::Changed {
                change: Change::PolicyPut { reason, .. } | Change::PolicyTaken { reason },
                ..
            } => reason == said,
            _ => false,
        })
    };
    assert!(told(why) && told(gone));
    w.check_replay();
}

#[test]
fn a_policy_with_a_reason_is_held_to_what_one_without_is() {
    let mut w = world(rules());
    let put = |version, rules| Change::PolicyPut {
        policy: policy(version, rules),
        reason: "a test".to_owned(),
    };
    let wider = vec![hard("one", Limit::OrderQuantity { max: Qty(d("2")) })];
    assert!(loosens(w.core.state(), &put(2, wider)));
    assert!(!loosens(w.core.state(), &put(2, rules())));
    let taken = Change::PolicyTaken { reason: "a test".to_owned() };
    assert!(loosens(w.core.state(), &taken));
    w.change(put(2, rules()));
    assert_eq!(w.core.state().policies().in_force().map(Policy::version), Some(2));
    // What came without a reason tells none.
    w.change(Change::PolicySet { policy: policy(3, rules()) });
    assert_eq!(w.core.state().policies().reason(), None);
}

#[test]
fn why_one_runs_beside_and_why_executions_go_on_are_on_record() {
    let mut w = world(rules());
    let reason = |text: &str| text.to_owned();
    let wider = vec![hard("one", Limit::OrderQuantity { max: Qty(d("2")) })];
    let put = Change::ShadowPut { policy: policy(2, wider), reason: reason("to see") };
    assert!(!loosens(w.core.state(), &put), "it allows nothing");
    w.change(put);
    assert!(w.core.state().policies().shadow().is_some());
    w.change(Change::ShadowTaken { reason: reason("seen") });
    assert!(w.core.state().policies().shadow().is_none());
    let freed = Change::ThrottleFreed {
        rule: RuleId::new("one").unwrap(),
        caller: name("ann"),
        instrument: instrument(PERP),
        side: Side::Buy,
        reason: reason("looked at"),
    };
    assert!(loosens(w.core.state(), &freed));
    let on_record = w.journal.iter().filter_map(|record| match &record.body {
        Body::Changed {
            change: Change::ShadowPut { reason, .. } | Change::ShadowTaken { reason },
            ..
        } => Some(reason.as_str()),
        _ => None,
    });
    assert_eq!(on_record.collect::<Vec<_>>(), ["to see", "seen"]);
    w.check_replay();
}

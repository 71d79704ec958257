//! Positions of callers: each is held to what it traded itself, whatever others on the same account hold.

use super::*;
use tidegate_types::ids::CallerName;
use tidegate_types::policy::LimitKind;

fn each_caller(id: &str, limit: Limit) -> Rule {
    Rule { each: Each::Caller, ..hard(id, limit) }
}

fn of_ann(id: &str, limit: Limit) -> Rule {
    let reach = Reach { caller: Some(name("ann")), ..Reach::default() };
    Rule { reach, ..hard(id, limit) }
}

/// Places an order and has it traded in full.
fn trades(w: &mut World, caller: &str, order: NewOrder) {
    let id = w.live(caller, order);
    w.venue.fill(venue_id(w, id), i64::MAX);
    w.settle();
}

fn code(w: &mut World, caller: &str, order: NewOrder) -> Option<Code> {
    let ticket = w.place(caller, order);
    w.settle();
    w.code(ticket)
}

#[test]
fn each_caller_has_a_gross_position_of_its_own() {
    let max = usd("500");
    let mut w = world(vec![each_caller("own", Limit::GrossPosition { max })]);
    trades(&mut w, "ann", buy("5", "100"));
    let text = "own v1: 600 > 500 USD gross position of caller ann (over by 100)";
    let over = w.place("ann", buy("1", "100"));
    assert!(refused(&w, over).ends_with(text), "{}", refused(&w, over));
    assert_eq!(code(&mut w, "bob", buy("5", "100")), None, "his own");
    assert_eq!(code(&mut w, "bob", buy("1", "100")), Some(Code::PolicyLimit), "what rests counts");
    w.check();
    w.check_replay();
    let used = w.core.state().policy_usage(w.now);
    let of = |who: &str| {
        let whose = format!("caller {who}");
        used.iter().find(|u| *u.measure.of == *whose).map(|u| u.measure.measured)
    };
    assert_eq!((of("ann"), of("bob")), (Some(d("500")), Some(d("500"))));
}

#[test]
fn what_one_holds_against_another_counts_for_both() {
    let mut w = world(vec![each_caller("own", Limit::NetPosition { max: usd("500") })]);
    trades(&mut w, "ann", buy("5", "100"));
    // It reduces the account's position, and opens bob's.
    trades(&mut w, "bob", sell("5", "100"));
    assert_eq!(w.core.state().positions().book(&name(MAIN), &instrument(PERP)).position, 0);
    assert_eq!(code(&mut w, "ann", buy("1", "100")), Some(Code::PolicyLimit));
    assert_eq!(code(&mut w, "bob", sell("1", "100")), Some(Code::PolicyLimit));
    assert_eq!(code(&mut w, "bob", buy("5", "100")), None, "back to nothing");
    w.check();
    w.check_replay();
}

#[test]
fn a_rule_over_one_caller_is_over_no_other() {
    let mut w = world(vec![of_ann("ann", Limit::GrossPosition { max: usd("200") })]);
    trades(&mut w, "bob", buy("5", "100"));
    let text = "ann v1: 210 > 200 USD gross position of caller ann (over by 10)";
    edge(&mut w, buy("2", "100"), buy("0.1", "100"), Code::PolicyLimit, text);
    assert_eq!(code(&mut w, "bob", buy("5", "100")), None);
}

#[test]
fn what_the_account_does_not_hold_any_more_no_caller_does() {
    let mut w = world(vec![each_caller("own", Limit::GrossPosition { max: usd("500") })]);
    trades(&mut w, "ann", buy("5", "100"));
    assert_eq!(code(&mut w, "ann", buy("1", "100")), Some(Code::PolicyLimit));
    let halt = w.flatten("all");
    w.settle_for(5);
    let open: Vec<u64> = w.venue.open().map(|(id, _)| *id).collect();
    open.into_iter().for_each(|id| w.venue.fill(id, i64::MAX));
    w.settle_for(30);
    assert!(w.answers.contains_key(&halt));
    assert_eq!(w.core.state().positions().book(&name(MAIN), &instrument(PERP)).position, 0);
    w.resume("all");
    assert_eq!(code(&mut w, "ann", buy("5", "100")), None);
    w.check();
    w.check_replay();
}

#[test]
fn of_one_coin_a_caller_has_a_part_at_most() {
    let share = Limit::Concentration { bps: 6_000, above: usd("100") };
    let mut w = world(vec![each_caller("mix", share)]);
    assert_eq!(code(&mut w, "ann", buy("1", "100")), None, "not above the amount");
    assert_eq!(code(&mut w, "ann", buy("1", "100")), Some(Code::PolicyLimit), "all of one coin");
    assert_eq!(code(&mut w, "bob", buy("1", "100")), None, "another's counts for itself");
}

#[test]
fn what_options_come_to_is_no_caller_s() {
    let name = PolicyName::new("desk").unwrap();
    let rules = vec![each_caller("x", Limit::OptionDelta { max: usd("1") })];
    let flaw = Policy::new(name, 1, Span::from_secs(5), Vec::new(), rules).unwrap_err();
    assert!(flaw.to_string().contains("let the rule be over accounts, not callers"), "{flaw}");
    for kind in LimitKind::ALL {
        assert!(!(kind.is_of_parts() && kind.is_of_options()));
    }
}

/// To what a caller's own trades may come on a side at the venue, less what it traded by orders that reduced the
/// account's position, which no limit stops.
fn own_at_venue(w: &World, caller: &CallerName, side: Side) -> i64 {
    let orders = w.core.state().orders();
    let whose = |client: Option<&tidegate_types::ids::ClientId>| {
        let order = orders.iter().find(|order| order.client_id.as_ref() == client);
        order.is_some_and(|order| order.caller.as_ref() == Some(caller))
    };
    let signed = |of: Side, qty: i64| if of == side { qty } else { -qty };
    let reduced: Vec<_> = w.venue.reduce_only().collect();
    let (mut held, mut spared) = (0, 0);
    for fill in w.venue.traded().iter().filter(|fill| whose(fill.client_id.as_ref())) {
        held += signed(fill.side, fill.qty.0.raw());
        if fill.side == side && reduced.contains(&fill.client_id) {
            spared += fill.qty.0.raw();
        }
    }
    let open = w.venue.open().map(|(_, order)| order).filter(|order| {
        order.side == side && order.reduce_only == Some(false) && whose(order.client_id.as_ref())
    });
    let open: i64 = open.map(|order| order.qty.0.raw() - order.filled.0.raw()).sum();
    held.max(0) + open - spared
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 120, failure_persistence: None, ..Default::default() })]
    #[test]
    fn no_interleaving_takes_a_caller_past_its_own_limit(
        steps in prop::collection::vec((0_u8..61, any::<u8>(), any::<u8>()), 1..150)
    ) {
        let mut world = world(vec![each_caller("own", Limit::GrossPosition { max: usd("800") })]);
        for what in steps {
            step(&mut world, what);
            world.check();
            for (caller, side) in [("ann", Side::Buy), ("ann", Side::Sell), ("bob", Side::Buy), ("bob", Side::Sell)] {
                let most = own_at_venue(&world, &name(caller), side);
                prop_assert!(most <= d("8").raw(), "{caller} {side:?} may come to {most}");
            }
        }
        world.check_replay();
    }
}

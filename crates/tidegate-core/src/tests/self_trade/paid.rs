//! Who asked for the newer order pays for what is done about the older one.

use super::*;
use tidegate_types::ids::{AccountName, CallerName, PolicyName, RuleId};
use tidegate_types::policy::{Each, Limit, Peg, Policy, Reach, Rule, Strength};
use tidegate_types::time::Span;

/// Each caller may send so many messages a minute.
fn with_rate(mode: SelfTradeMode, max: u32) -> World {
    let rule = |id: &str, limit| Rule {
        id: RuleId::new(id).unwrap(),
        reach: Reach::default(),
        each: Each::Caller,
        strength: Strength::Hard,
        limit,
    };
    let rate = Limit::MessageRate { max, window: Span::from_secs(60) };
    let rules = vec![rule("rate", rate), Rule { each: Each::All, ..rule("all", Limit::Allow) }];
    let name = PolicyName::new("desk").unwrap();
    let peg = |coin: &str| Peg { currency: coin.parse().unwrap(), price: Price(d("1")) };
    let pegs = ["BTC", "USDT"].map(peg).to_vec();
    let policy = Policy::new(name, 1, Span::from_secs(3600), pegs, rules).unwrap();
    let mut world = World::with_mode(mode);
    world.change(Change::PolicySet { policy: Box::new(policy) });
    world
}

#[test]
fn cancels_for_a_newer_order_spend_nothing_of_the_older_one_s_caller() {
    let mut world = with_rate(CancelOld, 3);
    let old = world.live("ann", sell("1", "101"));
    world.place("bob", buy("1", "101"));
    world.settle();
    assert_eq!(world.stage_of(old), CANCELLED);
    let again = [world.place("ann", sell("1", "103")), world.place("ann", sell("1", "104"))];
    assert_eq!(again.map(|ticket| world.code(ticket)), [None, None], "ann sent three");
    // Bob sent one, and one was cancelled for it.
    let third = world.place("bob", buy("1", "99"));
    assert_eq!(world.code(third), None);
    let fourth = world.place("bob", buy("1", "99"));
    assert_eq!(world.code(fourth), Some(Code::PolicyRate));
    world.check_replay();
}

#[test]
fn making_an_order_smaller_spends_nothing_of_its_caller() {
    let mut world = with_rate(Decrement, 2);
    let old = world.live("ann", sell("5", "101"));
    let met = world.place("bob", buy("2", "101"));
    assert_eq!(world.code(met), Some(Code::SelfTradeCut));
    world.settle();
    assert_eq!(world.core.state().orders().get(old).unwrap().remaining(), Qty(d("3")));
    let second = world.place("ann", sell("1", "103"));
    assert_eq!(world.code(second), None, "ann sent two");
    // Bob had one made smaller, and sends one.
    let sent = world.place("bob", buy("1", "99"));
    assert_eq!(world.code(sent), None);
    let too_many = world.place("bob", buy("1", "98"));
    assert_eq!(world.code(too_many), Some(Code::PolicyRate));
    world.check_replay();
}

#[test]
fn the_record_says_who_asked_and_whose_order_it_is() {
    let mut world = World::with_other(Decrement);
    world.same_owner();
    let old = world.live("ann", sell("5", "101"));
    let taken = |world: &World, caller: &str, account: &str| {
        let buckets = world.core.state().caller_buckets.get(&name::<CallerName>(caller));
        buckets.is_some_and(|of| of.contains_key(&name::<AccountName>(account)))
    };
    world.place_on_other(buy("2", "101"));
    let shrunk = world.journal.iter().find_map(|record| match &record.body {
        Body::ShrinkCleared { order, of, caller, account, .. } => {
            Some((*order, of.clone(), caller.clone(), account.clone()))
        }
        _ => None,
    });
    assert_eq!(shrunk, Some((old, name("ann"), name("eve"), name(OTHER))));
    assert!(taken(&world, "eve", OTHER) && !taken(&world, "eve", MAIN));
    // Under the venue's limits it is the newer one's caller that waits for its turn, too.
    let call = world.to_sign.last().unwrap().0.id;
    assert_eq!(world.core.asked_by(call).map(|by| &by.caller), Some(&name("eve")));
    world.settle();
    world.check_replay();
}

//! A journal that is decided again says the same; one that was decided by others does not.

use super::world::*;
use crate::rehearsal::{Again, Busiest, Difference, LimitName, Rehearsal, Strain};
use crate::{Core, CoreSettings};
use tidegate_types::grant::AccountLimits;
use tidegate_types::ids::Seq;
use tidegate_types::instrument::{Price, Usd};
use tidegate_types::record::{Body, Change, RULES, Record};
use tidegate_types::reject::Code;
use tidegate_types::self_trade::SelfTradeMode;

/// What came of each record.
fn again(world: &World) -> Vec<Again> {
    let mut rehearsal = Rehearsal::new(Core::new(CoreSettings::default()));
    let records = world.journal.iter().enumerate();
    let said = records.map(|(at, record)| rehearsal.again(Seq(at as u64), record)).collect();
    assert!(rehearsal.core().state_bytes() == world.core.state_bytes(), "it folds as any replay");
    said
}

fn count(said: &[Again], which: &Again) -> usize {
    said.iter().filter(|again| *again == which).count()
}

/// A day of everything that a gate decides.
fn day() -> World {
    let mut world = World::new();
    let id = world.live("ann", buy("2", "99"));
    world.live("bob", buy("3", "99"));
    world.venue.fill(2, d("3").raw());
    world.settle();
    world.amend("ann", id, Some("3"), Some("98"));
    world.settle();
    for refused in [buy("2", "120"), buy("1000", "100"), buy("0.0001", "100")] {
        let ticket = world.place("ann", refused);
        assert!(world.code(ticket).is_some());
    }
    world.pass(500);
    world.change(Change::LimitsSet {
        limits: AccountLimits { max_position_notional: Usd(d("200")), ..limits() },
    });
    // Past a limit it goes as one that reduces.
    world.live("bob", sell("3", "100"));
    world.settle_for(2);
    world.change(Change::KeyRevoked { id: name("bob") });
    let ticket = world.place("bob", buy("1", "100"));
    assert_eq!(world.code(ticket), Some(Code::UnknownKey));
    world
}

#[test]
fn a_journal_is_decided_the_same_again() {
    let world = day();
    let said = again(&world);
    assert!(!said.iter().any(|again| matches!(again, Again::Other(_))), "{said:?}");
    assert_eq!(count(&said, &Again::Same), 8, "{said:?}");
}

#[test]
fn what_was_decided_otherwise_is_found() {
    let mut world = World::new();
    world.live("ann", buy("2", "99"));
    let at = world.journal.iter().position(|r| matches!(r.body, Body::Cleared { .. })).unwrap();
    // A record that says another number than the gates do.
    let Body::Cleared { decision, .. } = &mut world.journal[at].body else { unreachable!() };
    decision.mark = Some(Price(d("100.5")));
    let mut rehearsal = Rehearsal::new(Core::new(CoreSettings::default()));
    let said: Vec<Again> = world
        .journal
        .iter()
        .enumerate()
        .map(|(at, record)| rehearsal.again(Seq(at as u64), record))
        .collect();
    let Again::Other(difference) = &said[at] else { panic!("{:?}", said[at]) };
    let Difference { seq, caller, was, now, .. } = difference.as_ref();
    assert_eq!((seq.0, caller.as_str()), (at as u64, "ann"));
    assert_eq!(was.decision().mark, Some(Price(d("100.5"))));
    assert_eq!(now.decision().mark, Some(Price(d("100"))));
}

#[test]
fn a_refusal_that_would_pass_is_found() {
    let mut world = World::new();
    let ticket = world.place("ann", buy("500", "100"));
    assert_eq!(world.code(ticket), Some(Code::OrderNotional));
    // As if the limit had been wider all the time.
    for record in &mut world.journal {
        if let Body::Changed { change: Change::LimitsSet { limits }, .. } = &mut record.body {
            *limits = AccountLimits {
                max_order_notional: Usd(d("1000000")),
                max_open_notional: Usd(d("1000000")),
                max_position_notional: Usd(d("1000000")),
                max_exposure: Usd(d("1000000")),
                ..limits.clone()
            };
        }
    }
    let mut rehearsal = Rehearsal::new(Core::new(CoreSettings::default()));
    let records = world.journal.iter().enumerate();
    let said: Vec<Again> = records.map(|(at, r)| rehearsal.again(Seq(at as u64), r)).collect();
    let other = said.iter().find_map(|again| match again {
        Again::Other(difference) => Some(difference),
        _ => None,
    });
    let other = other.unwrap();
    assert_eq!(other.was.reject().map(|reject| reject.code), Some(Code::OrderNotional));
    assert_eq!(other.now.reject(), None);
    assert_eq!(other.now.decision().notional, Some(Usd(d("50000"))));
}

/// A clock that goes on by a microsecond whenever it is looked at.
fn ticking() -> impl FnMut() -> u64 {
    let mut now = 0;
    move || {
        now += 1000;
        now
    }
}

#[test]
fn the_busiest_minute_is_played_at_twice_its_rate() {
    let mut world = World::new();
    let bounded = tidegate_types::grant::Grant { orders_per_second: 1, burst: 1, ..grant("ann") };
    world.change(Change::GrantSet { grant: bounded });
    world.live("bob", buy("1", "99"));
    world.pass(60_000);
    for _ in 0..10 {
        let id = world.live("ann", buy("1", "99"));
        world.cancel("ann", own(id));
        world.settle();
        world.pass(2000);
    }
    for _ in 0..3 {
        world.place("ann", buy("200", "100"));
    }
    world.settle_for(3);
    let mut busiest = Busiest::default();
    let records: Vec<(Seq, Record)> =
        world.journal.iter().enumerate().map(|(at, r)| (Seq(at as u64), r.clone())).collect();
    records.iter().for_each(|(seq, record)| busiest.look(*seq, record));
    let peak = busiest.peak().unwrap();
    assert_eq!(peak.messages, 23, "10 orders, 10 cancels, one refusal and two more");
    let strain = |times| {
        let mut rehearsal = Rehearsal::new(Core::new(CoreSettings::default()));
        let (before, after) = records.split_at(peak.first.0 as usize);
        before.iter().for_each(|(seq, record)| rehearsal.fold(*seq, record));
        let minute: Vec<_> = after.iter().filter(|(_, r)| peak.has(r.at)).cloned().collect();
        rehearsal.stress(peak.start, &minute, times, &mut ticking())
    };
    let once = strain(1);
    assert_eq!((once.messages, once.passed, once.left_out), (23, 20, 0), "{once:?}");
    assert_eq!(once.refused.get(&Code::OrderNotional), Some(&3), "{once:?}");
    assert_eq!((once.quantile(500), once.quantile(1000)), (1000, 1000));
    let three = strain(3);
    assert_eq!(three.messages + three.left_out, 3 * 23, "{three:?}");
    assert!(three.refused.contains_key(&Code::CallerRate), "the grant's rate holds: {three:?}");
    assert_eq!(three.refused.get(&Code::OrderNotional), Some(&9), "{three:?}");
    // An order and its cancel; of two orders in a second one is refused, and has none.
    assert_eq!((once.busiest_second, three.busiest_second), (2, 3));
    // 20,000 USD each, of the 5,000 that `limits` allows an order; a rate of one a second holds from twice on.
    let used = |strain: &Strain, rule: &str, of: &str| {
        let is = |name: &LimitName| name.rule == rule && name.of == of;
        let (name, used) = strain.limits.iter().find(|(name, _)| is(name)).unwrap();
        assert_eq!(name.version, format!("rules v{RULES}"));
        (used.most.map(|most| most.to_string()), used.refused)
    };
    let notional = |strain| used(strain, "order notional", "account main");
    assert_eq!([notional(&once), notional(&three)].map(|(_, refused)| refused), [3, 9]);
    assert_eq!(notional(&once).0.as_deref(), Some("200"));
    let rate = |strain| used(strain, "burst", "the grant of ann on main");
    assert_eq!(rate(&once), (Some("100".to_owned()), 0));
    assert_eq!(rate(&three).1, three.refused[&Code::CallerRate], "{three:?}");
}

#[test]
fn self_trade_prevention_that_refuses_is_decided_again() {
    let mut world = World::with_mode(SelfTradeMode::Refuse);
    world.live("ann", sell("1", "101"));
    let meets = world.place("bob", buy("1", "101"));
    assert_eq!(world.code(meets), Some(Code::SelfTrade));
    world.live("bob", buy("1", "100"));
    let said = again(&world);
    assert_eq!(count(&said, &Again::Same), 3, "{said:?}");
    // As if it had been off while the first of bob's was asked for, and what is refused had passed.
    let set = Change::SelfTradeSet { account: name(MAIN), mode: SelfTradeMode::Refuse };
    for record in &mut world.journal {
        if let Body::Changed { change, .. } = &mut record.body
            && *change == set
        {
            *change = Change::SelfTradeSet { account: name(MAIN), mode: SelfTradeMode::Off };
        }
    }
    let mut rehearsal = Rehearsal::new(Core::new(CoreSettings::default()));
    let records = world.journal.iter().enumerate();
    let said: Vec<Again> = records.map(|(at, r)| rehearsal.again(Seq(at as u64), r)).collect();
    assert_eq!(count(&said, &Again::Same), 2, "{said:?}");
}

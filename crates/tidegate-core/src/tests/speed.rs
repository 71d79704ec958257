//! What a decision costs, with a large table of orders.

use super::world::*;
use std::time::{Duration, Instant};
use tidegate_types::ids::{PolicyName, RuleId, Ticket};
use tidegate_types::instrument::{Price, Usd};
use tidegate_types::order::Intent;
use tidegate_types::policy::{Each, Limit, Peg, Policy, Reach, Rule, Strength};
use tidegate_types::record::Change;
use tidegate_types::time::Span;

/// Prints percentiles, without a policy and with twenty limits in one run; in a release build they must hold,
/// in a debug build only roughly.
#[test]
fn a_decision_is_quick() {
    let plain = percentiles("plain", World::new());
    let mut limited = World::new();
    limited.change(Change::PolicySet { policy: twenty_limits() });
    let limited = percentiles("with 20 limits", limited);
    let most = if cfg!(debug_assertions) { 2000 } else { 20 };
    assert!(plain.as_micros() < most && limited.as_micros() < 2 * most, "{plain:?}, {limited:?}");
}

/// Five kinds of limits over the desk, each account, each caller and each instrument.
fn twenty_limits() -> Box<Policy> {
    let most = Usd(d("1000000"));
    let kinds = [
        Limit::OpenOrders { max: 100_000 },
        Limit::OpenNotional { max: most },
        Limit::DailyTraded { max: most },
        Limit::OrderNotional { max: most },
        Limit::MessageRate { max: 1_000_000, window: Span::from_secs(60) },
    ];
    let parts = [Each::All, Each::Account, Each::Caller, Each::Instrument];
    let limits = parts.into_iter().flat_map(|each| kinds.clone().map(|limit| (each, limit)));
    let rule = |(number, (each, limit)): (usize, (Each, Limit))| Rule {
        id: RuleId::new(&format!("rule-{number}")).unwrap(),
        reach: Reach::default(),
        each,
        strength: Strength::Hard,
        limit,
    };
    let rules = limits.chain([(Each::All, Limit::Allow)]).enumerate().map(rule).collect();
    let peg = Peg { currency: name("BTC"), price: Price(d("1")) };
    let of = PolicyName::new("speed").unwrap();
    Box::new(Policy::new(of, 1, Span::from_secs(5), vec![peg], rules).unwrap())
}

fn percentiles(what: &str, mut world: World) -> Duration {
    // Memory the allocator has touched once, as in a gateway that has run for a while; the last
    // piece stays, so that it keeps what is below.
    let mut touched: Vec<_> = (0..40_000).map(|_| vec![1_u8; 1024]).collect();
    let last = touched.pop();
    drop(std::hint::black_box(touched));
    let mut spent = Vec::new();
    let mut out = Vec::new();
    for n in 0..2000_u64 {
        let (ticket, who) = (Ticket(n + 1_000_000), who("ann"));
        let intent = Intent::New { order: buy("0.001", "100") };
        let now = world.now.plus(tidegate_types::time::Span::from_millis(n));
        let start = Instant::now();
        let event = crate::event::Event::Submit { ticket, who, session: None, intent };
        world.core.handle(event, now, &mut out);
        spent.push(start.elapsed());
        let cleared = out.iter().any(|action| matches!(action, crate::action::Action::Sign { .. }));
        assert!(cleared, "{out:?}");
        out.clear();
    }
    drop(last);
    spent.sort();
    let at = |per_mille: usize| spent[spent.len() * per_mille / 1000];
    println!("decision {what}: p50 {:?}, p99 {:?}, p99.9 {:?}", at(500), at(990), at(999));
    at(990)
}

//! Orders that only reduce a position reserve nothing and always pass; so what opens must fit after they have traded.

use super::world::*;
use tidegate_types::decimal::Decimal;
use tidegate_types::grant::AccountLimits;
use tidegate_types::ids::{PolicyName, RuleId, Ticket};
use tidegate_types::instrument::{Price, Usd};
use tidegate_types::order::NewOrder;
use tidegate_types::policy::{Each, Limit, Peg, Policy, Reach, Rule, Strength};
use tidegate_types::record::Change;
use tidegate_types::reject::Code;
use tidegate_types::time::Span;

/// 150 of the perpetual, at its mark of 100.
const MOST: Usd = Usd(Decimal::new(15_000, 0));

fn wide() -> AccountLimits {
    let most = Usd(d("1000000"));
    AccountLimits {
        max_order_qty: Vec::new(),
        max_order_notional: most,
        max_open_notional: most,
        max_position_notional: most,
        max_exposure: most,
        ..limits()
    }
}

fn policy(limit: Limit) -> Change {
    let rule = |id, limit| Rule {
        id: RuleId::new(id).unwrap(),
        reach: Reach::default(),
        each: Each::All,
        strength: Strength::Hard,
        limit,
    };
    let rules = vec![rule("position", limit), rule("all", Limit::Allow)];
    let pegs = ["BTC", "USDT"].map(|coin| Peg { currency: name(coin), price: Price(d("1")) });
    let desk = PolicyName::new("desk").unwrap();
    let policy = Policy::new(desk, 1, Span::from_secs(5), pegs.into(), rules).unwrap();
    Change::PolicySet { policy: Box::new(policy) }
}

fn asks(world: &mut World, order: NewOrder) -> (Ticket, Option<u64>) {
    let ticket = world.place("ann", order);
    world.settle();
    let placed = world.code(ticket).is_none();
    (ticket, placed.then(|| *world.venue.open().map(|(id, _)| id).max().unwrap()))
}

/// Long 80, 150 and a few to sell, and 80 that reduce, which trade first.
fn reduced_first(mut world: World, refused: Code) {
    let (_, bought) = asks(&mut world, buy("80", "100"));
    world.venue.fill(bought.unwrap(), i64::MAX);
    world.settle();
    let (_, first) = asks(&mut world, sell("100", "100"));
    let (over, _) = asks(&mut world, sell("100", "100"));
    assert_eq!(world.code(over), Some(refused), "120 short, but 200 once the 80 are sold");
    let (_, second) = asks(&mut world, sell("50", "100"));
    let (_, reduces) = asks(&mut world, NewOrder { reduce_only: true, ..sell("80", "100") });
    for id in [reduces, first, second] {
        world.venue.fill(id.expect("it passes"), i64::MAX);
        world.settle();
        world.check();
    }
    assert_eq!(world.venue.position(&instrument(PERP)).0, d("-150"));
    world.check_replay();
}

#[test]
fn a_reducing_order_that_trades_first_keeps_the_position_limit() {
    let mut world = World::new();
    world.change(Change::LimitsSet {
        limits: AccountLimits { max_position_notional: MOST, ..wide() },
    });
    reduced_first(world, Code::PositionNotional);
}

#[test]
fn a_reducing_order_that_trades_first_keeps_the_exposure() {
    let mut world = World::new();
    world.change(Change::LimitsSet { limits: AccountLimits { max_exposure: MOST, ..wide() } });
    reduced_first(world, Code::Exposure);
}

#[test]
fn a_reducing_order_that_trades_first_keeps_a_policys_positions() {
    for limit in [Limit::GrossPosition { max: MOST }, Limit::NetPosition { max: MOST }] {
        let mut world = World::new();
        world.change(Change::LimitsSet { limits: wide() });
        world.change(policy(limit));
        reduced_first(world, Code::PolicyLimit);
    }
}

#[test]
fn what_reduces_one_leg_counts_in_the_net_of_both() {
    let mut world = World::new();
    world.change(Change::LimitsSet { limits: wide() });
    world.change(policy(Limit::NetPosition { max: Usd(d("5000")) }));
    let inverse = |order: NewOrder| NewOrder { instrument: instrument(INVERSE), ..order };
    for order in [buy("40", "100"), inverse(sell("4000", "100"))] {
        let (_, id) = asks(&mut world, order);
        world.venue.fill(id.unwrap(), i64::MAX);
        world.settle();
    }
    // Long 4000 and short 4000 dollars. One leg may go, which leaves the other: 4000 of 5000.
    let (_, leg) = asks(&mut world, NewOrder { reduce_only: true, ..sell("40", "101") });
    assert!(leg.is_some(), "it is never trapped");
    let (over, _) = asks(&mut world, inverse(sell("1010", "100")));
    assert_eq!(world.code(over), Some(Code::PolicyLimit), "5010 short once the leg is gone");
    let (fits, _) = asks(&mut world, inverse(sell("1000", "100")));
    assert_eq!(world.code(fits), None);
    world.check_replay();
}

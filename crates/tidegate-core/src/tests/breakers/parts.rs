//! What callers hold adds up to what the account does, whoever closes it.

use super::*;
use tidegate_types::ids::{TradeId, VenueOrderId};
use tidegate_types::instrument::Qty;
use tidegate_types::report::{AccountEvent, BalanceReport, FillReport};

fn lost(world: &World, id: &str, scope: &str) -> Option<Decimal> {
    world.core.state().breaker_measures(&place(id, scope), world.now).map(|found| found.measured)
}

fn callers_lost(world: &World) -> [Option<Decimal>; 2] {
    ["caller:ann", "caller:bob"].map(|scope| lost(world, "loss@each-caller", scope))
}

fn watched() -> World {
    World::with([breaker("loss@each-caller", "1000"), breaker("loss@each-account", "1000")])
}

/// Somebody trades past Tidegate.
fn by_hand(world: &mut World, side: Side, qty: &str) {
    let fill = FillReport {
        instrument: instrument(PERP),
        trade_id: TradeId::new(&format!("by-hand-{}", world.journal.len())).unwrap(),
        client_id: None,
        venue_id: VenueOrderId::new("nobodys").unwrap(),
        side,
        qty: Qty(d(qty)),
        price: Price(d("100")),
        fee: Decimal::ZERO,
        fee_currency: None,
        maker: false,
        at: world.now,
    };
    world.event(Event::Streamed { account: name(MAIN), event: AccountEvent::Fill { fill } });
}

fn funding(world: &mut World, asset: &str, amount: &str) {
    let change = BalanceReport { asset: name(asset), amount: d(amount) };
    let event = AccountEvent::Funding { change };
    world.event(Event::Streamed { account: name(MAIN), event });
}

#[test]
fn funding_is_lost_and_won_by_the_account() {
    let mut world = watched();
    world.bought("ann", "6");
    funding(&mut world, "USDT", "-30");
    funding(&mut world, "BTC", "-0.1");
    funding(&mut world, "XYZ", "-500");
    assert_eq!(lost(&world, "loss@each-account", "account:main"), Some(d("40")));
    funding(&mut world, "USDT", "15");
    assert_eq!(lost(&world, "loss@each-account", "account:main"), Some(d("25")));
    assert_eq!(callers_lost(&world)[0], Some(d("0")), "nobody tells for whose position");
    world.check_replay();
}

#[test]
fn a_flattening_leaves_nobody_with_anything() {
    let mut world = watched();
    world.bought("ann", "6");
    world.bought("bob", "3");
    world.flatten("all");
    world.settle_for(10);
    assert!(world.core.state().positions().iter().next().is_none(), "flat");
    let before = callers_lost(&world);
    let account = lost(&world, "loss@each-account", "account:main").unwrap();
    // It was sold at five percent below the mark, and callers bear that by what was theirs.
    let shares = before.map(Option::unwrap);
    assert_eq!(shares[0].add(shares[1]), Ok(account));
    assert_eq!(shares[1].add(shares[1]), Ok(shares[0]));
    world.priced("50");
    assert_eq!(callers_lost(&world), before, "what is not held any more loses nothing");
    world.check_replay();
}

#[test]
fn what_is_nobodys_is_the_accounts_alone() {
    let mut world = watched();
    world.bought("ann", "6");
    by_hand(&mut world, Side::Buy, "4");
    world.priced("90");
    assert_eq!(callers_lost(&world), [Some(d("60")), None]);
    assert_eq!(lost(&world, "loss@each-account", "account:main"), Some(d("100")));
    // What came by hand goes by hand, and what is more was ann's.
    by_hand(&mut world, Side::Sell, "4");
    world.priced("80");
    assert_eq!(callers_lost(&world)[0], Some(d("120")));
    by_hand(&mut world, Side::Sell, "3");
    let before = callers_lost(&world)[0].unwrap();
    world.priced("70");
    assert_eq!(callers_lost(&world)[0].unwrap().sub(before), Ok(d("30")), "three are left");
    world.check_replay();
}

#[test]
fn who_closes_what_was_nobodys_owes_nobody_anything() {
    let mut world = watched();
    world.bought("ann", "6");
    by_hand(&mut world, Side::Buy, "4");
    world.sold("ann", "10");
    assert!(world.core.state().positions().iter().next().is_none(), "flat");
    let before = callers_lost(&world);
    world.priced("120");
    world.priced("100");
    assert_eq!(callers_lost(&world), before, "ann is short of nothing");
    // What comes next is counted from nothing.
    world.bought("ann", "2");
    world.priced("95");
    let lost = callers_lost(&world)[0].unwrap();
    assert_eq!(lost.sub(before[0].unwrap()), Ok(d("10")));
    world.check_replay();
}

#[test]
fn callers_that_hold_against_each_other_do_so_until_a_flattening() {
    for (flattened, moved) in [(false, "30"), (true, "0")] {
        let mut world = watched();
        world.bought("ann", "3");
        world.sold("bob", "3");
        assert!(world.core.state().positions().iter().next().is_none(), "flat");
        if flattened {
            world.flatten("all");
            world.settle_for(10);
        }
        let before = callers_lost(&world)[0].unwrap();
        world.priced("90");
        assert_eq!(callers_lost(&world)[0].unwrap().sub(before), Ok(d(moved)), "{flattened}");
        world.check_replay();
    }
}

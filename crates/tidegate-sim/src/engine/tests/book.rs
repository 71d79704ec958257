//! Matching: price before time, nothing lost, kinds of orders.

use super::*;
use proptest::prelude::*;

/// A world whose BTCUSDT book holds callers' orders alone around the market.
fn pair() -> (World, AccountIx, AccountIx) {
    let world = World::new();
    let desk = world.desk(Venue::Binance);
    let other = world.exchange.find_account(Venue::Binance, "other").unwrap();
    (world, desk, other)
}

fn placed(world: &mut World, account: AccountIx, order: NewOrder) -> Reply {
    world.apply(&Input::Place { account, order: Box::new(order) })
}

fn id_of(reply: &Reply) -> i64 {
    let Reply::Order(order, _) = reply else { panic!("{reply:?}") };
    order.id
}

/// A price between the best bid and ask where only callers rest.
fn inside(world: &World) -> Decimal {
    calc::add(world.best(Side::Buy), dec("0.1"))
}

#[test]
fn the_better_price_goes_first_and_then_the_older_order() {
    let (mut world, desk, other) = pair();
    let ask = world.best(Side::Sell);
    let (near, nearer) = (calc::sub(ask, dec("0.1")), calc::sub(ask, dec("0.2")));
    let btc = world.btc();
    let sell = |price| NewOrder::limit(btc, Side::Sell, dec("0.002"), price);
    let late = id_of(&placed(&mut world, desk, sell(near)));
    let later = id_of(&placed(&mut world, desk, sell(near)));
    let best = id_of(&placed(&mut world, desk, sell(nearer)));
    let mut effects = Vec::new();
    let buy = NewOrder::limit(btc, Side::Buy, dec("0.005"), near);
    let input = Input::Place { account: other, order: Box::new(buy) };
    world.exchange.apply(&input, world.now, &mut effects);
    let filled = |id| world.exchange.order(id).unwrap().filled;
    assert_eq!(
        (filled(best), filled(late), filled(later)),
        (dec("0.002"), dec("0.002"), dec("0.001"))
    );
}

#[test]
fn an_amended_order_keeps_its_place_only_when_it_shrinks() {
    let (mut world, desk, other) = pair();
    let price = inside(&world);
    let btc = world.btc();
    let buy = NewOrder::limit(btc, Side::Buy, dec("0.004"), price);
    let first = id_of(&placed(&mut world, desk, buy.clone()));
    let second = id_of(&placed(&mut world, desk, buy));
    let amend =
        |quantity: &str| Amendment { quantity: Some(dec(quantity)), ..Amendment::default() };
    let shrink =
        Input::Amend { account: desk, target: OrderRef::Id { id: first }, change: amend("0.003") };
    world.apply(&shrink);
    let sell = NewOrder::limit(btc, Side::Sell, dec("0.002"), price);
    placed(&mut world, other, sell.clone());
    assert_eq!(world.exchange.order(first).unwrap().filled, dec("0.002"));
    let grow =
        Input::Amend { account: desk, target: OrderRef::Id { id: first }, change: amend("0.006") };
    world.apply(&grow);
    placed(&mut world, other, sell);
    assert_eq!(world.exchange.order(first).unwrap().filled, dec("0.002"));
    assert_eq!(world.exchange.order(second).unwrap().filled, dec("0.002"));
}

#[test]
fn fill_or_kill_fills_wholly_or_not_at_all() {
    let (mut world, desk, _) = pair();
    let ask = world.best(Side::Sell);
    let there = world.exchange.market(world.btc()).unwrap().book.at(Side::Sell, ask);
    let mut order = NewOrder::limit(world.btc(), Side::Buy, calc::add(there, dec("0.001")), ask);
    order.tif = Tif::Fok;
    assert_eq!(placed(&mut world, desk, order.clone()), Reply::Refused(Refusal::CannotFill));
    order.quantity = there;
    let Reply::Order(order, _) = placed(&mut world, desk, order) else { panic!() };
    assert_eq!(order.status, Status::Filled);
}

#[test]
fn reduce_only_never_opens() {
    let (mut world, desk, _) = pair();
    let mut sell = NewOrder::market(world.btc(), Side::Sell, dec("0.01"));
    sell.reduce_only = true;
    assert_eq!(placed(&mut world, desk, sell.clone()), Reply::Refused(Refusal::ReduceOnly));
    let buy = NewOrder::market(world.btc(), Side::Buy, dec("0.004"));
    placed(&mut world, desk, buy);
    let Reply::Order(order, _) = placed(&mut world, desk, sell) else { panic!() };
    assert_eq!(order.ask.quantity, dec("0.004"));
    assert!(world.exchange.account(desk).unwrap().net(world.btc()).is_zero());
}

#[test]
fn self_trade_prevention_ends_the_side_it_names() {
    for (mode, maker_lives, taker_lives) in [
        (SelfTrade::ExpireMaker, false, true),
        (SelfTrade::ExpireTaker, true, false),
        (SelfTrade::ExpireBoth, false, false),
    ] {
        let (mut world, desk, _) = pair();
        let price = inside(&world);
        let buy = NewOrder::limit(world.btc(), Side::Buy, dec("0.004"), price);
        let maker = id_of(&placed(&mut world, desk, buy));
        let mut sell = NewOrder::limit(world.btc(), Side::Sell, dec("0.004"), price);
        sell.self_trade = mode;
        let taker = id_of(&placed(&mut world, desk, sell));
        let live = |id| world.exchange.order(id).unwrap().is_live();
        assert_eq!((live(maker), live(taker)), (maker_lives, taker_lives), "{mode:?}");
    }
    let (mut world, desk, _) = pair();
    let price = inside(&world);
    let buy = NewOrder::limit(world.btc(), Side::Buy, dec("0.004"), price);
    placed(&mut world, desk, buy);
    let mut sell = NewOrder::limit(world.btc(), Side::Sell, dec("0.004"), price);
    sell.self_trade = SelfTrade::RejectTaker;
    assert_eq!(placed(&mut world, desk, sell), Reply::Refused(Refusal::SelfTrade));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Whatever is asked: no crossed book, what was bought was sold, totals fit the orders.
    #[test]
    fn nothing_is_lost_and_nothing_crosses(
        steps in proptest::collection::vec((0_u8..5, any::<bool>(), 1_i64..40, -80_i64..80, 0_usize..64), 1..80)
    ) {
        let (mut world, desk, other) = pair();
        let mut made: Vec<i64> = Vec::new();
        for (action, buy, lots, away, pick) in steps {
            let account = if lots % 2 == 0 { desk } else { other };
            let side = if buy { Side::Buy } else { Side::Sell };
            let quantity = Decimal::new(lots, 3);
            let middle = calc::round(
                world.exchange.market(world.btc()).unwrap().mark,
                dec("0.1"),
                tidegate_types::decimal::Rounding::Floor,
            );
            let price = calc::add(middle, Decimal::new(away, 1));
            let target = made.get(pick % made.len().max(1)).copied().unwrap_or(0);
            let input = match action {
                0 | 1 => Input::Place {
                    account,
                    order: Box::new(NewOrder::limit(world.btc(), side, quantity, price)),
                },
                2 => Input::Place {
                    account,
                    order: Box::new(NewOrder::market(world.btc(), side, quantity)),
                },
                3 => Input::Cancel { account, target: OrderRef::Id { id: target } },
                _ => Input::Amend {
                    account,
                    target: OrderRef::Id { id: target },
                    change: Amendment {
                        quantity: Some(quantity),
                        price: Some(price),
                        ..Amendment::default()
                    },
                },
            };
            if let Reply::Order(order, _) = world.apply(&input) {
                made.push(order.id);
            }
            if pick % 7 == 0 {
                world.tick(1);
            }
            check(&world);
        }
    }
}

fn check(world: &World) {
    let btc = world.btc();
    let market = world.exchange.market(btc).unwrap();
    let (bid, ask) = (market.book.best(Side::Buy), market.book.best(Side::Sell));
    if let (Some(bid), Some(ask)) = (bid, ask) {
        assert!(bid < ask, "crossed: {bid} {ask}");
    }
    let net =
        world.exchange.accounts.iter().fold(Decimal::ZERO, |sum, a| calc::add(sum, a.net(btc)));
    assert!(net.is_zero(), "positions sum to {net}");
    for side in [Side::Buy, Side::Sell] {
        for (price, total) in market.book.levels(side) {
            let at = market.book.queue(side).filter(|(at, _)| *at == price);
            let sum = at.fold(Decimal::ZERO, |sum, (_, id)| {
                calc::add(sum, world.exchange.order(id).unwrap().left())
            });
            assert_eq!(sum, total, "level {price}");
        }
    }
    for owner in &world.exchange.accounts {
        let resting = owner.resting.get(&btc).copied().unwrap_or_default();
        let live = owner.open.iter().filter_map(|id| world.exchange.order(*id));
        let live: Vec<_> =
            live.filter(|o| o.ask.instrument == btc && o.ask.trigger.is_none()).collect();
        let bids = live.iter().filter(|o| o.ask.side == Side::Buy);
        let bids = bids.fold(Decimal::ZERO, |sum, order| calc::add(sum, order.left()));
        assert_eq!((resting.count as usize, resting.bids), (live.len(), bids));
    }
}

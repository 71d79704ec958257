//! Conditional orders, timers, hedge mode, arrivals.

use super::*;

fn stop(world: &World, side: Side, price: Decimal) -> NewOrder {
    let mut order = NewOrder::market(world.btc(), side, dec("0.01"));
    order.trigger = Some(Trigger { kind: TriggerKind::Stop, by: TriggerBy::Mark, price });
    order.client_id = Arc::from("my-stop");
    order
}

/// A tick-sized price so far from the mark in that direction.
fn away(world: &World, distance: &str) -> Decimal {
    let mark = world.exchange.market(world.btc()).unwrap().mark;
    let price = calc::add(mark, dec(distance));
    calc::round(price, dec("0.1"), tidegate_types::decimal::Rounding::Floor)
}

#[test]
fn a_stop_fires_once_and_its_order_carries_its_client_id() {
    let mut world = World::new();
    let price = away(&world, "3");
    let Reply::Order(placed, _) = world.place(stop(&world, Side::Buy, price)) else { panic!() };
    assert_eq!(placed.status, Status::Untriggered);
    for _ in 0..20_000 {
        world.tick(1);
        if world.exchange.order(placed.id).unwrap().child.is_some() {
            break;
        }
    }
    let parent = world.exchange.order(placed.id).unwrap();
    assert_eq!(parent.status, Status::Triggered);
    let child = world.exchange.order(parent.child.unwrap()).unwrap();
    assert_eq!((&*child.ask.client_id, child.parent), ("my-stop", Some(placed.id)));
    assert_eq!(child.status, Status::Filled);
    assert_eq!(child.ask.kind, OrderType::Market);
}

#[test]
fn a_stop_that_would_fire_at_once_is_refused() {
    let mut world = World::new();
    let below = away(&world, "-50");
    assert_eq!(world.place(stop(&world, Side::Buy, below)), Reply::Refused(Refusal::WouldTrigger));
}

#[test]
fn good_till_and_countdown_end_orders() {
    let mut world = World::new();
    let (account, instrument) = (world.desk(Venue::Binance), world.btc());
    let price = calc::sub(world.best(Side::Buy), dec("500"));
    let mut order = NewOrder::limit(instrument, Side::Buy, dec("0.01"), price);
    order.tif = Tif::Gtd { until: world.now.plus(Span::from_secs(1)) };
    world.place(order);
    world.place(NewOrder::limit(instrument, Side::Buy, dec("0.01"), price));
    world.tick(11);
    assert_eq!(world.exchange.open_orders(account).count(), 1);
    let at = Some(world.now.plus(Span::from_secs(1)));
    world.apply(&Input::Countdown { account, instrument, at });
    world.tick(11);
    assert_eq!(world.exchange.open_orders(account).count(), 0);
}

#[test]
fn hedge_mode_keeps_long_and_short_apart() {
    let mut world = World::new();
    let (account, btc) = (world.desk(Venue::Binance), world.btc());
    world.apply(&Input::SetHedge { account, hedge: true });
    let mut order = NewOrder::market(btc, Side::Buy, dec("0.02"));
    assert_eq!(world.place(order.clone()), Reply::Refused(Refusal::PositionSide));
    order.pos_side = PosSide::Long;
    world.place(order);
    let mut order = NewOrder::market(btc, Side::Sell, dec("0.01"));
    order.pos_side = PosSide::Short;
    world.place(order.clone());
    let owner = world.exchange.account(account).unwrap();
    assert_eq!(owner.position(btc, PosSide::Long).size, dec("0.02"));
    assert_eq!(owner.position(btc, PosSide::Short).size, dec("-0.01"));
    order.side = Side::Buy;
    order.quantity = dec("0.05");
    assert_eq!(world.place(order), Reply::Refused(Refusal::ReduceOnly));
}

#[test]
fn a_client_id_is_unique_among_open_orders_and_every_arrival_counts() {
    let mut world = World::new();
    let account = world.desk(Venue::Binance);
    let price = calc::sub(world.best(Side::Buy), dec("500"));
    let mut order = NewOrder::limit(world.btc(), Side::Buy, dec("0.01"), price);
    order.client_id = Arc::from("once");
    order.unique = true;
    world.place(order.clone());
    assert_eq!(world.place(order.clone()), Reply::Refused(Refusal::DuplicateClientId));
    let target = OrderRef::Client { id: Arc::from("once") };
    world.apply(&Input::Cancel { account, target });
    assert!(matches!(world.place(order), Reply::Order(..)));
    assert_eq!(world.exchange.arrivals(account, "once"), 3);
}

//! The collar, of orders without a price.

use super::*;

fn market(side: Side, qty: &str) -> NewOrder {
    NewOrder { order_type: OrderType::Market, price: None, ..limit(side, qty, "100") }
}

fn triggered(order_type: OrderType, side: Side, at: &str) -> NewOrder {
    let trigger = Some(Trigger { price: Price(d(at)), by: TriggerBy::Mark });
    NewOrder { order_type, price: None, trigger, ..limit(side, "1", "100") }
}

fn asks(world: &mut World, order: NewOrder) -> Option<Code> {
    let ticket = world.place("ann", order);
    world.settle();
    world.code(ticket)
}

#[test]
fn a_market_order_is_held_to_a_policys_collar() {
    let mut w = world(vec![hard("collar", Limit::Collar { bps: 10 })]);
    let any = "collar v1: without a limit price it trades at any price; send";
    for (order, instead) in [
        (
            market(Side::Buy, "1"),
            "a limit order, immediate or cancel, with a price of at most 100.1",
        ),
        (
            market(Side::Sell, "1"),
            "a limit order, immediate or cancel, with a price of at least 99.9",
        ),
        (
            triggered(OrderType::StopMarket, Side::Buy, "120"),
            "a stop-limit order with a price of at most 120.1",
        ),
        (
            triggered(OrderType::TakeMarket, Side::Sell, "120"),
            "a take-profit limit order with a price of at least 119.9",
        ),
    ] {
        let ticket = w.place("ann", order);
        assert_eq!(w.code(ticket), Some(Code::PolicyLimit));
        let told = refused(&w, ticket);
        assert!(told.ends_with(&format!("{any} {instead}")), "{told}");
    }
    let at_edge = w.live("ann", buy("2", "100.1"));
    w.venue.fill(venue_id(&w, at_edge), d("2").raw());
    w.settle();
    assert_eq!(asks(&mut w, market(Side::Sell, "3")), Some(Code::PolicyLimit));
    assert_eq!(asks(&mut w, market(Side::Sell, "2")), None, "what reduces goes, at any price");
    assert!(decision(&w).reducing, "and goes as such");
    w.check_replay();
}

#[test]
fn what_reduces_is_held_to_its_price_though_its_coin_has_none() {
    let near = hard("near", Limit::Collar { bps: 10 });
    let allow = hard("all", Limit::Allow);
    let name = PolicyName::new("desk").unwrap();
    let bare = Policy::new(name, 1, Span::from_secs(5), Vec::new(), vec![near, allow]).unwrap();
    let mut w = World::new();
    let id = w.live("ann", buy("2", "100"));
    w.venue.fill(venue_id(&w, id), i64::MAX);
    w.settle();
    w.change(Change::PolicySet { policy: Box::new(bare) });
    let opens = w.place("ann", buy("1", "100"));
    assert_eq!(w.code(opens), Some(Code::PolicyUnmeasured));
    let far = w.place("ann", NewOrder { reduce_only: true, ..sell("1", "99.8") });
    assert_eq!(w.code(far), Some(Code::PolicyLimit));
    assert!(refused(&w, far).contains("near v1"), "{}", refused(&w, far));
    let close = w.place("ann", NewOrder { reduce_only: true, ..sell("1", "99.9") });
    assert_eq!(w.code(close), None);
}

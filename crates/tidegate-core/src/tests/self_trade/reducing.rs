//! Nobody is trapped in a position by orders of the same owner: flagged or not, what reduces it goes.

use super::*;

/// A desk that holds five, and a bid of ann's in the way of whoever sells.
fn holding(mode: SelfTradeMode) -> (World, OrderId) {
    let mut world = World::with_mode(mode);
    world.live("bob", buy("5", "100"));
    world.venue.fill(1, d("5").raw());
    world.settle();
    let in_the_way = world.live("ann", buy("9", "100"));
    (world, in_the_way)
}

/// The last order that was cleared for bob: how much, and whether it can only reduce.
fn sent(world: &World) -> Option<(Qty, bool)> {
    world.journal.iter().rev().find_map(|record| match &record.body {
        Body::Cleared { caller, request, decision, .. } if caller.as_str() == "bob" => {
            assert_eq!(request.reduce_only, decision.reducing);
            (request.side == Side::Sell).then_some((request.qty, decision.reducing))
        }
        _ => None,
    })
}

#[test]
fn an_order_that_only_reduces_is_not_refused_though_it_does_not_say_so() {
    for mode in [Refuse, Decrement] {
        let (mut world, in_the_way) = holding(mode);
        let closes = world.place("bob", sell("5", "100"));
        assert_eq!(world.code(closes), None, "{mode}");
        world.settle();
        assert_eq!(world.stage_of(in_the_way), CANCELLED);
        assert_eq!(world.answered_by_venue(closes).request.qty, Qty(d("5")), "{mode}: not cut");
        world.check_replay();
        world.check();
    }
}

#[test]
fn what_cannot_be_cancelled_does_not_stop_it_either() {
    let (mut world, _) = holding(Refuse);
    world.venue.place(instrument(PERP), Side::Buy, Qty(d("1")), Some(Price(d("101"))));
    let account = name(MAIN);
    world.event(Event::StreamDown { account, why: "test".to_owned() });
    world.up();
    let closes = world.place("bob", sell("5", "100"));
    assert_eq!(world.code(closes), None);
    assert_eq!(sent(&world), Some((Qty(d("5")), true)), "and the venue holds it to reducing");
}

#[test]
fn a_cancel_that_is_not_confirmed_in_time_does_not_stop_it() {
    for mode in [Refuse, CancelOld, Decrement] {
        let (mut world, _) = holding(mode);
        world.venue.deaf = 100;
        let closes = world.place("bob", sell("5", "100"));
        world.settle();
        assert_eq!(sent(&world), None, "{mode}: it waits for the cancel");
        world.pass(2_100);
        assert_eq!(world.code(closes), None);
        assert_eq!(sent(&world), Some((Qty(d("5")), true)), "{mode}");
        world.check_replay();
    }
    // What grows the position is refused then.
    let (mut world, _) = holding(CancelOld);
    world.venue.deaf = 100;
    let grows = world.place("bob", sell("6", "100"));
    world.settle();
    world.pass(2_100);
    assert_eq!((world.code(grows), sent(&world)), (Some(Code::SelfTradeWait), None));
}

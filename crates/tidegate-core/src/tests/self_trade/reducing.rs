//! Nobody is trapped in a position by orders of the same owner: flagged or not, what reduces it goes.

use super::*;
use tidegate_types::instrument::Usd;
use tidegate_types::time::Span;

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

/// Something that happens while an order waits.
type Meanwhile = (&'static str, fn(&mut World));

const MEANWHILE: [Meanwhile; 6] = [
    ("limits below what is held", |world| {
        let [order, open, position, exposure] = [Usd(d("1")); 4];
        let limits = AccountLimits {
            max_order_notional: order,
            max_open_notional: open,
            max_position_notional: position,
            max_exposure: exposure,
            ..limits()
        };
        world.change(Change::LimitsSet { limits });
    }),
    ("the account's rate is used up", |world| {
        let limits = AccountLimits { orders_per_second: 1, burst: 0, ..limits() };
        world.change(Change::LimitsSet { limits });
    }),
    ("marks are old", |world| {
        let limits = AccountLimits { max_mark_age: Span::ZERO, ..limits() };
        world.change(Change::LimitsSet { limits });
    }),
    ("the same order counts as a repeat", |world| {
        let limits = AccountLimits { repeat_window: Span::from_secs(60), ..limits() };
        world.change(Change::LimitsSet { limits });
    }),
    ("the account closes", |world| {
        world.event(Event::StreamDown { account: name(MAIN), why: "test".to_owned() });
    }),
    ("a halt that lets pass what reduces", |world| {
        world.halt("all", true);
    }),
];

#[test]
fn whatever_happens_while_it_waits_it_is_not_trapped() {
    for mode in [Refuse, CancelOld, Decrement] {
        for (what, happens) in MEANWHILE {
            for heard in [true, false] {
                let (mut world, _) = holding(mode);
                world.venue.deaf = if heard { 0 } else { 100 };
                let closes = world.place("bob", sell("5", "100"));
                assert_eq!((world.code(closes), sent(&world)), (None, None), "it waits");
                happens(&mut world);
                if heard {
                    world.settle();
                } else {
                    world.pass(2_100);
                }
                assert_eq!(world.code(closes), None, "{mode}, {what}, heard: {heard}");
                let goes = sent(&world).map(|(qty, _)| qty);
                assert_eq!(goes, Some(Qty(d("5"))), "{mode}, {what}, heard: {heard}");
            }
        }
    }
}

#[test]
fn a_halt_of_everything_holds_what_waits_too() {
    for mode in [Refuse, CancelOld, Decrement] {
        let (mut world, _) = holding(mode);
        world.venue.deaf = 100;
        let closes = world.place("bob", sell("5", "100"));
        world.halt("all", false);
        world.pass(2_100);
        assert_eq!((world.code(closes), sent(&world)), (Some(Code::Halted), None), "{mode}");
    }
}

/// How many sells were cleared for bob, and how many of them as ones that reduce.
fn sells(world: &World) -> (usize, usize) {
    let mut count = (0, 0);
    for record in &world.journal {
        if let Body::Cleared { request, decision, .. } = &record.body {
            let sells = usize::from(request.side == Side::Sell);
            count = (count.0 + sells, count.1 + sells * usize::from(decision.reducing));
        }
    }
    count
}

#[test]
fn of_two_that_reduce_more_than_there_is_together_the_first_goes() {
    for mode in [Refuse, CancelOld, Decrement] {
        let (mut world, _) = holding(mode);
        world.venue.deaf = 100;
        let first = world.place("bob", sell("3", "100"));
        let second = world.place("ann", sell("3", "100"));
        world.pass(2_100);
        // What is left of the position is less than the second asks for: it would turn it.
        assert_eq!(world.code(first), None);
        let told = world.code(second);
        let refused = match mode {
            Refuse => Code::SelfTrade,
            Decrement => Code::SelfTradeCut,
            _ => Code::SelfTradeWait,
        };
        assert_eq!(told, Some(refused), "{mode}");
        assert_eq!(sells(&world), (1, 1), "{mode}");
        // What does fit is not held up by the first.
        let rest = world.place("ann", sell("2", "100"));
        world.pass(2_100);
        assert_eq!(world.code(rest), None, "{mode}");
        assert_eq!(sells(&world), (2, 2), "{mode}");
        world.check_replay();
    }
}

#[test]
fn two_whose_way_is_free_go_as_they_were_asked_for() {
    for mode in [Refuse, CancelOld, Decrement] {
        for flagged in [true, false] {
            let (mut world, in_the_way) = holding(mode);
            let order = NewOrder { reduce_only: flagged, ..sell("3", "100") };
            let both = ["bob", "ann"].map(|caller| world.place(caller, order.clone()));
            world.settle();
            assert_eq!(world.stage_of(in_the_way), CANCELLED);
            for ticket in both {
                let sent = world.answered_by_venue(ticket);
                assert_eq!(sent.request.reduce_only, flagged, "{mode}: the venue holds it to that");
            }
            // With the flag the first takes its part of the position, and the second is held to every limit.
            assert_eq!(sells(&world), (2, usize::from(flagged)), "{mode}");
            world.check_replay();
            world.check();
        }
    }
}

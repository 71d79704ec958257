//! Random histories with orders kept apart: whatever the order of things, no two live orders of the owner
//! cross at the venue unless one reduces the position, and the index says what a walk over all orders says.

use super::world::*;
use crate::event::Event;
use crate::orders::Order;
use crate::self_trade::Resting;
use proptest::prelude::*;
use tidegate_types::decimal::Decimal;
use tidegate_types::ids::OrderId;
use tidegate_types::instrument::Price;
use tidegate_types::order::{NewOrder, Side};
use tidegate_types::record::Body;
use tidegate_types::reject::Code;
use tidegate_types::self_trade::SelfTradeMode::{self, CancelOld, Decrement, Refuse};

type Step = (u8, u8, u8);

fn step(world: &mut World, (what, pick, size): Step) {
    let pick = usize::from(pick);
    let caller = if pick.is_multiple_of(2) { "ann" } else { "bob" };
    let side = if size.is_multiple_of(2) { Side::Buy } else { Side::Sell };
    let qty = format!("{}", 1 + size % 5);
    let price = format!("{}", 98 + size % 5);
    let order = NewOrder { reduce_only: pick > 230, ..limit(side, &qty, &price) };
    let nth = |len: usize| (len > 0).then(|| pick % len.max(1));
    match what {
        0..=9 => place(world, caller, order),
        10..=12 => {
            if let Some(id) = nth_open(world, pick) {
                world.cancel(caller, own(id));
            }
        }
        13..=15 => {
            if let Some(id) = nth_open(world, pick) {
                world.amend(caller, id, Some(&qty), Some(&price));
            }
        }
        16..=20 => world.flush(),
        21..=25 => nth(world.to_sign.len()).into_iter().for_each(|at| world.sign(at)),
        26..=30 => nth(world.to_send.len()).into_iter().for_each(|at| world.deliver(at)),
        31 => nth(world.to_send.len()).into_iter().for_each(|at| world.lose(at, size % 2 == 0)),
        32 => nth(world.to_sign.len()).into_iter().for_each(|at| world.not_sent(at)),
        33..=34 => {
            let open: Vec<u64> = world.venue.open().map(|(id, _)| *id).collect();
            if let Some(at) = nth(open.len()) {
                world.venue.fill(open[at], Decimal::ONE.raw() * i64::from(1 + size % 3));
            }
        }
        35..=37 => nth(world.venue.stream.len()).into_iter().for_each(|at| world.tell(at)),
        38 => world.venue.refuse = true,
        39..=40 => world.pass(u64::from(size) * 30),
        41 if !world.to_read.is_empty() => world.read(),
        42 if size < 40 => {
            world.kill(size % 2 == 0);
            world.mark();
            world.event(Event::StreamUp { account: name(MAIN) });
        }
        43 => world.venue.deaf = u32::from(size % 3),
        _ => {}
    }
}

/// Places an order; with `refuse`, it is refused exactly when a walk over all orders finds one that it meets.
fn place(world: &mut World, caller: &str, order: NewOrder) {
    let mode = world.core.state().self_trades().mode(&name(MAIN));
    let meets = world.core.state().orders().open().any(|open| crosses(open, &order));
    let cleared = |world: &World| {
        world.journal.iter().filter(|r| matches!(r.body, Body::Cleared { .. })).count()
    };
    let before = cleared(world);
    let ticket = world.place(caller, order);
    let sent = cleared(world) > before;
    assert!(!(sent && meets), "it was cleared beside an order that it meets");
    if mode == Refuse && !sent {
        match world.code(ticket) {
            // One that reduces the position waits.
            Some(Code::SelfTrade) | None => assert!(meets, "it meets nothing"),
            // Another gate comes before this one.
            Some(_) => {}
        }
    }
}

fn crosses(open: &Order, order: &NewOrder) -> bool {
    let now = open.request.price;
    let then = open.amend.as_ref().and_then(|amend| amend.price);
    let Some(limit) = order.price else { return false };
    open.request.side != order.side
        && now.into_iter().chain(then).any(|price| match order.side {
            Side::Buy => price <= limit,
            Side::Sell => price >= limit,
        })
}

fn nth_open(world: &World, pick: usize) -> Option<OrderId> {
    let open: Vec<_> = world.core.state().orders().open().map(|order| order.id).collect();
    open.get(pick % open.len().max(1)).copied()
}

fn apart_at_the_venue(world: &World) {
    let best = |side: Side| {
        // What reduces the position is sent even where a cancel was not confirmed in time.
        let reduces = |id| world.core.state().orders().by_client(id).is_some_and(|o| o.reducing);
        let of = world.venue.open().filter(move |(_, order)| order.side == side);
        let of = of.filter(move |(_, order)| !order.client_id.as_ref().is_some_and(reduces));
        of.filter_map(|(_, order)| order.price)
    };
    let (bid, ask): (Option<Price>, Option<Price>) =
        (best(Side::Buy).max(), best(Side::Sell).min());
    if let (Some(bid), Some(ask)) = (bid, ask) {
        assert!(bid < ask, "at the venue a buy at {bid} meets a sell at {ask}");
    }
}

fn index_is_a_walk(world: &World) {
    let mut walked = Resting::default();
    world.core.state().orders().open().for_each(|order| walked.follow(order));
    assert_eq!(walked, world.core.state.resting);
}

fn history(mode: SelfTradeMode, steps: &[Step]) {
    let mut world = World::with_mode(mode);
    for step_now in steps {
        step(&mut world, *step_now);
        apart_at_the_venue(&world);
        index_is_a_walk(&world);
    }
    world.venue.deaf = 0;
    world.settle_for(60);
    apart_at_the_venue(&world);
    index_is_a_walk(&world);
    world.check();
    world.check_replay();
    if world.starts == 1 {
        let silent = world.asked.iter().filter(|t| !world.answers.contains_key(t)).count();
        assert_eq!(silent, 0, "never answered");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..Default::default() })]
    #[test]
    fn no_two_live_orders_cross(
        mode in prop::sample::select(vec![Refuse, CancelOld, Decrement]),
        steps in prop::collection::vec((0_u8..44, any::<u8>(), any::<u8>()), 1..200),
    ) {
        history(mode, &steps);
    }
}

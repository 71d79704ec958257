//! Random histories with orders kept apart: whatever the order of things, no two live orders of the owner
//! cross at the venue, and the index says what a walk over all orders says. The one exception is an order that only
//! reduces the position and that waited for as long as it may for the cancels of those that it meets, or meets more
//! of them than may be cancelled for it.

use super::world::*;
use crate::event::Event;
use crate::orders::Order;
use crate::self_trade::Resting;
use proptest::prelude::*;
use tidegate_types::decimal::Decimal;
use tidegate_types::ids::{CallerName, OrderId};
use tidegate_types::instrument::{Price, Qty};
use tidegate_types::limits::{MAX_SELF_TRADE_CANCELS, SELF_TRADE_WAIT};
use tidegate_types::order::{NewOrder, Side};
use tidegate_types::record::Body;
use tidegate_types::reject::Code;
use tidegate_types::self_trade::SelfTradeMode::{self, CancelOld, Decrement, Refuse};
use tidegate_types::time::{Span, Time};

type Step = (u8, u8, u8);

fn step(world: &mut World, asked: &mut Vec<Asked>, (what, pick, size): Step) {
    let pick = usize::from(pick);
    let caller = if pick.is_multiple_of(2) { "ann" } else { "bob" };
    let side = if size.is_multiple_of(2) { Side::Buy } else { Side::Sell };
    let qty = format!("{}", 1 + size % 5);
    let price = format!("{}", 98 + size % 5);
    let order = NewOrder { reduce_only: pick > 230, ..limit(side, &qty, &price) };
    let nth = |len: usize| (len > 0).then(|| pick % len.max(1));
    match what {
        0..=9 => asked.push(place(world, caller, order)),
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

/// An order as it was asked for: who it is of, its side, quantity and price, and the time at which alone it may be
/// cleared beside one that it meets.
type Asked = (CallerName, (Side, Qty, Option<Price>), Time);

fn numbers(order: &NewOrder) -> (Side, Qty, Option<Price>) {
    (order.side, order.qty, order.price)
}

/// Whether what was cleared is what was asked for; it may have been cut before it waited for its last.
fn is_of((caller, (side, qty, price), at): &Asked, asked: &Asked) -> bool {
    let (who, (of, most, limit), due) = asked;
    (caller, side, price, at) == (who, of, limit, due) && qty <= most
}

/// Places an order. It is not cleared at once beside one that it meets. With `refuse`, it is refused exactly when
/// a walk over all orders finds one that it meets and it does more than reduce the position; it waits exactly when it
/// does no more than that.
fn place(world: &mut World, caller: &str, order: NewOrder) -> Asked {
    let mode = world.core.state().self_trades().mode(&name(MAIN));
    let met = world.core.state().orders().open().filter(|open| crosses(open, &order)).count();
    let meets = met > 0;
    let book = world.core.state().positions().book(&name(MAIN), &order.instrument);
    let reduces = i128::from(order.qty.0.raw()) <= book.room(order.side);
    // More than may be cancelled for one: it goes at once, if it reduces.
    let wait = if met > MAX_SELF_TRADE_CANCELS { Span::ZERO } else { SELF_TRADE_WAIT };
    let asked = (name(caller), numbers(&order), world.now.plus(wait));
    let before = cleared(world).count();
    let ticket = world.place(caller, order);
    let sent = cleared(world).count() > before;
    let crowded = reduces && wait == Span::ZERO;
    assert!(!(sent && meets) || crowded, "it was cleared beside an order that it meets");
    if mode == Refuse && !sent {
        match world.code(ticket) {
            Some(Code::SelfTrade) => assert!(meets && !reduces, "refused, it could wait: {meets}"),
            None => assert!(meets && reduces, "it waits for nothing: {meets} {reduces}"),
            // Another gate comes before this one.
            Some(_) => {}
        }
    }
    asked
}

/// The orders of callers that were cleared, the newest first: when, for whom, and what.
fn cleared(world: &World) -> impl Iterator<Item = (OrderId, Asked, bool)> {
    world.journal.iter().rev().filter_map(|record| match &record.body {
        Body::Cleared { order, caller, request, decision, .. } => {
            let reduces = decision.reducing && request.reduce_only;
            Some((*order, (caller.clone(), numbers(request), record.at), reduces))
        }
        _ => None,
    })
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

/// Of two that cross at the venue, the newer one was cleared as one that can only reduce, exactly when its time to wait
/// for the cancel of the other was over.
fn apart_at_the_venue(world: &World, asked: &[Asked]) {
    let of = |side: Side| world.venue.open().filter(move |(_, order)| order.side == side);
    for (_, bid) in of(Side::Buy) {
        for (_, ask) in of(Side::Sell).filter(|(_, ask)| ask.price <= bid.price) {
            let ids = [bid, ask].map(|order| {
                let id = order.client_id.as_ref().unwrap();
                world.core.state().orders().by_client(id).unwrap().id
            });
            let newer = *ids.iter().max().unwrap();
            let found = cleared(world).find(|(id, ..)| *id == newer);
            let (_, sent, reduces) = found.unwrap();
            assert!(reduces, "at the venue {bid:?} meets {ask:?}");
            let waited = asked.iter().any(|asked| is_of(&sent, asked));
            assert!(waited, "{newer} did not wait for its time");
        }
    }
}

fn index_is_a_walk(world: &World) {
    let mut walked = Resting::default();
    world.core.state().orders().open().for_each(|order| walked.follow(order));
    assert_eq!(walked, world.core.state.resting);
}

fn history(mode: SelfTradeMode, steps: &[Step]) {
    let (mut world, mut asked) = (World::with_mode(mode), Vec::new());
    for step_now in steps {
        step(&mut world, &mut asked, *step_now);
        apart_at_the_venue(&world, &asked);
        index_is_a_walk(&world);
    }
    world.venue.deaf = 0;
    world.settle_for(60);
    apart_at_the_venue(&world, &asked);
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

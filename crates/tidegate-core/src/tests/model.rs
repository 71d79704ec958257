//! Random histories against the little venue: whatever the order of things, nothing leaves
//! unrecorded, no limit is exceeded, the sums are right, and in the end core and venue agree.

use super::amends::unchanged;
use super::world::*;
use crate::event::Event;
use proptest::prelude::*;
use std::collections::BTreeSet;
use tidegate_types::call::CallBody;
use tidegate_types::decimal::{Decimal, Rounding};
use tidegate_types::ids::{ClientId, InstrumentId, OrderId, SessionId};
use tidegate_types::instrument::{Price, Qty, Usd};
use tidegate_types::order::{AmendOrder, CancelFilter, GuardScope, Intent, NewOrder, Side};
use tidegate_types::record::Change;
use tidegate_types::report::{OrderReport, VenueState};

pub(super) type Step = (u8, u8, u8);

pub(super) fn step(world: &mut World, (what, pick, size): Step) {
    let pick = usize::from(pick);
    let caller = if pick.is_multiple_of(2) { "ann" } else { "bob" };
    let qty = format!("{}", 1 + size % 8);
    let price = format!("{}", 96 + size % 9);
    let nth = |len: usize| (len > 0).then(|| pick % len.max(1));
    match what {
        0..=5 => {
            let side = if size.is_multiple_of(2) { Side::Buy } else { Side::Sell };
            let away = world.is_away && pick & 2 == 2;
            let instrument = if away { away_perp() } else { instrument(PERP) };
            world.place(caller, NewOrder { instrument, ..limit(side, &qty, &price) });
        }
        6..=8 => {
            if let Some(id) = nth_open(world, pick) {
                world.cancel(caller, own(id));
            }
        }
        9..=10 => {
            if let Some(id) = nth_open(world, pick) {
                world.amend(caller, id, Some(&qty), Some(&price));
            }
        }
        49..=50 => {
            if let Some(id) = nth_open(world, pick) {
                let reduce_only = Some(size.is_multiple_of(2));
                world.amend_to(caller, AmendOrder { reduce_only, ..unchanged(id) });
            }
        }
        11 => drop(world.submit(caller, Intent::CancelMany { filter: CancelFilter::default() })),
        29..=32 => {
            let open: Vec<u64> = world.venue.open().map(|(id, _)| *id).collect();
            if let Some(at) = nth(open.len()) {
                world.venue.fill(open[at], Decimal::ONE.raw() * i64::from(1 + size % 4));
            }
        }
        43 if size < 128 => {
            let (session, on) = (Some(SessionId(u64::from(size % 4))), size.is_multiple_of(4));
            let scope = if size < 8 { GuardScope::Account } else { GuardScope::Session };
            world.on_disconnect(session, caller, scope, !on);
        }
        44 => {
            let session = SessionId(u64::from(size % 4));
            let order = if pick.is_multiple_of(3) { buy(&qty, &price) } else { sell(&qty, &price) };
            world.submit_over(Some(session), caller, Intent::New { order });
        }
        45 if size < 64 => {
            let session = SessionId(u64::from(size % 4));
            world.event(Event::Disconnected { session, lost: size < 48 });
        }
        46 => drop(world.countdown(caller, (size < 200).then_some(PERP), u64::from(size) * 20)),
        47..=48 => {
            let caller_id = Some(name(if size.is_multiple_of(2) { "even" } else { "odd" }));
            world.place(caller, NewOrder { caller_id, ..buy("1", "99") });
        }
        51..=54 => {
            let qty = format!("{}", 1 + size % 30);
            let side = if size.is_multiple_of(2) { buy(&qty, &price) } else { sell(&qty, &price) };
            world.place(caller, NewOrder { reduce_only: true, ..side });
        }
        // Whole orders trade, so that positions grow.
        55..=58 => {
            let open: Vec<u64> = world.venue.open().map(|(id, _)| *id).collect();
            if let Some(at) = nth(open.len()) {
                world.venue.fill(open[at], i64::MAX);
            }
        }
        61..=63 => outside(world, (what, pick, size)),
        _ => happens(world, (what, pick, size)),
    }
}

/// What happens by itself: on the way to the venue and back, and to the gateway.
fn happens(world: &mut World, (what, pick, size): (u8, usize, u8)) {
    let nth = |len: usize| (len > 0).then(|| pick % len.max(1));
    match what {
        12..=16 => world.flush(),
        17..=21 => nth(world.to_sign.len()).into_iter().for_each(|at| world.sign(at)),
        22..=26 => nth(world.to_send.len()).into_iter().for_each(|at| world.deliver(at)),
        27 => nth(world.to_send.len()).into_iter().for_each(|at| world.lose(at, size % 2 == 0)),
        28 => nth(world.to_sign.len()).into_iter().for_each(|at| world.not_sent(at)),
        33..=36 => nth(world.venue.stream.len()).into_iter().for_each(|at| world.tell(at)),
        37 => {
            if let Some(at) = nth(world.venue.stream.len()) {
                let again = world.venue.stream[at].clone();
                world.venue.stream.push(again);
            }
        }
        38 => world.venue.refuse = true,
        39 => world.pass(u64::from(size) * 40),
        40 if !world.to_read.is_empty() => world.read(),
        41 if size < 24 => {
            world.kill(size % 2 == 0);
            world.mark();
            world.stream_up();
        }
        42 if size < 40 => {
            world.venue.stream.clear();
            for account in [MAIN, AWAY].into_iter().take(1 + usize::from(world.is_away)) {
                let account = name(account);
                world.event(Event::StreamDown { account, why: "test".to_owned() });
            }
            world.stream_up();
        }
        // The stream leaves something out.
        59 => drop(nth(world.venue.stream.len()).map(|at| world.venue.stream.remove(at))),
        // A cancel is done, and the answer does not show the order.
        60 => {
            if let Some(at) = nth(world.to_send.len())
                && matches!(world.to_send[at].body, CallBody::Cancel { .. })
            {
                world.deliver_unshown(at);
            }
        }
        _ => {}
    }
}

/// What somebody does at the venue's own screen.
fn outside(world: &mut World, (what, pick, size): (u8, usize, u8)) {
    let qty = Qty(d(&format!("{}", 1 + size % 8)));
    let price = Some(Price(d(&format!("{}", 96 + size % 9))));
    let side = if pick.is_multiple_of(2) { Side::Buy } else { Side::Sell };
    let open: Vec<u64> = world.venue.open().map(|(id, _)| *id).collect();
    let Some(one) = open.get(pick % open.len().max(1)) else {
        world.venue.place(instrument(PERP), side, qty, price);
        return;
    };
    let at = world.venue.tick();
    let Some(report) = world.venue.orders.get_mut(one) else { return };
    match what {
        61 => drop(world.venue.place(instrument(PERP), side, qty, price)),
        62 if qty > report.filled => (report.qty, report.price, report.at) = (qty, price, at),
        63 => (report.state, report.at) = (VenueState::Cancelled, at),
        _ => {}
    }
}

/// To what the position may come on a side at the venue itself: with every plain order of that side, after those that
/// only reduce have made way.
pub(super) fn worst_at_venue(world: &World, of: &InstrumentId, side: Side) -> Decimal {
    let open = |reduces: bool| -> i64 {
        let of = |o: &&OrderReport| {
            o.instrument == *of && o.side == side && o.reduce_only == Some(reduces)
        };
        let open = world.venue.open().map(|(_, order)| order).filter(of);
        open.map(|order| order.qty.0.raw() - order.filled.0.raw()).sum()
    };
    let held = world.venue.position(of).0.raw();
    let held = if side == Side::Buy { held } else { -held };
    Decimal::from_raw(held + open(false) + open(true).min((-held).max(0)))
}

pub(super) fn nth_open(world: &World, pick: usize) -> Option<OrderId> {
    let open: Vec<_> = world.core.state().orders().open().map(|order| order.id).collect();
    open.get(pick % open.len().max(1)).copied()
}

fn open_of(world: &World) -> (BTreeSet<ClientId>, BTreeSet<ClientId>) {
    let core = world.core.state().orders().open().filter_map(|order| order.client_id.clone());
    let venue = world.venue.open().filter_map(|(_, order)| order.client_id.clone());
    (core.collect(), venue.collect())
}

/// What plain orders are worth at their limits at the venue itself.
pub(super) fn worth_at_venue(world: &World) -> Decimal {
    let plain = world.venue.open().filter(|(_, order)| order.reduce_only == Some(false));
    let worth = plain.map(|(_, order)| {
        let left = Decimal::from_raw(order.qty.0.raw() - order.filled.0.raw());
        let price = order.price.unwrap_or_default();
        let unit = if order.side == Side::Buy { price } else { price.max(Price(d("100"))) };
        left.mul(unit.0, Rounding::Ceil).unwrap()
    });
    worth.fold(Decimal::ZERO, |sum, of| sum.add(of).unwrap())
}

/// Somebody else is at the venue too where `is_alone` is not so: then limits are not the gateway's to keep there.
fn history(steps: &[Step], is_alone: bool) {
    let mut world = World::new();
    let mut tight = limits();
    tight.max_open_notional = Usd(d("4000"));
    tight.max_position_notional = Usd(d("2500"));
    world.change(Change::LimitsSet { limits: tight });
    for what in steps {
        step(&mut world, *what);
        world.check();
        if !is_alone {
            continue;
        }
        let open = world.core.state().positions().account_open(&name(MAIN));
        assert!(open <= Usd(d("4000")), "{open} open");
        let worth = worth_at_venue(&world);
        assert!(worth <= d("4000"), "orders worth {worth} are open at the venue");
        for side in [Side::Buy, Side::Sell] {
            let worst = worst_at_venue(&world, &instrument(PERP), side);
            assert!(worst <= d("26.1"), "{side:?}: the position may come to {worst}");
        }
    }
    world.check_replay();
    // Calm: everything in flight lands, everybody is told, all is reconciled.
    world.venue.refuse = false;
    world.settle_for(90);
    world.check();
    assert!(world.is_open());
    let (core, venue) = open_of(&world);
    assert_eq!(core, venue);
    let doomed = world.core.state().orders().open().filter(|order| order.doom.is_some()).count();
    assert_eq!(doomed, 0, "what is to go is gone");
    let book = world.core.state().positions().book(&name(MAIN), &instrument(PERP));
    assert_eq!(book.position(), world.venue.position(&instrument(PERP)));
    // A halt leaves nothing open and nothing reserved.
    let halt = world.halt("all", false);
    world.settle_for(90);
    assert!(matches!(world.answers[&halt], crate::action::Answer::Halted { .. }));
    assert_eq!(world.venue.open().count(), 0);
    assert_eq!(world.core.state().positions().account_open(&name(MAIN)), Usd::default());
    assert_eq!((world.core.requests_in_flight(), world.core.flights.len()), (0, 0));
    assert!(world.core.state.calls.is_empty());
    if world.starts == 1 {
        let silent: Vec<_> =
            world.asked.iter().filter(|t| !world.answers.contains_key(t)).collect();
        assert!(silent.is_empty(), "never answered: {silent:?}");
    }
    world.check_replay();
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..Default::default() })]
    #[test]
    fn whatever_happens(steps in prop::collection::vec((0_u8..61, any::<u8>(), any::<u8>()), 1..250)) {
        history(&steps, true);
    }

    #[test]
    fn whatever_others_do(steps in prop::collection::vec((0_u8..64, any::<u8>(), any::<u8>()), 1..250)) {
        history(&steps, false);
    }
}

//! A gateway that dies amid a decrement takes off nothing twice, and sends nothing that waited.

use super::*;

/// How far it came before it died.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Death {
    /// So many records of it were durable, and nothing was signed.
    Recorded(usize),
    /// The request was on its way to the venue, and arrives there or does not.
    Left { arrives: bool },
}

/// Every way to die after an order of bob's met one of ann's, of which each world begins.
fn deaths(begin: impl Fn() -> World) -> Vec<(Death, World)> {
    let (before, after) = {
        let mut world = begin();
        world.flush();
        let before = world.journal.len();
        meet(&mut world);
        (before, world.journal.len())
    };
    assert!(after > before, "something of it is on record");
    let recorded = (0..=after - before).map(Death::Recorded);
    let left = [true, false].map(|arrives| Death::Left { arrives });
    let dies = |death| {
        let mut world = begin();
        world.flush();
        meet(&mut world);
        match death {
            Death::Recorded(records) => {
                world.flushed = (before + records) as u64;
                world.kill(false);
            }
            Death::Left { arrives } => {
                world.flush();
                world.sign(0);
                assert_eq!(world.to_send.len(), 1);
                world.kill(arrives);
            }
        }
        world.pass(1_000);
        world.up();
        world.settle_for(30);
        assert!(world.is_open(), "{death:?}");
        world.check();
        world.check_replay();
        (death, world)
    };
    recorded.chain(left).map(dies).collect()
}

fn meet(world: &mut World) -> Ticket {
    world.place("bob", buy("2", "102"))
}

fn with_open(qty: &str) -> World {
    let mut world = World::with_mode(Decrement);
    world.live("ann", sell(qty, "101"));
    world
}

#[test]
fn what_is_made_smaller_is_so_once() {
    for (death, world) in deaths(|| with_open("5")) {
        let left = if death == (Death::Left { arrives: true }) { "3" } else { "5" };
        let shown: Vec<_> = world.venue.orders.values().map(|order| order.qty).collect();
        assert_eq!(shown, [Qty(d(left))], "{death:?}: once, and bob's was never sent");
        let open: Vec<_> = world.core.state().orders().open().collect();
        let counted: Vec<_> = open.iter().map(|o| (o.remaining(), o.amend.is_none())).collect();
        assert_eq!(counted, [(Qty(d(left)), true)], "{death:?}");
    }
}

#[test]
fn what_waited_is_not_sent_and_can_be_asked_for_again() {
    for (death, mut world) in deaths(|| with_open("1")) {
        assert_eq!(world.venue.orders.len(), 1, "{death:?}: bob's was not sent");
        let open = world.venue.open().count() == 1;
        let counted: Vec<_> = world.core.state().orders().open().collect();
        assert_eq!(counted.len(), usize::from(open), "{death:?}: {counted:?}");
        // Who asked lost the connection; asking again is as asking for the first time.
        let again = meet(&mut world);
        world.settle();
        let sent = if open { "1" } else { "2" };
        assert_eq!(world.answered_by_venue(again).request.qty, Qty(d(sent)), "{death:?}");
        assert_eq!(world.venue.open().count(), 1, "{death:?}: bob's alone");
        world.check();
        world.check_replay();
    }
}

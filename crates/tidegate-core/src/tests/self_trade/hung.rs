//! A disk that hangs while orders wait for cancels: nothing leaves before it is on record, and nobody waits longer.

use super::*;

/// Nothing is flushed from here on; an offer of ann's is in the way of what bob bids.
fn waiting(mode: SelfTradeMode) -> (World, OrderId, Ticket) {
    let mut world = World::with_mode(mode);
    let old = world.live("ann", sell("1", "101"));
    let ticket = world.place("bob", buy("2", "101"));
    assert_eq!(world.code(ticket), None, "it waits");
    (world, old, ticket)
}

fn sign_all(world: &mut World) {
    while !world.to_sign.is_empty() {
        world.sign(0);
    }
}

fn placed(world: &World) -> usize {
    world.venue.orders.len()
}

#[test]
fn the_cancel_does_not_leave_and_the_order_is_refused_in_time() {
    for mode in [CancelOld, Decrement] {
        let (mut world, old, ticket) = waiting(mode);
        sign_all(&mut world);
        world.pass(1_999);
        assert_eq!((world.to_send.len(), world.code(ticket)), (0, None));
        world.pass(1);
        assert_eq!(world.code(ticket), Some(Code::SelfTradeWait));
        assert!(world.to_send.is_empty(), "nothing left");
        // The disk answers: the cancel goes, and what was refused does not.
        world.settle_for(10);
        assert_eq!(world.stage_of(old), CANCELLED);
        assert_eq!(placed(&world), 1);
        world.check_replay();
        world.check();
    }
}

#[test]
fn what_goes_after_its_wait_leaves_once_it_is_on_record() {
    let (mut world, old, ticket) = waiting(CancelOld);
    world.flush();
    sign_all(&mut world);
    // From here on the disk hangs. The venue confirms the cancel.
    world.deliver(0);
    assert_eq!(world.stage_of(old), CANCELLED);
    sign_all(&mut world);
    assert_eq!((world.to_send.len(), placed(&world)), (0, 1), "it is signed, and stays");
    world.flush();
    assert_eq!(world.to_send.len(), 1);
    world.settle();
    assert_eq!(world.answered_by_venue(ticket).request.qty, Qty(d("2")));
    world.check_replay();
}

#[test]
fn what_is_given_up_before_it_is_on_record_never_leaves() {
    let (mut world, _, ticket) = waiting(CancelOld);
    world.flush();
    sign_all(&mut world);
    world.deliver(0);
    sign_all(&mut world);
    world.event(Event::JournalFailed { why: "its disk does not answer".to_owned() });
    assert_eq!(world.code(ticket), Some(Code::JournalUnavailable));
    world.event(Event::JournalRestored);
    world.settle_for(10);
    assert_eq!(placed(&world), 1);
    world.check_replay();
}

#[test]
fn the_cancel_that_goes_without_a_record_takes_no_order_along() {
    let (mut world, old, ticket) = waiting(CancelOld);
    let (on_record, _) = world.to_sign.remove(0);
    world.event(Event::JournalFailed { why: "its disk does not answer".to_owned() });
    assert_eq!(world.to_sign.iter().map(|(call, _)| call.id).collect::<Vec<_>>(), [on_record.id]);
    sign_all(&mut world);
    world.deliver(0);
    assert_eq!(world.stage_of(old), CANCELLED, "cancels go");
    assert_eq!(world.code(ticket), Some(Code::JournalUnavailable), "orders do not");
    world.event(Event::JournalRestored);
    world.settle_for(10);
    assert_eq!(placed(&world), 1);
    world.check_replay();
}

#[test]
fn what_reduces_leaves_no_sooner_either() {
    let mut world = World::with_mode(Refuse);
    world.live("bob", buy("5", "100"));
    world.venue.fill(1, d("5").raw());
    world.settle();
    world.live("ann", buy("9", "100"));
    let closes = world.place("bob", sell("5", "100"));
    sign_all(&mut world);
    world.pass(2_000);
    sign_all(&mut world);
    assert_eq!((world.code(closes), world.to_send.len()), (None, 0), "cleared, and not on record");
    world.flush();
    world.settle();
    assert!(world.answered_by_venue(closes).reducing);
    world.check_replay();
}

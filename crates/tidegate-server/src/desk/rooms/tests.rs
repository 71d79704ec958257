use super::*;
use futures_util::FutureExt;
use tidegate_types::ids::{AccountName, CallerName};

const MOST: Connections = Connections {
    cancels: 3,
    orders: 2,
    reads: 1,
    public: 1,
    sockets: 1,
    own_sockets: 1,
    of_account: None,
};

fn rooms() -> Rooms {
    Rooms::new(MOST)
}

fn main() -> AccountName {
    AccountName::new("main").unwrap()
}

/// At once, or not at all.
fn enters(rooms: &Rooms, errand: &Errand<'_>) -> Option<Place> {
    rooms.enter(errand, None).now_or_never().map(Result::unwrap)
}

#[test]
fn a_halt_s_cancel_has_a_connection_that_callers_cancels_do_not_take() {
    let (rooms, main) = (rooms(), main());
    let held = [0, 1].map(|_| enters(&rooms, &Errand::cancel(&main)).unwrap());
    assert!(enters(&rooms, &Errand::cancel(&main)).is_none(), "it waits");
    let kill = enters(&rooms, &Errand::Kill(&main)).unwrap();
    assert!(enters(&rooms, &Errand::Kill(&main)).is_none(), "all are taken");
    drop(held);
    let another = enters(&rooms, &Errand::cancel(&main)).unwrap();
    assert!(enters(&rooms, &Errand::cancel(&main)).is_none(), "one is kept again");
    drop((kill, another));
}

#[test]
fn a_cancel_that_becomes_a_halt_s_while_it_waits_takes_the_connection_kept_for_that() {
    let (rooms, main) = (rooms(), main());
    let _held = [0, 1].map(|_| enters(&rooms, &Errand::cancel(&main)).unwrap());
    let cancel = Errand::cancel(&main);
    let mut before = Box::pin(rooms.enter(&cancel, None));
    assert!((&mut before).now_or_never().is_none());
    let (tell, kill) = watch::channel(false);
    let mut waits = Box::pin(rooms.enter(&cancel, Some(kill)));
    assert!((&mut waits).now_or_never().is_none());
    tell.send_replace(true);
    assert!((&mut waits).now_or_never().is_some_and(|place| place.is_ok()));
    assert!((&mut before).now_or_never().is_none(), "which is not for those before it");
}

#[test]
fn halts_go_before_cancels_and_who_waits_with_many_cancels_before_nobody() {
    let (rooms, main) = (rooms(), main());
    let callers = ["flood", "calm"].map(|name| CallerName::new(name).unwrap());
    let of = |caller| Errand::Cancel { caller: Some(caller), account: &main };
    let [flood, calm] = [of(&callers[0]), of(&callers[1])];
    let mut held = Vec::from([0, 1].map(|_| enters(&rooms, &flood).unwrap()));
    let mut many: Vec<_> = (0..10).map(|_| Box::pin(rooms.enter(&flood, None))).collect();
    assert!(many.iter_mut().all(|one| one.now_or_never().is_none()));
    let mut one = Box::pin(rooms.enter(&calm, None));
    assert!((&mut one).now_or_never().is_none());
    let kills = Errand::Kill(&main);
    let kill = enters(&rooms, &kills).unwrap();
    let mut second = Box::pin(rooms.enter(&kills, None));
    assert!((&mut second).now_or_never().is_none());
    held.pop();
    assert!((&mut second).now_or_never().is_some(), "what is free next is a halt's");
    assert!(many.iter_mut().all(|one| one.now_or_never().is_none()));
    drop(kill);
    held.pop();
    let first = many.remove(0).now_or_never().unwrap().unwrap();
    let calm = one.now_or_never().unwrap().unwrap();
    assert!(many.iter_mut().all(|one| one.now_or_never().is_none()), "which have had a turn");
    drop((first, calm));
}

#[test]
fn who_gives_up_keeps_nothing() {
    let (rooms, main) = (rooms(), main());
    let held = [0, 1].map(|_| enters(&rooms, &Errand::cancel(&main)).unwrap());
    let cancel = Errand::cancel(&main);
    let mut waits = Box::pin(rooms.enter(&cancel, None));
    assert!((&mut waits).now_or_never().is_none());
    drop(held);
    drop(waits);
    let again = [0, 1].map(|_| enters(&rooms, &Errand::cancel(&main)));
    assert!(again.iter().all(Option::is_some), "what it was given meanwhile is free");
}

#[test]
fn an_order_that_reduces_does_not_wait_for_new_ones_that_hang() {
    let (rooms, main) = (rooms(), main());
    let order = |reduces| Errand::Order { caller: None, account: &main, reduces };
    let hangs = enters(&rooms, &order(false)).unwrap();
    assert!(enters(&rooms, &order(false)).is_none());
    let reduces = enters(&rooms, &order(true)).unwrap();
    assert!(enters(&rooms, &order(true)).is_none(), "both are taken");
    drop((hangs, reduces));
}

#[test]
fn where_nobody_is_more_urgent_every_connection_is_for_everybody() {
    let rooms = rooms();
    let public = Errand::Public { peer: [10, 0, 0, 1].into() };
    assert!(enters(&rooms, &public).is_some());
}

#[test]
fn when_too_many_wait_the_next_is_refused_unless_it_is_a_halt_s() {
    let (rooms, main) = (rooms(), main());
    let cancel = Errand::cancel(&main);
    let held = [0, 1].map(|_| enters(&rooms, &cancel).unwrap());
    let mut line: Vec<_> =
        (0..=4 * MAX_IN_FLIGHT).map(|_| Box::pin(rooms.enter(&cancel, None))).collect();
    assert!(line.iter_mut().all(|one| one.now_or_never().is_none()));
    let refused = rooms.enter(&cancel, None).now_or_never().unwrap();
    assert_eq!(refused.err().unwrap().code, Code::TooManyInFlight);
    assert!(enters(&rooms, &Errand::Kill(&main)).is_some());
    drop(held);
}

#[test]
fn the_gateway_s_own_sockets_have_places_that_callers_do_not_take_and_take_theirs_when_free() {
    let rooms = rooms();
    let shared = rooms.socket(0).unwrap();
    assert_eq!(rooms.socket(0).unwrap_err().code, Code::TooManyInFlight);
    let own = rooms.own_socket(0).unwrap();
    assert!(rooms.own_socket(0).is_none());
    drop(shared);
    let second = rooms.own_socket(0).unwrap();
    assert!(rooms.socket(0).is_err());
    drop((own, second));
}

#[test]
fn of_an_account_no_more_is_unanswered_than_the_venue_queues() {
    let rooms = Rooms::new(Connections { of_account: Some(3), ..MOST });
    let (main, other) = (main(), AccountName::new("other").unwrap());
    let order = |account| Errand::Order { caller: None, account, reduces: true };
    let mut held: Vec<_> = (0..2).map(|_| enters(&rooms, &order(&main)).unwrap()).collect();
    held.push(enters(&rooms, &Errand::cancel(&main)).unwrap());
    let cancel = Errand::cancel(&main);
    let mut waits = Box::pin(rooms.enter(&cancel, None));
    assert!((&mut waits).now_or_never().is_none(), "a connection is free, and no place");
    let kill = Errand::Kill(&main);
    let mut first = Box::pin(rooms.enter(&kill, None));
    assert!((&mut first).now_or_never().is_none());
    // Those two hold no connection: another account's cancels have them all.
    let theirs = [0, 1].map(|_| Errand::Kill(&other));
    let theirs = theirs.map(|kill| enters(&rooms, &kill).unwrap());
    assert!(enters(&rooms, &order(&other)).is_none(), "both connections for orders are taken");
    drop(theirs);
    held.pop();
    let killed = (&mut first).now_or_never().unwrap().unwrap();
    assert!((&mut waits).now_or_never().is_none(), "the halt's goes first");
    // An order that is answered makes room for the cancel as well.
    held.pop();
    assert!((&mut waits).now_or_never().is_some_and(|place| place.is_ok()));
    assert!(enters(&rooms, &order(&other)).is_some(), "each account has a queue of its own");
    drop(killed);
}

#[test]
fn a_full_queue_holds_up_nobody_else_however_many_wait_for_it() {
    let rooms = Rooms::new(Connections { of_account: Some(1), ..MOST });
    let (main, other) = (main(), AccountName::new("other").unwrap());
    let held = enters(&rooms, &Errand::Kill(&main)).unwrap();
    let kill = Errand::Kill(&main);
    let mut many: Vec<_> = (0..20).map(|_| Box::pin(rooms.enter(&kill, None))).collect();
    assert!(many.iter_mut().all(|one| one.now_or_never().is_none()));
    let theirs = enters(&rooms, &Errand::cancel(&other)).unwrap();
    drop(held);
    let mut served = 0;
    while let Some(at) = many.iter_mut().position(|one| one.now_or_never().is_some()) {
        drop(many.remove(at));
        served += 1;
    }
    assert_eq!(served, 20, "one after the other");
    drop(theirs);
}

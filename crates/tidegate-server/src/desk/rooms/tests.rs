use super::*;
use futures_util::FutureExt;
use tidegate_types::ids::AccountName;

fn rooms() -> Rooms {
    Rooms::new(Connections { cancels: 3, orders: 2, reads: 1, public: 1, sockets: 1 })
}

#[test]
fn a_halt_s_cancel_has_a_connection_that_callers_cancels_do_not_take() {
    let (rooms, main) = (rooms(), AccountName::new("main").unwrap());
    let held: Vec<_> =
        (0..2).map(|_| rooms.enter(&Errand::cancel(&main)).now_or_never().unwrap()).collect();
    assert!(held.iter().all(Result::is_ok));
    assert!(rooms.enter(&Errand::cancel(&main)).now_or_never().is_none(), "it waits");
    let kill = rooms.enter(&Errand::Kill(&main)).now_or_never();
    assert!(kill.is_some_and(|place| place.is_ok()));
    drop(held);
    assert!(rooms.enter(&Errand::cancel(&main)).now_or_never().is_some());
}

#[test]
fn an_order_that_reduces_does_not_wait_for_new_ones_that_hang() {
    let (rooms, main) = (rooms(), AccountName::new("main").unwrap());
    let order = |reduces| Errand::Order { caller: None, account: &main, reduces };
    let hangs = rooms.enter(&order(false)).now_or_never().unwrap();
    assert!(rooms.enter(&order(false)).now_or_never().is_none());
    let reduces = rooms.enter(&order(true)).now_or_never().unwrap();
    assert!(rooms.enter(&order(true)).now_or_never().is_none(), "both are taken");
    drop((hangs, reduces));
}

#[test]
fn where_nobody_is_more_urgent_every_connection_is_for_everybody() {
    let rooms = rooms();
    let public = Errand::Public { peer: [10, 0, 0, 1].into() };
    assert!(rooms.enter(&public).now_or_never().is_some());
}

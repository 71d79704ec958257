use super::*;
use crate::authenticate::tests::HERE;
use crate::authenticate::tests::{ALICE, BOB, Desk, at};
use crate::authenticate::{Named, named, stream_owner};
use tidegate_types::reject::Code;

fn name(desk: &Desk, key: &str) -> Named {
    named(&desk.keyring, &desk.venue, key, &HERE, at(0)).unwrap()
}

#[test]
fn one_per_key_and_renewed_by_asking_again() {
    let desk = Desk::new();
    let mut keys = StreamKeys::new();
    let (alice, bob) = (name(&desk, ALICE), name(&desk, BOB));
    let first = keys.start(&alice, &[1; 32], at(0));
    assert_eq!(first.len(), 64);
    assert_eq!(keys.start(&alice, &[2; 32], at(3000)), first);
    let other = keys.start(&bob, &[3; 32], at(3000));
    assert_ne!(other, first);
    assert_eq!(keys.until(&first, at(3001)), Some(at(6600)));
    let owner = stream_owner(&desk.keyring, &keys, &desk.venue, &first, &HERE, at(6599)).unwrap();
    assert_eq!(owner, alice);
}

#[test]
fn ends_after_an_hour_unless_kept() {
    let desk = Desk::new();
    let mut keys = StreamKeys::new();
    let alice = name(&desk, ALICE);
    assert_eq!(keys.keep(&alice, at(0)), None);
    let first = keys.start(&alice, &[1; 32], at(0));
    assert_eq!(keys.keep(&alice, at(3599)).as_ref(), Some(&first));
    let gone =
        stream_owner(&desk.keyring, &keys, &desk.venue, &first, &HERE, at(7199)).unwrap_err();
    assert_eq!(gone.code, Code::BadToken);
    assert_eq!(keys.keep(&alice, at(7199)), None);
    assert!(!keys.stop(&alice, at(7199)));
    assert_ne!(keys.start(&alice, &[2; 32], at(7200)), first);
}

#[test]
fn ends_when_stopped_or_its_virtual_key_is_revoked() {
    let mut desk = Desk::new();
    let mut keys = StreamKeys::new();
    let alice = name(&desk, ALICE);
    let first = keys.start(&alice, &[1; 32], at(0));
    assert!(keys.stop(&alice, at(1)));
    assert!(stream_owner(&desk.keyring, &keys, &desk.venue, &first, &HERE, at(1)).is_err());
    let second = keys.start(&alice, &[2; 32], at(1));
    desk.keyring.revoke(alice.key());
    let gone = stream_owner(&desk.keyring, &keys, &desk.venue, &second, &HERE, at(2)).unwrap_err();
    assert_eq!(gone.code, Code::UnknownKey);
    keys.revoke(alice.key());
    assert_eq!(keys.until(&second, at(2)), None);
}

#[test]
fn debug_shows_no_stream_key() {
    let desk = Desk::new();
    let mut keys = StreamKeys::new();
    let first = keys.start(&name(&desk, ALICE), &[1; 32], at(0));
    assert!(!format!("{keys:?}").contains(&first));
}

#[test]
fn what_lapsed_makes_room_whoever_s_it_was() {
    let desk = Desk::new();
    let mut keys = StreamKeys::new();
    keys.start(&name(&desk, ALICE), &[1; 32], at(0));
    keys.start(&name(&desk, BOB), &[2; 32], at(3600));
    assert_eq!((keys.by_owner.len(), keys.owners.len()), (1, 1));
}

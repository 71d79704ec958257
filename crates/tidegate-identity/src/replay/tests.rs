use super::*;
use proptest::prelude::*;
use tidegate_types::time::Span;

fn at(seconds: u64) -> Time {
    Time::from_millis(seconds * 1000)
}

fn key(id: &str) -> KeyId {
    KeyId::new(id).unwrap()
}

#[test]
fn refuses_a_second_arrival_of_the_same_key_alone() {
    let mut guard = ReplayGuard::new(at(100), None);
    assert_eq!(guard.admit(&key("a"), b"n", at(200), at(150)), Ok(()));
    assert_eq!(guard.admit(&key("a"), b"n", at(200), at(200)), Err(ReplayError::Seen));
    assert_eq!(guard.admit(&key("b"), b"n", at(200), at(150)), Ok(()));
    // The boundary between key and nonce counts.
    assert_eq!(guard.admit(&key("ab"), b"c", at(200), at(150)), Ok(()));
    assert_eq!(guard.admit(&key("a"), b"bc", at(200), at(150)), Ok(()));
}

#[test]
fn forgets_what_is_stale_and_keeps_refusing_it_when_the_clock_goes_back() {
    let mut guard = ReplayGuard::with_capacity(at(100), None, 2);
    assert_eq!(guard.admit(&key("a"), b"1", at(150), at(149)), Ok(()));
    assert_eq!(guard.admit(&key("a"), b"2", at(160), at(149)), Ok(()));
    assert_eq!(guard.admit(&key("a"), b"3", at(160), at(150)), Err(ReplayError::Full));
    assert_eq!(guard.admit(&key("a"), b"3", at(160), at(151)), Ok(()));
    assert_eq!(guard.len(), 2);
    assert_eq!(guard.admit(&key("a"), b"1", at(150), at(149)), Err(ReplayError::Seen));
}

#[test]
fn starts_after_everything_the_gateway_before_acted_on() {
    assert_eq!(ReplayGuard::new(at(100), None).not_before(), at(100));
    assert_eq!(ReplayGuard::new(at(100), Some(at(50))).not_before(), at(100));
    assert_eq!(ReplayGuard::new(at(100), Some(at(100))).not_before(), at(101));
}

proptest! {
    /// However requests come, none is admitted twice while its signature is good.
    #[test]
    fn admits_each_once(
        requests in prop::collection::vec((0_u8..8, 0_u64..20), 1..200)
    ) {
        let mut guard = ReplayGuard::with_capacity(at(0), None, 10_000);
        let mut admitted = std::collections::BTreeSet::new();
        let mut now = at(1000);
        for (nonce, step) in requests {
            now = now.plus(Span::from_secs(step));
            // The stamp is part of what is signed, so it is fixed by the nonce.
            let stale = at(1000 + u64::from(nonce) * 40 + 60);
            if now <= stale {
                let fresh = guard.admit(&key("k"), &[nonce], stale, now).is_ok();
                prop_assert_eq!(fresh, admitted.insert(nonce));
            }
        }
        prop_assert!(guard.len() <= 8);
    }
}

use super::*;

fn at(seconds: u64) -> Time {
    Time::from_millis(seconds * 1000)
}

fn admit(once: &mut Once, id: &str, now: u64) -> Result<(), NotOnce> {
    once.admit(b"owner", id, at(now), at(now + 60), at(now))
}

#[test]
fn dp_22_an_identifier_comes_once_for_each_owner() {
    let mut once = Once::new(10, at(0));
    assert_eq!(admit(&mut once, "a", 1), Ok(()));
    assert_eq!(admit(&mut once, "a", 60), Err(NotOnce::Seen));
    assert_eq!(once.admit(b"other", "a", at(1), at(61), at(1)), Ok(()));
    // The boundary between owner and identifier counts.
    assert_eq!(once.admit(b"ownera", "", at(1), at(61), at(1)), Ok(()));
}

#[test]
fn dp_22_the_memory_is_bounded_and_refuses_when_full() {
    let mut once = Once::new(2, at(0));
    assert_eq!(admit(&mut once, "a", 1), Ok(()));
    assert_eq!(admit(&mut once, "b", 1), Ok(()));
    assert_eq!(admit(&mut once, "c", 1), Err(NotOnce::Full));
    assert_eq!(admit(&mut once, "c", 100), Ok(()));
    assert_eq!(once.len(), 1);
}

#[test]
fn what_was_forgotten_stays_refused_when_the_clock_goes_back() {
    let mut once = Once::new(10, at(0));
    assert_eq!(admit(&mut once, "a", 1), Ok(()));
    assert_eq!(admit(&mut once, "b", 200), Ok(()));
    assert_eq!(admit(&mut once, "a", 1), Err(NotOnce::Seen));
}

#[test]
fn dp_22_a_restart_forgets_nothing() {
    let mut once = Once::new(10, at(0));
    assert_eq!(admit(&mut once, "a", 100), Ok(()));
    let saved = once.save();
    let mut clean = Once::restore(10, &saved).unwrap();
    assert_eq!(admit(&mut clean, "a", 110), Err(NotOnce::Seen));
    assert_eq!(admit(&mut clean, "b", 99), Ok(()));
    // After a crash nothing is known of what came before it.
    let mut crashed = Once::new(10, at(105));
    assert_eq!(admit(&mut crashed, "a", 104), Err(NotOnce::Seen));
    assert_eq!(admit(&mut crashed, "a", 105), Ok(()));
    assert!(Once::restore(10, &saved[1..]).is_none());
    assert!(Once::restore(0, &saved).is_none());
}

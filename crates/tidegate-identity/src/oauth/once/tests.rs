use super::*;

fn at(seconds: u64) -> Time {
    Time::from_millis(seconds * 1000)
}

fn admit(once: &mut Once, id: &str, now: u64) -> Result<(), NotOnce> {
    once.admit("app", b"owner", id, at(now), at(now + 60), at(now))
}

#[test]
fn dp_22_an_identifier_comes_once_for_each_owner() {
    let mut once = Once::new(10, at(0));
    assert_eq!(admit(&mut once, "a", 1), Ok(()));
    assert_eq!(admit(&mut once, "a", 60), Err(NotOnce::Seen));
    assert_eq!(once.admit("app", b"other", "a", at(1), at(61), at(1)), Ok(()));
    // The boundary between owner and identifier counts.
    assert_eq!(once.admit("app", b"ownera", "", at(1), at(61), at(1)), Ok(()));
}

#[test]
fn dp_22_the_memory_is_bounded_and_refuses_when_full() {
    let mut once = Once::new(4, at(0));
    assert_eq!(admit(&mut once, "a", 1), Ok(()));
    assert_eq!(admit(&mut once, "b", 1), Ok(()));
    assert_eq!(admit(&mut once, "c", 1), Err(NotOnce::Full));
    assert_eq!(admit(&mut once, "c", 100), Ok(()));
    assert_eq!(once.len(), 1);
}

#[test]
fn nobody_takes_the_room_of_others() {
    let mut once = Once::new(100, at(0));
    let mut fill = |app: &str, now: u64| {
        let admitted = |n: &u64| {
            once.admit(app, app.as_bytes(), &n.to_string(), at(now), at(now + 60), at(now)).is_ok()
        };
        (0..1000).take_while(admitted).count()
    };
    assert_eq!(fill("loud", 1), 50, "half of it");
    assert_eq!(fill("second", 1), 25);
    assert!(fill("third", 1) > 10);
    assert!(fill("quiet", 1) > 5);
    assert_eq!(fill("loud", 100), 50, "what is over gives its room back");
}

#[test]
fn shares_are_kept_over_a_restart() {
    let mut once = Once::new(4, at(0));
    assert_eq!(admit(&mut once, "a", 1), Ok(()));
    assert_eq!(admit(&mut once, "b", 1), Ok(()));
    let mut clean = Once::restore(4, &once.save()).unwrap();
    assert_eq!(admit(&mut clean, "c", 1), Err(NotOnce::Full));
    assert_eq!(clean.admit("other", b"other", "c", at(1), at(61), at(1)), Ok(()));
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

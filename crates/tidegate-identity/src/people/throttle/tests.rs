use super::*;
use proptest::prelude::*;
use tidegate_types::codec::{from_bytes, to_bytes};

const ANN: PersonHandle = PersonHandle([1; 16]);
const BOB: PersonHandle = PersonHandle([2; 16]);

fn at(seconds: u64) -> Time {
    Time::from_millis(1_000_000 + seconds * 1000)
}

fn address(text: &str) -> IpAddr {
    text.parse().unwrap()
}

impl Throttle {
    /// Makes an attempt, if it may be made.
    fn attempt(&mut self, target: Target<'_>, from: IpAddr, now: Time) -> Result<Attempt, Refused> {
        let attempt = self.admit(target, from, now)?;
        self.count(&attempt);
        Ok(attempt)
    }
}

/// An address of its own range for each `n`.
fn elsewhere(n: u64) -> IpAddr {
    IpAddr::from([10, (n >> 8) as u8, n as u8, 1])
}

/// Fails once and tells when the next attempt may be made.
fn fail(throttle: &mut Throttle, target: Target<'_>, from: IpAddr, now: Time) -> Result<(), Time> {
    match throttle.attempt(target, from, now) {
        Ok(_) => Ok(()),
        Err(Refused::Wait { until }) => Err(until),
        Err(Refused::Blocked) => Err(Time::from_micros(u64::MAX)),
    }
}

/// The waits before each attempt on `target`, made as early as they may be, until the block.
fn waits(target: Target<'_>) -> Vec<u64> {
    let mut throttle = Throttle::default();
    let (mut now, mut waits) = (at(0), Vec::new());
    for n in 0.. {
        match throttle.attempt(target, elsewhere(n), now) {
            Ok(_) => waits.push(0),
            Err(Refused::Blocked) => return waits,
            Err(Refused::Wait { until }) => {
                waits.push(until.since(now).millis() / 1000);
                now = until;
                assert!(throttle.attempt(target, elsewhere(n), now).is_ok());
            }
        }
    }
    waits
}

#[test]
fn waits_double_and_then_the_person_is_blocked() {
    let waits = waits(Target::Person(ANN));
    assert_eq!(waits.len(), MAX_FAILURES as usize);
    assert_eq!(waits[..10], [0, 0, 0, 0, 0, 1, 2, 4, 8, 16]);
    assert_eq!(waits[14..17], [512, 900, 900]);
    // A whole day is not enough to guess a hundred times.
    assert!(waits.iter().sum::<u64>() > 20 * 3600);
}

#[test]
fn who_does_not_exist_waits_as_long() {
    assert_eq!(waits(Target::Stranger("nobody")), waits(Target::Person(ANN)));
}

#[test]
fn attempts_side_by_side_count_before_they_are_checked() {
    let mut throttle = Throttle::default();
    let side_by_side: Vec<_> =
        (0..10).map(|n| throttle.attempt(Target::Person(ANN), elsewhere(n), at(0))).collect();
    assert_eq!(side_by_side.iter().filter(|a| a.is_ok()).count(), FREE_FAILURES as usize);
    assert_eq!(throttle.failures(ANN), FREE_FAILURES);
}

#[test]
fn what_was_right_is_taken_back_and_failures_stay_until_the_login_is_whole() {
    let mut throttle = Throttle::default();
    for n in 0..4 {
        fail(&mut throttle, Target::Person(ANN), elsewhere(n), at(n)).unwrap();
    }
    let before = throttle.clone();
    let attempt = throttle.attempt(Target::Person(ANN), elsewhere(9), at(10)).unwrap();
    assert_eq!(throttle.failures(ANN), 5);
    throttle.passed(&attempt);
    assert_eq!(throttle, before);
    throttle.clear(ANN);
    assert_eq!(throttle.failures(ANN), 0);
}

#[test]
fn who_knows_the_password_alone_cannot_guess_codes_for_ever() {
    let mut throttle = Throttle::default();
    let (mut now, mut codes) = (at(0), 0);
    let blocked = loop {
        match throttle.attempt(Target::Person(ANN), elsewhere(codes), now) {
            Err(Refused::Wait { until }) => now = until,
            Err(Refused::Blocked) => break true,
            Ok(password) => {
                throttle.passed(&password);
                codes += 1;
                while fail(&mut throttle, Target::Person(ANN), elsewhere(codes), now).is_err() {
                    now = now.plus(Span::from_secs(1));
                }
            }
        }
        if codes > 2 * u64::from(MAX_FAILURES) {
            break false;
        }
    };
    assert!(blocked && codes == u64::from(MAX_FAILURES));
}

#[test]
fn a_restart_and_other_people_change_nothing() {
    let mut throttle = Throttle::default();
    for n in 0..5 {
        fail(&mut throttle, Target::Person(ANN), elsewhere(n), at(0)).unwrap();
    }
    let mut throttle: Throttle = from_bytes(&to_bytes(&throttle)).unwrap();
    assert_eq!(fail(&mut throttle, Target::Person(ANN), elsewhere(7), at(0)), Err(at(1)));
    assert_eq!(fail(&mut throttle, Target::Person(BOB), elsewhere(7), at(0)), Ok(()));
}

#[test]
fn a_range_slows_down_whoever_it_tries_and_is_never_blocked() {
    let mut throttle = Throttle::default();
    let mut now = at(0);
    for n in 0..300_u64 {
        let person = PersonHandle([n as u8; 16]);
        let from = IpAddr::from([192, 0, 2, n as u8]);
        if let Err(until) = fail(&mut throttle, Target::Person(person), from, now) {
            assert!(n >= 50 && until.since(now) <= LONGEST_RANGE_WAIT);
            now = until;
            fail(&mut throttle, Target::Person(person), from, now).unwrap();
        }
    }
    assert!(now.since(at(0)) > Span::from_secs(200 * 60));
    // The neighbour waits for nobody.
    fail(&mut throttle, Target::Stranger("x"), address("192.0.3.1"), now).unwrap();
}

#[test]
fn ranges_are_networks() {
    let same = |a, b| range_of(address(a)) == range_of(address(b));
    assert!(same("192.0.2.1", "192.0.2.255") && !same("192.0.2.1", "192.0.3.1"));
    assert!(same("::ffff:192.0.2.1", "192.0.2.9"));
    assert!(same("2001:db8:0:aa00::1", "2001:db8:0:aaff::2"));
    assert!(!same("2001:db8:0:aa00::1", "2001:db8:0:ab00::1"));
}

#[test]
fn names_of_nobody_do_not_fill_the_memory_nor_push_people_out() {
    let mut throttle = Throttle::default();
    for n in 0..5 {
        fail(&mut throttle, Target::Person(ANN), elsewhere(n), at(0)).unwrap();
    }
    for n in 0..MAX_STRANGERS as u64 + 100 {
        let name = n.to_string();
        fail(&mut throttle, Target::Stranger(&name), elsewhere(n), at(1)).unwrap();
    }
    assert_eq!((throttle.strangers.len(), throttle.failures(ANN)), (MAX_STRANGERS, 5));
    assert!(to_bytes(&throttle).len() < 256 * 1024);
    // After a day they are forgotten; the person's failures are not.
    fail(&mut throttle, Target::Stranger("x"), elsewhere(1), at(25 * 3600)).unwrap();
    assert_eq!((throttle.strangers.len(), throttle.failures(ANN)), (1, 5));
}

#[test]
fn a_clock_set_back_locks_nobody_out() {
    let mut throttle = Throttle::default();
    for n in 0..5 {
        fail(&mut throttle, Target::Person(ANN), elsewhere(n), at(1_000)).unwrap();
    }
    assert_eq!(fail(&mut throttle, Target::Person(ANN), elsewhere(7), at(0)), Err(at(1)));
}

proptest! {
    #[test]
    fn failures_never_exceed_the_limit_whatever_comes(
        steps in prop::collection::vec((any::<bool>(), 0_u64..2_000), 0..400)
    ) {
        let mut throttle = Throttle::default();
        let (mut now, mut open) = (at(0), Vec::new());
        for (right, seconds) in steps {
            now = now.plus(Span::from_secs(seconds));
            if let Ok(attempt) = throttle.attempt(Target::Person(ANN), elsewhere(seconds), now) {
                open.push((right, attempt));
            }
            if open.len() > 3 {
                let (right, attempt) = open.remove(0);
                if right {
                    throttle.passed(&attempt);
                }
            }
            prop_assert!(throttle.failures(ANN) <= MAX_FAILURES);
        }
    }
}

use super::*;
use crate::time::Span;

#[test]
fn a_burst_passes_and_then_the_rate_holds() {
    let start = Time::from_millis(1_700_000_000_000);
    let mut bucket = Bucket::new(10, 3);
    let at = |ms| start.plus(Span::from_millis(ms));
    assert_eq!([0, 0, 0, 0].map(|ms| bucket.take(at(ms))), [true, true, true, false]);
    assert_eq!([99, 100, 100, 200].map(|ms| bucket.take(at(ms))), [false, true, false, true]);
    // A long pause gives back no more than the burst.
    assert_eq!([9000; 4].map(|ms| bucket.take(at(ms))), [true, true, true, false]);
}

#[test]
fn a_clock_that_goes_back_shuts_nobody_out() {
    let start = Time::from_millis(1_700_000_000_000);
    let mut bucket = Bucket::new(10, 1);
    assert!(bucket.take(start));
    let before = start.minus(Span::from_secs(3600));
    assert_eq!([bucket.take(before), bucket.take(before)], [true, false]);
}

#[test]
fn a_rate_of_nothing_lets_nothing_through() {
    assert!(!Bucket::new(0, 10).take(Time::from_millis(5)));
}

#[test]
fn several_tokens_are_taken_together_or_not_at_all() {
    let now = Time::from_millis(1_700_000_000_000);
    let mut bucket = Bucket::new(10, 3);
    assert_eq!(
        [2, 2, 1, 1].map(|tokens| bucket.take_many(tokens, now)),
        [true, false, true, false]
    );
    assert!(!bucket.has_one(now) && bucket.has_one(now.plus(Span::from_millis(100))));
    assert!(
        !bucket.take(now) && bucket.take(now.plus(Span::from_millis(100))),
        "looking takes none"
    );
}

use super::*;
use crate::authenticate::tests::somebody;

fn at(ms: u64) -> Time {
    Time::from_millis(ms)
}

fn id(text: &str) -> CallerOrderId {
    CallerOrderId::new(text).unwrap()
}

#[test]
fn a_request_is_overtaken_by_one_of_the_same_id_that_was_signed_later() {
    let mut stamps = OrderStamps::default();
    let (ann, bob) = (somebody("ann"), somebody("bob"));
    let table = [
        (&ann, "a", 5_000, false),
        (&ann, "a", 4_999, true),
        // Within one millisecond there is no order.
        (&ann, "a", 5_000, false),
        (&ann, "a", 6_000, false),
        (&ann, "a", 5_500, true),
        (&ann, "b", 4_000, false),
        (&bob, "a", 4_000, false),
    ];
    for (who, name, signed, overtaken) in table {
        assert_eq!(stamps.admit(who, &id(name), at(signed), at(6_500)), Ok(overtaken), "{signed}");
    }
}

#[test]
fn an_id_is_remembered_for_as_long_as_an_earlier_request_may_be_good() {
    let mut stamps = OrderStamps::with_capacity(1);
    let ann = somebody("ann");
    assert_eq!(stamps.admit(&ann, &id("a"), at(100_000), at(100_000)), Ok(false));
    let full = stamps.admit(&ann, &id("b"), at(100_000), at(100_000)).unwrap_err();
    assert_eq!(full.code, Code::TooManyInFlight);
    assert_eq!(stamps.admit(&ann, &id("a"), at(150_000), at(150_000)), Ok(false));
    let window = MAX_SIGNATURE_WINDOW.millis() + MAX_CLOCK_AHEAD.millis();
    // It was asked for again, so the first time does not end its place.
    assert_eq!(stamps.admit(&ann, &id("a"), at(149_999), at(149_999 + window)), Ok(true));
    assert_eq!(stamps.admit(&ann, &id("b"), at(212_000), at(150_000 + window + 1_000)), Ok(false));
    assert_eq!(stamps.len(), 1);
}

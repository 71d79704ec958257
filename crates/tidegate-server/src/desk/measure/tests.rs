use super::*;

#[test]
fn every_value_is_in_the_slot_that_covers_it() {
    for nanos in (0..100_000).chain([1 << 30, (1 << 40) + 12_345]) {
        let slot = slot_of(nanos);
        assert!(nanos <= top_of(slot), "{nanos}");
        assert!(slot == 0 || nanos > top_of(slot - 1), "{nanos}");
    }
    assert_eq!(slot_of(u64::MAX), SLOTS - 1);
}

#[test]
fn quantiles_are_right_to_a_sixteenth() {
    let histogram = Histogram::default();
    for micros in 1..=1000 {
        histogram.record(Duration::from_micros(micros));
    }
    let seen = histogram.quantiles();
    assert_eq!(seen.count, 1000);
    for (got, exact) in [(seen.p50_ns, 500_000), (seen.p99_ns, 990_000), (seen.p999_ns, 999_000)] {
        assert!(got >= exact && got <= exact + exact / 16, "{got} for {exact}");
    }
    assert_eq!(Histogram::default().quantiles(), Quantiles::default());
}

use super::*;

#[test]
fn a_clock_is_off_by_what_cannot_be_the_exchange_nor_the_way() {
    // Before, after, the second told, and by how much the clock is off for certain.
    for (before, after, told, expected) in [
        (10_000, 10_050, 10_000, 0),
        (10_950, 11_100, 10_000, 0),
        (11_000, 11_100, 10_000, 0),
        (11_001, 11_100, 10_000, 1),
        (15_000, 15_100, 10_000, 4_000),
        (9_000, 10_000, 10_000, 0),
        (9_000, 9_999, 10_000, -1),
        (5_000, 5_100, 10_000, -4_900),
    ] {
        assert_eq!(off(before, after, told), expected, "{before} {after} {told}");
    }
    for (off, well, words) in [
        (0, true, "agrees"),
        (500, true, "500 ms ahead"),
        (501, false, "501 ms ahead"),
        (-500, true, "500 ms behind"),
        (-4_900, false, "4900 ms behind"),
    ] {
        let finding = judged("binance", off);
        assert_eq!(finding.well, well, "{off}");
        assert!(finding.seen.contains(words), "{off}: {}", finding.seen);
    }
}

#[test]
fn dates_are_read_as_http_writes_them() {
    assert_eq!(parse("Sun, 06 Nov 1994 08:49:37 GMT"), Some(784_111_777_000));
    assert_eq!(parse("yesterday"), None);
}

#[test]
fn a_clock_that_was_never_set_is_told_without_a_venue() {
    assert!(!alone(86_400_000, "").well);
    let found = findings(None);
    assert!(found.iter().all(|finding| finding.well && finding.seen.contains("no venue")));
}

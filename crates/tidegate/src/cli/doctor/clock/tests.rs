use super::*;
use tidegate_types::time::Span;

#[test]
fn a_clock_is_off_by_what_cannot_be_the_way() {
    for (ahead_ms, give_ms, well, words) in [
        (0, 3, true, "0 ms ahead of ours, give or take 3 ms"),
        (500, 0, true, "500 ms ahead"),
        (501, 0, false, "501 ms ahead"),
        (501, 1, true, "501 ms ahead"),
        (-500, 0, true, "500 ms behind ours"),
        (-4_900, 200, false, "4900 ms behind ours, give or take 200 ms"),
    ] {
        let offset = Offset { ahead: ahead_ms * 1000, give: Span::from_millis(give_ms) };
        let finding = judged("binance", offset);
        assert_eq!(finding.well, well, "{ahead_ms}");
        assert!(finding.seen.contains(words), "{ahead_ms}: {}", finding.seen);
        assert!(finding.seen.contains("just now"));
    }
}

#[test]
fn what_the_gateway_measured_is_told_with_its_age() {
    let at_ms = u64::try_from(now_ms()).unwrap() - 12_300;
    let venue = "binance".to_owned();
    let clock = ClockStatus { venue, ahead_us: 3_000_400, give_us: 2_100, at_ms, used: true };
    let finding = measured(&clock);
    assert!(!finding.well);
    for words in ["3000 ms ahead of ours, give or take 3 ms", "12 s ago", "carry its time"] {
        assert!(finding.seen.contains(words), "{}", finding.seen);
    }
    let finding = measured(&ClockStatus { ahead_us: -400, used: false, ..clock });
    assert!(finding.well && finding.seen.contains("carry our time"), "{}", finding.seen);
}

#[test]
fn a_clock_that_was_never_set_is_told_without_a_venue() {
    assert!(!alone(86_400_000, "").well);
    let found = findings(None);
    assert!(found.iter().all(|finding| finding.well && finding.seen.contains("no venue")));
}

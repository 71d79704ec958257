use super::*;

const fn ms(ms: u64) -> Time {
    Time::from_millis(ms)
}

fn face(ahead_ms: i64, give_ms: u64) -> Face {
    let offset = Offset { ahead: ahead_ms * 1000, give: Span::from_millis(give_ms) };
    Face { measured: Some((offset, ms(100_000))), told: Time::default() }
}

#[test]
fn a_request_is_stamped_by_the_venue_s_clock_while_that_is_known() {
    for (ahead, give, steady, machine, stamp) in [
        (3000, 5, 100_000, 100_000, 103_000),
        (-3000, 5, 100_000, 100_000, 97_000),
        (3000, 500, 220_000, 220_000, 223_000),
        // Too uncertain, too old, too far.
        (3000, 501, 100_000, 100_000, 100_000),
        (3000, 5, 220_001, 220_001, 220_001),
        (10_001, 5, 100_000, 100_000, 100_000),
        (-10_001, 5, 100_000, 100_000, 100_000),
        // The machine's clock was set meanwhile: the venue's is where it was.
        (0, 5, 110_000, 105_000, 110_000),
        (0, 5, 110_000, 119_000, 110_000),
    ] {
        let found = face(ahead, give).stamp(ms(steady), ms(machine));
        assert_eq!(found, ms(stamp), "{ahead} {give} {steady} {machine}");
    }
    assert_eq!(Face::default().stamp(ms(5), ms(70)), ms(70), "nothing was measured");
    assert_eq!(Face::default().reading(ms(5), ms(70)), None);
}

#[test]
fn a_stamp_goes_back_only_where_the_venue_would_refuse_it_otherwise() {
    let mut face = face(1000, 5);
    assert_eq!(face.stamp(ms(100_000), ms(100_000)), ms(101_000));
    let offset = |ahead: i64| Offset { ahead: ahead * 1000, give: Span::from_millis(5) };
    face.measured = Some((offset(800), ms(100_000)));
    assert_eq!(face.stamp(ms(100_000), ms(100_000)), ms(101_000), "it stands");
    assert_eq!(face.stamp(ms(100_201), ms(100_201)), ms(101_001), "and goes on");
    face.measured = Some((offset(-3000), ms(100_300)));
    assert_eq!(face.stamp(ms(100_300), ms(100_300)), ms(97_300));
}

#[test]
fn what_is_told_of_it_is_against_the_machine_s_clock() {
    let reading = face(40, 5).reading(ms(103_000), ms(102_900)).unwrap();
    assert_eq!(
        (reading.offset.ahead, reading.age, reading.used),
        (140_000, Span::from_secs(3), true)
    );
    assert!(!face(40, 600).reading(ms(103_000), ms(103_000)).unwrap().used);
}
